/** Which endpoints are ejected, and their failures in a row: written by every worker, and by the primary for what it sees in intervals. */
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { CircuitTable } from './circuit-table.js';
import { EndpointEjection, UpstreamEjections } from './health-groups.js';
import type { MappedBoard } from './shared-memory.js';

const CIRCUIT = EndpointEjection.field.circuit;
const IN_ROW = EndpointEjection.field.inRow;
const SUPPRESSED_AT = EndpointEjection.field.suppressedAt;
const EJECTIONS = EndpointEjection.field.ejections;
const SUPPRESSIONS = EndpointEjection.field.suppressions;

const GATEWAY_SHIFT = 16;
const MOST_IN_ROW = 0xffff;

/** Looks at a lock that somebody else holds: some dozens of µs, many times what its holder needs. */
const MOST_LOOKS = 1_000;

/** Failures in a row over all workers. */
export interface InRow {
  readonly failures: number;
  /** Those of them, in a row, that were failed attempts, 502, 503 or 504. */
  readonly gatewayFailures: number;
}

/**
 * The circuit of an endpoint: closed, it takes work; open, it is ejected until `at`, for the `openings`-th time; half-open, it is on trial.
 * Thread: any.
 */
export class EndpointEjectionTable {
  readonly circuits: CircuitTable;
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #stride: number;
  readonly #lockBase: number;
  readonly #lockStride: number;

  constructor(board: MappedBoard) {
    const { endpointEjection, upstreamEjections } = board.layout.board;
    this.circuits = new CircuitTable(board, endpointEjection, CIRCUIT);
    this.#int32 = board.int32;
    this.#base = endpointEjection.base;
    this.#stride = endpointEjection.stride;
    this.#lockBase = upstreamEjections.base + UpstreamEjections.field.lock;
    this.#lockStride = upstreamEjections.stride;
  }

  /** Nothing is held against the endpoint: no failure in a row, neither ejected nor on trial. HOT: two plain loads of one line. */
  isSound(slot: number): boolean {
    return this.#int32[this.#at(slot, IN_ROW)] === 0 && this.circuits.isClosedHint(slot); // slot < endpointSlots
  }

  /** @param isGatewayFailure false: failures of that kind in a row end here */
  countFailureInRow(slot: number, isGatewayFailure: boolean): InRow {
    const at = this.#at(slot, IN_ROW);
    for (;;) {
      const seen = Atomics.load(this.#int32, at);
      const failures = Math.min((seen & MOST_IN_ROW) + 1, MOST_IN_ROW);
      const gatewayFailures = isGatewayFailure ? Math.min((seen >>> GATEWAY_SHIFT) + 1, MOST_IN_ROW) : 0;
      const next = (gatewayFailures << GATEWAY_SHIFT) | failures | 0;
      if (Atomics.compareExchange(this.#int32, at, seen, next) === seen) return { failures, gatewayFailures };
    }
  }

  /** A success, or an end of what came before: no failure in a row any more. */
  endRow(slot: number): void {
    Atomics.store(this.#int32, this.#at(slot, IN_ROW), 0);
  }

  countEjection(slot: number): void {
    Atomics.add(this.#int32, this.#at(slot, EJECTIONS), 1);
  }

  /** How often the endpoint was ejected since it has the slot. */
  ejections(slot: number): number {
    return Atomics.load(this.#int32, this.#at(slot, EJECTIONS));
  }

  /**
   * Counts an ejection that is not made.
   *
   * @param logPauseMs between two lines about the same endpoint
   * @returns true: this thread is to tell the log
   */
  countSuppression(slot: number, logPauseMs: number, now: Tick): boolean {
    Atomics.add(this.#int32, this.#at(slot, SUPPRESSIONS), 1);
    const at = this.#at(slot, SUPPRESSED_AT);
    const seen = Atomics.load(this.#int32, at);
    const agoMs = msBetween(seen, now);
    if (seen !== NEVER && agoMs >= 0 && agoMs < logPauseMs) return false;
    return Atomics.compareExchange(this.#int32, at, seen, now) === seen;
  }

  /** How many ejections were not made since the endpoint has the slot. */
  suppressions(slot: number): number {
    return Atomics.load(this.#int32, this.#at(slot, SUPPRESSIONS));
  }

  /**
   * Takes the lock under which endpoints of an upstream are ejected, so that the share of those that are is exact. It is held for a scan of the
   * upstream's circuits, and a dead worker's is freed by the primary. Nobody waits for it: where it stays held, the next failure asks again.
   *
   * @param holder index of the worker; of the primary: one more than the last worker's
   */
  tryLock(upstream: number, holder: number): boolean {
    const at = this.#lockBase + upstream * this.#lockStride;
    for (let look = 0; look < MOST_LOOKS; look++)
      if (Atomics.compareExchange(this.#int32, at, 0, holder + 1) === 0) return true;
    return false;
  }

  unlock(upstream: number): void {
    Atomics.store(this.#int32, this.#lockBase + upstream * this.#lockStride, 0);
  }

  /** Frees a lock that a worker has died with. Thread: primary, after the worker's thread has ended. */
  unlockFor(upstream: number, holder: number): void {
    Atomics.compareExchange(this.#int32, this.#lockBase + upstream * this.#lockStride, holder + 1, 0);
  }

  /** A new assignment of the slot: takes work, and nothing is held against it. The circuit last, as in BreakerTable. Thread: primary. */
  begin(slot: number, generation: number): void {
    for (const field of [IN_ROW, SUPPRESSED_AT, EJECTIONS, SUPPRESSIONS])
      Atomics.store(this.#int32, this.#at(slot, field), 0);
    this.circuits.begin(slot, generation);
  }

  #at(slot: number, field: number): number {
    return this.#base + slot * this.#stride + field;
  }
}
