/** Keys for the tests of hashes, and where an upstream sends them. */
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { mix32 } from '../../../src/balancing/hash-mix.js';
import { NONE_TRIED, type TriedSet } from '../../../src/balancing/tried-set.js';
import type { UpstreamUnderTest } from './upstream-under-test.js';

/** The key with this number: as good as the hash of a text, and the same each time. */
export function keyOf(number: number): PickKey {
  const key = new PickKey();
  key.hash = mix32(number * 2 + 1);
  key.hashHigh = mix32(key.hash ^ 0x2545f491);
  return key;
}

/** Where the key with a number goes; its claim is given back at once. */
export function homeOf(upstream: UpstreamUnderTest, number: number, tried: TriedSet = NONE_TRIED): number {
  const endpoint = upstream.picker.pick(keyOf(number), tried, 1);
  const { slot, generation } = upstream.plan.endpoints[endpoint] ?? {};
  if (endpoint !== NO_ENDPOINT) upstream.worker.claims.end(slot!, generation!);
  return endpoint;
}

/** Where the keys 0 .. count - 1 go. */
export function homesOf(upstream: UpstreamUnderTest, count: number): number[] {
  return Array.from({ length: count }, (_, number) => homeOf(upstream, number));
}

/** Share of each endpoint among homes. */
export function sharesOf(homes: readonly number[], endpoints: number): number[] {
  const counts = new Array<number>(endpoints).fill(0);
  for (const home of homes) counts[home]! += 1;
  return counts.map((count) => count / homes.length);
}

/** Keys that are at another endpoint than before, as a share of all. */
export function movedShare(before: readonly number[], after: readonly number[]): number {
  return before.filter((home, key) => home !== after[key]).length / before.length;
}
