/** Which writes a page of a stranger could have caused. */
import { describe, expect, it } from 'vitest';
import { writeRefusal } from '../../../../src/control/admin/write-guard.js';

const head = { host: '127.0.0.1:9900', origin: undefined, fetchSite: undefined, contentType: 'application/json' };

describe('writeRefusal', () => {
  it.each([
    head,
    { ...head, contentType: 'Application/JSON; charset=utf-8' },
    { ...head, origin: 'http://127.0.0.1:9900', fetchSite: 'same-origin' },
    { ...head, host: 'LOCALHOST', origin: 'http://localhost' },
    { ...head, host: 'localhost:80', origin: 'http://localhost' },
    { ...head, host: 'sluice.internal', origin: 'https://sluice.internal' },
    { ...head, fetchSite: 'none' },
  ])('lets %o pass', (each) => expect(writeRefusal(each, true)).toBeNull());

  it.each([
    'http://evil.test',
    'http://127.0.0.1:8080',
    'ftp://127.0.0.1:9900',
    'http://127.0.0.1:9900.evil.test',
    'null',
    '',
  ])('refuses the origin "%s", with a body or without', (origin) => {
    const refusal = { status: 403, body: { error: 'origin-not-allowed' } };
    expect(writeRefusal({ ...head, origin }, true)).toMatchObject(refusal);
    expect(writeRefusal({ ...head, origin, contentType: undefined }, false)).toMatchObject(refusal);
  });

  it.each(['cross-site', 'same-site'])('refuses what a browser calls %s', (fetchSite) =>
    expect(writeRefusal({ ...head, fetchSite }, false)).toMatchObject({ status: 403 }),
  );

  it.each([undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'refuses a body of the content type %s',
    (contentType) =>
      expect(writeRefusal({ ...head, contentType }, true)).toMatchObject({
        status: 415,
        body: { error: 'unsupported-media-type' },
      }),
  );

  it('asks nothing of a body that is not there', () => {
    expect(writeRefusal({ ...head, contentType: undefined }, false)).toBeNull();
  });
});
