/** Which balancers take keys, of what, and what stands in for a key that a request does not have. */
import { describe, expect, it } from 'vitest';
import { PickKey } from '../../../src/balancing/balancer.js';
import { KeyHasher } from '../../../src/balancing/key-hasher.js';
import { CLIENT_NETWORK, fillRandomKey, keyWishOf, networkOf } from '../../../src/balancing/key-source.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';

const hashKey = { kind: 'path' } as const;

describe('the wish of a balancer', () => {
  it.each<[BalancerName, object | null, boolean]>([
    ['round-robin', null, false],
    ['least-time', null, false],
    ['random-two', null, false],
    ['hash', hashKey, false],
    ['ketama', hashKey, true],
    ['maglev', hashKey, false],
    ['rendezvous', hashKey, false],
    ['ip-hash', CLIENT_NETWORK, false],
  ])('%s: %j, as CRC-32: %s', (balance, source, isCrc) => {
    expect(keyWishOf({ balance, hashKey })).toEqual({ source, isCrc });
  });
});

describe('the network of a client', () => {
  it('is three octets of IPv4, and all of IPv6', () => {
    expect([networkOf('192.0.2.77'), networkOf('2001:db8::1')]).toEqual(['192.0.2', '2001:db8::1']);
  });
});

describe('a random key', () => {
  it('uses all bits of both words', () => {
    const rng = seededRng(1);
    const key = new PickKey();
    let [low, high] = [0, 0];
    for (let time = 0; time < 200; time++) {
      fillRandomKey(key, rng);
      low |= key.hash;
      high |= key.hashHigh;
    }
    expect([low, high]).toEqual([-1, -1]);
  });
});

describe('the key of a client by its address', () => {
  const hashed: string[] = [];
  const hasher = new KeyHasher({
    hashText: (text, words) => {
      hashed.push(text);
      words.set([7, 9]);
    },
    crc32Text: (text) => {
      hashed.push(`${text} crc`);
      return 0xffff_ffff;
    },
  });
  const client = { word0: 0, word1: 0, word2: 0xffff, word3: 0xc000_0207 | 0 };

  it('is its text, or that of its network', () => {
    const key = new PickKey();
    expect(hasher.hashClient(client, keyWishOf({ balance: 'hash', hashKey }), key)).toBe(true);
    expect(hasher.hashClient(client, keyWishOf({ balance: 'ip-hash', hashKey }), key)).toBe(true);
    expect([key.hash, key.hashHigh]).toEqual([7, 9]);
    expect(hasher.hashClient(client, keyWishOf({ balance: 'ketama', hashKey }), key)).toBe(true);
    expect(hashed).toEqual(['192.0.2.7', '192.0.2', '192.0.2.7 crc']);
    expect([key.hash, key.hashHigh]).toEqual([-1, 0]);
  });

  it('is none over a UNIX socket', () => {
    const nobody = { word0: 0, word1: 0, word2: 0, word3: 0 };
    expect(hasher.hashClient(nobody, keyWishOf({ balance: 'hash', hashKey }), new PickKey())).toBe(false);
  });
});
