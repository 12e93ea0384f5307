/** What every endpoint last reported of its own load (ORCA): written by the worker that read the report, weighed up by the primary. */
import { generationOf } from './claims-word.js';
import { EndpointLoad, EndpointReport } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const CLAIMS = EndpointLoad.field.claims;
const UTILIZATION = EndpointReport.field.utilization;
const RATE = EndpointReport.field.rate;
const ERROR_RATE = EndpointReport.field.errorRate;
const AT = EndpointReport.field.at;

/** `at` of an endpoint that has not reported. */
const NOT_YET = 0;

/** One report. */
export interface EndpointReportFigures {
  /** Share of its capacity in use, 0 and up; 0: it did not say. */
  readonly utilization: number;
  /** Requests a second; 0: it did not say. */
  readonly rate: number;
  /** Errors a second. */
  readonly errorRate: number;
  /** Shared clock in ms (Clock.nowMs) at which a worker read it. */
  readonly at: number;
}

/**
 * One record a slot, each on lines of its own. Thread: any.
 *
 * Pair: any worker stores, the primary loads, neither with an ordering, and two workers may store at the same time: the words of a
 * record may be of two reports of the same endpoint. Both are true to within the time between two responses, and the primary looks again
 * a second later. JavaScript lets a plain float64 tear in theory; V8 moves an aligned one with a single instruction (worker-stripe.ts).
 */
export class EndpointReportTable {
  readonly #float64: Float64Array;
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #stride: number;
  readonly #claimsBase: number;
  readonly #claimsStride: number;

  constructor(board: MappedBoard) {
    this.#float64 = board.float64;
    this.#int32 = board.int32;
    this.#base = board.layout.board.endpointReport.base;
    this.#stride = board.layout.board.endpointReport.stride;
    this.#claimsBase = board.layout.board.endpointLoad.base + CLAIMS;
    this.#claimsStride = board.layout.board.endpointLoad.stride;
  }

  /**
   * Keeps a report in place of the one before; ignored when another endpoint has the slot by now. HOT for endpoints that report with each
   * response: four plain stores.
   *
   * @param generation  of the attempt that brought the report
   * @param utilization >= 0, finite; 0: it did not say
   * @param rate        requests a second, >= 0, finite; 0: it did not say
   * @param errorRate   errors a second, >= 0, finite
   * @param nowMs       Clock.nowMs()
   */
  store(slot: number, generation: number, utilization: number, rate: number, errorRate: number, nowMs: number): void {
    if (generationOf(Atomics.load(this.#int32, this.#claimsBase + slot * this.#claimsStride)) !== generation) return;
    const record = this.#base + slot * this.#stride;
    this.#float64[record + UTILIZATION] = utilization;
    this.#float64[record + RATE] = rate;
    this.#float64[record + ERROR_RATE] = errorRate;
    this.#float64[record + AT] = nowMs;
  }

  /** The latest report of the endpoint that has the slot; null: it has not reported. */
  latest(slot: number): EndpointReportFigures | null {
    const record = this.#base + slot * this.#stride;
    const word = (field: number): number => this.#float64[record + field] as number; // slot < endpointSlots: inside the view
    const at = word(AT);
    if (at === NOT_YET) return null;
    return { utilization: word(UTILIZATION), rate: word(RATE), errorRate: word(ERROR_RATE), at };
  }

  /**
   * Forgets what the slot's former endpoint reported. Thread: primary, once the slot has its new generation.
   *
   * Pair: a worker that had compared generations before, and stores after, leaves the former endpoint's report; it counts until the new one
   * reports, 3 minutes at the most.
   */
  clear(slot: number): void {
    const record = this.#base + slot * this.#stride;
    this.#float64.fill(0, record, record + EndpointReport.words);
  }
}
