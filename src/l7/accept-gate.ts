/** Stops accepting while the process is nearly out of file descriptors, and goes on when there are some again. */
import type { Addon } from '../engine/addon.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import type { Logger } from '../observability/logger.js';

/**
 * Share of the descriptors kept back for upstream connections, logs and name resolution while clients have to wait in the backlog:
 * between two looks a burst of clients takes from it, and each of their requests needs another one.
 */
const RESERVED_SHARE = 1 / 16;
const LEAST_RESERVED_FILES = 64;
const MOST_RESERVED_FILES = 1024;
/** How often the gate looks. uWebSockets.js tells nobody of an EMFILE and would spin on it until we stop its polling. */
const LOOK_EVERY_MS = 50;

/** What the gate needs of the addon. */
export type AcceptControl = Pick<Addon, 'freeFiles' | 'pauseAccepting' | 'raiseFileLimit'>;

/** One per thread that accepts: it holds for all listening sockets of this thread. Thread: any. */
export class AcceptGate {
  readonly #addon: AcceptControl;
  readonly #log: AcceptingLog | null;
  readonly #reservedFiles: number;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;

  /** @param tells writes to the log; descriptors are the process's, so one of several gates does for all of them */
  constructor(addon: AcceptControl, logger: Logger, nowMs: () => number, tells = true) {
    this.#addon = addon;
    this.#log = tells ? new AcceptingLog(logger, nowMs) : null;
    const share = Math.floor(addon.raiseFileLimit().soft * RESERVED_SHARE);
    this.#reservedFiles = Math.min(Math.max(share, LEAST_RESERVED_FILES), MOST_RESERVED_FILES);
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
    if (!this.#isClosed && freeFiles < this.#reservedFiles) {
      this.#isClosed = true;
      this.#addon.pauseAccepting(true);
      this.#log?.paused({ freeFiles });
    } else if (this.#isClosed && freeFiles >= 2 * this.#reservedFiles) {
      this.#isClosed = false;
      this.#addon.pauseAccepting(false);
      this.#log?.resumed({ freeFiles });
    }
  }
}
