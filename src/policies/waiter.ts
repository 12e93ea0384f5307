/** Who waits in a waiting room, and what the room asks of those around it. */
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { Tick } from '../core/tick.js';

/** Waiter.entry of one that does not wait. */
export const NOT_WAITING = -1;

/** An exchange or a session, as the waiting room sees it. */
export interface Waiter extends Attempting {
  /** Where it is picked for. */
  readonly upstream: UpstreamRuntime | null;
  /** Its entry on the board while it waits, else NOT_WAITING. Written by the waiting room only. */
  entry: number;
}

/** What a waiting room asks of the pipeline whose exchanges or sessions wait. Thread: worker. */
export interface WaitingHost<W extends Waiter> {
  /** Reads the clock: calls follow that no event of the engine has begun. */
  readTick(): Tick;
  /**
   * Picks and claims an endpoint for a waiter, nothing more: the queue is locked. Begins nothing, settles nothing, throws nothing. May take
   * it to its upstream's runtime of the plan that counts now (followPlan).
   *
   * @returns the slot, or NO_ENDPOINT: it goes on waiting
   */
  pick(waiter: W): number;
  /** It has its place, and waits no more: its attempt is to begin there. */
  begin(waiter: W, slot: number): void;
  /** Its time is over, and it waits no more: SLUICE_QUEUE_TIMEOUT. */
  timedOut(waiter: W): void;
  /** One of a better priority has got its place in the queue: SLUICE_QUEUE_FULL. It waits no more. */
  displaced(waiter: W): void;
}

/** Who looks after a room between the calls of its pipeline. */
export interface RoomKeeper {
  /** Some of its waiters were called or displaced by this very data plane: answer() is to be called soon, and not from within. */
  answerSoon(): void;
  /** Somebody is about to join: from here on calls from other workers must be heard. */
  listen(): void;
  /** There is one more that waits, and is to be looked after no later than this. */
  expect(deadlineMs: number): void;
}
