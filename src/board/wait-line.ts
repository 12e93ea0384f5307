/** The lines of one upstream's queue as linked entries on the board: whoever holds its lock may use them. */
import { LINES, PLANES, QueueEntry, TRIED_WORDS, UpstreamQueue } from './queue-groups.js';
import type { MappedBoard } from './shared-memory.js';

/** No entry. */
export const NO_ENTRY_IN_LINE = -1;
/** QueueEntry.subset of one that may have the whole upstream. */
export const WHOLE = -1;

/** Of an entry in no line; what else stands in it means nothing. */
export const FREE = 0;
export const WAITING = 1;
/** A place was given back for it, and its worker has not answered yet. */
export const CALLED = 2;

const { state: STATE, owner: OWNER, sequence: SEQUENCE, priority: PRIORITY, subset: SUBSET } = QueueEntry.field;
const { place: PLACE, newer: NEWER, older: OLDER, tried: TRIED } = QueueEntry.field;
const {
  waiting: IN_LINE,
  called: IN_CALL,
  choosy: CHOOSY,
  sequence: NEXT_SEQUENCE,
  free: FREE_LIST,
} = UpstreamQueue.field;
const { firstEntry: FIRST, used: USED, oldest: OLDEST, newest: NEWEST } = UpstreamQueue.field;

/** Slots of the endpoints of each subset of an upstream, by SubsetPlan.turn; one that is not there has none. */
export type SubsetMembers = ReadonlyMap<number, ReadonlySet<number>>;

/** Who waits: what whoever joins says of itself. */
export interface Joining {
  readonly owner: number;
  readonly priority: number;
  /** Which subset it may have, by SubsetPlan.turn; or WHOLE. */
  readonly subset: number;
}

/**
 * Entries are numbered over the whole board. Lines are short lists linked both ways, one for each priority, oldest first; called
 * entries keep their place in them. An entry's state is stored last when it joins and first when it goes, and what it is asked for
 * before the state that means it: whoever dies in between leaves entries from which the lines can be made anew (queue-reclaim.ts).
 * Every method needs the queue's lock, and what it wrote is seen by the next holder. Thread: worker, and the primary in reclaim.
 */
export class WaitLine {
  readonly #int32: Int32Array;
  readonly #queue: number;
  readonly #entries: number;
  readonly #stride: number;

  /** @param record QueuePlan.record */
  constructor(board: MappedBoard, record: number) {
    const { upstreamQueue, queueEntry } = board.layout.board;
    this.#int32 = board.int32;
    this.#queue = upstreamQueue.base + record * upstreamQueue.stride;
    this.#entries = queueEntry.base;
    this.#stride = queueEntry.stride;
  }

  // --- entries ------------------------------------------------------------------------------------------------------------

  stateOf(entry: number): number {
    return this.#get(entry, STATE);
  }

  ownerOf(entry: number): number {
    return this.#get(entry, OWNER);
  }

  sequenceOf(entry: number): number {
    return this.#get(entry, SEQUENCE);
  }

  /** Slot of the endpoint for whose place a called entry was called. */
  placeOf(entry: number): number {
    return this.#get(entry, PLACE);
  }

  /** Another place is kept for a called entry. */
  setPlace(entry: number, place: number): void {
    this.#set(entry, PLACE, place);
  }

  /** Can it not use this endpoint, because it has failed there? */
  hasTried(entry: number, slot: number): boolean {
    const tried = this.#at(entry) + TRIED;
    for (let word = 0; word < TRIED_WORDS; word++) {
      if (this.#int32[tried + word] === slot + 1) return true;
    }
    return false;
  }

  /** It has tried this endpoint. The oldest that it knew of are forgotten where there are more than TRIED_WORDS. */
  addTried(entry: number, slot: number): void {
    const tried = this.#at(entry) + TRIED;
    const wasChoosy = this.#isChoosy(entry);
    this.#int32.copyWithin(tried + 1, tried, tried + TRIED_WORDS - 1);
    this.#int32[tried] = slot + 1;
    if (!wasChoosy) this.#count(CHOOSY, 1);
  }

  // --- the line -----------------------------------------------------------------------------------------------------------

  get called(): number {
    return this.#int32[this.#queue + IN_CALL] as number; // inside the record, as all words of it
  }

  get choosy(): number {
    return this.#int32[this.#queue + CHOOSY] as number;
  }

  get waiting(): number {
    return this.#int32[this.#queue + IN_LINE] as number;
  }

  /** The first in line of all priorities, or NO_ENTRY_IN_LINE. */
  first(): number {
    return this.#firstFrom(0);
  }

  /** The next in line: newer ones of its priority, then those of worse ones. */
  after(entry: number): number {
    const newer = this.#get(entry, NEWER);
    return newer === 0 ? this.#firstFrom(this.#get(entry, PRIORITY) + 1) : newer - 1;
  }

  /** The newest that waits, uncalled, of the worst priority that is worse than this one, or NO_ENTRY_IN_LINE. */
  newestBelow(priority: number): number {
    for (let line = LINES - 1; line > priority; line--) {
      let at = this.#int32[this.#queue + NEWEST + line] as number;
      while (at !== 0 && this.#get(at - 1, STATE) !== WAITING) at = this.#get(at - 1, OLDER);
      if (at !== 0) return at - 1;
    }
    return NO_ENTRY_IN_LINE;
  }

  /**
   * Puts an entry at the end of its priority's line.
   *
   * @param entry in no line
   * @param tried slots of endpoints that it has tried: of more than TRIED_WORDS the first ones count
   */
  join(entry: number, { owner, priority, subset }: Joining, tried: Iterable<number>): void {
    const at = this.#at(entry);
    this.#set(entry, OWNER, owner);
    this.#set(entry, SEQUENCE, this.#int32[this.#queue + NEXT_SEQUENCE] as number);
    this.#count(NEXT_SEQUENCE, 1);
    this.#set(entry, PRIORITY, priority);
    this.#set(entry, SUBSET, subset);
    this.#int32.fill(0, at + TRIED, at + TRIED + TRIED_WORDS);
    let word = 0;
    for (const slot of tried) {
      if (word < TRIED_WORDS) this.#int32[at + TRIED + word++] = slot + 1;
    }
    if (this.#isChoosy(entry)) this.#count(CHOOSY, 1);
    this.#append(entry, priority);
    this.#set(entry, STATE, WAITING);
    // Pair: this store and then the claims (who joins picks behind it), against the claim and then this word (who gives one back looks
    // for waiters behind it): one of them sees the other. The load keeps plain loads of claims behind the store on every processor.
    Atomics.add(this.#int32, this.#queue + IN_LINE, 1);
    Atomics.load(this.#int32, this.#queue + IN_LINE);
  }

  /** Calls a waiting entry for a place. */
  call(entry: number, place: number): void {
    this.#set(entry, PLACE, place);
    this.#set(entry, STATE, CALLED);
    this.#count(IN_CALL, 1);
  }

  /** A called entry waits on, where it was. */
  uncall(entry: number): void {
    this.#set(entry, STATE, WAITING);
    this.#count(IN_CALL, -1);
  }

  /** Takes an entry out of its line. */
  leave(entry: number): void {
    if (this.#get(entry, STATE) === CALLED) this.#count(IN_CALL, -1);
    if (this.#isChoosy(entry)) this.#count(CHOOSY, -1);
    this.#set(entry, STATE, FREE);
    this.#unlink(entry);
    Atomics.sub(this.#int32, this.#queue + IN_LINE, 1);
  }

  /** May the entry have an endpoint of its upstream, as far as its subset goes? */
  isFor(entry: number, slot: number, members: SubsetMembers): boolean {
    const subset = this.#get(entry, SUBSET);
    return subset === WHOLE || members.get(subset)?.has(slot) === true;
  }

  // --- entries in no line -------------------------------------------------------------------------------------------------

  /**
   * An entry that is in no line, or NO_ENTRY_IN_LINE.
   *
   * @param firstEntry of the upstream
   * @param length     how many it has
   */
  take(firstEntry: number, length: number): number {
    const listed = this.#int32[this.#queue + FREE_LIST] as number;
    if (listed !== 0) {
      this.#int32[this.#queue + FREE_LIST] = this.#get(listed - 1, NEWER);
      return listed - 1;
    }
    const used = this.#int32[this.#queue + USED] as number;
    if (used >= length) return NO_ENTRY_IN_LINE;
    this.#int32[this.#queue + FIRST] = firstEntry;
    this.#set(firstEntry + used, STATE, FREE);
    this.#int32[this.#queue + USED] = used + 1;
    return firstEntry + used;
  }

  giveBack(entry: number): void {
    this.#set(entry, NEWER, this.#int32[this.#queue + FREE_LIST] as number);
    this.#int32[this.#queue + FREE_LIST] = entry + 1;
  }

  // --- after a death ------------------------------------------------------------------------------------------------------

  /** Nobody has waited here yet. */
  get isUnused(): boolean {
    return this.#int32[this.#queue + USED] === 0;
  }

  /**
   * Makes lines, counts and free list anew from the states of the entries, whatever else they say; those of one worker go. Called ones
   * wait again: whoever called them may have died before it rang.
   */
  rebuildWithout(worker: number): void {
    const first = this.#int32[this.#queue + FIRST] as number;
    const used = this.#int32[this.#queue + USED] as number;
    const kept: number[] = [];
    const free: number[] = [];
    for (let entry = first; entry < first + used; entry++) {
      const isKept = this.stateOf(entry) !== FREE && Math.floor(this.ownerOf(entry) / PLANES) !== worker;
      (isKept ? kept : free).push(entry);
    }
    kept.sort((one, other) => (this.sequenceOf(one) - this.sequenceOf(other)) | 0);
    for (const field of [OLDEST, NEWEST]) this.#int32.fill(0, this.#queue + field, this.#queue + field + LINES);
    this.#int32[this.#queue + FREE_LIST] = 0;
    for (const entry of free) {
      this.#set(entry, STATE, FREE);
      this.giveBack(entry);
    }
    for (const entry of kept) {
      this.#set(entry, STATE, WAITING);
      this.#append(entry, this.#get(entry, PRIORITY));
    }
    this.#int32[this.#queue + IN_CALL] = 0;
    this.#int32[this.#queue + CHOOSY] = kept.filter((entry) => this.#isChoosy(entry)).length;
    Atomics.store(this.#int32, this.#queue + IN_LINE, kept.length);
  }

  #append(entry: number, priority: number): void {
    const line = this.#queue + NEWEST + priority;
    const before = this.#int32[line] as number;
    this.#set(entry, OLDER, before);
    this.#set(entry, NEWER, 0);
    this.#int32[line] = entry + 1;
    if (before === 0) this.#int32[this.#queue + OLDEST + priority] = entry + 1;
    else this.#set(before - 1, NEWER, entry + 1);
  }

  #unlink(entry: number): void {
    const priority = this.#get(entry, PRIORITY);
    const older = this.#get(entry, OLDER);
    const newer = this.#get(entry, NEWER);
    if (older === 0) this.#int32[this.#queue + OLDEST + priority] = newer;
    else this.#set(older - 1, NEWER, newer);
    if (newer === 0) this.#int32[this.#queue + NEWEST + priority] = older;
    else this.#set(newer - 1, OLDER, older);
  }

  #firstFrom(priority: number): number {
    for (let line = priority; line < LINES; line++) {
      const oldest = this.#int32[this.#queue + OLDEST + line] as number;
      if (oldest !== 0) return oldest - 1;
    }
    return NO_ENTRY_IN_LINE;
  }

  #isChoosy(entry: number): boolean {
    return this.#get(entry, SUBSET) !== WHOLE || this.#int32[this.#at(entry) + TRIED] !== 0;
  }

  #count(field: number, change: number): void {
    this.#int32[this.#queue + field] = ((this.#int32[this.#queue + field] as number) + change) | 0;
  }

  #at(entry: number): number {
    return this.#entries + entry * this.#stride;
  }

  #get(entry: number, field: number): number {
    return this.#int32[this.#entries + entry * this.#stride + field] as number; // an entry of the board
  }

  #set(entry: number, field: number, value: number): void {
    this.#int32[this.#entries + entry * this.#stride + field] = value;
  }
}
