/** How many requests each upstream had lately, and how many retries and hedges: the budget of the latter, exact over all workers. */
import { invariant } from '../core/invariant.js';
import { RetryBudget, SECONDS_KEPT } from './retry-groups.js';
import type { MappedBoard } from './shared-memory.js';
import { releaseLock, releaseLockOf, takeLock } from './table-lock.js';

/** Finagle's window: 10 s in slots of one (semantics.md 7). */
export const WINDOW_S = 10;
/** A word counts requests of one second: [second][count:24]. A worker begins fewer than 16.7 million in a second. */
const COUNTS = 2 ** 24;
/** As RetryBudgetPlan. */
export interface RetryAllowance {
  /** Of the requests of the window. */
  readonly share: number;
  readonly perSecond: number;
}

/** Of sums that are whole numbers but for how shares are written in binary. */
const ROUNDING = 1e-9;

const LOCK = RetryBudget.field.lock;
const SECONDS = RetryBudget.field.seconds;
const WITHDRAWN = RetryBudget.field.withdrawn;

/**
 * The window is made of the current second and the nine before it. Records keep 16 seconds, so that a worker whose clock is read a
 * moment earlier than another's still finds all of its own window.
 *
 * Pairs:
 * - A worker counts requests in its own stripe by plain stores of one word, which holds the second as well; others add them up at a
 *   withdrawal and see each word as it was or as it is. Counts of a second only rise, so at worst less is allowed.
 * - Withdrawals read, decide and write under the upstream's lock: two workers never both take the last one.
 * - A worker that dies within leaves a withdrawal for a retry that was not made, at most; the primary frees the lock.
 * - A plain float64 could tear in theory; V8 moves an aligned one with a single instruction on x86-64 and arm64.
 *
 * Thread: worker.
 */
export class RetryBudgetTable {
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  readonly #worker: number;
  readonly #base: number;
  readonly #stride: number;
  readonly #own: number;
  readonly #ownStride: number;
  /** First word of each worker's counts. */
  readonly #all: readonly number[];

  constructor(board: MappedBoard, worker: number) {
    const { stripes, board: groups } = board.layout;
    const own = stripes[worker];
    invariant(own, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#float64 = board.float64;
    this.#worker = worker;
    this.#base = groups.retryBudget.base;
    this.#stride = groups.retryBudget.stride;
    this.#own = own.retryRequests.base;
    this.#ownStride = own.retryRequests.stride;
    this.#all = stripes.map((stripe) => stripe.retryRequests.base);
  }

  /** A request of an upstream has begun. HOT: a plain add. @param second whole seconds of the shared clock */
  countRequest(upstream: number, second: number): void {
    const at = this.#own + upstream * this.#ownStride + (second % SECONDS_KEPT);
    const word = this.#float64[at] as number; // inside this stripe
    const first = second * COUNTS;
    this.#float64[at] = word >= first && word < first + COUNTS ? word + 1 : first + 1;
  }

  /** Takes one retry or hedge out of an upstream's budget. @returns false: it is spent */
  withdraw(upstream: number, allowance: RetryAllowance, second: number): boolean {
    const record = this.#base + upstream * this.#stride;
    takeLock(this.#int32, record + LOCK, this.#worker);
    const isAllowed = this.allows(upstream, allowance, second);
    if (isAllowed) this.#add(record, second, 1);
    releaseLock(this.#int32, record + LOCK);
    return isAllowed;
  }

  /** Gives a withdrawal back: nothing was tried. @param second of the withdrawal */
  giveBack(upstream: number, second: number): void {
    const record = this.#base + upstream * this.#stride;
    takeLock(this.#int32, record + LOCK, this.#worker);
    const at = second % SECONDS_KEPT;
    const isKept =
      this.#int32[record + SECONDS + at] === second && (this.#int32[record + WITHDRAWN + at] as number) > 0;
    if (isKept) this.#add(record, second, -1);
    releaseLock(this.#int32, record + LOCK);
  }

  /** Would one more be allowed? Exact under the lock, else of this moment. */
  allows(upstream: number, { share, perSecond }: RetryAllowance, second: number): boolean {
    const most = perSecond * WINDOW_S + share * this.requests(upstream, second) + ROUNDING;
    return this.withdrawn(upstream, second) + 1 <= most;
  }

  /** Requests of the window, over all workers. */
  requests(upstream: number, second: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#all.length; worker++) {
      const record = (this.#all[worker] as number) + upstream * this.#ownStride;
      for (let at = 0; at < SECONDS_KEPT; at++) {
        const word = this.#float64[record + at] as number; // inside a stripe
        const counted = Math.floor(word / COUNTS);
        if (isWithin(counted, second)) sum += word - counted * COUNTS;
      }
    }
    return sum;
  }

  /** Withdrawals of the window. */
  withdrawn(upstream: number, second: number): number {
    const record = this.#base + upstream * this.#stride;
    let sum = 0;
    for (let at = 0; at < SECONDS_KEPT; at++)
      if (isWithin(this.#int32[record + SECONDS + at] as number, second))
        sum += this.#int32[record + WITHDRAWN + at] as number; // inside the record
    return sum;
  }

  #add(record: number, second: number, change: 1 | -1): void {
    const at = second % SECONDS_KEPT;
    if (this.#int32[record + SECONDS + at] !== second) {
      this.#int32[record + WITHDRAWN + at] = 0;
      this.#int32[record + SECONDS + at] = second;
    }
    this.#int32[record + WITHDRAWN + at] = (this.#int32[record + WITHDRAWN + at] as number) + change; // inside the record
  }
}

/** One second ahead is another worker's, whose clock was read a moment later. */
function isWithin(counted: number, second: number): boolean {
  return counted > second - WINDOW_S && counted <= second + 1;
}

/** Frees the locks of budgets that a dead worker held. Idempotent. Thread: primary; the worker's thread has ended. */
export function reclaimRetryBudgets({ int32, layout }: MappedBoard, worker: number): void {
  const { base, stride, records } = layout.board.retryBudget;
  for (let upstream = 0; upstream < records; upstream++) releaseLockOf(int32, base + upstream * stride + LOCK, worker);
}
