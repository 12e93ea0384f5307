/** The queue of one upstream over all workers: who waits for a place at its endpoints, and who is called next. */
import { ring } from './bell.js';
import { PLANES, UpstreamQueue } from './queue-groups.js';
import type { MappedBoard } from './shared-memory.js';
import { releaseLock, takeLock } from './table-lock.js';
import { CALLED, FREE, type Joining, NO_ENTRY_IN_LINE, type SubsetMembers, WAITING, WaitLine } from './wait-line.js';

const LOCK = UpstreamQueue.field.lock;
const IN_LINE = UpstreamQueue.field.waiting;
const DISPLACEMENTS = UpstreamQueue.field.displacements;
const LOOKS = UpstreamQueue.field.looks;

/** No data plane is to be told. */
const NOBODY = -1;

/** Where a queue is: as QueuePlan of the configuration, which the board does not know. */
export interface WaitQueuePlan {
  /** Its record on the board. */
  readonly record: number;
  /** Its entries there: `length` of them from firstEntry on. */
  readonly firstEntry: number;
  readonly length: number;
}

/**
 * A queue as one data plane of one worker uses it. Between lock() and unlock() it allocates nothing and waits for nothing; picks of
 * those that wait are made in there, so that calls, picks and ends of waiting have one order that all workers agree on.
 *
 * A place that is given back while somebody waits is called out: the first in line that can use it becomes CALLED, and its worker
 * picks for it. Nothing else is handed over (docs/adr/0014-calls-not-claims.md). Endpoints are named by their slots: while a plan is being
 * replaced, workers have different lists of them. Thread: worker.
 */
export class WaitQueue {
  /** Index of this data plane among all. */
  readonly owner: number;
  readonly line: WaitLine;
  /** Of the plan that this data plane goes by. */
  members: SubsetMembers = new Map();
  readonly #plan: WaitQueuePlan;
  readonly #board: MappedBoard;
  readonly #int32: Int32Array;
  readonly #worker: number;
  readonly #record: number;
  /** Data planes with something to hear, told after the lock is free: words by owner would be many, and mostly it is one. */
  readonly #told: number[] = [];

  /** @param plane 0 .. PLANES - 1 */
  constructor(board: MappedBoard, worker: number, plane: number, plan: WaitQueuePlan) {
    const { upstreamQueue } = board.layout.board;
    this.owner = worker * PLANES + plane;
    this.line = new WaitLine(board, plan.record);
    this.#plan = plan;
    this.#board = board;
    this.#int32 = board.int32;
    this.#worker = worker;
    this.#record = upstreamQueue.base + plan.record * upstreamQueue.stride;
  }

  /** How many wait over all workers, those included that were called and have not answered. HOT: one load. */
  get waiting(): number {
    return Atomics.load(this.#int32, this.#record + IN_LINE);
  }

  lock(): void {
    takeLock(this.#int32, this.#record + LOCK, this.#worker);
  }

  /** Frees the lock, and rings for those that were called or displaced. @returns true: this data plane is among them */
  unlock(): boolean {
    releaseLock(this.#int32, this.#record + LOCK);
    let isTold = false;
    for (const owner of this.#told) {
      if (owner === this.owner) isTold = true;
      else ring(this.#board, owner);
    }
    this.#told.length = 0;
    return isTold;
  }

  // --- under the lock -----------------------------------------------------------------------------------------------------

  /**
   * Puts one in line. Where the queue is full, the newest of the worst priority loses its entry, if that is worse than this one's;
   * its worker finds out by isHeld().
   *
   * @param tried slots of the endpoints that it has tried
   * @returns its entry, or NO_ENTRY_IN_LINE
   */
  enter(joining: Joining, tried: Iterable<number>): number {
    const { firstEntry, length } = this.#plan;
    let entry = this.line.take(firstEntry, length);
    if (entry === NO_ENTRY_IN_LINE) {
      entry = this.line.newestBelow(joining.priority);
      if (entry === NO_ENTRY_IN_LINE) return entry;
      this.#tell(this.line.ownerOf(entry));
      this.line.leave(entry);
      this.#int32[this.#record + DISPLACEMENTS] = (this.displacements + 1) | 0;
    }
    this.line.join(entry, joining, tried);
    return entry;
  }

  /** Grows when entries change hands; wraps. */
  get displacements(): number {
    return this.#int32[this.#record + DISPLACEMENTS] as number; // inside the record
  }

  /** Grows when the primary asks for free places to be looked for; wraps. */
  get looks(): number {
    return this.#int32[this.#record + LOOKS] as number;
  }

  /** Is the entry still that of this data plane's waiter who joined with this sequence? */
  isHeld(entry: number, sequence: number): boolean {
    const { line } = this;
    return line.stateOf(entry) !== FREE && line.ownerOf(entry) === this.owner && line.sequenceOf(entry) === sequence;
  }

  /** Was the entry called, and has not answered? */
  isCalled(entry: number): boolean {
    return this.line.stateOf(entry) === CALLED;
  }

  /** Takes an entry of this data plane out of its line. */
  leave(entry: number): void {
    this.line.leave(entry);
    this.line.giveBack(entry);
  }

  /** Calls the first in line that waits and can use a place at an endpoint. @param place its slot, as in all methods @returns it, or NO_ENTRY_IN_LINE */
  callNext(place: number): number {
    const entry = this.firstFor(place, NO_ENTRY_IN_LINE);
    if (entry !== NO_ENTRY_IN_LINE) this.call(entry, place);
    return entry;
  }

  call(entry: number, place: number): void {
    this.line.call(entry, place);
    this.#tell(this.line.ownerOf(entry));
  }

  /**
   * The first in line that waits, uncalled, and can use a place at an endpoint, or NO_ENTRY_IN_LINE.
   *
   * @param end where to stop: an entry in line; NO_ENTRY_IN_LINE: look at all
   */
  firstFor(place: number, end: number): number {
    const { line } = this;
    for (let entry = line.first(); entry !== end && entry !== NO_ENTRY_IN_LINE; entry = line.after(entry)) {
      if (line.stateOf(entry) === WAITING && this.canUse(entry, place)) return entry;
    }
    return NO_ENTRY_IN_LINE;
  }

  /** Could the entry have a place at this endpoint, as far as its subset goes and what it has tried? */
  canUse(entry: number, place: number): boolean {
    return this.line.isFor(entry, place, this.members) && !this.line.hasTried(entry, place);
  }

  /** Is a place at an endpoint kept for anybody, or could anybody who waits uncalled use it? */
  isWanted(place: number): boolean {
    const isUsable = this.firstFor(place, NO_ENTRY_IN_LINE) !== NO_ENTRY_IN_LINE;
    return isUsable || this.firstCalledFor(place) !== NO_ENTRY_IN_LINE;
  }

  /** How many were called for places at an endpoint and have not answered. */
  reservedAt(place: number): number {
    const { line } = this;
    let reserved = 0;
    let unseen = line.called;
    for (let entry = line.first(); unseen > 0 && entry !== NO_ENTRY_IN_LINE; entry = line.after(entry)) {
      if (line.stateOf(entry) !== CALLED) continue;
      unseen -= 1;
      if (line.placeOf(entry) === place) reserved += 1;
    }
    return reserved;
  }

  /** The first in line that was called for a place at an endpoint, or NO_ENTRY_IN_LINE. */
  firstCalledFor(place: number): number {
    return this.#firstCalled(NOBODY, place);
  }

  /** The first in line of this data plane that was called, or NO_ENTRY_IN_LINE. */
  firstCalledHere(): number {
    return this.#firstCalled(this.owner, NOBODY);
  }

  /** @param owner or NOBODY: any. @param place or NOBODY: any */
  #firstCalled(owner: number, place: number): number {
    const { line } = this;
    let unseen = line.called;
    for (let entry = line.first(); unseen > 0 && entry !== NO_ENTRY_IN_LINE; entry = line.after(entry)) {
      if (line.stateOf(entry) !== CALLED) continue;
      unseen -= 1;
      const isOwners = owner === NOBODY || line.ownerOf(entry) === owner;
      if (isOwners && (place === NOBODY || line.placeOf(entry) === place)) return entry;
    }
    return NO_ENTRY_IN_LINE;
  }

  #tell(owner: number): void {
    if (!this.#told.includes(owner)) this.#told.push(owner);
  }
}
