/** Request ids: unique over all workers and restarts, cheap enough for every request. */

/** Hex digits of the counter behind the random part; wraps after 4 billion ids of one worker. */
const COUNTER_DIGITS = 8;

/** Makes the ids of one worker. Thread: worker. */
export class RequestIds {
  readonly #prefix: string;
  #counter = 0;

  /** @param randomHex 24 hex digits from a good source of randomness, other ones in each worker */
  constructor(randomHex: string) {
    this.#prefix = randomHex;
  }

  /** The next id: 32 hex digits. HOT. */
  next(): string {
    this.#counter = (this.#counter + 1) >>> 0;
    return this.#prefix + this.#counter.toString(16).padStart(COUNTER_DIGITS, '0');
  }
}

/** An id that a trusted peer sent: printable, no spaces, of a sane length. */
export function isUsableRequestId(value: string): boolean {
  return value.length > 0 && value.length <= 128 && /^[\x21-\x7e]+$/.test(value);
}
