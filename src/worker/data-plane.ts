/** What a data plane offers to the life cycle of its worker thread: the seam between src/worker and src/l4, src/l7. */
import type { EndpointLedger } from '../balancing/endpoint-ledger.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { Plan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { AccessLines } from '../engine/access-lines.js';
import type { Addon } from '../engine/addon.js';
import type { ListeningAddress, ListeningOptions } from '../engine/session-engine.js';
import type { AccessLog } from '../observability/access-log.js';
import type { Logger } from '../observability/logger.js';
import type { SpanQueue } from '../observability/span-queue.js';
import type { ExplainRequest, Explanation } from './explaining.js';

/**
 * The addresses of every endpoint, by slot, as the engine's openPool takes them ('a.b.c.d:port', '[v6]:port',
 * 'unix:/path'). A slot whose host name has not been resolved yet is absent: it is not eligible until `setAddresses`.
 */
export type AddressesBySlot = Readonly<Record<number, readonly string[]>>;

/** What a worker listens on that accepts the sessions of a listener for itself. */
export interface SessionListening {
  /** The descriptor of a socket that the primary keeps open, or an address that the workers share. */
  readonly from: { readonly descriptor: number } | ListeningAddress;
  readonly options: ListeningOptions;
}

/** By number of the L4 or native L7 listener. For those that are absent the primary's acceptor accepts. */
export type SessionListenings = Readonly<Record<number, SessionListening>>;

/** Another plan for a running data plane. Plain data. */
export interface PlanChange {
  /** Numbers and records of listeners, routes, upstreams and endpoints that stay are those of the plan before. */
  readonly plan: Plan;
  /** Of all endpoints of the plan. */
  readonly addresses: AddressesBySlot;
  /** Of the listeners of the plan; one that was there before and is the same there stays as it is. */
  readonly sessionListenings: SessionListenings;
}

/** What a data plane is started with. Thread: worker. */
export interface DataPlaneOptions {
  /** The compiled plan; every listener has its real port. */
  readonly plan: Plan;
  /** 0 .. plan.workers-1: this worker's stripe on the board. */
  readonly workerIndex: number;
  /** The board, already attached in this thread. The life cycle writes the stripe's state and heartbeat, the data plane the rest. */
  readonly board: WorkerBoard;
  /** Of this worker, for all its data planes together; src/worker/attempt-numbers.ts says which numbers are whose. */
  readonly ledger: EndpointLedger;
  /** Addresses known at the start of this worker. */
  readonly addresses: AddressesBySlot;
  readonly sessionListenings: SessionListenings;
  /** Most sessions that this worker may accept for itself: half of the descriptors that are not kept back. */
  readonly maxSessions: number;
  /** Most client connections that this worker may accept for itself at listeners with the native front end. */
  readonly maxConnections: number;
  readonly addon: Addon;
  /** Of this worker, for all its data planes together; it goes by each plan before they do. */
  readonly accessLog: AccessLog<AccessLines>;
  /** Where spans go; of this worker, too. */
  readonly spans: SpanQueue;
  readonly clock: Clock;
  /** This process's name in Via: the same in all workers, unlike any other process's. */
  readonly viaName: string;
  /** A child logger of this worker; what it writes appears in the log of the primary, whole lines in order. */
  readonly logger: Logger;
}

/** Counts of one data plane, for the admin API. */
export interface DataPlaneStats {
  /** Client connections open now, waiting in the mailbox included; for a front end that cannot tell, those with an exchange. */
  readonly openConnections: number;
  readonly openExchanges: number;
  /** Exchanges begun since the worker started. */
  readonly exchanges: number;
  /** Upstream sockets open now. */
  readonly upstreamConnections: number;
}

/** What a worker tells of itself: the counts of all its data planes, and of its thread. */
export interface WorkerStats extends DataPlaneStats {
  /** Share of its time that the worker's event loop was busy since it told the last time, 0 to 1. */
  readonly busyShare: number;
  /** JavaScript heap of the worker that is in use; 0: it has not told yet. */
  readonly heapBytes: number;
}

/** Of a worker that has nothing open. */
export const NO_STATS: WorkerStats = {
  openConnections: 0,
  openExchanges: 0,
  exchanges: 0,
  upstreamConnections: 0,
  busyShare: 0,
  heapBytes: 0,
};

/** Where the primary can hand connections to in this worker. */
export type HandOffPlace =
  /** Those of one L7 listener. */
  | {
      readonly kind: 'app';
      /** Name of the listener. */
      readonly listener: string;
      /** What the front end's library calls this worker's part (uWebSockets.js: an app descriptor). */
      readonly descriptor: number;
    }
  /** Those of all listeners of one mode at which the acceptor accepts for all; of mode l7 those with the native front end. */
  | {
      readonly kind: 'mailbox';
      readonly mode: 'l4' | 'l7';
      /** l4: SessionEngine.mailbox. l7: FrontEnd.mailbox. */
      readonly mailbox: number;
    };

/**
 * A running data plane. All calls are made in its worker thread.
 *
 * Failures: `start` rejects with a ProxyError (e.g. SLUICE_UWS_MISSING, SLUICE_ADDRESS_IN_USE) that ends the start of the whole process;
 * anything it throws later from a callback is an uncaught exception, which crashes the worker and has it restarted.
 */
export interface DataPlane {
  /** Opens connection pools and listeners. Resolves when every listener accepts. */
  start(): Promise<void>;
  /** Stops accepting; answers in flight get `Connection: close`. Idempotent. */
  drain(): void;
  /** After `start`: where the primary has to hand connections to; empty where this worker accepts for itself. */
  handOffPlaces(): readonly HandOffPlace[];
  /**
   * Goes by another plan from now on. Requests and sessions that are under way finish by the plan that they began with; connections of
   * clients stay open, and what comes on them goes by the new one. Listeners that are gone accept no more and are drained: their idle
   * connections close, answers in flight close theirs, and after the plan's shutdownTimeoutMs tunnels and sessions are cut. Endpoints
   * that are gone get nothing more; their pools close when nothing is in flight there.
   *
   * Resolves when new work goes by it and every new listener of this worker's own accepts. Rejects with a ProxyError when one cannot;
   * the others count all the same. Calls do not overlap.
   */
  apply(change: PlanChange): Promise<void>;
  /** null: this data plane has no listener that fits. */
  explain(request: ExplainRequest): Explanation | null;
  /** Exchanges and sessions open now. */
  openExchanges(): number;
  /** New addresses of an endpoint slot; opens its connection pool if it had none. */
  setAddresses(slot: number, addresses: readonly string[]): void;
  /**
   * Ends at once what is in flight on an endpoint, because its time to drain is over: attempts (those that may go on elsewhere do, as
   * after SLUICE_ENDPOINT_RESET), tunnels and sessions. None of it counts against the endpoint. Idempotent.
   *
   * @param generation of the endpoint; work of another one that has the slot goes on
   */
  cut(slot: number, generation: number): void;
  /** Files of a listener's certificates have changed, for front ends that read them: new handshakes go by them. @param listener its number */
  certificatesChanged(listener: number): void;
  /** Requests for a challenge of ACME (RFC 8555 section 8.3) are answered. @param keyAuthorization null: no more */
  setChallenge(token: string, keyAuthorization: string | null): void;
  stats(): DataPlaneStats;
  /** Closes everything at once: listeners, client and upstream connections. Idempotent. */
  close(): void;
}

/** What a data plane module exports, e.g. `startL7DataPlane`: makes the data plane; `start` is called by the life cycle. */
export type MakeDataPlane = (options: DataPlaneOptions) => DataPlane;
