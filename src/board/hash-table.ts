/** The tables that hashes are looked up in, ketama's points and Maglev's slots: published by the primary, read at each pick. */
import { invariant } from '../core/invariant.js';
import { HashTableControl } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const EPOCH = HashTableControl.field.epoch;
const SIZES = HashTableControl.field.sizes;
const SLOT_BITS = 16;
const SLOT_MASK = 0xffff;

/** Epoch of a table that was never published. */
const NEVER_PUBLISHED = 0;

/** Words that `entries` slots of 16 bits take, two in a word, the lower half first. */
export function wordsOfSlots(entries: number): number {
  return Math.ceil(entries / 2);
}

/** Words that a ring of `points` takes: each point, then their slots. */
export function wordsOfPoints(points: number): number {
  return points + wordsOfSlots(points);
}

/** Points of the largest ring that fits into so many words. */
export function pointsIn(words: number): number {
  return Math.floor((2 * words) / 3);
}

/**
 * One table, as one thread reads it: the half it read last is remembered, so that a lookup costs one plain load of a line that is hardly
 * ever written. Thread: any; an object belongs to one.
 *
 * A half holds either `size` unsigned points in rising order and then their slots (ketama), or `size` slots (Maglev); the balancer knows
 * which, and asks slotOfPoint() or slotAt().
 *
 * Pair: the primary fills the half that is not current, stores its size, then the epoch, all but the words with Atomics; a reader loads
 * the epoch with Atomics when its hint shows another one, then the size, then words. So it sees a whole table, unless two publications
 * come while it walks one: then the half it reads is written again under it. It may so find points out of order, entries of the new table,
 * or half a point in place of a slot. That harms nobody: indexes stay within the half, whose size the reader holds; a search ends in any
 * order of points; and an entry is a board slot, which counts only if the reader's own group has an endpoint there, whose generation
 * the claim then checks. Builds of a table begin a second apart at least (control/hash-tables.ts), a walk takes far below a millisecond.
 */
export class HashTable {
  protected readonly int32: Int32Array;
  protected readonly epochAt: number;
  protected readonly sizesAt: number;
  /** Words of a half. */
  protected readonly words: number;
  readonly #halvesAt: number;
  #epoch = NEVER_PUBLISHED;
  #size = 0;
  #half = 0;

  /** @param table UpstreamPlan.hashTable, not NO_HASH_TABLE */
  constructor(board: MappedBoard, table: number) {
    const { capacities, board: placements } = board.layout;
    const isTable = Number.isInteger(table) && table >= 0 && table < capacities.hashTables;
    invariant(isTable, `table ${table} has a place on a board for ${capacities.hashTables}`);
    const control = placements.hashTableControl.base + table * placements.hashTableControl.stride;
    this.int32 = board.int32;
    this.epochAt = control + EPOCH;
    this.sizesAt = control + SIZES;
    this.words = capacities.hashTableWords;
    this.#halvesAt = placements.hashTableHalf.base + 2 * table * capacities.hashTableWords;
  }

  /**
   * Turns to the table that is current now: to be called before each lookup. HOT (bench/micro/hash/lookup.bench.ts).
   *
   * @returns entries it has; 0: none was published yet, or the upstream has no endpoint with a weight
   */
  refresh(): number {
    if (this.int32[this.epochAt] !== this.#epoch) this.#turn();
    return this.#size;
  }

  /** Epoch of the table that refresh() found; 0: none yet. For status pages, and to see a change. */
  get epoch(): number {
    return this.#epoch;
  }

  /** A point of the ring, unsigned. HOT. @param entry 0 .. refresh() - 1 */
  pointAt(entry: number): number {
    return (this.int32[this.#half + entry] as number) >>> 0; // entry < size: inside the half
  }

  /** Board slot that a point of the ring belongs to. HOT. @param entry 0 .. refresh() - 1 */
  slotOfPoint(entry: number): number {
    return this.#slot(this.#half + this.#size, entry);
  }

  /** Board slot of an entry of a table without points (Maglev's). HOT. @param entry 0 .. refresh() - 1 */
  slotAt(entry: number): number {
    return this.#slot(this.#half, entry);
  }

  /** Where a half begins. */
  protected halfAt(half: number): number {
    return this.#halvesAt + half * this.words;
  }

  #slot(slotsAt: number, entry: number): number {
    const word = this.int32[slotsAt + (entry >> 1)] as number; // entry < size: inside the half
    return (word >>> ((entry & 1) * SLOT_BITS)) & SLOT_MASK;
  }

  #turn(): void {
    const epoch = Atomics.load(this.int32, this.epochAt);
    this.#epoch = epoch;
    this.#half = this.halfAt(epoch & 1);
    this.#size = epoch === NEVER_PUBLISHED ? 0 : Atomics.load(this.int32, this.sizesAt + (epoch & 1));
  }
}

/** Writer's side of one table. Thread: primary; there is one for each table. */
export class HashTableWriter extends HashTable {
  /** Words there is room for. */
  get capacity(): number {
    return this.words;
  }

  /**
   * Makes a new table current.
   *
   * @param words as the builder made them (engine/hashing.ts): points and slots, or slots
   * @param size  entries in them; 0: no endpoint
   * @throws Error (invariant) when there is no room for the words
   */
  publish(words: Int32Array, size: number): void {
    const isFit = words.length <= this.words && size >= 0 && size <= 2 * words.length;
    invariant(isFit, `a table of ${size} entries in ${words.length} words fits into ${this.words}`);
    const epoch = Atomics.load(this.int32, this.epochAt) + 1;
    const half = epoch & 1;
    this.int32.set(words, this.halfAt(half));
    Atomics.store(this.int32, this.sizesAt + half, size);
    Atomics.store(this.int32, this.epochAt, epoch);
  }
}

/** All tables of a board for one reader, in the order of UpstreamPlan.hashTable. */
export function hashTablesOf(board: MappedBoard): readonly HashTable[] {
  return Array.from({ length: board.layout.capacities.hashTables }, (_, table) => new HashTable(board, table));
}

/** All tables of a board for the primary. */
export function hashTableWritersOf(board: MappedBoard): readonly HashTableWriter[] {
  return Array.from({ length: board.layout.capacities.hashTables }, (_, table) => new HashTableWriter(board, table));
}
