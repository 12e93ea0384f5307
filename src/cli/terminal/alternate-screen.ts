/** Takes a terminal over for a full screen of text, and gives it back as it was, whatever happens. */
import type { OutStream } from './terminal-surroundings.js';

/** xterm: alternate screen (1049), cursor (25), synchronized update (2026: a terminal that knows it shows a frame at once). ECMA-48: the rest. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const BEGIN_FRAME = '\u001b[?2026h\u001b[H';
const END_FRAME = '\u001b[J\u001b[?2026l';
const CLEAR_REST = '\u001b[K';

/** Keys of a terminal, e.g. process.stdin. */
export interface KeyStream {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'data', listener: (data: Buffer) => void): unknown;
  off(event: 'data', listener: (data: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** One at a time. */
export class AlternateScreen {
  readonly #out: OutStream;
  readonly #keys: KeyStream;
  #isEntered = false;

  constructor(out: OutStream, keys: KeyStream) {
    this.#out = out;
    this.#keys = keys;
  }

  /** Begins; the terminal is given back at the end of the process, too, if nobody did before. Idempotent. */
  enter(): void {
    if (this.#isEntered) return;
    this.#isEntered = true;
    process.once('exit', this.leave);
    if (this.#keys.isTTY === true) this.#keys.setRawMode?.(true);
    this.#keys.resume();
    this.#out.write(ENTER);
  }

  /** Shows lines, each as it is: rewritten in place, without clearing first, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered) return;
    this.#out.write(`${BEGIN_FRAME}${lines.map((line) => `${line}${CLEAR_REST}`).join('\r\n')}${END_FRAME}`);
  }

  /** Gives the terminal back. Idempotent. */
  readonly leave = (): void => {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    process.off('exit', this.leave);
    if (this.#keys.isTTY === true) this.#keys.setRawMode?.(false);
    this.#keys.pause();
    this.#out.write(LEAVE);
  };
}
