/** maglev looks a key up in one load, and spreads the keys of who may not take them. */
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT } from '../../../src/balancing/balancer.js';
import { TriedSet } from '../../../src/balancing/tried-set.js';
import { wordsOfSlots } from '../../../src/board/hash-table.js';
import { homeOf, homesOf, keyOf, sharesOf } from './hashed-keys.js';
import { type EndpointUnderTest, type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

/** Size of a table of Maglev (semantics.md 4). */
const SIZE = 65_537;

function entryOf(key: number): number {
  return (keyOf(key).hash >>> 0) % SIZE;
}

/** A table whose entries name the endpoints in turn. */
function tableOf(endpoints: readonly EndpointUnderTest[], loadFactor = 0): UpstreamUnderTest {
  const upstream = upstreamOf('maglev', endpoints, 2, { hashTable: 0, loadFactor });
  const words = new Int32Array(wordsOfSlots(SIZE));
  const slots = new Uint16Array(words.buffer);
  for (let entry = 0; entry < SIZE; entry++) slots[entry] = upstream.plan.endpoints[entry % endpoints.length]!.slot;
  upstream.board.hashTables[0]!.publish(words, SIZE);
  return upstream;
}

const plain = (count: number): EndpointUnderTest[] => Array.from({ length: count }, () => ({}));

describe('maglev', () => {
  it('picks the endpoint of the entry that the hash modulo the size names', () => {
    const upstream = tableOf(plain(5));
    const keys = Array.from({ length: 300 }, (_, key) => key);
    expect(keys.map((key) => homeOf(upstream, key))).toEqual(keys.map((key) => entryOf(key) % 5));
  });

  it('leaves all other keys where they are while an endpoint is away, and spreads its own', () => {
    const upstream = tableOf(plain(5));
    const before = homesOf(upstream, 10_000);
    upstream.board.control.setHealthy(upstream.plan.endpoints[4]!.slot, false);
    const after = homesOf(upstream, 10_000);
    expect(before.filter((home, key) => home !== 4 && home !== after[key])).toEqual([]);
    const moved = after.filter((_, key) => before[key] === 4);
    // About 2000 keys: 2 % is two standard deviations.
    for (const share of sharesOf(moved, 5).slice(0, 4)) expect(Math.abs(share - 0.25)).toBeLessThan(0.05);
  });

  it('goes the same way for the same key from every worker, whoever is tried', () => {
    const upstream = tableOf(plain(4));
    const other = upstream.attach(1).picker;
    const tried = new TriedSet();
    tried.add(1);
    tried.add(2);
    for (let key = 0; key < 100; key++) expect(other.pick(keyOf(key), tried, 1)).toBe(homeOf(upstream, key, tried));
  });

  it('finds the last endpoint that is left, and none when there is none', () => {
    const upstream = tableOf(Array.from({ length: 40 }, () => ({ cap: 1 })));
    const picks = Array.from({ length: 40 }, () => upstream.picker.pick(keyOf(9), new TriedSet(), 1));
    expect(new Set(picks).size).toBe(40);
    expect(upstream.picker.pick(keyOf(9), new TriedSet(), 1)).toBe(NO_ENDPOINT);
  });

  it('passes over an endpoint above its bound, with the keys spread over all others', () => {
    const upstream = tableOf(plain(4), 1.25);
    upstream.load(2, 40);
    const homes = homesOf(upstream, 400);
    const shares = sharesOf(homes, 4);
    expect(shares[2]).toBe(0);
    for (const endpoint of [0, 1, 3]) expect(shares[endpoint]).toBeGreaterThan(0.25);
  });

  it('asks the backups when no primary will do', () => {
    const upstream = tableOf([{}, {}, { isBackup: true }]);
    const tried = new TriedSet();
    tried.add(0);
    tried.add(1);
    expect(homeOf(upstream, 1, tried)).toBe(2);
  });

  it('picks as rendezvous hashing does until a table is there', () => {
    const upstream = upstreamOf('maglev', plain(3), 2, { hashTable: 0 });
    expect(homesOf(upstream, 50)).toEqual(homesOf(upstreamOf('rendezvous', plain(3)), 50));
  });
});
