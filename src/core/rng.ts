/** Randomness as a parameter: a small seeded generator, so that a decision can be repeated in a test. */

/** Where decisions get their randomness from. */
export interface Rng {
  /** Next 31 random bits: 0 .. 2^31 - 1. */
  nextBits(): number;
  /** A whole number from 0 to `bound` - 1, evenly spread. @param bound 1 .. 2^31 - 1 */
  below(bound: number): number;
}

/** Calls thrown away after seeding, so that seeds that differ in one bit give unrelated sequences (PractRand's advice for sfc32). */
const WARM_UP_CALLS = 12;

const TWO_TO_31 = 2 ** 31;

/**
 * Chris Doty-Humphrey's sfc32 (PractRand): 128 bits of state, passes BigCrush, a few additions and shifts a call.
 * Not for secrets. HOT: allocates nothing (bench/micro/balancing/pick.bench.ts uses it).
 */
class Sfc32 implements Rng {
  readonly #state: Int32Array;

  constructor(seed: number) {
    this.#state = Int32Array.of(seed, seed ^ 0x9e3779b9, 0x243f6a88, 1);
    for (let call = 0; call < WARM_UP_CALLS; call++) this.nextBits();
  }

  nextBits(): number {
    const state = this.#state;
    const a = state[0] as number; // the state has four words, made in the constructor
    const b = state[1] as number;
    const c = state[2] as number;
    const counter = state[3] as number;
    const mixed = (((a + b) | 0) + counter) | 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + mixed;
    return mixed >>> 1;
  }

  below(bound: number): number {
    // Scaling instead of modulo: no division, and the bias is below bound / 2^31.
    return Math.floor((this.nextBits() / TWO_TO_31) * bound);
  }
}

/**
 * Makes a generator that gives the same sequence for the same seed. Thread: any; one generator belongs to one thread.
 *
 * @param seed any int32
 */
export function seededRng(seed: number): Rng {
  return new Sfc32(seed | 0);
}
