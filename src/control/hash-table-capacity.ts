/** How much room the board needs for tables of hashes. */
import { MOST_HASH_TABLE_WORDS } from '../board/capacities.js';
import { wordsOfPoints, wordsOfSlots } from '../board/hash-table.js';
import { weightOf } from '../config/compile-picking.js';
import type { Config } from '../config/schema/config.js';
import { KETAMA_POINTS, MAGLEV_ENTRIES } from '../engine/hashing.js';

/** Room of a ring at least, in points: weights may be raised, and endpoints added, without making points fewer. */
const LEAST_POINTS = 4_096;
/** Times the points that the configuration has at the start. */
const GROWTH = 4;

/**
 * Words of the largest half of a table that these upstreams need, and of any that a reload may bring. A ring that outgrows its room has fewer
 * points for each endpoint, but always one: there is room for all slots.
 *
 * @param slots places for endpoints on the board
 */
export function hashTableWordsFor(upstreams: Config['upstreams'], slots: number): number {
  const words = Object.values(upstreams).map((upstream) => {
    if (upstream.balance !== 'ketama') return 0;
    const points = upstream.endpoints.reduce(
      (sum, endpoint) => sum + Math.max(1, KETAMA_POINTS * weightOf(upstream, endpoint)),
      0,
    );
    return wordsOfPoints(GROWTH * points);
  });
  const least = Math.max(wordsOfSlots(MAGLEV_ENTRIES), wordsOfPoints(Math.max(LEAST_POINTS, slots)));
  return Math.min(MOST_HASH_TABLE_WORDS, Math.max(least, ...words));
}
