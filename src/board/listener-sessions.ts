/** Sessions open at each listener that limits them, over all workers: exact, and right after a worker has died at any moment. */
import { invariant } from '../core/invariant.js';
import { ListenerLock, ListenerSessions } from './layout.js';
import type { MappedBoard } from './shared-memory.js';
import { releaseLock, takeLock } from './table-lock.js';

const LOCK = ListenerLock.field.lock;
const OPEN = ListenerSessions.field.open;

/**
 * Each worker counts its own sessions in its own stripe; their sum is the count. So there is no shared count that a dead worker
 * could leave wrong: the primary sets the stripe's counts to 0 (session-reclaim.ts).
 *
 * Pairs:
 * - A claim adds up and counts one more under the listener's lock: two workers never both take the last place. The own count is stored
 *   by one plain store before the lock is freed, so whoever takes the lock next sees it.
 * - A release counts one less without the lock, by an atomic operation. A claim elsewhere sees it or not, as if the session had
 *   ended just before or just after: it may refuse, it never admits one too many.
 * - A worker that dies inside a claim has counted or not; either way its count goes with it, and the primary frees its lock.
 *
 * Thread: worker. HOT (bench/micro/board/session-limits.bench.ts): allocates nothing.
 */
export class ListenerSessionTable {
  readonly #int32: Int32Array;
  readonly #worker: number;
  readonly #locks: number;
  readonly #lockStride: number;
  readonly #own: number;
  /** First count of each worker's stripe. */
  readonly #all: readonly number[];

  constructor(board: MappedBoard, worker: number) {
    const { stripes, board: groups } = board.layout;
    const own = stripes[worker];
    invariant(own, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#worker = worker;
    this.#locks = groups.listenerLock.base + LOCK;
    this.#lockStride = groups.listenerLock.stride;
    this.#own = own.listenerSessions.base + OPEN;
    this.#all = stripes.map((stripe) => stripe.listenerSessions.base + OPEN);
  }

  /**
   * Counts a session in, unless the listener is full.
   *
   * @param listener index in the plan
   * @param most     most sessions over all workers, >= 1
   * @returns false when it is full
   */
  claim(listener: number, most: number): boolean {
    const lock = this.#locks + listener * this.#lockStride;
    takeLock(this.#int32, lock, this.#worker);
    const isAdmitted = this.open(listener) < most;
    const own = this.#own + listener;
    if (isAdmitted) this.#int32[own] = (this.#int32[own] as number) + 1; // listener < listeners: inside this stripe
    releaseLock(this.#int32, lock);
    return isAdmitted;
  }

  /** Counts a session out that claim() counted in. */
  release(listener: number): void {
    const before = Atomics.sub(this.#int32, this.#own + listener, 1);
    invariant(before > 0, 'a session that is given back was counted at its listener');
  }

  /** Sessions counted in over all workers; exact under the lock. */
  open(listener: number): number {
    let open = 0;
    for (let worker = 0; worker < this.#all.length; worker++)
      open += this.#int32[(this.#all[worker] as number) + listener] as number; // inside a stripe
    return open;
  }
}
