/** What the workers share about an upstream as a whole: whose turn it is, and when what decides over its endpoints changed. */
import { UpstreamControl, UpstreamTurn } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const EPOCH = UpstreamControl.field.epoch;
const TURN = UpstreamTurn.field.turn;
const INT31 = 0x7fff_ffff;

/** Two records an upstream, on lines of their own: one written at each pick, the other hardly ever. Thread: any. */
export class UpstreamTable {
  readonly #int32: Int32Array;
  readonly #epochBase: number;
  readonly #epochStride: number;
  readonly #turnBase: number;
  readonly #turnStride: number;

  constructor(board: MappedBoard) {
    this.#int32 = board.int32;
    this.#epochBase = board.layout.board.upstreamControl.base + EPOCH;
    this.#epochStride = board.layout.board.upstreamControl.stride;
    this.#turnBase = board.layout.board.upstreamTurn.base + TURN;
    this.#turnStride = board.layout.board.upstreamTurn.stride;
  }

  /**
   * Takes the next turn of a cursor; no two workers get the same one. HOT (bench/micro/balancing/pick.bench.ts).
   * @param turn   UpstreamPlan.turn, or that of a subset
   * @param cursor which of its cursors, 0 .. TURN_CURSORS - 1: each group of endpoints has its own
   * @returns 0 .. 2^31 - 1, then 0 again: once in two thousand million picks a cycle is cut short
   */
  nextTurn(turn: number, cursor: number): number {
    return Atomics.add(this.#int32, this.#turnBase + turn * this.#turnStride + cursor, 1) & INT31;
  }

  /** What nextTurn() would say now. */
  turnHint(turn: number, cursor: number): number {
    return Atomics.load(this.#int32, this.#turnBase + turn * this.#turnStride + cursor) & INT31;
  }

  /**
   * Number of the latest change of any control record or pause of this upstream's endpoints. Read it before them. Never 0
   * once an endpoint is assigned.
   */
  controlEpoch(upstream: number): number {
    return Atomics.load(this.#int32, this.#epochBase + upstream * this.#epochStride);
  }

  /**
   * The same, to see whether it is still the known one. HOT (bench/micro/balancing/pick.bench.ts): a plain load of a line
   * that is hardly ever written. It orders nothing: after a difference read controlEpoch(), then the records.
   */
  controlEpochHint(upstream: number): number {
    return this.#int32[this.#epochBase + upstream * this.#epochStride] as number; // upstream < upstreams: inside the view
  }

  /**
   * Tells the workers to rebuild what they cached; called after the change. Thread: any; the primary after a control record,
   * a worker after a pause (EndpointLoadTable.pauseUntil).
   */
  bumpControlEpoch(upstream: number): void {
    Atomics.add(this.#int32, this.#epochBase + upstream * this.#epochStride, 1);
  }
}
