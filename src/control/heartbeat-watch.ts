/** Watches the heartbeats of serving workers: tells whose event loop stands still, and has it ended when it does not go on. */
import type { Clock } from '../core/clock.js';
import { NEVER, type Tick } from '../core/tick.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';

/** A serving worker whose heartbeat is missing for longer is reported as stuck. */
const STUCK_AFTER_MS = 5_000;
/**
 * One that is stuck for longer is ended: its clients wait for nothing, and no work of sluice's own takes a fraction of that. A process that
 * was only starved of processor time has had its share by then.
 */
const END_STUCK_AFTER_MS = 30_000;
/** How often heartbeats are looked at. */
const LOOK_EVERY_MS = 1_000;
/** What a pause between two looks counts at the most: whatever kept the primary from looking was no worker's doing. */
const MOST_COUNTED_MS = 2 * LOOK_EVERY_MS;

/** What was seen of a worker at the last look. */
interface Pulse {
  /** Of its heartbeat; NEVER: none yet. */
  readonly beatAt: Tick;
  /** For how long it has been missing, in ms in which the primary could have seen it. */
  readonly silentMs: number;
}

const NO_PULSE: Pulse = { beatAt: NEVER, silentMs: 0 };

/** What the watch needs from outside. */
export interface HeartbeatWatchOptions {
  readonly workers: number;
  /** When a worker last wrote its heartbeat; NEVER: not yet. */
  readonly beatAt: (workerIndex: number) => Tick;
  /** Only those that serve beat. */
  readonly isServing: (workerIndex: number) => boolean;
  /** Ends a worker that is stuck for good. */
  readonly end: (workerIndex: number) => void;
  /** false: it is left alone. */
  readonly mayEnd: () => boolean;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * Counts looks and not the clock: when the primary was blocked itself, or the whole process was stopped, the first look after it finds
 * every heartbeat old that has not been written anew yet, and nobody is stuck. Thread: primary.
 */
export class HeartbeatWatch {
  readonly #options: HeartbeatWatchOptions;
  readonly #pulses: Pulse[];
  #cancel: Cancel = () => {};

  constructor(options: HeartbeatWatchOptions) {
    this.#options = options;
    this.#pulses = Array.from({ length: options.workers }, () => NO_PULSE);
  }

  /** Looks from now on. */
  start(): void {
    const { clock, timers } = this.#options;
    const lookedAtMs = clock.nowMs();
    this.#cancel = timers.after(LOOK_EVERY_MS, () => {
      this.#look(Math.round(Math.min(clock.nowMs() - lookedAtMs, MOST_COUNTED_MS)));
      this.start();
    });
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
  }

  #look(countedMs: number): void {
    this.#pulses.forEach(({ beatAt, silentMs }, index) => {
      if (!this.#options.isServing(index)) {
        this.#pulses[index] = NO_PULSE;
        return;
      }
      const nowBeatAt = this.#options.beatAt(index);
      const isSilent = nowBeatAt === beatAt && beatAt !== NEVER;
      const nowSilentMs = isSilent ? silentMs + countedMs : 0;
      this.#pulses[index] = { beatAt: nowBeatAt, silentMs: nowSilentMs };
      this.#tell(index, silentMs, nowSilentMs);
    });
  }

  /** Each once: that it stands still, that it goes on, that it is ended. */
  #tell(worker: number, beforeMs: number, silentMs: number): void {
    const { logger, end, mayEnd } = this.#options;
    const passes = (limitMs: number): boolean => beforeMs <= limitMs && silentMs > limitMs;
    if (beforeMs > STUCK_AFTER_MS && silentMs <= STUCK_AFTER_MS) {
      logger.info({ event: 'worker-unstuck', worker }, `worker ${worker} answers again`);
    } else if (passes(STUCK_AFTER_MS)) {
      logger.warn(
        { event: 'worker-stuck', worker, silentMs },
        `worker ${worker} has not answered for ${silentMs} ms: its event loop is blocked`,
      );
    } else if (passes(END_STUCK_AFTER_MS) && mayEnd()) {
      logger.error(
        { event: 'worker-stuck', worker, silentMs },
        `worker ${worker} has not answered for ${silentMs} ms: it is ended, and another one takes its place`,
      );
      end(worker);
    }
  }
}
