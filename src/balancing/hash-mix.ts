/** Stirs 32-bit words: turns one hash into others that have nothing to do with it. */

/** Austin Appleby's finaliser of MurmurHash3, public domain: every bit of the input changes each bit of the result half of the time. */
export function mix32(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** 2^32 divided by the golden ratio: multiples of it are spread evenly (Knuth, TAOCP 6.4). */
const GOLDEN = 0x9e3779b9;

/** Another hash for each further try with the same key; try 0 gives another one than the hash itself, too. HOT. */
export function rehash(hash: number, tryNumber: number): number {
  return mix32((hash + Math.imul(tryNumber + 1, GOLDEN)) | 0);
}

/** Offset basis and prime of FNV-1a (Fowler, Noll, Vo). */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A hash of a name that is the same in every thread and every version of this process. Not for keys of requests: it is slow.
 *
 * @param seed names get unrelated hashes for other seeds
 */
export function nameHash(name: string, seed: number): number {
  let hash = FNV_BASIS ^ seed;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME);
    hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return mix32(hash);
}
