/** Tables for ketama and maglev on a board under test, of the size and evenness of real ones, without the addon that builds those. */
import { mix32 } from '../../../src/balancing/hash-mix.js';
import { wordsOfPoints, wordsOfSlots } from '../../../src/board/hash-table.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { KETAMA_POINTS, MAGLEV_ENTRIES } from '../../../src/engine/hashing.js';
import { type EndpointUnderTest, type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

/** As upstreamOf(); with a table that names all endpoints alike where the balancer looks keys up. */
export function upstreamWithTable(
  balance: BalancerName,
  endpoints: readonly EndpointUnderTest[],
  workers = 2,
): UpstreamUnderTest {
  if (balance !== 'ketama' && balance !== 'maglev') return upstreamOf(balance, endpoints, workers);
  const upstream = upstreamOf(balance, endpoints, workers, { hashTable: 0 });
  const slots = upstream.plan.endpoints.map(({ slot }) => slot);
  if (balance === 'ketama') publishRing(upstream, slots);
  else publishEntries(upstream, slots);
  return upstream;
}

function publishRing({ board }: UpstreamUnderTest, slots: readonly number[]): void {
  const size = KETAMA_POINTS * slots.length;
  const words = new Int32Array(wordsOfPoints(size));
  words.set(new Int32Array(Uint32Array.from({ length: size }, (_, point) => mix32(point)).sort().buffer));
  new Uint16Array(words.buffer, size * Int32Array.BYTES_PER_ELEMENT).set(slotsAtRandom(slots, size));
  board.hashTables[0]!.publish(words, size);
}

function publishEntries({ board }: UpstreamUnderTest, slots: readonly number[]): void {
  const words = new Int32Array(wordsOfSlots(MAGLEV_ENTRIES));
  new Uint16Array(words.buffer).set(slotsAtRandom(slots, MAGLEV_ENTRIES));
  board.hashTables[0]!.publish(words, MAGLEV_ENTRIES);
}

function slotsAtRandom(slots: readonly number[], entries: number): Uint16Array {
  return Uint16Array.from({ length: entries }, (_, entry) => slots[(mix32(~entry) >>> 0) % slots.length]!);
}
