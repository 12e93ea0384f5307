/** hash and ip-hash send a key to one endpoint, by weight, and around endpoints that may not take it. */
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { NONE_TRIED, TriedSet } from '../../../src/balancing/tried-set.js';
import { homeOf, homesOf, keyOf, sharesOf } from './hashed-keys.js';
import { upstreamOf } from './upstream-under-test.js';

describe.each(['hash', 'ip-hash'] as const)('%s', (balance) => {
  it('picks the entry of the cycle that the hash modulo its length names', () => {
    // The smooth cycle of 3, 2, 1 is abacba (semantics.md 1).
    const upstream = upstreamOf(balance, [{ weight: 3 }, { weight: 2 }, { weight: 1 }]);
    const key = new PickKey();
    const picks = Array.from({ length: 6 }, (_, hash) => {
      key.hash = hash;
      return 'abc'[upstream.picker.pick(key, NONE_TRIED, 1)];
    });
    expect(picks.join('')).toBe('abacba');
    key.hash = -1; // 4294967295 is 3 modulo 6
    expect(upstream.picker.pick(key, NONE_TRIED, 1)).toBe(2);
  });

  it('sends a key to the same endpoint from every worker', () => {
    const upstream = upstreamOf(balance, [{}, {}, {}, {}]);
    const other = upstream.attach(1).picker;
    for (let number = 0; number < 100; number++)
      expect(other.pick(keyOf(number), NONE_TRIED, 1)).toBe(homeOf(upstream, number));
  });

  it('gives each endpoint its weight of the keys, to 2 %', () => {
    const upstream = upstreamOf(balance, [{ weight: 1 }, { weight: 2 }, { weight: 2 }]);
    const [first, second, third] = sharesOf(homesOf(upstream, 60_000), 3);
    expect(Math.abs(first! / 0.2 - 1)).toBeLessThan(0.02);
    expect(Math.abs(second! / 0.4 - 1)).toBeLessThan(0.02);
    expect(Math.abs(third! / 0.4 - 1)).toBeLessThan(0.02);
  });

  it('spreads the keys of an endpoint that was tried over all others', () => {
    const upstream = upstreamOf(balance, [{}, {}, {}, {}]);
    const tried = new TriedSet();
    tried.add(2);
    const keys = Array.from({ length: 4000 }, (_, number) => number).filter((number) => homeOf(upstream, number) === 2);
    const homes = keys.map((number) => homeOf(upstream, number, tried));
    expect(homes).toEqual(keys.map((number) => homeOf(upstream, number, tried)));
    const shares = sharesOf(homes, 4);
    expect(shares[2]).toBe(0);
    for (const endpoint of [0, 1, 3]) expect(Math.abs(shares[endpoint]! - 1 / 3)).toBeLessThan(0.05);
  });

  it('finds the one place that is left, and none when there is none', () => {
    const endpoints = Array.from({ length: 300 }, () => ({ cap: 1 }));
    const upstream = upstreamOf(balance, endpoints);
    const picks = Array.from({ length: 300 }, () => upstream.picker.pick(keyOf(5), NONE_TRIED, 1));
    expect(new Set(picks).size).toBe(300);
    expect(upstream.picker.pick(keyOf(5), NONE_TRIED, 1)).toBe(NO_ENDPOINT);
  });

  it('hashes over the backups when no primary will do', () => {
    const upstream = upstreamOf(balance, [{ cap: 1 }, { isBackup: true }, { isBackup: true }]);
    upstream.load(0, 1);
    expect(new Set(homesOf(upstream, 50))).toEqual(new Set([1, 2]));
  });
});
