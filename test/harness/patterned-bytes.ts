/** Large bodies that can be made and checked without being kept: pseudo-random blocks, the same for the same seed. */
import { createHash } from 'node:crypto';

const BLOCK_BYTES = 1024 * 1024;

/** A body of `totalBytes`, in pieces of at most 64 KiB, with its SHA-256. */
export class PatternedBytes {
  readonly #block: Buffer;

  constructor(
    readonly totalBytes: number,
    seed = 1,
  ) {
    this.#block = Buffer.alloc(BLOCK_BYTES);
    let state = seed >>> 0 || 1;
    for (let at = 0; at < BLOCK_BYTES; at += 4) {
      // xorshift32 (Marsaglia 2003)
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.#block.writeInt32LE(state | 0, at);
    }
  }

  *pieces(pieceBytes = 64 * 1024): Generator<Buffer> {
    for (let at = 0; at < this.totalBytes; ) {
      const inBlock = at % BLOCK_BYTES;
      const size = Math.min(pieceBytes, BLOCK_BYTES - inBlock, this.totalBytes - at);
      // Each block differs from the one before, so that a repeated or swapped block changes the hash.
      if (inBlock === 0) this.#block.writeUInt32LE(at / BLOCK_BYTES, 0);
      yield Buffer.from(this.#block.subarray(inBlock, inBlock + size));
      at += size;
    }
  }

  whole(): Buffer {
    return Buffer.concat([...this.pieces()]);
  }

  hash(): string {
    const hash = createHash('sha256');
    for (const piece of this.pieces()) hash.update(piece);
    return hash.digest('hex');
  }
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
