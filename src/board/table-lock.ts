/** Short locks between workers, each a word of the board that says who holds it, so that a dead worker's can be taken away. */
import { invariant } from '../core/invariant.js';

const FREE = 0;

/** Looks at a lock that is held before this thread lets others run: some µs, several times what a holder needs. */
const MOST_LOOKS = 200;
/** Then it sleeps so long: its holder has lost its processor, or is dead until the primary has noticed. */
const SLEEP_MS = 1;

/**
 * Takes the lock; waits for whoever holds it. Who holds one goes straight on to releaseLock(): it allocates nothing, waits for nothing
 * and takes no other lock. HOT (bench/micro/board/session-limits.bench.ts). Thread: worker (a thread that may block).
 *
 * Pair: the holder writes what the lock guards by plain stores and then frees the lock by an atomic one; the next holder swaps
 * the word, and sees them all.
 *
 * @param index word of the lock
 */
export function takeLock(int32: Int32Array, index: number, worker: number): void {
  const own = worker + 1;
  for (let looks = 1; ; looks++) {
    const holder = Atomics.compareExchange(int32, index, FREE, own);
    if (holder === FREE) return;
    invariant(holder !== own, 'a worker takes a lock that it does not hold already');
    // Nobody notifies: a wake-up costs the holder more than this thread loses by waking up by itself.
    if (looks >= MOST_LOOKS) Atomics.wait(int32, index, holder, SLEEP_MS);
  }
}

/**
 * Takes the lock from a dead worker, or when it is free, or not at all: its holder may be another dead worker, whose end this thread
 * would never hear of if it waited for it. Thread: primary, after the dead worker's thread has ended.
 *
 * @param holder a number that no worker has
 * @returns false: somebody else holds it
 */
export function seizeLock(int32: Int32Array, index: number, dead: number, holder: number): boolean {
  if (Atomics.compareExchange(int32, index, dead + 1, holder + 1) === dead + 1) return true;
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    if (Atomics.compareExchange(int32, index, FREE, holder + 1) === FREE) return true;
  }
  return false;
}

/** Gives the lock back. HOT. Thread: the worker that holds it. */
export function releaseLock(int32: Int32Array, index: number): void {
  Atomics.store(int32, index, FREE);
}

/** Frees a lock if this worker holds it. Thread: primary, after the worker's thread has ended. */
export function releaseLockOf(int32: Int32Array, index: number, worker: number): void {
  Atomics.compareExchange(int32, index, worker + 1, FREE);
}
