/** Has a worker go by one plan after the other: in their order, never two at a time, none before the worker accepts. */
import { ProxyError } from '../core/proxy-error.js';
import { loggedLevel } from '../observability/log-gate.js';
import type { ThreadLogger } from '../observability/logger.js';
import type { DataPlane, PlanChange } from './data-plane.js';
import type { FromWorker, PlanFailure } from './messages.js';

/**
 * Each plan that is taken is answered by one `applied`. What the operator can mend (a ProxyError) is logged and told; any other error of
 * a data plane is left uncaught: the worker crashes, and is restarted with the newest plan. Thread: worker; one for each.
 */
export class PlanTurn {
  readonly #dataPlane: Pick<DataPlane, 'apply' | 'handOffPlaces'>;
  readonly #logger: ThreadLogger;
  readonly #send: (message: FromWorker) => void;
  /** Whatever has been taken so far. */
  #turn: Promise<void>;
  #isOver = false;

  /** @param started the start of the data plane; when that fails, nothing is done any more */
  constructor(
    dataPlane: Pick<DataPlane, 'apply' | 'handOffPlaces'>,
    started: Promise<void>,
    logger: ThreadLogger,
    send: (message: FromWorker) => void,
  ) {
    this.#dataPlane = dataPlane;
    this.#turn = started;
    this.#logger = logger;
    this.#send = send;
  }

  /** Applies it behind all that were taken before. After `last` it is answered only: there will be no new work for it. */
  take(change: PlanChange): void {
    const isOver = this.#isOver;
    this.#turn = this.#turn.then(async () => {
      const failure = isOver ? null : await this.#apply(change);
      this.#send({
        kind: 'applied',
        epoch: change.plan.epoch,
        handOffPlaces: this.#dataPlane.handOffPlaces(),
        failure,
      });
    });
  }

  /** Runs this behind all plans that were taken. None is applied after it. */
  last(run: () => void): void {
    this.#isOver = true;
    this.#turn = this.#turn.then(run);
  }

  async #apply(change: PlanChange): Promise<PlanFailure | null> {
    const { epoch, log } = change.plan;
    this.#logger.level = loggedLevel(log.level);
    try {
      await this.#dataPlane.apply(change);
      return null;
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      const { code, message } = error;
      this.#logger.error(
        { event: 'plan-incomplete', epoch, code, err: error },
        `this worker cannot do all that configuration ${epoch} says: ${message}`,
      );
      return { code, message };
    }
  }
}
