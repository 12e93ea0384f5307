/** What reloads have taken away and may not be given to others yet: gives it back when nothing refers to it any more. */
import type { Board } from '../board/board.js';
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { PlaceChanges, PlanBook } from './board-plan.js';
import type { RecordRange } from './record-book.js';

/** Pause between two looks. */
const LOOK_INTERVAL_MS = 250;
/** Looks in a row that must find nothing in flight on a slot: a worker may just be claiming by what it picked before. */
const QUIET_LOOKS = 2;
/**
 * Records rest so long before they are given to others, from the moment at which no worker uses the plan that had them. Exchanges that began by
 * it settle on them when they end; one that takes longer counts a single time for somebody else.
 */
const RECORD_REST_MS = 60_000;
/** Workers cut what is left of a listener that is gone after the shutdown timeout, and need a moment for it. */
const LISTENER_MARGIN_MS = 10_000;

/** What it needs from outside. */
export interface DeparturesOptions {
  readonly board: Pick<Board, 'load' | 'waiting'>;
  readonly plans: Pick<PlanBook, 'release'>;
  readonly clock: Clock;
  readonly timers: Timers;
}

interface LeavingSlot {
  readonly slot: number;
  quietLooks: number;
}

interface LeavingRecords {
  readonly range: RecordRange;
  readonly restsUntil: number;
  /** Records of queues that must be empty before. */
  readonly queues: readonly number[];
}

/** Runs while there is something to wait for. Thread: primary. */
export class Departures {
  readonly #options: DeparturesOptions;
  #slots: readonly LeavingSlot[] = [];
  #records: readonly LeavingRecords[] = [];
  #cancel: Cancel | null = null;
  #isClosed = false;

  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  /**
   * No worker uses any more for new work what has left.
   *
   * @param shutdownTimeoutMs after which what is left of listeners is cut
   */
  add({ slots, records }: PlaceChanges, shutdownTimeoutMs: number): void {
    const nowMs = this.#options.clock.nowMs();
    const restMs = ({ kind }: RecordRange): number =>
      kind === 'listener' ? shutdownTimeoutMs + LISTENER_MARGIN_MS : RECORD_REST_MS;
    this.#slots = [...this.#slots, ...slots.left.map((slot) => ({ slot, quietLooks: 0 }))];
    const allQueues = records.left.filter(({ kind }) => kind === 'queue').map(({ first }) => first);
    const queuesOf = ({ kind, first }: RecordRange): readonly number[] =>
      kind === 'queue' ? [first] : kind === 'queue entry' ? allQueues : [];
    const leaving = records.left.map((range) => ({
      range,
      restsUntil: nowMs + restMs(range),
      queues: queuesOf(range),
    }));
    this.#records = [...this.#records, ...leaving];
    this.#schedule();
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    const isDone = this.#slots.length === 0 && this.#records.length === 0;
    if (isDone || this.#cancel !== null || this.#isClosed) return;
    this.#cancel = this.#options.timers.after(LOOK_INTERVAL_MS, () => {
      this.#cancel = null;
      this.#look();
      this.#schedule();
    });
  }

  #look(): void {
    const { board, plans, clock } = this.#options;
    for (const leaving of this.#slots) {
      leaving.quietLooks = board.load.inflight(leaving.slot) === 0 ? leaving.quietLooks + 1 : 0;
    }
    const nowMs = clock.nowMs();
    const isFree = ({ restsUntil, queues }: LeavingRecords): boolean =>
      nowMs >= restsUntil && queues.every((queue) => board.waiting(queue) === 0);
    const freeSlots = this.#slots.filter(({ quietLooks }) => quietLooks >= QUIET_LOOKS);
    const freeRecords = this.#records.filter(isFree);
    if (freeSlots.length === 0 && freeRecords.length === 0) return;
    this.#slots = this.#slots.filter((each) => !freeSlots.includes(each));
    this.#records = this.#records.filter((each) => !freeRecords.includes(each));
    plans.release({ slots: freeSlots.map(({ slot }) => slot), records: freeRecords.map(({ range }) => range) });
  }
}
