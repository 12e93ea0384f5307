/** What of a worker's traffic is written down one by one: its access log, and its spans on their way to the primary. Thread: worker. */
import type { WorkerStripe } from '../board/worker-stripe.js';
import type { Plan } from '../config/plan.js';
import { systemTimers } from '../core/timers.js';
import { ACCESS_FACTS, type AccessLines } from '../engine/access-lines.js';
import type { Addon } from '../engine/addon.js';
import { AccessLog } from '../observability/access-log.js';
import type { Logger } from '../observability/logger.js';
import { SpanQueue } from '../observability/span-queue.js';
import type { FromWorker } from './messages.js';

/** A disk or a reader that takes nothing for this long at the end of the worker is given up on. */
const CLOSE_PATIENCE_MS = 2_000;

/** What it is made of. */
export interface ObservingParts {
  readonly plan: Plan;
  readonly workerIndex: number;
  readonly stripe: WorkerStripe;
  readonly addon: Pick<Addon, 'AccessLines'>;
  readonly logger: Logger;
  readonly send: (message: FromWorker) => void;
}

/** One for each worker. */
export class Observing {
  readonly accessLog: AccessLog<AccessLines>;
  readonly spans: SpanQueue;

  constructor({ plan, workerIndex, stripe, addon, logger, send }: ObservingParts) {
    this.accessLog = new AccessLog({
      workerIndex,
      makeLines: (options) => new addon.AccessLines(options),
      factWords: ACCESS_FACTS,
      countDropped: (lines) => stripe.countAccessLinesDropped(lines),
      timers: systemTimers,
      random: Math.random,
      logger,
    });
    this.accessLog.apply(plan);
    this.spans = new SpanQueue((batch) => send({ kind: 'spans', batch }), systemTimers);
    this.spans.apply(plan.tracing);
  }

  /** Nothing more comes: resolves when all of it is out, or its reader or disk has been given up on. */
  async close(): Promise<void> {
    this.spans.flush();
    await new Promise<void>((resolve) => {
      const cancel = systemTimers.after(CLOSE_PATIENCE_MS, resolve);
      void this.accessLog.close().then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** The thread ends: what can leave at once does. Idempotent. */
  closeNow(): void {
    this.spans.flush();
    this.accessLog.closeNow();
  }
}
