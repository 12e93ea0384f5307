/** The word in which claims are counted: [generation:11][0:1][count:20] of one int32, on the board and in the journals. */

/** Generations are 1 .. 2047 and begin again; 0 stands for a slot that was never assigned. */
export const LAST_GENERATION = 2047;
/** Most claims one endpoint can have open over all workers. */
export const MOST_CLAIMS = 0xf_ffff;
const GENERATION_SHIFT = 21;

/** The word of `count` claims on a slot of this generation. */
export function claimsWord(generation: number, count: number): number {
  return (generation << GENERATION_SHIFT) | count;
}

/** Which assignment of the slot the claims belong to. */
export function generationOf(word: number): number {
  return word >>> GENERATION_SHIFT;
}

/** How many claims the word counts. */
export function countOf(word: number): number {
  return word & MOST_CLAIMS;
}

/** The generation a slot gets when it is assigned again. 2047 reuses of one slot must pass before one comes back. */
export function generationAfter(generation: number): number {
  return generation >= LAST_GENERATION ? 1 : generation + 1;
}
