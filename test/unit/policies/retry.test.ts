/** What may be tried on another endpoint, over all codes, facts and kinds of requests; and the pauses before. */
import { describe, expect, it } from 'vitest';
import type { RetryCondition } from '../../../src/config/resilience-plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../../../src/core/error-catalog.js';
import { seededRng } from '../../../src/core/rng.js';
import { AttemptFact } from '../../../src/engine/attempt-profile.js';
import { isRepeatable, longestPauseMs, mayTryElsewhere, pauseMs } from '../../../src/policies/retry.js';

const { HELD, SENT, REUSED, ANSWERED } = AttemptFact;
const ALL: readonly RetryCondition[] = ['connect', 'reset', 'timeout', 'bad-response'];
const CODES = Object.keys(ERROR_CATALOG) as ErrorCode[];
const FACTS = Array.from({ length: 16 }, (_, bits) => bits);

/** What a failure is to the user who writes `retry.on`, as docs/configuration.md tells it. */
const CONDITION_OF: Partial<Record<ErrorCode, RetryCondition>> = {
  SLUICE_CONNECT_REFUSED: 'connect',
  SLUICE_CONNECT_TIMEOUT: 'connect',
  SLUICE_POOL_TIMEOUT: 'connect',
  SLUICE_ENDPOINT_TLS: 'connect',
  SLUICE_STREAM_REFUSED: 'connect',
  SLUICE_ENDPOINT_RESET: 'reset',
  SLUICE_FIRST_BYTE_TIMEOUT: 'timeout',
  SLUICE_ATTEMPT_TIMEOUT: 'timeout',
  SLUICE_BAD_RESPONSE: 'bad-response',
};

/** The rule as a table reads it, case by case. */
function expected(code: ErrorCode, facts: number, repeatable: boolean, on: readonly RetryCondition[]): boolean {
  if ((facts & HELD) === 0) return false;
  if ((facts & SENT) !== 0 && !repeatable) return false;
  if (code === 'SLUICE_ENDPOINT_DRAINED') return true;
  const own = CONDITION_OF[code];
  if (own === undefined) return false;
  if ((facts & SENT) === 0) return on.some((condition) => condition === 'connect' || condition === own);
  if (code !== 'SLUICE_ENDPOINT_RESET') return on.includes(own);
  if ((facts & ANSWERED) !== 0) return on.includes('bad-response');
  return on.includes('reset') || (on.includes('connect') && (facts & REUSED) !== 0);
}

describe('mayTryElsewhere', () => {
  const subsets = FACTS.map((bits) => ALL.filter((_, index) => (bits & (1 << index)) !== 0));

  it('agrees with the table over all codes, facts, kinds of requests and conditions', () => {
    for (const code of CODES)
      for (const facts of FACTS)
        for (const repeatable of [true, false])
          for (const on of subsets)
            expect(mayTryElsewhere(code, facts, repeatable, on), `${code} ${facts} ${repeatable} ${on}`).toBe(
              expected(code, facts, repeatable, on),
            );
  });

  it.each([
    ['a POST that was never sent', 'SLUICE_CONNECT_REFUSED', HELD, false, true],
    ['a POST that was sent', 'SLUICE_ENDPOINT_RESET', HELD | SENT, false, false],
    ['a POST whose reused connection died', 'SLUICE_ENDPOINT_RESET', HELD | SENT | REUSED, false, false],
    ['a GET that was sent', 'SLUICE_ENDPOINT_RESET', HELD | SENT, true, true],
    ['a GET of which too little is held', 'SLUICE_ENDPOINT_RESET', SENT, true, false],
    ['a POST that was sent and found no connection at its replay', 'SLUICE_CONNECT_REFUSED', HELD | SENT, false, false],
    ['a GET past the deadline of its route', 'SLUICE_EXCHANGE_TIMEOUT', HELD | SENT, true, false],
  ] as const)('says of %s what is safe', (_name, code, facts, repeatable, may) => {
    expect(mayTryElsewhere(code, facts, repeatable, ALL)).toBe(may);
  });

  it('never tries again what the catalogue says another try cannot help', () => {
    const never = CODES.filter((code) => ERROR_CATALOG[code].retry === 'never');
    expect(never.filter((code) => mayTryElsewhere(code, HELD, true, ALL))).toEqual([]);
  });

  it('takes for safe without a method what the catalogue takes for safe always', () => {
    const always = CODES.filter((code) => ERROR_CATALOG[code].retry === 'always');
    expect(always.every((code) => mayTryElsewhere(code, HELD, false, ['connect']))).toBe(true);
  });
});

describe('isRepeatable', () => {
  it.each([
    [true, false, false, true],
    [false, true, false, true],
    [false, false, true, true],
    [false, false, false, false],
  ])('idempotent %s, with a key %s, by configuration %s: %s', (isIdempotent, hasKey, nonIdempotent, is) => {
    expect(isRepeatable(isIdempotent, hasKey, { nonIdempotent })).toBe(is);
  });
});

describe('the pause before a retry', () => {
  const envoy = { baseMs: 25, mostMs: 250 };

  it('has the bounds of semantics.md 7', () => {
    expect([1, 2, 3, 4, 5].map((retry) => longestPauseMs(retry, envoy))).toEqual([25, 75, 175, 250, 250]);
    expect(longestPauseMs(1_000, envoy)).toBe(250);
  });

  it('is spread evenly from nothing up to its bound', () => {
    const rng = seededRng(7);
    const drawn = Array.from({ length: 20_000 }, () => pauseMs(2, 'SLUICE_ENDPOINT_RESET', envoy, rng));
    const mean = drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length;
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([0, 74]);
    expect(mean).toBeGreaterThan(36);
    expect(mean).toBeLessThan(38);
  });

  it('is none after a refused connection', () => {
    expect(pauseMs(5, 'SLUICE_CONNECT_REFUSED', envoy, seededRng(1))).toBe(0);
  });

  it('is none where none is configured', () => {
    expect(pauseMs(3, null, { baseMs: 0, mostMs: 0 }, seededRng(1))).toBe(0);
  });
});
