/** Timers as a parameter: what waits takes them, so that tests can move time by hand. */

/** Cancels what was scheduled. Idempotent; harmless after it ran. */
export type Cancel = () => void;

/** Runs something later. */
export interface Timers {
  /** Calls `run` once, `ms` milliseconds from now. */
  after(ms: number, run: () => void): Cancel;
}

/** The timers of this thread. They keep the process alive: in the primary, between a crash and its restart, there may be nothing else. */
export const systemTimers: Timers = {
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
