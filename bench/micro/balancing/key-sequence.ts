/** Keys of requests, one after the other, for benches of balancers that hash. */
import { PickKey } from '../../../src/balancing/balancer.js';
import { seededRng } from '../../../src/core/rng.js';

/** A power of two; enough that a processor does not learn where each leads. */
const KEYS = 4_096;

/** The same keys again after KEYS. Balancers without a key ignore them, at the price of a few loads. */
export class KeySequence {
  readonly #key = new PickKey();
  readonly #words: Int32Array;
  #at = 0;

  constructor() {
    const rng = seededRng(7);
    this.#words = Int32Array.from({ length: 2 * KEYS }, () => (rng.nextBits() << 1) ^ rng.nextBits());
  }

  /** The next key, in the one record that there is. */
  next(): PickKey {
    this.#at = (this.#at + 2) & (2 * KEYS - 1);
    this.#key.hash = this.#words[this.#at] as number; // inside the words, as the next one
    this.#key.hashHigh = this.#words[this.#at + 1] as number;
    return this.#key;
  }
}
