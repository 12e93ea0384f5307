/** Stops accepting while the process is nearly out of file descriptors, and goes on when there are some again. */
import type { Addon } from '../engine/engine.js';
import type { Logger } from '../observability/logger.js';

/** Descriptors kept back for upstream connections, logs and name resolution while clients have to wait in the backlog. */
const RESERVED_FILES = 64;
/** Free again: well above the reserve, so that the gate does not flutter. */
const ENOUGH_FILES = RESERVED_FILES * 2;
/** How often the gate looks. uWebSockets.js tells nobody of an EMFILE and would spin on it until we stop its polling. */
const LOOK_EVERY_MS = 50;
/** A shortage that comes back is reported again after this. */
const WARN_EVERY_MS = 60_000;

/** What the gate needs of the addon. */
export type AcceptControl = Pick<Addon, 'freeFiles' | 'pauseAccepting'>;

/** One per thread that accepts: it holds for all listening sockets of this thread. Thread: any. */
export class AcceptGate {
  readonly #addon: AcceptControl;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  #isClosed = false;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(addon: AcceptControl, logger: Logger, nowMs: () => number) {
    this.#addon = addon;
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** Idempotent. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Compares what is free with what must be, and acts when that has changed. */
  look(): void {
    const freeFiles = this.#addon.freeFiles();
    if (!this.#isClosed && freeFiles < RESERVED_FILES) {
      this.#isClosed = true;
      this.#addon.pauseAccepting(true);
      this.#warn(freeFiles);
    } else if (this.#isClosed && freeFiles >= ENOUGH_FILES) {
      this.#isClosed = false;
      this.#addon.pauseAccepting(false);
      this.#logger.info({ event: 'accepting-resumed', freeFiles }, 'accepting connections again');
    }
  }

  #warn(freeFiles: number): void {
    const now = this.#nowMs();
    if (now - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = now;
    this.#logger.warn(
      { event: 'accepting-paused', code: 'SLUICE_FILE_LIMIT', freeFiles },
      'nearly out of file descriptors: new connections wait until some are closed; raise the limit (ulimit -n, LimitNOFILE)',
    );
  }
}
