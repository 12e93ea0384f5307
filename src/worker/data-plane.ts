/** What a data plane offers to the life cycle of its worker thread: the seam between src/worker and src/l4, src/l7. */
import type { EndpointLedger } from '../balancing/endpoint-ledger.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { Plan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { Addon } from '../engine/addon.js';
import type { ListeningAddress, ListeningOptions } from '../engine/session-engine.js';
import type { Logger } from '../observability/logger.js';

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

/** By index in the plan of the L4 or native L7 listener. For those that are absent the primary's acceptor accepts. */
export type SessionListenings = Readonly<Record<number, SessionListening>>;

/** What a data plane is started with. Thread: worker. */
export interface DataPlaneOptions {
  /** The compiled plan; every listener has its real port. */
  readonly plan: Plan;
  /** 0 .. plan.workers-1: this worker's stripe on the board. */
  readonly workerIndex: number;
  /** The board, already attached in this thread. The life cycle writes the stripe's state and heartbeat, the data plane the rest. */
  readonly board: WorkerBoard;
  /** Of this worker, for all its data planes together: `attemptNumbersFor` says which numbers are whose. */
  readonly ledger: EndpointLedger;
  /** Addresses known at the start of this worker. */
  readonly addresses: AddressesBySlot;
  readonly sessionListenings: SessionListenings;
  /** Most sessions that this worker may accept for itself: half of the descriptors that are not kept back. */
  readonly maxSessions: number;
  /** Most client connections that this worker may accept for itself at listeners with the native front end. */
  readonly maxConnections: number;
  readonly addon: Addon;
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
}

/** Of a worker that has nothing open. */
export const NO_STATS: WorkerStats = {
  openConnections: 0,
  openExchanges: 0,
  exchanges: 0,
  upstreamConnections: 0,
  busyShare: 0,
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
  stats(): DataPlaneStats;
  /** Closes everything at once: listeners, client and upstream connections. Idempotent. */
  close(): void;
}

/** What a data plane module exports, e.g. `startL7DataPlane`: makes the data plane; `start` is called by the life cycle. */
export type MakeDataPlane = (options: DataPlaneOptions) => DataPlane;
