/** Takes back the sessions that a dead worker had counted at listeners and for clients, and the locks it held. */
import { invariant } from '../core/invariant.js';
import { CLIENT_WAYS } from './capacities.js';
import { ClientBucket, ListenerLock } from './layout.js';
import type { MappedBoard } from './shared-memory.js';
import { releaseLockOf } from './table-lock.js';

/**
 * Counts first, locks last: whoever waits for a lock sees the counts as they are from now on. A claim in another bucket may still
 * add a count of the dead worker for a moment, and refuses at worst one session too many. Idempotent.
 * Thread: primary; the worker's thread has ended ('exit' was emitted), so that all its stores are visible and none will follow.
 */
export function reclaimSessions(board: MappedBoard, worker: number): void {
  const { stripes, board: groups, capacities } = board.layout;
  const stripe = stripes[worker];
  invariant(stripe, `the board has a stripe for worker ${worker}`);
  const { int32 } = board;
  for (const { base, stride, records } of [stripe.listenerSessions, stripe.clientSessions])
    int32.fill(0, base, base + stride * records);
  const { listenerLock, clientBucket } = groups;
  for (let listener = 0; listener < capacities.listeners; listener++)
    releaseLockOf(int32, listenerLock.base + listener * listenerLock.stride + ListenerLock.field.lock, worker);
  for (let bucket = 0; bucket < capacities.clientEntries / CLIENT_WAYS; bucket++)
    releaseLockOf(int32, clientBucket.base + bucket * clientBucket.stride + ClientBucket.field.lock, worker);
}
