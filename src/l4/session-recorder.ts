/**
 * What of sessions is recorded, as it happens and when they end: figures in this worker's own memory, the log of what went wrong, and whoever
 * else wants to know of each end.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { FigureWriter } from '../board/figure-writer.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { WorkerStripe } from '../board/worker-stripe.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { type AddressWords, addressText } from '../core/peer-address.js';
import { type SessionEngineOptions, SessionField, SessionFlag } from '../engine/session-engine.js';
import { TlsFailure } from '../engine/tls.js';
import { tlsFailureText } from '../engine/tls-failure.js';
import type { FailureLog } from '../observability/failure-log.js';
import { DELIVERED, type SessionEnding } from './session-ending.js';
import type { SessionListener } from './session-listener.js';
import type { SessionRecord } from './session-record.js';

/** Wants to know of the end of every session: the access log. HOT. */
export interface SessionObserver {
  /**
   * The session is over, and all its facts are known; its record is free when the call returns. May not fail.
   *
   * @param endpoint index in the upstream of the one that it was connected to, or NO_ENDPOINT
   */
  ended(record: SessionRecord, ending: SessionEnding, endpoint: number): void;
  /** A connection that never became a session is over. */
  neverOpened(listener: SessionListener, code: ErrorCode, peer: AddressWords, durationMs: number): void;
}

const US_PER_MS = 1_000;
/** An int32; as the engine's own times. */
const MOST_DURATION_US = 2 ** 31 - 1;

/** Thread: worker. */
export class SessionRecorder {
  readonly #stripe: WorkerStripe;
  readonly #figures: FigureWriter;
  /** null: nobody; the usual case costs one branch. */
  #observers: readonly SessionObserver[] | null = null;
  readonly #failures: FailureLog;
  readonly #events: Int32Array;
  readonly #arena: Uint8Array;

  /**
   * @param board  whose memory of figures is written
   * @param memory where the engine's events and their texts are (SessionEngineOptions)
   */
  constructor(
    { stripe, figures }: Pick<WorkerBoard, 'stripe' | 'figures'>,
    failures: FailureLog,
    { events, arena }: Pick<SessionEngineOptions, 'events' | 'arena'>,
  ) {
    this.#stripe = stripe;
    this.#figures = figures;
    this.#failures = failures;
    this.#events = events;
    this.#arena = arena;
  }

  /** From now on these are told of every end, in this order, and nobody else is. */
  observe(observers: readonly SessionObserver[]): void {
    this.#observers = observers.length === 0 ? null : observers;
  }

  /** HOT. */
  begin(): void {
    this.#stripe.beginSession();
  }

  /** The connection to its endpoint is there. HOT. @param connectUs how long that took */
  connected(record: SessionRecord, connectUs: number): void {
    record.connectUs = connectUs;
    const slot = slotOf(record, record.endpoint);
    if (slot !== NO_SLOT) this.#figures.endpoints.connected(slot, connectUs);
  }

  /** One endpoint could not be connected to; the session may go on with another one. @param base of CONNECT_FAILED */
  attemptFailed(record: SessionRecord, code: ErrorCode, base: number): void {
    const slot = slotOf(record, record.endpoint);
    if (slot !== NO_SLOT) this.#figures.endpoints.failed(slot, code);
    this.#failures.write('attempt-failed', code, {
      ...placeOf(record),
      endpoint: record.upstream?.endpointName(record.endpoint),
      client: addressText(record),
      attempt: record.attempts,
      ...this.#reasonAt(base),
      ...this.#errnoAt(base),
    });
  }

  /**
   * A session that `begin` has counted is over. HOT for DELIVERED.
   *
   * @param endpoint index in the upstream of the one that it was connected to, or NO_ENDPOINT
   * @param base     of ENDED
   */
  end(record: SessionRecord, ending: SessionEnding, endpoint: number, base: number): void {
    this.#stripe.endSession();
    const isConnected = (this.#at(base, SessionField.flags) & SessionFlag.WAS_CONNECTED) !== 0;
    record.bytesFromClient = this.#longAt(base, SessionField.fromClientLow);
    record.bytesToClient = this.#longAt(base, SessionField.toClientLow);
    record.durationMs = this.#at(base, SessionField.durationMs);
    record.durationUs = Math.min(record.durationMs * US_PER_MS, MOST_DURATION_US);
    this.#countEnd(record, isConnected ? endpoint : NO_ENDPOINT);
    if (ending !== DELIVERED) this.#failed(record, ending, endpoint, base, isConnected);
    if (this.#observers === null) return;
    for (const observer of this.#observers) observer.ended(record, ending, isConnected ? endpoint : NO_ENDPOINT);
  }

  #countEnd(record: SessionRecord, endpoint: number): void {
    const { upstream, listener, attempts, queueUs, bytesFromClient, bytesToClient } = record;
    const { endpoints, listeners, upstreams } = this.#figures;
    const retries = Math.max(attempts - 1, 0);
    if (listener !== null) listeners.sessionEnded(listener.plan.number, record, retries);
    if (upstream === null) return;
    upstreams.sessionEnded(upstream.plan.record, record, retries);
    const slot = slotOf(record, endpoint);
    if (slot !== NO_SLOT) endpoints.served(slot, queueUs, bytesFromClient, bytesToClient);
  }

  #failed(record: SessionRecord, ending: ErrorCode, endpoint: number, base: number, isConnected: boolean): void {
    this.#stripe.countFailure(ending);
    if (record.listener !== null) this.#figures.listeners.failed(record.listener.plan.number, ending);
    if (record.upstream !== null) this.#figures.upstreams.failed(record.upstream.plan.record, ending);
    this.#failures.write('session-failed', ending, {
      ...placeOf(record),
      ...(isConnected ? { endpoint: record.upstream?.endpointName(endpoint) } : {}),
      client: addressText(record),
      attempts: record.attempts,
      bytesFromClient: record.bytesFromClient,
      bytesToClient: record.bytesToClient,
      durationMs: this.#at(base, SessionField.durationMs),
      ...this.#errnoAt(base),
    });
  }

  /** A connection that never became a session, e.g. because its PROXY header is malformed. @param base of ENDED */
  neverOpened(listener: SessionListener, code: ErrorCode, base: number): void {
    this.#stripe.countFailure(code);
    this.#figures.listeners.failed(listener.plan.number, code);
    const peer = {
      word0: this.#at(base, SessionField.peer0),
      word1: this.#at(base, SessionField.peer1),
      word2: this.#at(base, SessionField.peer2),
      word3: this.#at(base, SessionField.peer3),
    };
    const durationMs = this.#at(base, SessionField.durationMs);
    this.#failures.write('session-failed', code, {
      listener: listener.plan.name,
      peer: addressText(peer),
      durationMs,
      ...this.#reasonAt(base),
      ...this.#errnoAt(base),
    });
    if (this.#observers === null) return;
    for (const observer of this.#observers) observer.neverOpened(listener, code, peer, durationMs);
  }

  #errnoAt(base: number): { readonly errno?: number } {
    const errno = this.#at(base, SessionField.errno);
    return errno === 0 ? {} : { errno };
  }

  /** Why TLS could not begin, where it could not. */
  #reasonAt(base: number): { readonly reason?: string } {
    const failure = this.#at(base, SessionField.tlsFailure);
    if (failure === TlsFailure.NONE) return {};
    const offset = this.#at(base, SessionField.textOffset);
    const words = this.#arena.subarray(offset, offset + this.#at(base, SessionField.tlsTextLength));
    return {
      reason: tlsFailureText(failure, this.#at(base, SessionField.tlsAlert), Buffer.from(words).toString('latin1')),
    };
  }

  /** @param low field of the low word; the high one follows */
  #longAt(base: number, low: number): number {
    return this.#at(base, low + 1) * 4_294_967_296 + (this.#at(base, low) >>> 0);
  }

  #at(base: number, field: number): number {
    return this.#events[base + field] as number; // inside the batch
  }
}

const NO_SLOT = -1;

/** @param endpoint index in the upstream of the session, or NO_ENDPOINT */
function slotOf({ upstream }: SessionRecord, endpoint: number): number {
  return endpoint === NO_ENDPOINT ? NO_SLOT : (upstream?.plan.endpoints[endpoint]?.slot ?? NO_SLOT);
}

function placeOf(record: SessionRecord): { readonly listener?: string; readonly upstream?: string } {
  return {
    ...(record.listener === null ? {} : { listener: record.listener.plan.name }),
    ...(record.upstream === null ? {} : { upstream: record.upstream.plan.name }),
  };
}
