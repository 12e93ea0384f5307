/** Tells how far a run has come: one line that is rewritten on a terminal, a plain line for each step elsewhere. */

/** Where it is written. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const BAR_WIDTH = 28;

/** Steps are counted over the whole run; close() leaves a clean line behind. */
export class Progress {
  readonly #screen: Screen;
  readonly #total: number;
  #done = 0;
  #isDrawn = false;

  /** @param total steps of the whole run */
  constructor(screen: Screen, total: number) {
    this.#screen = screen;
    this.#total = total;
  }

  /** @param what is being worked on now */
  begin(what: string): void {
    if (this.#screen.isTTY) this.#draw(what);
  }

  /** @param what has been done */
  step(what: string): void {
    this.#done += 1;
    if (this.#screen.isTTY) this.#draw(what);
    else this.#screen.write(`[${this.#done}/${this.#total}] ${what}\n`);
  }

  /** Writes a line of its own, above the bar. */
  say(text: string): void {
    this.close();
    this.#screen.write(`${text}\n`);
  }

  close(): void {
    if (this.#isDrawn) this.#screen.write('\r\x1b[2K');
    this.#isDrawn = false;
  }

  #draw(what: string): void {
    const filled = Math.round((this.#done / this.#total) * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    this.#screen.write(`\r\x1b[2K${bar} ${this.#done}/${this.#total} ${what}`);
    this.#isDrawn = true;
  }
}
