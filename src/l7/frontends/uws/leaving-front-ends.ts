/** Front ends of uWebSockets.js whose listener the plan has no more: what is open there ends by itself, then they are closed. */
import type { UwsFrontEnd } from './uws-front-end.js';

/** How often it is looked whether nothing is open any more. */
const LOOK_MS = 100;

/** One that is on its way out. */
interface Leaving {
  readonly frontEnd: UwsFrontEnd;
  /** Its WebSockets end by then; ms of performance.now(). */
  readonly deadlineAt: number;
  hasEnded: boolean;
}

/**
 * uWebSockets.js cannot close its idle connections alone: they go with the whole app, when its last answer has gone out, or by its own
 * 10 s timeout before that. Thread: worker.
 */
export class LeavingFrontEnds {
  readonly #countWriters: () => number;
  readonly #leaving = new Set<Leaving>();
  #timer: NodeJS.Timeout | null = null;

  /** @param countWriters connections of this thread that the library still has bytes for */
  constructor(countWriters: () => number) {
    this.#countWriters = countWriters;
  }

  /** Those that are not closed yet. */
  get all(): readonly UwsFrontEnd[] {
    return [...this.#leaving].map(({ frontEnd }) => frontEnd);
  }

  /** @param graceMs after which its WebSockets are ended */
  add(frontEnd: UwsFrontEnd, graceMs: number): void {
    frontEnd.leave();
    this.#leaving.add({ frontEnd, deadlineAt: performance.now() + graceMs, hasEnded: false });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** Closes every connection at once. Idempotent. */
  close(): void {
    this.#stop();
    for (const { frontEnd } of this.#leaving) frontEnd.close();
    this.#leaving.clear();
  }

  #look(): void {
    const now = performance.now();
    for (const leaving of this.#leaving) {
      const { frontEnd, deadlineAt } = leaving;
      if (now >= deadlineAt && !leaving.hasEnded) {
        leaving.hasEnded = true;
        frontEnd.endWebSockets();
      }
      // After the deadline only the library's own timeouts are waited for by those who take nothing.
      if (frontEnd.openExchanges > 0 || (this.#countWriters() > 0 && now < deadlineAt)) continue;
      frontEnd.close();
      this.#leaving.delete(leaving);
    }
    if (this.#leaving.size === 0) this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
