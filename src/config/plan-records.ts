/** Who has which record on the board: numbers that stay with their owner from one plan to the next, so that counts and state stay, too. */

/** Groups of records that a plan names by number. */
export const RECORD_KINDS = [
  'upstream',
  'listener',
  /** Figures of an L7 route. */
  'route',
  /** Shared cursors: one for each upstream and one for each of its subsets. */
  'turn',
  'hash table',
  'queue',
  'queue entry',
  'route breaker',
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Gives numbers out while a plan is compiled. */
export interface PlanRecords {
  /**
   * The first of `length` records in a row; the same ones as in the plan before, where that had the same identity and length.
   *
   * @param identity of recordIdentity; asked for again in the same plan, it is another owner, who has the next number of its own
   * @param length   at least 1; 1 if absent
   */
  recordOf(kind: RecordKind, identity: string, length?: number): number;
}

/** Who has a record, in all plans. Pure. */
export function recordIdentity(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** Numbers from 0 on, for a plan that follows none; it counts what a board for that plan has to have. */
export class FreshRecords implements PlanRecords {
  readonly #counts = new Map<RecordKind, number>();

  recordOf(kind: RecordKind, _identity: string, length = 1): number {
    const first = this.countOf(kind);
    this.#counts.set(kind, first + length);
    return first;
  }

  /** Records of a kind that were given out. */
  countOf(kind: RecordKind): number {
    return this.#counts.get(kind) ?? 0;
  }
}
