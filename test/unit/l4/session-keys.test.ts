/** Keys of sessions: what is hashed for what a balancer wants. */
import { describe, expect, it } from 'vitest';
import { PickKey } from '../../../src/balancing/balancer.js';
import { KeyHasher } from '../../../src/balancing/key-hasher.js';
import type { KeySource } from '../../../src/balancing/key-source.js';
import { SessionKeys } from '../../../src/l4/session-keys.js';

/** 192.0.2.7, or a UNIX socket. */
const client = (session: number, isUnix = false) => ({
  session,
  ...(isUnix
    ? { word0: 0, word1: 0, word2: 0, word3: 0 }
    : { word0: 0, word1: 0, word2: 0xffff, word3: 0xc0_00_02_07 | 0 }),
});

function keys() {
  const hashed: string[] = [];
  const hasher = new KeyHasher({
    hashText: (text, words) => {
      hashed.push(text);
      words.set([1, 2]);
    },
    crc32Text: (text) => {
      hashed.push(`crc ${text}`);
      return 3;
    },
  });
  const shown = [{ subject: 'CN=ada', fingerprint: 'ab12' }, { subject: '', fingerprint: 'cd34' }, null];
  return { hashed, keys: new SessionKeys(hasher, (session) => shown[session] ?? null) };
}

describe('the key of a session', () => {
  it.each<[KeySource, number, string]>([
    [{ kind: 'client-certificate', name: 'subject' }, 0, 'CN=ada'],
    [{ kind: 'client-certificate', name: 'fingerprint' }, 1, 'cd34'],
    [{ kind: 'client-ip' }, 0, '192.0.2.7'],
    [{ kind: 'client-network' }, 0, '192.0.2'],
    [{ kind: 'path' }, 0, '192.0.2.7'],
  ])('%j of session %i is %s', (source, session, text) => {
    const { keys: under, hashed } = keys();
    const key = new PickKey();
    expect(under.hash(client(session), { source, isCrc: false }, key)).toBe(true);
    expect([hashed, key.hash, key.hashHigh]).toEqual([[text], 1, 2]);
    expect(under.hash(client(session), { source, isCrc: true }, key)).toBe(true);
    expect([hashed[1], key.hash, key.hashHigh]).toEqual([`crc ${text}`, 3, 0]);
  });

  it('is absent without a certificate, without a subject, and of a UNIX socket', () => {
    const { keys: under, hashed } = keys();
    const key = new PickKey();
    const hash = (session: number, source: KeySource, isUnix = false) =>
      under.hash(client(session, isUnix), { source, isCrc: false }, key);
    expect(hash(2, { kind: 'client-certificate', name: 'fingerprint' })).toBe(false);
    expect(hash(1, { kind: 'client-certificate', name: 'subject' })).toBe(false);
    expect(hash(0, { kind: 'client-ip' }, true)).toBe(false);
    expect([hashed, key.hash, key.hashHigh]).toEqual([[], 0, 0]);
  });
});
