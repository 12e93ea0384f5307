/** Knows when the primary's event loop stood still: whoever waited with a timer meanwhile has measured the loop, and not what it waited for. */
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';

/** Pause between two looks at the clock. */
const LOOK_EVERY_MS = 100;
/** A look that is later than this has found a blockage. Far above what a collection of garbage takes from so small a heap. */
const LATE_MS = 100;
/** A blockage that is longer is told in the log. */
const TOLD_FROM_MS = 1_000;
/** Blockages that are remembered; a question lasts no longer than a minute. */
const MOST_REMEMBERED = 64;
/** Times that one question is asked again at the most: in a loop that is blocked again and again, an answer must come some day. */
const MOST_REPEATS = 2;

/** What the watch needs from outside. */
export interface BlockageWatchOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** A time in which the loop did not turn, in ms of the shared clock. */
interface Blockage {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Looks at the clock all the time, and remembers by how much looks were late. Traffic goes on meanwhile: workers and the accepting thread
 * have loops of their own. Thread: primary.
 */
export class BlockageWatch {
  readonly #options: BlockageWatchOptions;
  /** The latest, oldest first. */
  #blockages: readonly Blockage[] = [];
  #lookedAtMs: number | null = null;
  #cancel: Cancel = () => {};

  constructor(options: BlockageWatchOptions) {
    this.#options = options;
  }

  /** Looks from now on. */
  start(): void {
    this.#lookedAtMs = this.#options.clock.nowMs();
    this.#schedule();
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
    this.#lookedAtMs = null;
  }

  /** For how many ms the loop has stood still since a moment of the shared clock; what is shorter than LATE_MS does not count. */
  blockedMsSince(sinceMs: number): number {
    this.#look(); // timers that are due fire in the order of their times: this watch's own may be still to come
    return this.#blockages.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, toMs - Math.max(fromMs, sinceMs)), 0);
  }

  /**
   * Makes a question that is asked again where its answer is bad and the loop has stood still meanwhile: whoever was asked may have answered
   * in time, with nobody to read it.
   *
   * @param isGood says whether an answer counts in any case
   */
  repeating<Asked extends readonly unknown[], Answer>(
    ask: (...asked: Asked) => Promise<Answer>,
    isGood: (answer: Answer) => boolean,
  ): (...asked: Asked) => Promise<Answer> {
    return async (...asked) => {
      for (let repeats = 0; ; repeats++) {
        const askedAtMs = this.#options.clock.nowMs();
        const answer = await ask(...asked);
        if (isGood(answer) || repeats === MOST_REPEATS || this.blockedMsSince(askedAtMs) === 0) return answer;
      }
    };
  }

  #schedule(): void {
    this.#cancel = this.#options.timers.after(LOOK_EVERY_MS, () => {
      this.#look();
      this.#schedule();
    });
  }

  #look(): void {
    if (this.#lookedAtMs === null) return;
    const nowMs = this.#options.clock.nowMs();
    const dueAtMs = this.#lookedAtMs + LOOK_EVERY_MS;
    this.#lookedAtMs = nowMs;
    if (nowMs - dueAtMs <= LATE_MS) return;
    this.#blockages = [...this.#blockages, { fromMs: dueAtMs, toMs: nowMs }].slice(-MOST_REMEMBERED);
    const blockedMs = Math.round(nowMs - dueAtMs);
    if (blockedMs < TOLD_FROM_MS) return;
    this.#options.logger.warn(
      { event: 'primary-blocked', blockedMs },
      `the primary's event loop stood still for ${blockedMs} ms: traffic went on, but health checks, the admin API, this log and restarts of workers had to wait`,
    );
  }
}
