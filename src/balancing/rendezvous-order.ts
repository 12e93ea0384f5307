/** The scores of rendezvous hashing: which endpoint a key prefers, independent of what other endpoints there are. */
import { mix32, nameHash } from './hash-mix.js';

const TWO_TO_32 = 2 ** 32;

/** Seeds of the two words that an endpoint's name is hashed to. */
const LOW_SEED = 0;
const HIGH_SEED = 0x5bd1e995;

/** What of an endpoint goes into its scores; by its name, so that it survives reloads and is the same on all machines. */
export class NameWords {
  readonly low: number;
  readonly high: number;

  constructor(name: string) {
    this.low = nameHash(name, LOW_SEED);
    this.high = nameHash(name, HIGH_SEED);
  }
}

/**
 * The rank of an endpoint for a key where all weigh the same: the highest is picked (Thaler and Ravishankar 1998). HOT.
 *
 * @param hash, hashHigh of PickKey
 * @param nameLow, nameHigh of NameWords
 * @returns an unsigned 32-bit number, evenly spread
 */
export function evenRank(hash: number, hashHigh: number, nameLow: number, nameHigh: number): number {
  return mix32((mix32(hash ^ nameLow) + (hashHigh ^ nameHigh)) | 0) >>> 0;
}

/**
 * The same with weights: -w / ln(h) with h of (0, 1), so that each endpoint wins for its share of all keys, and a change of one weight
 * moves keys only to or from that endpoint (Schindelhauer and Schomaker 2005). HOT.
 *
 * @param rank of evenRank
 * @param weight above 0; only ratios count
 */
export function weightedRank(rank: number, weight: number): number {
  return -weight / Math.log((rank + 0.5) / TWO_TO_32);
}
