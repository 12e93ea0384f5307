/** Waits for what workers answer to the primary: that they go by a plan, and where a request would go. */
import type { Cancel, Timers } from '../core/timers.js';
import type { ExplainRequest, Explanation } from '../worker/explaining.js';
import type { PlanFailure, ToWorker } from '../worker/messages.js';

/** A worker looks a request up in microseconds; one that needs longer is busy with traffic. */
const EXPLAIN_PATIENCE_MS = 2_000;

/** What workers have made of a plan. */
export interface Applied {
  /** What single workers could not do of it. */
  readonly failures: readonly { readonly worker: number; readonly failure: PlanFailure }[];
}

interface WaitingForPlan {
  readonly epoch: number;
  /** Workers that have not answered. */
  readonly open: Set<number>;
  readonly failures: { readonly worker: number; readonly failure: PlanFailure }[];
  readonly resolve: (applied: Applied) => void;
}

interface WaitingForExplanation {
  readonly worker: number;
  readonly answer: (explanation: Explanation | null | undefined) => void;
}

/** Thread: primary. */
export class WorkerAnswers {
  readonly #timers: Timers;
  #plans: readonly WaitingForPlan[] = [];
  readonly #explanations = new Map<number, WaitingForExplanation>();
  #lastId = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves when each of these workers goes by the plan, or is gone. */
  applied(epoch: number, workers: readonly number[]): Promise<Applied> {
    return new Promise((resolve) => {
      const waiting = { epoch, open: new Set(workers), failures: [], resolve };
      this.#plans = [...this.#plans, waiting];
      this.#settlePlans();
    });
  }

  /**
   * Asks a worker where a request would go.
   *
   * @param post sends to that worker
   * @returns null: no listener fits; undefined: no answer in time
   */
  explanation(
    worker: number,
    request: ExplainRequest,
    post: (message: ToWorker) => void,
  ): Promise<Explanation | null | undefined> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const answer = (explanation: Explanation | null | undefined): void => {
        cancel();
        this.#explanations.delete(id);
        resolve(explanation);
      };
      cancel = this.#timers.after(EXPLAIN_PATIENCE_MS, () => answer(undefined));
      this.#explanations.set(id, { worker, answer });
      post({ kind: 'explain', id, request });
    });
  }

  /** A worker goes by a plan. Answers come in the order of the plans. */
  heardApplied(worker: number, epoch: number, failure: PlanFailure | null): void {
    for (const waiting of this.#plans) {
      if (waiting.epoch > epoch || !waiting.open.delete(worker)) continue;
      if (failure !== null && waiting.epoch === epoch) waiting.failures.push({ worker, failure });
    }
    this.#settlePlans();
  }

  /** A worker has answered; too late, it means nothing. */
  heardExplained(id: number, explanation: Explanation | null): void {
    this.#explanations.get(id)?.answer(explanation);
  }

  /** A worker's thread has ended: it answers nothing any more, and whoever takes its place begins with the newest plan. */
  gone(worker: number): void {
    for (const { open } of this.#plans) open.delete(worker);
    for (const waiting of [...this.#explanations.values()]) if (waiting.worker === worker) waiting.answer(undefined);
    this.#settlePlans();
  }

  #settlePlans(): void {
    const settled = this.#plans.filter(({ open }) => open.size === 0);
    this.#plans = this.#plans.filter(({ open }) => open.size > 0);
    for (const { failures, resolve } of settled) resolve({ failures });
  }
}
