/** Conformance of the native front end to HTTP/2, with prior knowledge and over TLS: each case as promised, or as its source allows. */
import { describe, expect, it } from 'vitest';
import { clearTextHttp2, tlsHttp2 } from './http2/harness/http2-candidates.js';
import { HTTP2_CASES } from './http2/harness/http2-case.js';
import { runHttp2 } from './http2/harness/run-http2.js';

describe.each([clearTextHttp2, tlsHttp2])('the native front end and HTTP/2: $name', (candidate) => {
  it('deviates nowhere', { timeout: 60_000 }, async () => {
    const verdicts = await runHttp2(candidate, HTTP2_CASES, { lanes: 16, patienceMs: 2_000 });
    const deviating = HTTP2_CASES.flatMap(({ name }, index) => {
      const { differences, isAllowed } = verdicts[index] ?? { differences: ['not run'], isAllowed: false };
      return differences.length === 0 || isAllowed ? [] : [name];
    });
    expect(deviating).toEqual([]);
  });
});
