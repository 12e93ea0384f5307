/** Which writes a page of a stranger could have caused. */
import { describe, expect, it } from 'vitest';
import { writeRefusal } from '../../../../src/control/admin/write-guard.js';

const head = { host: '127.0.0.1:9900', origin: undefined, contentType: 'application/json' };

describe('writeRefusal', () => {
  it.each([
    head,
    { ...head, contentType: 'Application/JSON; charset=utf-8' },
    { ...head, origin: 'http://127.0.0.1:9900' },
    { ...head, host: 'LOCALHOST', origin: 'http://localhost' },
    { ...head, host: 'localhost:80', origin: 'http://localhost' },
  ])('lets %o pass', (each) => expect(writeRefusal(each)).toBeNull());

  it.each([
    'http://evil.test',
    'http://127.0.0.1:8080',
    'https://127.0.0.1:9900',
    'http://127.0.0.1:9900.evil.test',
    'null',
    '',
  ])('refuses the origin "%s"', (origin) =>
    expect(writeRefusal({ ...head, origin })).toMatchObject({ status: 403, body: { error: 'origin-not-allowed' } }),
  );

  it.each([undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'refuses the content type %s',
    (contentType) =>
      expect(writeRefusal({ ...head, contentType })).toMatchObject({
        status: 415,
        body: { error: 'unsupported-media-type' },
      }),
  );
});
