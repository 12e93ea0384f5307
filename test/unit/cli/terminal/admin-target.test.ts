/** Where a running sluice is asked. */
import { describe, expect, it } from 'vitest';
import { findTarget } from '../../../../src/cli/terminal/admin-target.js';

const NOTHING = { address: null, token: null, configFile: null };

function targetOf(given: Partial<typeof NOTHING> | object, file = '', environment: Record<string, string> = {}) {
  return findTarget({ ...NOTHING, ...given }, { environment, readFile: () => Buffer.from(file) });
}

const FILE = 'listeners: 7\nadmin: { bind: "0.0.0.0:9901", token: of-the-file-0123456789 }\n';

describe('findTarget', () => {
  it.each([
    [{}, 'http://127.0.0.1:9900'],
    [{ address: ':1234' }, 'http://127.0.0.1:1234'],
    [{ address: '0.0.0.0:1234' }, 'http://127.0.0.1:1234'],
    [{ address: '[::]:1234' }, 'http://[::1]:1234'],
    [{ address: '10.0.0.1:1234' }, 'http://10.0.0.1:1234'],
    [{ address: 'sluice.internal:80' }, 'http://sluice.internal'],
    [{ address: 'https://sluice.internal' }, 'https://sluice.internal'],
    [{ address: 'http://sluice.internal:81/' }, 'http://sluice.internal:81'],
  ])('asks, with %j, at %s', (given, url) => {
    expect(targetOf(given)).toEqual({ ok: true, target: { url, token: null } });
  });

  it.each(['off', '127.0.0.1', '127.0.0.1:99999', 'http://h/path', 'http://me@h', '', ':'])(
    'does not take "%s" for an address',
    (address) => {
      expect(targetOf({ address })).toMatchObject({ ok: false, sentence: expect.stringContaining('is no address') });
    },
  );

  it('takes address and token from a file, whatever else is wrong with it', () => {
    const target = { url: 'http://127.0.0.1:9901', token: 'of-the-file-0123456789' };
    expect(targetOf({ configFile: 'a.yaml' }, FILE)).toEqual({ ok: true, target });
  });

  it('prefers flags to the environment, and that to the file', () => {
    const environment = { SLUICE_TOKEN: 'of-the-environment' };
    expect(targetOf({ configFile: 'a.yaml' }, FILE, environment)).toMatchObject({
      target: { token: 'of-the-environment' },
    });
    expect(targetOf({ configFile: 'a.yaml', token: 'flag', address: ':1' }, FILE, environment)).toMatchObject({
      target: { url: 'http://127.0.0.1:1', token: 'flag' },
    });
    expect(targetOf({ configFile: 'a.yaml' }, FILE, { SLUICE_TOKEN: '' })).toMatchObject({
      target: { token: 'of-the-file-0123456789' },
    });
  });

  it.each([
    ['admin: off', 'says admin: off'],
    ['admin: { bind: nowhere }', 'section admin of a.yaml cannot be read'],
    ['admin: [', 'section admin of a.yaml cannot be read'],
  ])('says what a file with "%s" lacks', (file, sentence) => {
    expect(targetOf({ configFile: 'a.yaml' }, file)).toMatchObject({
      ok: false,
      sentence: expect.stringContaining(sentence),
    });
  });

  it('says that a file cannot be read', () => {
    const readFile = (): never => {
      throw Object.assign(new Error('no'), { code: 'ENOENT' });
    };
    expect(findTarget({ ...NOTHING, configFile: 'b.yaml' }, { environment: {}, readFile })).toMatchObject({
      sentence: expect.stringContaining('b.yaml cannot be read (ENOENT)'),
    });
  });

  it('refuses a token that could not be sent', () => {
    expect(targetOf({ token: 'a\nb' })).toMatchObject({ ok: false });
  });
});
