/** Bodies of chaos and soak tests: any piece of any body can be made again from its seed, so that none has to be kept. */

/** Longest body whose bytes do not repeat. */
export const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

const noise = noiseOf(2 * BODY_LIMIT_BYTES);

/** Bytes `from` to `to` of the body of this seed. A body with another seed has other bytes at the same places. */
export function bodyPiece(seed: number, from: number, to: number): Buffer {
  const start = seed % BODY_LIMIT_BYTES;
  return noise.subarray(start + from, start + to);
}

/** xorshift32 (Marsaglia 2003). */
function noiseOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 0x2545f491;
  for (let at = 0; at < size; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}
