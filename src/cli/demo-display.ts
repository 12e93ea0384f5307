/** Where the demo prints: a live line rewritten in place on a terminal, plain lines elsewhere. */
import type { TextStream } from './check.js';

/** A text stream that may know the width of its terminal. */
export type DisplayStream = TextStream & { readonly columns?: number };

/** Clears the terminal's current line and goes to its start (ECMA-48: EL 2, CR). */
const CLEAR_LINE = '\u001b[2K\r';

/** Thread: primary. */
export class DemoDisplay {
  readonly #out: DisplayStream;
  #live = '';

  constructor(out: DisplayStream) {
    this.#out = out;
  }

  get isTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  /** Prints text that stays, above the live line. */
  print(text: string): void {
    this.around(() => this.#out.write(text));
  }

  /** Replaces the live line; without a terminal it is a line like any other. */
  live(line: string): void {
    if (!this.isTerminal) {
      this.#out.write(`${line}\n`);
      return;
    }
    // A line that wraps could not be cleared again; the last column is left free, because some terminals wrap at it.
    this.#live = line.slice(0, (this.#out.columns ?? Number.POSITIVE_INFINITY) - 1);
    this.#out.write(`${CLEAR_LINE}${this.#live}`);
  }

  /** Runs something that prints whole lines on the same terminal; the live line is put back behind them. */
  around(write: () => void): void {
    if (this.#live === '') return void write();
    this.#out.write(CLEAR_LINE);
    write();
    this.#out.write(this.#live);
  }

  /** Ends the live line, so that what follows begins on a line of its own. Idempotent. */
  close(): void {
    if (this.#live === '') return;
    this.#live = '';
    this.#out.write('\n');
  }
}
