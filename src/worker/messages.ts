/** The typed messages between the primary and its workers, and what a worker thread is started with. Plain data only. */
import type { Plan } from '../config/plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import type { SpanBatch } from '../observability/span-queue.js';
import type { AddressesBySlot, HandOffPlace, PlanChange, SessionListenings, WorkerStats } from './data-plane.js';
import type { ExplainRequest, Explanation } from './explaining.js';

/** `workerData` of a worker thread. */
export interface WorkerSeed {
  readonly workerIndex: number;
  readonly plan: Plan;
  /** Board.buffer: the shared memory under the board. */
  readonly board: SharedArrayBuffer;
  /** Figures.memoryOf(workerIndex): where this worker records what it serves. */
  readonly figures: SharedArrayBuffer;
  readonly addresses: AddressesBySlot;
  readonly sessionListenings: SessionListenings;
  /** Most sessions that this worker may accept for itself. */
  readonly maxSessions: number;
  /** Most client connections that this worker may accept for itself. */
  readonly maxConnections: number;
  /** This process's name in Via. */
  readonly viaName: string;
  /** Key authorizations of the challenges of ACME that are to be answered, by token. */
  readonly challenges: Readonly<Record<string, string>>;
}

/** From the primary to a worker. */
export type ToWorker =
  /** Stop accepting, finish what is in flight, end with exit code 0. */
  | { readonly kind: 'drain' }
  /** Close everything and end at once. */
  | { readonly kind: 'end' }
  /** An endpoint has new addresses. */
  | { readonly kind: 'addresses'; readonly slot: number; readonly addresses: readonly string[] }
  /** Another plan counts from now on; `applied` follows. */
  | { readonly kind: 'plan'; readonly change: PlanChange }
  /** Where would this request go? `explained` with the same id follows. */
  | { readonly kind: 'explain'; readonly id: number; readonly request: ExplainRequest }
  /** Opens the files that this worker writes anew, for logrotate. */
  | { readonly kind: 'reopen' }
  /** The primary has the last batch of spans. */
  | { readonly kind: 'spans-taken' }
  /** Files of a listener's certificates have changed. @param listener its number */
  | { readonly kind: 'certificates'; readonly listener: number }
  /** Answer requests for this challenge of ACME, or do so no more (null); `challenge-set` with the same id follows. */
  | {
      readonly kind: 'challenge';
      readonly id: number;
      readonly token: string;
      readonly keyAuthorization: string | null;
    }
  /** The time to drain an endpoint is over: what is in flight on it ends now. May come more than once for the same one. */
  | { readonly kind: 'cut'; readonly slot: number; readonly generation: number };

/** Why a worker goes by a plan in part only. */
export interface PlanFailure {
  readonly code: ErrorCode;
  /** For the log and the operator. */
  readonly message: string;
}

/** From a worker to the primary. */
export type FromWorker =
  /** Every listener accepts. */
  | { readonly kind: 'accepts'; readonly handOffPlaces: readonly HandOffPlace[] }
  /** New requests and sessions go by the plan of this epoch; all work of plans before it goes on by itself. Answers come in the order of the plans. */
  | {
      readonly kind: 'applied';
      readonly epoch: number;
      /** All of them, also those that were told before. */
      readonly handOffPlaces: readonly HandOffPlace[];
      /** What this worker could not do, e.g. listen at an address that somebody has; the rest counts all the same. null: nothing. */
      readonly failure: PlanFailure | null;
    }
  /** null: no l7 listener that fits. */
  | { readonly kind: 'explained'; readonly id: number; readonly explanation: Explanation | null }
  | { readonly kind: 'challenge-set'; readonly id: number }
  /** About to end: the primary hands it nothing more and then opens the gate (OneShotGate.buffer), at which the worker waits. */
  | { readonly kind: 'leaving'; readonly gate: SharedArrayBuffer }
  /** The start failed for a reason the operator can mend; the thread ends by itself. */
  | { readonly kind: 'start-failed'; readonly code: ErrorCode; readonly message: string }
  /** Once a second, and more often while draining. */
  | { readonly kind: 'stats'; readonly stats: WorkerStats }
  /** Finished spans; `spans-taken` follows. */
  | { readonly kind: 'spans'; readonly batch: SpanBatch }
  /** One whole line of the log, newline included. */
  | { readonly kind: 'log'; readonly line: string };
