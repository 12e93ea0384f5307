/** The last step of a session: counts it in this worker's stripe and tells the log what went wrong. */
import type { WorkerStripe } from '../board/worker-stripe.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { addressText } from '../core/peer-address.js';
import { SessionField, SessionFlag } from '../engine/session-engine.js';
import type { FailureLog } from '../observability/failure-log.js';
import { DELIVERED, type SessionEnding } from './session-ending.js';
import type { SessionListener } from './session-listener.js';
import type { SessionRecord } from './session-record.js';

/** Thread: worker. */
export class SessionRecorder {
  readonly #stripe: WorkerStripe;
  readonly #failures: FailureLog;
  readonly #events: Int32Array;

  /** @param events where the engine's events are (SessionEngineOptions) */
  constructor(stripe: WorkerStripe, failures: FailureLog, events: Int32Array) {
    this.#stripe = stripe;
    this.#failures = failures;
    this.#events = events;
  }

  /** HOT. */
  begin(): void {
    this.#stripe.beginSession();
  }

  /** One endpoint could not be connected to; the session may go on with another one. @param base of CONNECT_FAILED */
  attemptFailed(record: SessionRecord, code: ErrorCode, base: number): void {
    this.#failures.write('attempt-failed', code, {
      ...placeOf(record),
      endpoint: record.upstream?.endpointName(record.endpoint),
      client: addressText(record),
      attempt: record.attempts,
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
    if (ending === DELIVERED) return;
    this.#stripe.countFailure(ending);
    const isConnected = (this.#at(base, SessionField.flags) & SessionFlag.WAS_CONNECTED) !== 0;
    this.#failures.write('session-failed', ending, {
      ...placeOf(record),
      ...(isConnected ? { endpoint: record.upstream?.endpointName(endpoint) } : {}),
      client: addressText(record),
      attempts: record.attempts,
      bytesFromClient: this.#longAt(base, SessionField.fromClientLow),
      bytesToClient: this.#longAt(base, SessionField.toClientLow),
      durationMs: this.#at(base, SessionField.durationMs),
      ...this.#errnoAt(base),
    });
  }

  /** A connection that never became a session, e.g. because its PROXY header is malformed. @param base of ENDED */
  neverOpened(listener: SessionListener, code: ErrorCode, base: number): void {
    this.#stripe.countFailure(code);
    this.#failures.write('session-failed', code, {
      listener: listener.plan.name,
      peer: addressText({
        word0: this.#at(base, SessionField.peer0),
        word1: this.#at(base, SessionField.peer1),
        word2: this.#at(base, SessionField.peer2),
        word3: this.#at(base, SessionField.peer3),
      }),
      durationMs: this.#at(base, SessionField.durationMs),
      ...this.#errnoAt(base),
    });
  }

  #errnoAt(base: number): { readonly errno?: number } {
    const errno = this.#at(base, SessionField.errno);
    return errno === 0 ? {} : { errno };
  }

  /** @param low field of the low word; the high one follows */
  #longAt(base: number, low: number): number {
    return this.#at(base, low + 1) * 4_294_967_296 + (this.#at(base, low) >>> 0);
  }

  #at(base: number, field: number): number {
    return this.#events[base + field] as number; // inside the batch
  }
}

function placeOf(record: SessionRecord): { readonly listener?: string; readonly upstream?: string } {
  return {
    ...(record.listener === null ? {} : { listener: record.listener.plan.name }),
    ...(record.upstream === null ? {} : { upstream: record.upstream.plan.name }),
  };
}
