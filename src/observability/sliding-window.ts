/** Counters that only grow, read at intervals: how much each has grown over a window that slides along with the time. */

/** Counters of one series, in an order that is the same at each reading. */
export type Counts = readonly number[];

/** One reading of all series. */
interface Reading<Key> {
  readonly atMs: number;
  readonly counts: ReadonlyMap<Key, Counts>;
}

/** A series that joins later is taken to have begun at 0 then. Pure but for its own readings; no clock. */
export class SlidingWindow<Key> {
  readonly #lengthMs: number;
  /** The oldest first: the one that the window begins with, and all after it. */
  readonly #readings: Reading<Key>[] = [];

  /** @param lengthMs of the window, > 0; it is as much longer as the last reading before it is older, and shorter at first */
  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Takes a reading, not older than the one before. */
  add(atMs: number, counts: ReadonlyMap<Key, Counts>): void {
    this.#readings.push({ atMs, counts });
    while (this.#readings.length > 2 && atMs - (this.#readings[1]?.atMs ?? atMs) >= this.#lengthMs) {
      this.#readings.shift();
    }
  }

  /** When the window begins: at its first reading. */
  get beginMs(): number {
    return this.#readings[0]?.atMs ?? 0;
  }

  /** From the first reading of the window to the last; 0: there are not two yet. */
  get spanMs(): number {
    return (this.#readings.at(-1)?.atMs ?? 0) - (this.#readings[0]?.atMs ?? 0);
  }

  /** What each counter of a series has grown by over the window; undefined: the last reading does not have the series. */
  growth(key: Key): Counts | undefined {
    const last = this.#readings.at(-1)?.counts.get(key);
    const first = this.#readings[0];
    if (last === undefined || first === undefined) return undefined;
    const before = first.counts.get(key);
    return before === undefined ? last : last.map((count, field) => Math.max(0, count - (before[field] ?? 0)));
  }
}
