/** xxHash64 as its specification tells it, in whole numbers without a limit: what the addon is compared with. */

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const word = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, bits: bigint): bigint => word((value << bits) | (value >> (64n - bits)));
const round = (lane: bigint, input: bigint): bigint => word(rotated(word(lane + input * PRIME_2), 31n) * PRIME_1);
const merged = (hash: bigint, lane: bigint): bigint => word((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);

/** @returns 0 .. 2^64 - 1 */
export function xxHash64(bytes: Uint8Array, seed = 0n): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength;
  let at = 0;
  let hash = word(seed + PRIME_5);
  if (length >= 32) {
    const lanes = [word(seed + PRIME_1 + PRIME_2), word(seed + PRIME_2), seed, word(seed - PRIME_1)];
    for (; length - at >= 32; at += 32) {
      lanes.forEach((lane, index) => {
        lanes[index] = round(lane, view.getBigUint64(at + 8 * index, true));
      });
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = word(lanes.reduce((sum, lane, index) => sum + rotated(lane, turns[index] as bigint), 0n));
    hash = lanes.reduce(merged, hash);
  }
  hash = word(hash + BigInt(length));
  for (; length - at >= 8; at += 8) {
    hash = word(rotated(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
  }
  if (length - at >= 4) {
    hash = word(rotated(hash ^ word(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < length; at++) {
    hash = word(rotated(hash ^ word(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
  }
  hash = word((hash ^ (hash >> 33n)) * PRIME_2);
  hash = word((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}
