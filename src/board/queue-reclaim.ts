/** Takes a dead worker's waiters out of all queues, and has its calls and its free places passed on. */
import { ring } from './bell.js';
import { PLANES, UpstreamQueue } from './queue-groups.js';
import type { MappedBoard } from './shared-memory.js';
import { releaseLock, seizeLock } from './table-lock.js';
import { WaitLine } from './wait-line.js';

const { lock: LOCK, displacements: DISPLACEMENTS, looks: LOOKS } = UpstreamQueue.field;

/**
 * Lines are made anew from the states of their entries, as the worker may have died while it changed them; whoever was called waits
 * again. Then all workers are rung: those with waiters look for free places, of which the dead worker's claims have left some, and call
 * each other. Idempotent. Thread: primary; the worker's thread has ended ('exit' was emitted), so that all its stores are visible and none
 * will follow, and its claims have been given back.
 *
 * @returns false: a queue was in use all the time, by a living worker or by another dead one: call again a few ms later
 */
export function reclaimWaiters(board: MappedBoard, worker: number): boolean {
  const { capacities, board: groups } = board.layout;
  const { base, stride } = groups.upstreamQueue;
  const { int32 } = board;
  let isSettled = true;
  let isAnyUsed = false;
  for (let record = 0; record < capacities.queues; record++) {
    const queue = base + record * stride;
    const line = new WaitLine(board, record);
    if (line.isUnused && Atomics.load(int32, queue + LOCK) === 0) continue;
    isAnyUsed = true;
    // The primary's number: one more than any worker's.
    if (!seizeLock(int32, queue + LOCK, worker, capacities.workers)) {
      isSettled = false;
      continue;
    }
    line.rebuildWithout(worker);
    int32[queue + DISPLACEMENTS] = ((int32[queue + DISPLACEMENTS] as number) + 1) | 0; // inside the record, as all words of it
    int32[queue + LOOKS] = ((int32[queue + LOOKS] as number) + 1) | 0;
    releaseLock(int32, queue + LOCK);
  }
  if (isAnyUsed) for (let owner = 0; owner < capacities.workers * PLANES; owner++) ring(board, owner);
  return isSettled;
}
