/** Time that a test moves by hand: the clock and the timers of the primary's parts. */

import type { Clock } from '../../../src/core/clock.js';
import { tickOf } from '../../../src/core/tick.js';
import type { Cancel, Timers } from '../../../src/core/timers.js';

export class FakeTime implements Clock, Timers {
  #nowMs: number;
  #scheduled: { dueAt: number; run: () => void }[] = [];

  constructor(startMs = 1_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  nowTick(): number {
    return tickOf(this.#nowMs);
  }

  after(ms: number, run: () => void): Cancel {
    const entry = { dueAt: this.#nowMs + ms, run };
    this.#scheduled.push(entry);
    return () => {
      this.#scheduled = this.#scheduled.filter((other) => other !== entry);
    };
  }

  /** Moves time on while nothing runs: what becomes due is late. */
  block(ms: number): void {
    this.#nowMs += ms;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#scheduled.length;
  }

  /** Moves time on, runs what is due in order, and lets promises settle after each step. */
  async pass(ms: number): Promise<void> {
    const until = this.#nowMs + ms;
    for (;;) {
      const next = this.#scheduled.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)[0];
      if (next === undefined) break;
      this.#scheduled = this.#scheduled.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueAt);
      next.run();
      await settled();
    }
    this.#nowMs = until;
    await settled();
  }
}

/** Lets every promise that can settle without a timer do so. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
