/**
 * The path of a session through a worker: route → admit → pick → connect → relay → settle → record
 * (docs/life-of-a-connection.md). The engine calls in with batches of events; where one asks for a decision, it is written into the
 * event, and the engine acts on it when the batch is done. Thread: worker.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { followPlan } from '../balancing/plan-follower.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { Clock } from '../core/clock.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { NEVER, type Tick, tickOf } from '../core/tick.js';
import {
  ConnectFailure,
  SESSION_EVENT_STRIDE,
  SessionEnd,
  SessionEventType,
  SessionField,
  SessionFlag,
} from '../engine/session-engine.js';
import { mayRetry } from '../policies/retry.js';
import type { SessionLimits } from '../policies/session-limits.js';
import { ADMIT, type Verdict } from '../policies/verdict.js';
import { codeOfConnectFailure, DELIVERED, endingOf, type SessionEnding } from './session-ending.js';
import type { SessionKeys } from './session-keys.js';
import type { SessionListener } from './session-listener.js';
import { SessionRecord, type SessionState } from './session-record.js';
import type { SessionRecorder } from './session-recorder.js';
import { refuse, SessionWaiting } from './session-waiting.js';
import { NO_ROUTE } from './sni-router.js';

const US_PER_MS = 1_000;

/** What the pipeline works with; one for each worker. */
export interface SessionPipelineParts {
  readonly listeners: readonly SessionListener[];
  readonly limits: SessionLimits;
  readonly recorder: SessionRecorder;
  readonly keys: SessionKeys;
  readonly clock: Clock;
  /** Where the engine's events and their names are (SessionEngineOptions). */
  readonly events: Int32Array;
  readonly arena: Uint8Array;
}

/** Thread: worker; one for each. */
export class SessionPipeline {
  /** By number, also those that are gone from the plan: what has been accepted there may still come. */
  readonly #listeners = new Map<number, SessionListener>();
  readonly #limits: SessionLimits;
  readonly #recorder: SessionRecorder;
  readonly #keys: SessionKeys;
  readonly #clock: Clock;
  readonly #events: Int32Array;
  readonly #arena: Buffer;
  readonly #waiting = new SessionWaiting(
    () => this.#readClock(),
    (record) => this.#follow(record),
  );
  /** All records ever made in this worker, by the engine's number of the session. */
  readonly #records: SessionRecord[] = [];
  /** The shared clock, read once for each batch. */
  #now: Tick = NEVER;
  #nowUs = 0;

  constructor(parts: SessionPipelineParts) {
    this.#limits = parts.limits;
    this.#recorder = parts.recorder;
    this.#keys = parts.keys;
    this.#clock = parts.clock;
    this.#events = parts.events;
    const { buffer, byteOffset, byteLength } = parts.arena;
    this.#arena = Buffer.from(buffer, byteOffset, byteLength);
    this.apply(parts.listeners);
  }

  /** New sessions of these listeners go by another plan; those that are open go on as they began. */
  apply(listeners: readonly SessionListener[]): void {
    for (const listener of listeners) this.#listeners.set(listener.number, listener);
  }

  /** The listener of this number, also where the plan has it no more; null: there has been none. */
  listener(number: number): SessionListener | null {
    return this.#listeners.get(number) ?? null;
  }

  /** Handles a batch of the engine's events, and writes the decisions into those that ask for one. HOT. */
  onBatch(count: number): void {
    const events = this.#events;
    this.#readClock();
    for (let base = 0, end = count * SESSION_EVENT_STRIDE; base < end; base += SESSION_EVENT_STRIDE) {
      switch (events[base + SessionField.type]) {
        case SessionEventType.OPENED:
          events[base + SessionField.decision] = this.#opened(base);
          break;
        case SessionEventType.CONNECTED:
          this.#connected(base);
          break;
        case SessionEventType.CONNECT_FAILED:
          events[base + SessionField.decision] = this.#connectFailed(base);
          break;
        case SessionEventType.ENDED:
          this.#ended(base);
          break;
      }
    }
  }

  /** What waits for a place at an endpoint. Its rooms are to be opened before the first session, where there are queues. */
  get waiting(): SessionWaiting {
    return this.#waiting;
  }

  /**
   * The operator's time for an endpoint to drain is over: its sessions end. Cold.
   *
   * @param close as SessionEngine.closeSession
   */
  cut(slot: number, generation: number, close: (session: number) => void): void {
    this.#cutWhere('SLUICE_ENDPOINT_DRAINED', close, ({ endpoint: index, upstream }) => {
      const endpoint = index === NO_ENDPOINT ? undefined : upstream?.plan.endpoints[index];
      return endpoint?.slot === slot && endpoint.generation === generation;
    });
  }

  /** The time of a listener that is gone is over: its sessions end. Cold. @param close as SessionEngine.closeSession */
  cutListener({ identity }: SessionListener, close: (session: number) => void): void {
    this.#cutWhere('SLUICE_SESSION_CUT', close, ({ listener }) => listener?.identity === identity);
  }

  #cutWhere(code: ErrorCode, close: (session: number) => void, isMeant: (record: SessionRecord) => boolean): void {
    for (const record of this.#records) {
      if (record === undefined || record.state === 'refused' || !isMeant(record)) continue;
      record.refusal = code;
      close(record.session);
    }
  }

  #readClock(): Tick {
    const nowMs = this.#clock.nowMs();
    this.#now = tickOf(nowMs);
    this.#nowUs = Math.floor(nowMs * US_PER_MS);
    return this.#now;
  }

  // --- the steps ----------------------------------------------------------------------------------------------------------

  /** @returns the decision */
  #opened(base: number): number {
    const session = this.#at(base, SessionField.session);
    const listener = this.#listenerAt(base);
    const record = this.#recordFor(session);
    invariant(record.state === 'free', 'a session opens once before it ends');
    record.state = 'connecting';
    record.listener = listener;
    this.#recorder.begin();
    this.#identify(record, listener, base);
    const verdict = this.#route(record, listener, base);
    const admitted = verdict === ADMIT ? this.#limits.admit(record, listener.number, this.#nowUs) : verdict;
    return admitted === ADMIT ? this.#waiting.decide(record, this.#now) : refuse(record, admitted);
  }

  /** Finds out whose session it is, and tells the engine whether a claimed address is to be passed on. */
  #identify(record: SessionRecord, listener: SessionListener, base: number): void {
    this.#takeAddress(record, base + SessionField.peer0);
    const isProxied = (this.#at(base, SessionField.flags) & SessionFlag.PROXIED) !== 0;
    const believes = isProxied && listener.trustedPeers.isTrusted(record);
    if (believes) this.#takeAddress(record, base + SessionField.claimed0);
    this.#events[base + SessionField.believe] = believes ? 1 : 0;
  }

  #route(record: SessionRecord, listener: SessionListener, base: number): Verdict {
    const { router, upstreams } = listener;
    const upstream = router.upstreamOf(
      this.#arena,
      this.#at(base, SessionField.textOffset),
      this.#at(base, SessionField.sniLength),
      this.#at(base, SessionField.alpnLength),
    );
    if (upstream === NO_ROUTE) return 'SLUICE_NO_ROUTE';
    const runtime = upstreams.runtimes[upstream] as UpstreamRuntime; // of the same plan
    record.upstream = runtime;
    const homes = upstreams.homes[upstream];
    // Before the balancer's key, which takes the place of this one.
    if (homes && this.#keys.hash(record, homes.wish, record.ownKey()))
      record.preferred = homes.of.homeOf(record.key, record.subset, runtime.levelOf(record, this.#now));
    this.#fillKey(record, runtime);
    return ADMIT;
  }

  /** It stays for all attempts. */
  #fillKey(record: SessionRecord, upstream: UpstreamRuntime): void {
    const { keyWish } = upstream;
    if (keyWish.source === null) return;
    if (!this.#keys.hash(record, keyWish, record.ownKey())) upstream.fillRandomKey(record.ownKey());
  }

  /** Before a pick: to the endpoints of the plan that counts now. What its new balancer wants of its key may be something else. */
  #follow(record: SessionRecord): void {
    if (followPlan(record)) this.#fillKey(record, record.upstream as UpstreamRuntime);
  }

  #connected(base: number): void {
    const record = this.#openRecord(base, 'connecting');
    record.state = 'relaying';
    const connectUs = this.#at(base, SessionField.elapsedUs);
    this.#recorder.connected(record, connectUs);
    (record.upstream as UpstreamRuntime).settleConnected(record, connectUs, this.#now);
  }

  /** @returns the decision */
  #connectFailed(base: number): number {
    const record = this.#openRecord(base, 'connecting');
    const upstream = record.upstream as UpstreamRuntime;
    const reason = this.#at(base, SessionField.reason);
    // The endpoint is new and its addresses are still on their way to this worker: another one serves meanwhile.
    if (reason === ConnectFailure.NO_ADDRESS) {
      upstream.settleUnusable(record, this.#now);
      return this.#waiting.decide(record, this.#now);
    }
    const code = codeOfConnectFailure(reason);
    this.#recorder.attemptFailed(record, code, base);
    upstream.settleFailure(record, code, this.#at(base, SessionField.elapsedUs), this.#now);
    record.lastFailure = code;
    record.failedConnects++;
    const failed = { code, isUnsent: true, attempts: record.failedConnects };
    return mayRetry(failed, upstream.plan.retry.connectAttempts)
      ? this.#waiting.decide(record, this.#now)
      : refuse(record, code);
  }

  #ended(base: number): void {
    const reason = this.#at(base, SessionField.reason);
    if ((this.#at(base, SessionField.flags) & SessionFlag.NEVER_OPENED) !== 0) return this.#neverOpened(reason, base);
    const record = this.#recordFor(this.#at(base, SessionField.session));
    invariant(record.state !== 'free', 'a session that ends has been opened');
    const hasEndpointFinished = (this.#at(base, SessionField.flags) & SessionFlag.ENDPOINT_FINISHED) !== 0;
    const isOurs = reason === SessionEnd.REFUSED || (reason === SessionEnd.CLOSED && record.refusal !== null);
    const ending = isOurs ? record.refusal : endingOf(reason, hasEndpointFinished);
    invariant(ending !== null, 'who refuses a session says why');
    this.#finish(record, ending, base);
  }

  #neverOpened(reason: number, base: number): void {
    const ending = endingOf(reason, false);
    if (ending !== DELIVERED) this.#recorder.neverOpened(this.#listenerAt(base), ending, base);
  }

  #finish(record: SessionRecord, ending: SessionEnding, base: number): void {
    this.#waiting.leave(record);
    record.endWait(this.#now);
    const { endpoint, upstream } = record;
    if (upstream !== null) {
      const hasAnswered =
        this.#at(base, SessionField.toClientLow) !== 0 || this.#at(base, SessionField.toClientHigh) !== 0;
      if (ending === 'SLUICE_ENDPOINT_RESET') upstream.settleReset(record, hasAnswered, this.#now);
      upstream.settleEnd(record, this.#now);
    }
    this.#limits.release(record, (record.listener as SessionListener).number);
    this.#recorder.end(record, ending, endpoint, base);
    record.recycle();
  }

  #openRecord(base: number, state: SessionState): SessionRecord {
    const record = this.#recordFor(this.#at(base, SessionField.session));
    invariant(record.state === state, `a session that the engine speaks of is ${state}`);
    return record;
  }

  #recordFor(session: number): SessionRecord {
    let record = this.#records[session];
    if (record === undefined) {
      record = new SessionRecord(session);
      this.#records[session] = record;
    }
    return record;
  }

  #listenerAt(base: number): SessionListener {
    const listener = this.#listeners.get(this.#at(base, SessionField.listener));
    invariant(listener, 'a session comes from an L4 listener of a plan');
    return listener;
  }

  #takeAddress(record: SessionRecord, at: number): void {
    const events = this.#events;
    record.word0 = events[at] as number;
    record.word1 = events[at + 1] as number;
    record.word2 = events[at + 2] as number;
    record.word3 = events[at + 3] as number;
  }

  #at(base: number, field: number): number {
    return this.#events[base + field] as number; // inside the batch
  }
}
