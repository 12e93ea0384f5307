/** Requests and sessions of one worker that wait for a place at an endpoint of an upstream, in the line of all workers. */
import type { Attempting } from '../balancing/upstream-runtime.js';
import type { Tick } from '../core/tick.js';

/** Waiter.entry of one that does not wait. */
export const NOT_WAITING = -1;

/** WaitingRoom.wait: it waits; the host is told of its place, its deadline or its displacement. */
export const WAITS = -2;
/** WaitingRoom.wait: as many wait as may, none of them of a worse priority (SLUICE_QUEUE_FULL). */
export const QUEUE_IS_FULL = -3;

/** An exchange or a session, as the waiting room sees it. */
export interface Waiter extends Attempting {
  /** Its entry on the board while it waits, else NOT_WAITING. Written by the waiting room only. */
  entry: number;
}

/** What a waiting room asks of the pipeline whose exchanges or sessions wait. Thread: worker. */
export interface WaitingHost<W extends Waiter> {
  /** Reads the clock: calls follow that no event of the engine has begun. */
  readTick(): Tick;
  /**
   * Picks and claims an endpoint for a waiter, nothing more: the queue is locked. Begins nothing, settles nothing, throws nothing.
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

/**
 * One for each upstream with a queue, in each data plane of a worker. Before each pick of such an upstream: if `hasWaiters`, or if the
 * pick finds nobody and UpstreamRuntime.whyNone says SLUICE_ENDPOINTS_FULL, then `wait`. Claims that are given back are noticed through
 * UpstreamRuntime. Thread: worker.
 */
export interface WaitingRoom<W extends Waiter> {
  /** Does anybody wait, in whatever worker? Then newcomers must not pick past them. HOT: one load. */
  readonly hasWaiters: boolean;
  /**
   * Puts one in line. Nobody is called within: the host hears of it later, never before this has returned.
   *
   * @param priority   0 (first) .. PRIORITIES - 1
   * @param deadlineMs > 0, from now
   * @returns the slot of an endpoint that it has got at once (as if picked: begin there), WAITS or QUEUE_IS_FULL
   */
  wait(waiter: W, priority: number, deadlineMs: number, now: Tick): number;
  /** Its client has left, or it ends for another reason. Nothing happens where it does not wait, so every way out may call it. */
  leave(waiter: W): void;
}
