/** Tests of what the ends of gRPC calls count as. */
import { describe, expect, it } from 'vitest';
import { GRPC_STATUSES, judgedStatus } from '../../../src/core/grpc-status.js';

describe('the status that a call of gRPC counts as', () => {
  it('is that of a gateway for what endpoints are to blame for, as in Envoy', () => {
    const failing = GRPC_STATUSES.flatMap((name, code) => {
      const status = judgedStatus(code + 1, 200);
      return status === 200 ? [] : [[name, status]];
    });
    expect(failing).toEqual([
      ['UNKNOWN', 500],
      ['DEADLINE_EXCEEDED', 504],
      ['INTERNAL', 500],
      ['UNAVAILABLE', 503],
      ['DATA_LOSS', 500],
      ['other', 500],
    ]);
  });

  it('is that of the head where it is not 200', () => {
    expect([judgedStatus(1, 503), judgedStatus(15, 404), judgedStatus(18, 401)]).toEqual([503, 404, 401]);
  });
});
