/** Settles attempts: what each one did to its endpoint's load, latency, waits and counters. */
import { generationOf } from '../board/claims-word.js';
import { type EndpointLoadTable, NO_SAMPLE } from '../board/endpoint-load.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { EndpointPlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { AS_PROBE, PACED_BY_CLIENT, TO_FIRST_BYTE, TO_LAST_BYTE, WITH_PEAK } from './attempt-measure.js';
import { foldFailure, foldPeak, foldSample, isForgiven, UNKNOWN_US } from './latency.js';

/** End of a list. */
const NONE = -1;
/** No attempt: a number without one. */
const NO_ATTEMPT = 0;
/** A fold that loses this often is dropped: as many other samples of the same endpoint got in meanwhile. */
const MOST_FOLDS = 4;
const US_PER_MS = 1_000;
const NOT_IMPLEMENTED = 501;
const HTTP_VERSION_NOT_SUPPORTED = 505;
const SWITCHING_PROTOCOLS = 101;

// What an attempt waits for. Anything but NOTHING: it is in its endpoint's list.
const NOTHING = 0;
const FIRST_BYTE = 1;
const LAST_BYTE = 2;

/**
 * Does this status say that the endpoint is in trouble? 501 and 505 are about the request and come from sound endpoints.
 *
 * @param status of a response
 */
export function isFailingStatus(status: number): boolean {
  return status >= 500 && status !== NOT_IMPLEMENTED && status !== HTTP_VERSION_NOT_SUPPORTED;
}

/**
 * One attempt at a time for each exchange or session, which the ledger knows by a number: begin, then at most one firstByte or
 * connected, at most one lastByte, at most one fail, then end. Who tries another endpoint ends its attempt and begins another.
 *
 * For each endpoint the attempts that wait for their first or last byte (exchanges: whichever is measured) or for their connection
 * (sessions) form a list in the order of their start, linked through arrays: the oldest is at the head, and its start is what
 * WaitingTable publishes, at a constant price. That table has one record for each worker and endpoint, so both data planes of a worker share one ledger.
 *
 * HOT (bench/micro/balancing/pick.bench.ts): no allocation after construction. Thread: worker; one for each.
 */
export class EndpointLedger {
  readonly #board: WorkerBoard;
  readonly #load: EndpointLoadTable;
  /** By number: its slot plus 1; NO_ATTEMPT. All arrays of numbers begin as zeros, so memory is taken only for numbers that come. */
  readonly #place: Int32Array;
  readonly #generation: Uint16Array;
  readonly #startedAt: Int32Array;
  /** NOTHING, FIRST_BYTE or LAST_BYTE. */
  readonly #awaited: Uint8Array;
  /** Bits of attempt-measure.ts. */
  readonly #measure: Uint8Array;
  /** In flight on the endpoint when the attempt began, itself not counted. */
  readonly #inflight: Int32Array;
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  /** By slot: the list of those that wait, all of the slot's latest generation. */
  readonly #oldest: Int32Array;
  readonly #newest: Int32Array;
  readonly #listGeneration: Uint16Array;
  #open = 0;

  /**
   * @param count how many numbers there are, from 0 on; those that never come cost address space only
   */
  constructor(board: WorkerBoard, count: number) {
    const slots = board.capacities.endpointSlots;
    this.#board = board;
    this.#load = board.load;
    this.#place = new Int32Array(count);
    this.#generation = new Uint16Array(count);
    this.#startedAt = new Int32Array(count);
    this.#awaited = new Uint8Array(count);
    this.#measure = new Uint8Array(count);
    this.#inflight = new Int32Array(count);
    this.#older = new Int32Array(count);
    this.#newer = new Int32Array(count);
    this.#oldest = new Int32Array(slots).fill(NONE);
    this.#newest = new Int32Array(slots).fill(NONE);
    this.#listGeneration = new Uint16Array(slots);
  }

  /** Attempts that have begun and not ended. */
  get open(): number {
    return this.#open;
  }

  /**
   * Takes over the claim of a pick: from here on end() gives it back.
   *
   * @param endpoint the picked one (UpstreamView.endpoint(index))
   * @param isRetry  true when the exchange or session had an attempt before this one
   * @param measure  bits of attempt-measure.ts
   */
  begin(number: number, endpoint: EndpointPlan, isRetry: boolean, now: Tick, measure = TO_FIRST_BYTE): void {
    invariant(this.#place[number] === NO_ATTEMPT, 'a number of this ledger that begins an attempt has no attempt open');
    const { slot, generation } = endpoint;
    this.#place[number] = slot + 1;
    this.#generation[number] = generation;
    this.#startedAt[number] = now;
    this.#measure[number] = measure;
    this.#inflight[number] = this.#load.inflightHint(slot) - 1;
    this.#open += 1;
    this.#board.stripe.countAttempt(slot, isRetry);
    this.#append(number, slot, generation, now);
  }

  /**
   * In flight on the endpoint when the attempt was claimed, itself not counted: what its balancer knew. Other workers' claims between
   * the claim and begin() are in it.
   */
  inflightAtBegin(number: number): number {
    return this.#inflight[number] as number; // of an attempt that is open
  }

  /** When the attempt began. */
  startedAt(number: number): Tick {
    return this.#startedAt[number] as number; // of an attempt that is open
  }

  /** Bits of attempt-measure.ts that the attempt began with. */
  measure(number: number): number {
    return this.#measure[number] as number; // of an attempt that is open
  }

  /** Is the head of the response, or the connection of the session, still to come? */
  awaitsAnswer(number: number): boolean {
    return this.#awaited[number] === FIRST_BYTE;
  }

  /** Will firstByte() with this status take a sample? */
  isMeasuredByHead(number: number, status: number): boolean {
    return this.#awaited[number] === FIRST_BYTE && !isFailingStatus(status) && this.#endsWithHead(number, status);
  }

  /** Will lastByte() take a sample? */
  isMeasuredByEnd(number: number): boolean {
    return this.#awaited[number] === LAST_BYTE;
  }

  /**
   * The head of the response has come. A failing status (isFailingStatus) raises the estimate as fail() does, and counts as
   * a failure of the endpoint; do not call fail() for it as well. Where the last byte is what counts, the attempt goes on waiting,
   * unless it becomes a tunnel, whose end says nothing of the endpoint.
   *
   * @param elapsedUs from begin to the first byte
   */
  firstByte(number: number, status: number, elapsedUs: number, now: Tick): void {
    const slot = this.#attempt(number);
    if (this.#awaited[number] !== FIRST_BYTE) return;
    if (isFailingStatus(status)) {
      this.#remove(number, slot);
      this.#countFailure(number, slot, elapsedUs, now);
    } else if (this.#endsWithHead(number, status)) {
      this.#remove(number, slot);
      this.#countSample(number, slot, elapsedUs, now);
    } else {
      // From here on the client's pace counts as well: who reads slowly must not make the endpoint look stalled.
      this.#remove(number, slot);
      this.#awaited[number] = LAST_BYTE;
    }
  }

  /**
   * The endpoint has sent the last byte of its response: the sample where that is what counts, nothing elsewhere. Then call end().
   *
   * @param elapsedUs from begin to the last byte
   */
  lastByte(number: number, elapsedUs: number, now: Tick): void {
    const slot = this.#attempt(number);
    if (this.#awaited[number] !== LAST_BYTE) return;
    this.#awaited[number] = NOTHING;
    this.#countSample(number, slot, elapsedUs, now);
  }

  /**
   * The session's connection to the endpoint is there. How long that took is all that can be known of an endpoint whose protocol is
   * not read: it is the sample of a session.
   *
   * @param elapsedUs from begin to the connection
   */
  connected(number: number, elapsedUs: number, now: Tick): void {
    const slot = this.#attempt(number);
    if (this.#awaited[number] === NOTHING) return;
    this.#remove(number, slot);
    this.#countSample(number, slot, elapsedUs, now);
  }

  /**
   * The attempt failed by the endpoint's fault (the catalogue says so), before or after its first byte. Then call end().
   *
   * @param elapsedUs from begin to the failure
   */
  fail(number: number, elapsedUs: number, now: Tick): void {
    const slot = this.#attempt(number);
    if (this.#awaited[number] !== NOTHING) this.#remove(number, slot);
    this.#countFailure(number, slot, elapsedUs, now);
  }

  /**
   * The endpoint has reset a session after its connection was there: counts as its failure. One that resets before it has said
   * anything did not serve the session, however fast it accepted, so its estimate is raised. One that has answered may end a
   * connection so for good reasons of its protocol: the estimate, which is of the time to connect, stays. Then call end().
   *
   * @param hasAnswered bytes have come from the endpoint
   */
  reset(number: number, hasAnswered: boolean, now: Tick): void {
    const slot = this.#attempt(number);
    if (this.#awaited[number] !== NOTHING) this.#remove(number, slot);
    if (!hasAnswered) this.#countFailure(number, slot, 0, now);
    else if (this.#isCurrent(number, slot)) this.#board.stripe.countAttemptFailure(slot);
  }

  /**
   * The attempt is over, however it went: gives the claim back. Ignored when the number has no attempt, so that every way out
   * may call it.
   *
   * An attempt whose head nobody waits for any more (its client left) still says something if it waited longer than the estimate: the
   * endpoint is at least that slow, unless it was the client that it waited for.
   *
   * @returns the sample in µs that this was, or NO_SAMPLE
   */
  end(number: number, now: Tick): number {
    const place = this.#place[number];
    let sampleUs = NO_SAMPLE;
    if (place === undefined || place === NO_ATTEMPT) return sampleUs;
    const slot = place - 1;
    const isWaiting = this.#awaited[number] === FIRST_BYTE;
    if (this.#awaited[number] !== NOTHING) this.#remove(number, slot);
    if (isWaiting && !this.#isPacedByClient(number)) {
      const waitedUs = msBetween(this.#startedAt[number] as number, now) * US_PER_MS; // number < length
      const estimateUs = this.#load.latencyUs(slot);
      if (waitedUs > (estimateUs === NO_SAMPLE ? UNKNOWN_US : estimateUs)) {
        this.#countSample(number, slot, waitedUs, now);
        sampleUs = waitedUs;
      }
    }
    this.#place[number] = NO_ATTEMPT;
    this.#open -= 1;
    const generation = this.#generation[number] as number; // number < length
    if (((this.#measure[number] as number) & AS_PROBE) !== 0) this.#board.probes.end(slot, generation);
    this.#board.claims.end(slot, generation);
    return sampleUs;
  }

  /** Is the head all that is waited for? */
  #endsWithHead(number: number, status: number): boolean {
    return ((this.#measure[number] as number) & TO_LAST_BYTE) === 0 || status === SWITCHING_PROTOCOLS; // number < length
  }

  #attempt(number: number): number {
    const place = this.#place[number];
    invariant(place !== undefined && place !== NO_ATTEMPT, 'a number that is settled has an attempt open');
    return place - 1;
  }

  #countFailure(number: number, slot: number, elapsedUs: number, now: Tick): void {
    if (!this.#isCurrent(number, slot)) return;
    this.#board.stripe.countAttemptFailure(slot);
    // One incident raises the estimate once, over all workers: an endpoint that dies with a hundred requests in flight has
    // not failed a hundred times in a row. What began after the last raise is new evidence.
    const raisedAt = this.#load.failureAt(slot);
    const attemptAgeMs = msBetween(this.#startedAt[number] as number, now); // number < length
    const raiseAgeMs = msBetween(raisedAt, now);
    // Ages rather than moments: a raise of 25 days ago has a negative age by the clock's wrap, and is no same incident.
    const isSameIncident = raisedAt !== NEVER && raiseAgeMs >= 0 && raiseAgeMs <= attemptAgeMs;
    if (isSameIncident || !this.#load.replaceFailureAt(slot, raisedAt, now)) return;
    this.#fold(number, slot, elapsedUs, true, now);
  }

  #countSample(number: number, slot: number, elapsedUs: number, now: Tick): void {
    if (this.#isCurrent(number, slot)) this.#fold(number, slot, elapsedUs, false, now);
  }

  /** Is the slot still the endpoint's that the attempt was made on? */
  #isCurrent(number: number, slot: number): boolean {
    return generationOf(this.#load.claimsHint(slot)) === this.#generation[number];
  }

  #fold(number: number, slot: number, elapsedUs: number, isFailure: boolean, now: Tick): void {
    // The peak first: it goes by the time of the estimate's last sample.
    if (((this.#measure[number] as number) & WITH_PEAK) !== 0) this.#foldPeak(slot, elapsedUs, isFailure, now); // number < length
    for (let attempt = 0; attempt < MOST_FOLDS; attempt++) {
      const seenUs = this.#load.latencyUs(slot);
      const storedAt = this.#load.latencyAt(slot);
      const gapMs = Math.max(msBetween(storedAt, now), 0);
      const nextUs = isFailure
        ? foldFailure(seenUs, elapsedUs, gapMs)
        : foldSample(isForgiven(this.#load.failureAt(slot), storedAt, now) ? NO_SAMPLE : seenUs, elapsedUs, gapMs);
      if (this.#load.replaceLatency(slot, seenUs, nextUs, now)) return;
    }
  }

  #foldPeak(slot: number, elapsedUs: number, isFailure: boolean, now: Tick): void {
    const sampledAt = this.#load.latencyAt(slot);
    const isForgotten = this.#load.latencyUs(slot) === NO_SAMPLE;
    const isUnknown = isForgotten || (!isFailure && isForgiven(this.#load.failureAt(slot), sampledAt, now));
    for (let attempt = 0; attempt < MOST_FOLDS; attempt++) {
      const seenUs = this.#load.peakUs(slot);
      const knownUs = isUnknown ? NO_SAMPLE : seenUs;
      const nextUs = isFailure
        ? foldFailure(knownUs, elapsedUs, Math.max(msBetween(sampledAt, now), 0))
        : foldPeak(knownUs, elapsedUs, Math.max(msBetween(this.#load.peakAt(slot), now), 0));
      // A fall of less than a microsecond is not stored: its time is left to add up instead.
      if (nextUs === seenUs && elapsedUs < seenUs) return;
      if (this.#load.replacePeak(slot, seenUs, nextUs, now)) return;
    }
  }

  #isPacedByClient(number: number): boolean {
    return ((this.#measure[number] as number) & PACED_BY_CLIENT) !== 0; // number < length
  }

  #append(number: number, slot: number, generation: number, now: Tick): void {
    this.#awaited[number] = FIRST_BYTE;
    if (this.#isPacedByClient(number)) return;
    if (this.#listGeneration[slot] !== generation) {
      // The slot has another endpoint: whoever waits on the former one is let go of, and leaves its own links alone.
      this.#listGeneration[slot] = generation;
      this.#oldest[slot] = NONE;
      this.#newest[slot] = NONE;
    }
    const before = this.#newest[slot] as number; // slot < length
    this.#older[number] = before;
    this.#newer[number] = NONE;
    this.#newest[slot] = number;
    if (before !== NONE) {
      this.#newer[before] = number;
      return;
    }
    this.#oldest[slot] = number;
    this.#board.waiting.publish(slot, generation, now);
  }

  #remove(number: number, slot: number): void {
    const isListed = this.#awaited[number] === FIRST_BYTE && !this.#isPacedByClient(number);
    this.#awaited[number] = NOTHING;
    if (!isListed) return;
    const generation = this.#generation[number] as number; // number < length
    if (this.#listGeneration[slot] !== generation) return;
    const older = this.#older[number] as number;
    const newer = this.#newer[number] as number;
    if (newer === NONE) this.#newest[slot] = older;
    else this.#older[newer] = older;
    if (older !== NONE) {
      this.#newer[older] = newer;
      return;
    }
    this.#oldest[slot] = newer;
    this.#board.waiting.publish(slot, generation, newer === NONE ? NEVER : (this.#startedAt[newer] as number));
  }
}
