/** Error codes as HTTP. */
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOG, type ErrorCode } from '../../../src/core/error-catalog.js';
import { errorResponse } from '../../../src/l7/error-response.js';

describe('error response', () => {
  it('names the code and the request in a small JSON body, nothing inner', () => {
    const response = errorResponse('SLUICE_CONNECT_REFUSED', 'id-1');
    expect(response.head).toBe('502 Bad Gateway\r\ncontent-type: application/json\r\ncache-control: no-store');
    expect(JSON.parse(response.body)).toEqual({
      error: 'SLUICE_CONNECT_REFUSED',
      message: ERROR_CATALOG.SLUICE_CONNECT_REFUSED.text,
      requestId: 'id-1',
    });
  });

  it('says when to come back where the proxy lacks capacity', () => {
    expect(errorResponse('SLUICE_NO_ENDPOINT', '').head).toContain('\r\nretry-after: 1');
    expect(errorResponse('SLUICE_CONNECT_TIMEOUT', '').head).not.toContain('retry-after');
  });

  it('names the methods that are passed on with 405', () => {
    expect(errorResponse('SLUICE_METHOD_REFUSED', '').head).toContain('\r\nallow: GET, ');
  });

  it('gives every code that a client can see a whole head', () => {
    for (const [code, { status }] of Object.entries(ERROR_CATALOG)) {
      if (status === 0 || status === 499) continue;
      expect(errorResponse(code as ErrorCode, '').head).toMatch(/^[45][0-9]{2} [A-Z][A-Za-z ]+\r\n/);
    }
  });
});
