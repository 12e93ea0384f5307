/** What accepts connections in the primary, as the supervisor and the plan's listeners see it. */
import type { L7ListenerPlan } from '../config/plan.js';
import type { HandOffPlace } from '../worker/data-plane.js';

/** Accepts connections for all workers and hands them on, where the workers' side can take them. */
export interface ConnectionHandOff {
  /** A worker takes connections at these places from now on, and at no others that it may have had. */
  add(workerIndex: number, places: readonly HandOffPlace[]): void;
  /** A worker gets nothing more; before its thread is gone, or after it. Idempotent. */
  remove(workerIndex: number): void;
  /** Stops accepting for good. Idempotent. */
  stop(): void;
}

/** The hand-off of listeners with `frontend: uws`. */
export interface UwsHandOff extends ConnectionHandOff {
  /** Accepts for these listeners and for no others, each as soon as a worker has a place for it. */
  listenAt(listeners: readonly L7ListenerPlan[]): void;
}
