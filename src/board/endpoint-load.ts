/** The load of every endpoint, written by every worker: requests in flight and the estimate of the time to first byte. */
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { claimsWord, countOf, generationOf } from './claims-word.js';
import { EndpointLoad } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const CLAIMS = EndpointLoad.field.claims;
const LATENCY_US = EndpointLoad.field.latencyUs;
const LATENCY_AT = EndpointLoad.field.latencyAt;
const FAILURE_AT = EndpointLoad.field.failureAt;
const PEAK_US = EndpointLoad.field.peakUs;
const PEAK_AT = EndpointLoad.field.peakAt;
const PAUSED_UNTIL = EndpointLoad.field.pausedUntil;

/** Estimate of an endpoint that has not answered yet. */
export const NO_SAMPLE = 0;

/**
 * Longest pause that an endpoint gets for its Retry-After. Servers send minutes or hours to tell crawlers to stay away; a balancer
 * that believed them would give a recovered endpoint nothing for as long. After a minute one request finds out.
 * The limit also tells a pause from a tick that has wrapped.
 */
export const MOST_PAUSE_MS = 60_000;

/**
 * One record a slot, each on lines of its own. Claims are taken and given back through a worker's ClaimJournal, so that
 * those of a dead worker are known. Thread: any.
 */
export class EndpointLoadTable {
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #stride: number;

  constructor(board: MappedBoard) {
    this.#int32 = board.int32;
    this.#base = board.layout.board.endpointLoad.base;
    this.#stride = board.layout.board.endpointLoad.stride;
  }

  /** Requests in flight on the endpoint over all workers. */
  inflight(slot: number): number {
    return countOf(this.claims(slot));
  }

  /**
   * The same, for comparing many endpoints before a claim. HOT (bench/micro/balancing/pick.bench.ts): a plain load, 1 ns
   * where Atomics.load costs 12. Pair: any worker's claim writes, we read. We may see a count that has just been replaced;
   * claimIfUnchanged() then refuses and the comparison is made again.
   */
  inflightHint(slot: number): number {
    return countOf(this.claimsHint(slot));
  }

  /** Generation of the endpoint that has the slot now. */
  generation(slot: number): number {
    return generationOf(this.claims(slot));
  }

  /** The claims word as it is, for reclaim. */
  claims(slot: number): number {
    return Atomics.load(this.#int32, this.#at(slot, CLAIMS));
  }

  /**
   * The claims word as a first guess for replaceClaims(), which finds out whether it still holds. HOT
   * (bench/micro/board/claims.bench.ts): a plain load. It never shows an older generation than this thread has seen before.
   */
  claimsHint(slot: number): number {
    return this.#int32[this.#at(slot, CLAIMS)] as number; // slot < endpointSlots: inside the view
  }

  /** Replaces the claims word if it is still `seen`. @returns what it was: `seen` when it was replaced */
  replaceClaims(slot: number, seen: number, next: number): number {
    return Atomics.compareExchange(this.#int32, this.#at(slot, CLAIMS), seen, next);
  }

  /**
   * Estimated time to first byte in µs, or NO_SAMPLE. A plain load: a statistic, whose next reader sees what this one
   * missed.
   */
  latencyUs(slot: number): number {
    return this.#int32[this.#at(slot, LATENCY_US)] as number; // slot < endpointSlots: inside the view
  }

  /** When the estimate was stored. Statistic, like latencyUs(). */
  latencyAt(slot: number): Tick {
    return this.#int32[this.#at(slot, LATENCY_AT)] as number; // slot < endpointSlots: inside the view
  }

  /** When a failure last raised the estimate; NEVER: none did. */
  failureAt(slot: number): Tick {
    return Atomics.load(this.#int32, this.#at(slot, FAILURE_AT));
  }

  /**
   * Marks now as the time of a failure if no other worker did since `seenAt` was read: of several workers that see the same
   * incident, one raises the estimate.
   * @returns true when it was marked
   */
  replaceFailureAt(slot: number, seenAt: Tick, now: Tick): boolean {
    return Atomics.compareExchange(this.#int32, this.#at(slot, FAILURE_AT), seenAt, now) === seenAt;
  }

  /**
   * Stores a new estimate if no other worker stored one since `seenUs` was read.
   *
   * Pair: the estimate is replaced first, its time is stored after it; a reader (latencyUs, then latencyAt) may see the new
   * estimate with the old time. It then takes the estimate for older than it is and lets it fade by the time between two
   * samples: less than one bucket of the comparison on a busy endpoint, and mended by the next read.
   * @returns true when it was stored
   */
  replaceLatency(slot: number, seenUs: number, nextUs: number, now: Tick): boolean {
    if (Atomics.compareExchange(this.#int32, this.#at(slot, LATENCY_US), seenUs, nextUs) !== seenUs) return false;
    this.#int32[this.#at(slot, LATENCY_AT)] = now;
    return true;
  }

  /** Peak EWMA of the latency in µs, or NO_SAMPLE. Statistic, like latencyUs(). */
  peakUs(slot: number): number {
    return this.#int32[this.#at(slot, PEAK_US)] as number; // slot < endpointSlots: inside the view
  }

  /** Up to when the peak has decayed. Statistic, like latencyUs(). */
  peakAt(slot: number): Tick {
    return this.#int32[this.#at(slot, PEAK_AT)] as number; // slot < endpointSlots: inside the view
  }

  /**
   * Stores a new peak if no other worker stored one since `seenUs` was read. Pair: as in replaceLatency().
   * @returns true when it was stored
   */
  replacePeak(slot: number, seenUs: number, nextUs: number, now: Tick): boolean {
    if (Atomics.compareExchange(this.#int32, this.#at(slot, PEAK_US), seenUs, nextUs) !== seenUs) return false;
    this.#int32[this.#at(slot, PEAK_AT)] = now;
    return true;
  }

  /** Tick until which the endpoint asked to be left alone; NEVER: it did not. Past ticks stay until someone ends the pause. */
  pausedUntil(slot: number): Tick {
    return Atomics.load(this.#int32, this.#at(slot, PAUSED_UNTIL));
  }

  /**
   * Asks all workers to leave an endpoint alone. Of several pauses the one that ends last counts.
   *
   * Pair: stored before the upstream's control epoch is bumped; a worker reads the epoch, then this. Workers that know of a pause
   * look again when it ends (endPause), so an extension needs no bump: at a burst of 503 the workers rebuild once.
   * @param until at most MOST_PAUSE_MS after now
   * @returns true when the endpoint was not paused before: bump the control epoch
   */
  pauseUntil(slot: number, until: Tick, now: Tick): boolean {
    for (;;) {
      const seen = this.pausedUntil(slot);
      const wasPaused = isPaused(seen, now);
      if (wasPaused && msBetween(seen, until) <= 0) return false;
      if (Atomics.compareExchange(this.#int32, this.#at(slot, PAUSED_UNTIL), seen, until) === seen) return !wasPaused;
    }
  }

  /**
   * Forgets a pause that is over, so that it is not taken for a new one when the clock has wrapped.
   *
   * @param seen what pausedUntil() returned
   * @returns false when another worker has extended it meanwhile: read it again
   */
  endPause(slot: number, seen: Tick): boolean {
    return Atomics.compareExchange(this.#int32, this.#at(slot, PAUSED_UNTIL), seen, NEVER) === seen;
  }

  /**
   * Forgets how the endpoint answered: it begins anew, as one that nothing is known of. Thread: primary.
   *
   * Pair: as with begin(), a worker that folds an older sample at this very moment can leave it as the first estimate.
   */
  forget(slot: number): void {
    Atomics.store(this.#int32, this.#at(slot, LATENCY_US), NO_SAMPLE);
    Atomics.store(this.#int32, this.#at(slot, LATENCY_AT), NEVER);
    Atomics.store(this.#int32, this.#at(slot, FAILURE_AT), NEVER);
    Atomics.store(this.#int32, this.#at(slot, PEAK_US), NO_SAMPLE);
    Atomics.store(this.#int32, this.#at(slot, PEAK_AT), NEVER);
    Atomics.store(this.#int32, this.#at(slot, PAUSED_UNTIL), NEVER);
  }

  /**
   * Begins a new assignment: nothing in flight, no sample, no pause. Thread: primary.
   *
   * Pair: a worker that ends a claim of the former generation sees another generation in the word and leaves it alone. One
   * that folds a sample of the former endpoint at this very moment can leave it as the new one's first estimate; it fades
   * like any other.
   */
  begin(slot: number, generation: number): void {
    this.forget(slot);
    Atomics.store(this.#int32, this.#at(slot, CLAIMS), claimsWord(generation, 0));
  }

  #at(slot: number, field: number): number {
    return this.#base + slot * this.#stride + field;
  }
}

/**
 * Does a pause still last?
 *
 * @param until what EndpointLoadTable.pausedUntil() returned
 */
export function isPaused(until: Tick, now: Tick): boolean {
  if (until === NEVER) return false;
  const leftMs = msBetween(now, until);
  return leftMs > 0 && leftMs < 2 * MOST_PAUSE_MS; // twice: whoever set it may have read its clock a little later
}
