/** Asks the budgets of upstreams for each retry and hedge, and tells when one is spent. */
import type { WorkerBoard } from '../board/worker-board.js';
import type { UpstreamPlan } from '../config/plan.js';

const MS_PER_S = 1_000;
/** A budget that stays spent is told again after this. */
const TOLD_EVERY_MS = 10_000;
const NEVER_MS = Number.NEGATIVE_INFINITY;

/** What is told: how many were refused since the last time, in this worker. */
export type OnBudgetSpent = (upstream: UpstreamPlan, refused: number) => void;

/** Without a budget everything is allowed. Thread: worker. */
export class RetryBudgets {
  readonly #board: Pick<WorkerBoard, 'retryBudgets' | 'stripe'>;
  readonly #onSpent: OnBudgetSpent;
  /** By record of the upstream. */
  readonly #refused: number[] = [];
  readonly #toldAtMs: number[] = [];

  constructor(board: Pick<WorkerBoard, 'retryBudgets' | 'stripe'>, onSpent: OnBudgetSpent) {
    this.#board = board;
    this.#onSpent = onSpent;
  }

  /** A request begins. HOT: a branch without a budget, else a plain add. @param nowMs of the shared clock, as in all methods */
  countRequest({ record, retry }: UpstreamPlan, nowMs: number): void {
    if (retry.budget !== null) this.#board.retryBudgets.countRequest(record, secondOf(nowMs));
  }

  /** Takes one retry or hedge. @returns false: it may not be made */
  withdraw(upstream: UpstreamPlan, nowMs: number): boolean {
    const { record, retry } = upstream;
    if (retry.budget === null || this.#board.retryBudgets.withdraw(record, retry.budget, secondOf(nowMs))) return true;
    this.#tell(upstream, nowMs);
    return false;
  }

  /** What was withdrawn has not been made after all. @param withdrawnAtMs when */
  giveBack({ record, retry }: UpstreamPlan, withdrawnAtMs: number): void {
    if (retry.budget !== null) this.#board.retryBudgets.giveBack(record, secondOf(withdrawnAtMs));
  }

  /** Before a pause: is it worth waiting? Where it is not, that counts as refused. */
  allows(upstream: UpstreamPlan, nowMs: number): boolean {
    const { record, retry } = upstream;
    if (retry.budget === null || this.#board.retryBudgets.allows(record, retry.budget, secondOf(nowMs))) return true;
    this.#tell(upstream, nowMs);
    return false;
  }

  #tell(upstream: UpstreamPlan, nowMs: number): void {
    const { record } = upstream;
    this.#board.stripe.countRetryRefused();
    const refused = (this.#refused[record] ?? 0) + 1;
    this.#refused[record] = refused;
    if (nowMs - (this.#toldAtMs[record] ?? NEVER_MS) < TOLD_EVERY_MS) return;
    this.#toldAtMs[record] = nowMs;
    this.#refused[record] = 0;
    this.#onSpent(upstream, refused);
  }
}

function secondOf(nowMs: number): number {
  return Math.floor(nowMs / MS_PER_S);
}
