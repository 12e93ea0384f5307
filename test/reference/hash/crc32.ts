/** CRC-32 of IEEE 802.3, bit by bit: what the addon is compared with. */

const REVERSED_POLYNOMIAL = 0xedb88320;

/** @returns 0 .. 2^32 - 1 */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? REVERSED_POLYNOMIAL : 0);
  }
  return ~remainder >>> 0;
}
