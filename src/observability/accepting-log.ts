/** Tells the log when new connections have to wait for want of descriptors or memory, and when that is over. */
import type { Logger } from './logger.js';

/** A shortage that comes back is reported again after this. */
const WARN_EVERY_MS = 60_000;

/** One for each part that accepts. Thread: any. */
export class AcceptingLog {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #isTold = false;

  constructor(logger: Logger, nowMs: () => number) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  /** Accepting has stopped. @param facts e.g. the errno */
  paused(facts: Readonly<Record<string, unknown>>): void {
    const now = this.#nowMs();
    if (now - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = now;
    this.#isTold = true;
    this.#logger.warn(
      { event: 'accepting-paused', code: 'SLUICE_FILE_LIMIT', ...facts },
      'nearly out of file descriptors: new connections wait until some are closed; raise the limit (ulimit -n, LimitNOFILE)',
    );
  }

  /** Accepting goes on; said where the pause was. */
  resumed(facts: Readonly<Record<string, unknown>>): void {
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#logger.info({ event: 'accepting-resumed', ...facts }, 'accepting connections again');
  }
}
