/**
 * The TypeScript face of the native hashes: of keys, and of the tables that keys are looked up in. Thread: any that has loaded the addon;
 * nothing is kept between calls.
 *
 * Characters of a text count as bytes, as those of header fields are (U+0000 to U+00FF); of others only the low byte counts.
 */

/** Entries of a Maglev table, a prime: the paper's smaller table and Envoy's default (native/src/hash/maglev.h). */
export const MAGLEV_ENTRIES = 65_537;

/** Points of a ketama ring for each 1 of an endpoint's weight (native/src/hash/ketama.h). */
export const KETAMA_POINTS = 160;

/** A table in the words that the board holds (board/hash-table.ts): points and then slots (ketama), or slots (Maglev). */
export interface BuiltTable {
  readonly words: Int32Array;
  /** Entries in them; 0: no endpoint has a weight. */
  readonly size: number;
}

/** Members of a table: the arrays go by the same index. */
export interface TableMembers {
  /** As configured: 'host:port', '[v6]:port' or 'unix:path'. A table depends on names and weights, not on their order. */
  readonly names: readonly string[];
  readonly slots: Uint16Array;
  /** In hundredths; 0: in no table. */
  readonly weights: Uint32Array;
}

/** What the addon offers for hashing. */
export interface HashingAddon {
  /**
   * xxHash64 of a text's bytes, with seed 0. HOT (bench/micro/hash/hash-text.bench.ts): one call; up to 255 characters without the heap.
   * @param words [0] becomes the low 32 bits, [1] the high ones
   * @throws TypeError or RangeError for a caller's mistake
   */
  hashText(text: string, words: Int32Array): void;
  /** The same of bytes. */
  hashBytes(bytes: Uint8Array, words: Int32Array): void;
  /** CRC-32 (IEEE 802.3) of a text's bytes: what ketama looks up. HOT. @returns 0 .. 2^32 - 1 */
  crc32Text(text: string): number;
  /**
   * nginx's ring: 160 points for each 1 of a weight, fewer for all in proportion where there is no room. Takes milliseconds.
   * @param mostPoints room, 0 .. 2^18
   * @throws TypeError or RangeError for a caller's mistake, and where there is no room for one point of each endpoint
   */
  buildKetama(
    names: TableMembers['names'],
    slots: TableMembers['slots'],
    weights: TableMembers['weights'],
    mostPoints: number,
  ): BuiltTable;
  /**
   * Envoy's Maglev table of these names and weights. Takes milliseconds.
   * @param entries a prime up to 2^24
   * @throws TypeError or RangeError for a caller's mistake
   */
  buildMaglev(
    names: TableMembers['names'],
    slots: TableMembers['slots'],
    weights: TableMembers['weights'],
    entries: number,
  ): BuiltTable;
}
