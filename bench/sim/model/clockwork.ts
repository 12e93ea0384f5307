/** The clock of a simulation: time stands still while an action runs, and jumps to the next one after it. */
import { EventQueue } from './event-queue.js';

/** Simulated time begins at 0 ms and ends when nothing is left to happen, or where run() is told to stop. */
export class Clockwork {
  readonly #queue = new EventQueue<() => void>();
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** @param delayMs from now, >= 0 */
  after(delayMs: number, action: () => void): void {
    this.#queue.push(this.#nowMs + delayMs, action);
  }

  /** Lets everything happen up to a moment, in order; the clock then stands at the last thing that did. */
  run(untilMs = Infinity): void {
    while (this.#queue.nextAtMs <= untilMs && this.#queue.size > 0) {
      this.#nowMs = this.#queue.nextAtMs;
      this.#queue.pop()?.();
    }
  }
}
