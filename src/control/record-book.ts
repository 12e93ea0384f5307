/** Which numbers the owners of records on the board have, by identity: so that they keep them in the next configuration. */
import type { BoardCapacities } from '../board/capacities.js';
import { type PlanRecords, RECORD_KINDS, type RecordKind } from '../config/plan-records.js';
import { invariant } from '../core/invariant.js';

/** Records in a row that have one owner. */
export interface RecordRange {
  readonly kind: RecordKind;
  readonly first: number;
  readonly length: number;
}

/** What became of the records between two configurations. */
export interface RecordChanges {
  /** Whose owners are new; what stands in them is of former owners, if any. */
  readonly joined: readonly RecordRange[];
  /** For RecordBook.release(), once nothing refers to them any more. */
  readonly left: readonly RecordRange[];
}

/** There are not enough free records of a kind in a row. */
export class NoRoomError extends Error {
  readonly kind: RecordKind;

  constructor(kind: RecordKind) {
    super(`no room for another ${kind}`);
    this.kind = kind;
  }
}

/** How many records of each kind a board has. Pure. */
export function recordsOf(capacities: BoardCapacities): Readonly<Record<RecordKind, number>> {
  return {
    upstream: capacities.upstreams,
    listener: capacities.listeners,
    route: capacities.routes,
    turn: capacities.turns,
    'hash table': capacities.hashTables,
    queue: capacities.queues,
    'queue entry': capacities.queueEntries,
    'route breaker': capacities.routeBreakers,
  };
}

type Owners = ReadonlyMap<string, RecordRange>;

/**
 * Kinds whose owner has its records back when it comes back before they are released. Not so listeners: what is left of the former one is
 * drained, and must not be taken for the new one's.
 */
const isRevived = (kind: RecordKind): boolean => kind !== 'listener';

/** Thread: primary; there is one for each board, and nobody else gives its records out. */
export class RecordBook {
  readonly #free: Readonly<Record<RecordKind, FreeRecords>>;
  #owners: Owners = new Map();
  /** Left and not released, by their former owners. */
  readonly #resting = new Map<string, RecordRange>();

  /** @param capacities recordsOf() the board; none of them is given out yet */
  constructor(capacities: Readonly<Record<RecordKind, number>>) {
    const free = RECORD_KINDS.map((kind) => [kind, new FreeRecords(capacities[kind])] as const);
    this.#free = Object.fromEntries(free) as Record<RecordKind, FreeRecords>; // one of each kind
  }

  /** Opens the edition of another configuration, the first one too. One at a time: commit or withdraw it before the next. */
  edit(): RecordEdition {
    return new RecordEdition({ free: this.#free, owners: this.#owners, resting: this.#resting }, (owners) => {
      const kept = new Set(owners.values());
      for (const [owner, range] of this.#resting) if (kept.has(range)) this.#resting.delete(owner);
      for (const [owner, range] of this.#owners) {
        if (!kept.has(range)) this.#resting.set(restingKey(owner, range), range);
      }
      this.#owners = owners;
    });
  }

  /** Gives records back whose owners have left; their numbers may be anybody's from now on. Those whose owners are back stay. */
  release(left: readonly RecordRange[]): void {
    const resting = new Map([...this.#resting].map(([owner, range]) => [range, owner]));
    for (const range of left) {
      const owner = resting.get(range);
      if (owner === undefined) continue;
      this.#resting.delete(owner);
      this.#free[range.kind].giveBack(range.first, range.length);
    }
  }
}

/** A listener's record is never asked for by it; of two ranges of one owner with different lengths both rest. */
function restingKey(owner: string, { kind, first, length }: RecordRange): string {
  return isRevived(kind) ? ownedKey(owner, length) : JSON.stringify([owner, 'at', first]);
}

function ownedKey(owner: string, length: number): string {
  return JSON.stringify([owner, length]);
}

/** What an edition goes out from. */
interface RecordsBefore {
  readonly free: Readonly<Record<RecordKind, FreeRecords>>;
  readonly owners: Owners;
  readonly resting: Owners;
}

/** The records of one configuration while it is compiled. */
export class RecordEdition implements PlanRecords {
  readonly #before: RecordsBefore;
  readonly #commit: (owners: Owners) => void;
  readonly #owners = new Map<string, RecordRange>();
  readonly #joined: RecordRange[] = [];
  /** How often each identity of a kind has asked. */
  readonly #asked = new Map<string, number>();
  #isOver = false;

  constructor(before: RecordsBefore, commit: (owners: Owners) => void) {
    this.#before = before;
    this.#commit = commit;
  }

  /** @throws NoRoomError when there are not so many free ones in a row; the edition is to be withdrawn then */
  recordOf(kind: RecordKind, identity: string, length = 1): number {
    invariant(!this.#isOver, 'records are asked for in an open edition');
    invariant(length >= 1, `an owner has at least one ${kind}`);
    const asker = JSON.stringify([kind, identity]);
    const times = this.#asked.get(asker) ?? 0;
    this.#asked.set(asker, times + 1);
    const owner = JSON.stringify([kind, identity, times]);
    const { owners, resting, free } = this.#before;
    const owned = owners.get(owner);
    const before = owned?.length === length ? owned : resting.get(ownedKey(owner, length));
    if (before !== undefined) {
      this.#owners.set(owner, before);
      return before.first;
    }
    const first = free[kind].take(length);
    if (first === null) throw new NoRoomError(kind);
    const range = { kind, first, length };
    this.#joined.push(range);
    this.#owners.set(owner, range);
    return first;
  }

  /** The configuration is taken. Publish the plan, then release the records that left. */
  commit(): RecordChanges {
    this.#end();
    this.#commit(this.#owners);
    const kept = new Set(this.#owners.values());
    return { joined: [...this.#joined], left: [...this.#before.owners.values()].filter((range) => !kept.has(range)) };
  }

  /** The configuration is not taken after all: everything is as it was. */
  withdraw(): void {
    this.#end();
    for (const { kind, first, length } of this.#joined) this.#before.free[kind].giveBack(first, length);
  }

  #end(): void {
    invariant(!this.#isOver, 'an edition is committed or withdrawn once');
    this.#isOver = true;
  }
}

/** Free records of one kind, as gaps in rising order that do not touch each other. */
class FreeRecords {
  readonly #gaps: { first: number; length: number }[];

  constructor(records: number) {
    this.#gaps = records === 0 ? [] : [{ first: 0, length: records }];
  }

  /** First fit. @returns null: no gap is long enough */
  take(length: number): number | null {
    const index = this.#gaps.findIndex((gap) => gap.length >= length);
    const gap = this.#gaps[index];
    if (gap === undefined) return null;
    const { first } = gap;
    gap.first += length;
    gap.length -= length;
    if (gap.length === 0) this.#gaps.splice(index, 1);
    return first;
  }

  giveBack(first: number, length: number): void {
    const found = this.#gaps.findIndex((gap) => gap.first > first);
    const index = found < 0 ? this.#gaps.length : found;
    const before = this.#gaps[index - 1];
    const after = this.#gaps[index];
    const isTaken = before === undefined || before.first + before.length <= first;
    invariant(
      isTaken && (after === undefined || first + length <= after.first),
      `records ${first} to ${first + length - 1} are taken`,
    );
    const touchesBefore = before !== undefined && before.first + before.length === first;
    const touchesAfter = after !== undefined && first + length === after.first;
    if (touchesBefore) {
      before.length += length + (touchesAfter ? after.length : 0);
      if (touchesAfter) this.#gaps.splice(index, 1);
    } else if (touchesAfter) {
      after.first = first;
      after.length += length;
    } else {
      this.#gaps.splice(index, 0, { first, length });
    }
  }
}
