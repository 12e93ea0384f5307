/** A worker's claims on endpoints: each is counted on the board for all, and in a journal of the worker's own. */
import { invariant } from '../core/invariant.js';
import { claimsWord, countOf, generationOf, MOST_CLAIMS } from './claims-word.js';
import type { EndpointLoadTable } from './endpoint-load.js';
import { Journal } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const HELD = Journal.field.held;
const VERSION = Journal.field.version;

/** The endpoint has as many requests in flight as it may have. */
export const REFUSED_FULL = -1;
/** The slot belongs to another endpoint by now: the caller's view is out of date. */
export const REFUSED_GENERATION = -2;
/** The count is no longer what the caller compared: compare again. */
export const REFUSED_CHANGED = -3;

/**
 * Takes claims and gives them back by compare-and-swap, and journals each so that the primary can give back exactly what a
 * dead worker held (reclaim.ts).
 *
 * The journal has a record (held, version) for each slot, in the worker's own stripe. One operation is
 *   1. version + 1 (odd: under way)   2. swap the shared count   3. held   4. version + 1 (even)
 * Orderings: 2 and 4 are Atomics, hence in one order that all threads agree on; 1 and 3 are plain stores.
 * - 1 before 2: whoever sees the swapped count, or a swap behind it, by an Atomics.load has the store before the swap behind it, too:
 *   it sees an odd or a later version, so it knows that `held` may not fit. Who sees the odd version early only waits.
 * - 3 after 2 and before 4: whoever sees the even version sees the `held` that goes with it (4 publishes 3), and every
 *   swap it counts was made before. No other thread writes these words while the worker lives.
 * A worker that dies inside 1 .. 4 leaves an odd version: only then is it unknown, by one, what it held.
 *
 * Thread: worker, its own journal only. HOT (bench/micro/board/claims.bench.ts): no allocation; Atomics.add instead of a
 * store because Node 20 runs it in 9 ns against 15.
 */
export class ClaimJournal {
  readonly #load: EndpointLoadTable;
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #stride: number;

  constructor(board: MappedBoard, worker: number, load: EndpointLoadTable) {
    const stripe = board.layout.stripes[worker];
    invariant(stripe, `the board has a stripe for worker ${worker}`);
    this.#load = load;
    this.#int32 = board.int32;
    this.#base = stripe.journal.base;
    this.#stride = stripe.journal.stride;
  }

  /**
   * Counts a request in on an endpoint, unless it is full.
   *
   * @param cap most requests in flight over all workers; 0: no cap
   * @returns requests in flight there over all workers, this one included; or REFUSED_FULL or REFUSED_GENERATION
   */
  claim(slot: number, generation: number, cap: number): number {
    let seen = this.#load.claimsHint(slot);
    // Refuse before the journal is touched: a full endpoint is asked often.
    if (generationOf(seen) !== generation) return REFUSED_GENERATION;
    if (isFull(countOf(seen), cap)) return REFUSED_FULL;
    const record = this.#open(slot);
    let result: number;
    for (;;) {
      const found = this.#load.replaceClaims(slot, seen, seen + 1);
      if (found === seen) {
        this.#hold(record, generation, 1);
        result = countOf(seen) + 1;
        break;
      }
      seen = found;
      if (generationOf(seen) !== generation) {
        result = REFUSED_GENERATION;
        break;
      }
      if (isFull(countOf(seen), cap)) {
        result = REFUSED_FULL;
        break;
      }
    }
    this.#close(record);
    return result;
  }

  /**
   * Counts a request in if the endpoint still has exactly as many in flight as the caller compared: two workers never send
   * to the same "least loaded" endpoint because both read a stale count.
   *
   * @param compared requests in flight that the comparison used
   * @returns compared + 1, or REFUSED_CHANGED (then compare again), REFUSED_FULL, REFUSED_GENERATION
   */
  claimIfUnchanged(slot: number, generation: number, compared: number, cap: number): number {
    if (isFull(compared, cap)) return REFUSED_FULL;
    const seen = claimsWord(generation, compared);
    const record = this.#open(slot);
    const found = this.#load.replaceClaims(slot, seen, seen + 1);
    if (found === seen) this.#hold(record, generation, 1);
    this.#close(record);
    if (found === seen) return compared + 1;
    return generationOf(found) === generation ? REFUSED_CHANGED : REFUSED_GENERATION;
  }

  /**
   * Gives a claim back. Ignored when the slot belongs to another endpoint by now: the count began anew with it.
   *
   * @param generation the one it was claimed with
   */
  end(slot: number, generation: number): void {
    let seen = this.#load.claimsHint(slot);
    if (generationOf(seen) !== generation) return;
    invariant(countOf(seen) > 0, 'a claim that is given back was counted');
    const record = this.#open(slot);
    for (;;) {
      const found = this.#load.replaceClaims(slot, seen, seen - 1);
      if (found === seen) {
        this.#hold(record, generation, -1);
        break;
      }
      seen = found;
      if (generationOf(seen) !== generation) break;
    }
    this.#close(record);
  }

  /** Claims this worker holds on an endpoint; for tests and status. */
  held(slot: number, generation: number): number {
    const held = this.#int32[this.#base + slot * this.#stride + HELD] as number; // slot < endpointSlots: inside the view
    return generationOf(held) === generation ? countOf(held) : 0;
  }

  #open(slot: number): number {
    const record = this.#base + slot * this.#stride;
    const version = record + VERSION;
    this.#int32[version] = (this.#int32[version] as number) + 1; // inside this worker's stripe
    return record;
  }

  #close(record: number): void {
    Atomics.add(this.#int32, record + VERSION, 1);
  }

  /** Claims of an earlier generation need no giving back: they are forgotten with the first of a new one. */
  #hold(record: number, generation: number, change: 1 | -1): void {
    const held = this.#int32[record + HELD] as number; // record lies inside this worker's stripe
    const count = generationOf(held) === generation ? countOf(held) : 0;
    this.#int32[record + HELD] = claimsWord(generation, count + change);
  }
}

function isFull(count: number, cap: number): boolean {
  return (cap !== 0 && count >= cap) || count === MOST_CLAIMS;
}
