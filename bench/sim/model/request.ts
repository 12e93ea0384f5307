/** One request of a simulation, and what steers it to an endpoint. */

/** No endpoint would take the request. */
export const REFUSED = -1;

/** Facts first, then how far it has come; one object from arrival to end. */
export interface SimulatedRequest {
  /** In the order of arrival, from 0. */
  readonly number: number;
  readonly arrivedMs: number;
  /** How much work it is: an endpoint of speed 1 is busy with it for so many ms. */
  readonly work: number;
  /** Which worker of the proxy got it. */
  readonly worker: number;
  /** Random 32 bits each of the key's hash. */
  readonly hash: number;
  readonly hashHigh: number;
  readonly routeClass: number;
  readonly bodyBytes: number;
  /** Number of its record with whoever steers; theirs to use. */
  handle: number;
  /** Index of the endpoint that has it, or REFUSED. */
  endpoint: number;
  /** When it came to that endpoint. */
  attemptedMs: number;
  attempts: number;
}

/** Why an attempt failed. */
export type FailureKind = 'refused' | 'timeout' | 'reset';

/** Decides for requests and is told how they went: the real balancers (fleet.ts), or a model of somebody else's (bulletin.ts). */
export interface Steering {
  /** Picks and claims. @returns index of the endpoint, or REFUSED */
  pick(request: SimulatedRequest, nowMs: number): number;
  /** The endpoint has answered. @param retryAfterMs what a Retry-After asked for; 0: there was none */
  answered(request: SimulatedRequest, status: number, elapsedMs: number, nowMs: number, retryAfterMs: number): void;
  /** The attempt failed; another pick of the same request may follow. */
  failed(request: SimulatedRequest, kind: FailureKind, elapsedMs: number, nowMs: number): void;
  /** The request is over; its handle may be used again. */
  ended(request: SimulatedRequest, nowMs: number): void;
}
