/** The policies around an exchange: they decide from values alone. */
import { describe, expect, it } from 'vitest';
import { admitSize, exceedsBody } from '../../../src/policies/request-limits.js';
import { admitPassage, isIdempotent } from '../../../src/policies/request-passage.js';
import { mayRetry } from '../../../src/policies/retry.js';

describe('request limits', () => {
  const limits = { headBytes: 100, headers: 3, bodyBytes: 10 };

  it.each([
    [{ headBytes: 100, fields: 3, bodyBytes: 10 }, 'ADMIT'],
    [{ headBytes: 101, fields: 3, bodyBytes: 10 }, 'SLUICE_HEAD_TOO_LARGE'],
    [{ headBytes: 100, fields: 4, bodyBytes: 10 }, 'SLUICE_HEAD_TOO_LARGE'],
    [{ headBytes: 100, fields: 3, bodyBytes: 11 }, 'SLUICE_BODY_TOO_LARGE'],
    [{ headBytes: 100, fields: 3, bodyBytes: -2 }, 'ADMIT'],
  ])('judges %j as %s', (size, verdict) => {
    expect(admitSize(limits, size)).toBe(verdict);
  });

  it('lets a body grow up to the limit', () => {
    expect([exceedsBody(limits, 10), exceedsBody(limits, 11)]).toEqual([false, true]);
    expect(exceedsBody({ ...limits, bodyBytes: Number.POSITIVE_INFINITY }, 2 ** 50)).toBe(false);
  });
});

describe('request passage', () => {
  it('refuses TRACE, CONNECT and loops', () => {
    expect(admitPassage('TRACE', false)).toBe('SLUICE_METHOD_REFUSED');
    expect(admitPassage('CONNECT', false)).toBe('SLUICE_METHOD_REFUSED');
    expect(admitPassage('GET', true)).toBe('SLUICE_LOOP_DETECTED');
    expect(admitPassage('POST', false)).toBe('ADMIT');
  });

  it('knows what may be carried out twice', () => {
    expect(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].every(isIdempotent)).toBe(true);
    expect(['POST', 'PATCH', 'get', 'LOCK', ''].some(isIdempotent)).toBe(false);
  });
});

describe('retry', () => {
  it("tries again what no endpoint has seen, up to the upstream's attempts", () => {
    expect(mayRetry({ code: 'SLUICE_CONNECT_REFUSED', isUnsent: true, attempts: 1 }, 2)).toBe(true);
    expect(mayRetry({ code: 'SLUICE_CONNECT_REFUSED', isUnsent: true, attempts: 2 }, 2)).toBe(false);
    expect(mayRetry({ code: 'SLUICE_CONNECT_REFUSED', isUnsent: false, attempts: 1 }, 2)).toBe(false);
  });

  it('does not try again what another try cannot help', () => {
    expect(mayRetry({ code: 'SLUICE_EXCHANGE_TIMEOUT', isUnsent: true, attempts: 1 }, 2)).toBe(false);
  });
});
