/** One worker's own part of the board: its life and its counters. The owner writes, the primary reads and adds up. */
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { NEVER, type Tick } from '../core/tick.js';
import { EndpointTraffic, Failures, Life, Traffic } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

/** How far a worker is in its life. `absent`: no thread has the stripe. `lost`: its thread has ended. */
export const WORKER_STATES = ['absent', 'starting', 'serving', 'draining', 'stopped', 'lost'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

const STATE = Life.field.state;
const HEARTBEAT_AT = Life.field.heartbeatAt;
const CLIENT_CONNECTIONS = Life.field.clientConnections;
const EXCHANGES = Life.field.exchanges;
const SESSIONS = Life.field.sessions;
const HTTP2_CONNECTIONS = Life.field.http2Connections;
const COUNTER = Traffic.field;
const ATTEMPTS = EndpointTraffic.field.attempts;
const FAILURES = EndpointTraffic.field.failures;
const RETRIES = EndpointTraffic.field.retries;
const SUCCESSES = EndpointTraffic.field.successes;
const SUCCESS_US = EndpointTraffic.field.successUs;
const GATEWAY_FAILURES = EndpointTraffic.field.gatewayFailures;
const SERVER_ERRORS = EndpointTraffic.field.serverErrors;

/** Name of a cumulative counter. */
export type TrafficCounter = keyof typeof Traffic.field;
/** Cumulative counters by name. */
export type TrafficFigures = Readonly<Record<TrafficCounter, number>>;
/** How many exchanges and sessions ended with each error. */
export type FailureFigures = Readonly<Record<ErrorCode, number>>;
/** Cumulative counters of one endpoint. */
export type EndpointFigures = Readonly<Record<keyof typeof EndpointTraffic.field, number>>;

/** A worker's life as the primary sees it. */
export interface LifeFigures {
  readonly state: WorkerState;
  /** NEVER: no sign of life yet. */
  readonly heartbeatAt: Tick;
  /** Open now. */
  readonly clientConnections: number;
  readonly exchanges: number;
  readonly sessions: number;
  readonly http2Connections: number;
}

/**
 * Counting is a plain add by the only writer, hence HOT (bench/micro/board/claims.bench.ts): 1 ns. Thread: owner writes, any
 * reads; after the owner's thread has ended, the primary owns it.
 *
 * Pair: the owner stores, the primary loads, neither with an ordering: statistics. Figures of one reading may be of slightly
 * different moments. JavaScript lets a plain float64 tear between its halves in theory; V8 moves an aligned one with a
 * single instruction on x86-64 and arm64, and a figure so misread would be right at the next reading.
 */
export class WorkerStripe {
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  readonly #life: number;
  readonly #traffic: number;
  readonly #failures: number;
  readonly #endpoints: number;
  readonly #endpointStride: number;

  constructor(board: MappedBoard, worker: number) {
    const stripe = board.layout.stripes[worker];
    invariant(stripe, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#float64 = board.float64;
    this.#life = stripe.life.base;
    this.#traffic = stripe.traffic.base;
    this.#failures = stripe.failures.base;
    this.#endpoints = stripe.endpointTraffic.base;
    this.#endpointStride = stripe.endpointTraffic.stride;
  }

  setState(state: WorkerState): void {
    Atomics.store(this.#int32, this.#life + STATE, WORKER_STATES.indexOf(state));
  }

  /** A sign of life. */
  beat(now: Tick): void {
    Atomics.store(this.#int32, this.#life + HEARTBEAT_AT, now);
  }

  beginClientConnection(): void {
    this.#gauge(CLIENT_CONNECTIONS, 1);
  }

  endClientConnection(): void {
    this.#gauge(CLIENT_CONNECTIONS, -1);
  }

  /** An exchange has begun: counted as open now and as a request. */
  beginExchange(): void {
    this.#gauge(EXCHANGES, 1);
    this.#count(COUNTER.requests, 1);
  }

  endExchange(): void {
    this.#gauge(EXCHANGES, -1);
  }

  /** A session has begun: counted as open now and as a session. */
  beginSession(): void {
    this.#gauge(SESSIONS, 1);
    this.#count(COUNTER.sessions, 1);
  }

  endSession(): void {
    this.#gauge(SESSIONS, -1);
  }

  /** @param status 100 .. 599 of a response that went to a client; others are counted as 5xx */
  countResponse(status: number): void {
    const statusClass = Math.floor(status / 100);
    const isKnown = statusClass >= 1 && statusClass <= 5;
    this.#count(COUNTER.responses1xx + (isKnown ? statusClass : 5) - 1, 1);
  }

  /** An exchange or a session has ended with this error. Whose fault it was says the catalogue. */
  countFailure(code: ErrorCode): void {
    this.#add(this.#failures + Failures.field[code], 1);
  }

  countRetry(): void {
    this.#count(COUNTER.retries, 1);
  }

  /** A second attempt beside the first; countRetry() counts it as well. */
  countHedge(): void {
    this.#count(COUNTER.hedges, 1);
  }

  /** A retry or hedge that its upstream's budget did not allow. */
  countRetryRefused(): void {
    this.#count(COUNTER.retriesRefused, 1);
  }

  countBytesFromClient(bytes: number): void {
    this.#count(COUNTER.bytesFromClients, bytes);
  }

  countBytesToClient(bytes: number): void {
    this.#count(COUNTER.bytesToClients, bytes);
  }

  /** Connections that speak HTTP/2 now. */
  setHttp2Connections(connections: number): void {
    Atomics.store(this.#int32, this.#life + HTTP2_CONNECTIONS, connections);
  }

  countAccessLinesDropped(lines: number): void {
    this.#count(COUNTER.accessLinesDropped, lines);
  }

  /** @param isRetry true when another attempt of the same exchange came before it */
  countAttempt(slot: number, isRetry: boolean): void {
    const record = this.#endpoints + slot * this.#endpointStride;
    this.#add(record + ATTEMPTS, 1);
    if (isRetry) this.#add(record + RETRIES, 1);
  }

  countAttemptFailure(slot: number): void {
    this.#add(this.#endpoints + slot * this.#endpointStride + FAILURES, 1);
  }

  /** Where the endpoint is watched: a good answer, or a connection of a session. @param elapsedUs to its first byte, or to the connection */
  countSuccess(slot: number, elapsedUs: number): void {
    const record = this.#endpoints + slot * this.#endpointStride;
    this.#add(record + SUCCESSES, 1);
    this.#add(record + SUCCESS_US, elapsedUs);
  }

  /** Where the endpoint is watched: a failed attempt, or an answer of 502, 503 or 504. */
  countGatewayFailure(slot: number): void {
    this.#add(this.#endpoints + slot * this.#endpointStride + GATEWAY_FAILURES, 1);
  }

  /** Where the endpoint is watched: an answer of 500 or above but 501 and 505. */
  countServerError(slot: number): void {
    this.#add(this.#endpoints + slot * this.#endpointStride + SERVER_ERRORS, 1);
  }

  life(): LifeFigures {
    const at = (field: number): number => Atomics.load(this.#int32, this.#life + field);
    return {
      state: WORKER_STATES[at(STATE)] ?? 'lost',
      heartbeatAt: at(HEARTBEAT_AT),
      clientConnections: at(CLIENT_CONNECTIONS),
      exchanges: at(EXCHANGES),
      sessions: at(SESSIONS),
      http2Connections: at(HTTP2_CONNECTIONS),
    };
  }

  /** Since the board was made, over all threads that had this stripe. */
  traffic(): TrafficFigures {
    return this.#figures(Traffic.field, this.#traffic);
  }

  /** Since the board was made, like traffic(). */
  failures(): FailureFigures {
    return this.#figures(Failures.field, this.#failures);
  }

  /** Since the board was made, over all endpoints that had this slot; the board's endpointFigures() has one endpoint's. */
  endpointTraffic(slot: number): EndpointFigures {
    return this.#figures(EndpointTraffic.field, this.#endpoints + slot * this.#endpointStride);
  }

  /** Takes the stripe of a thread that has ended: nothing of it is open any more. Cumulative counters stay. Thread: primary. */
  markLost(): void {
    Atomics.store(this.#int32, this.#life + CLIENT_CONNECTIONS, 0);
    Atomics.store(this.#int32, this.#life + EXCHANGES, 0);
    Atomics.store(this.#int32, this.#life + SESSIONS, 0);
    Atomics.store(this.#int32, this.#life + HTTP2_CONNECTIONS, 0);
    Atomics.store(this.#int32, this.#life + HEARTBEAT_AT, NEVER);
    this.setState('lost');
  }

  #gauge(field: number, change: 1 | -1): void {
    const next = (this.#int32[this.#life + field] as number) + change; // inside this stripe
    invariant(next >= 0, 'what ends in a worker has begun there');
    this.#int32[this.#life + field] = next;
  }

  #count(field: number, amount: number): void {
    this.#add(this.#traffic + field, amount);
  }

  #add(index: number, amount: number): void {
    this.#float64[index] = (this.#float64[index] as number) + amount; // inside this stripe
  }

  #figures<Field extends string>(fields: Readonly<Record<Field, number>>, base: number): Record<Field, number> {
    const entries = Object.entries<number>(fields).map(([name, index]) => [name, this.#float64[base + index]]);
    return Object.fromEntries(entries) as Record<Field, number>;
  }
}
