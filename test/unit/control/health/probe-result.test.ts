/** How the errors of probes are taken. */
import { describe, expect, it } from 'vitest';
import { failed } from '../../../../src/control/health/probe-result.js';

const errorWith = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('result of a probe', () => {
  it.each(['EMFILE', 'ENFILE'])('says nothing of the endpoint where descriptors have run out (%s)', (code) => {
    expect(failed(errorWith(code))).toMatchObject({ succeeded: false, isOurs: true });
  });

  it.each(['ECONNREFUSED', 'EADDRNOTAVAIL', 'EHOSTUNREACH'])('speaks against the endpoint with %s', (code) => {
    expect(failed(errorWith(code))).toEqual({ succeeded: false, reason: `${code}: connect ${code}` });
  });
});
