/**
 * The path of a request through a worker: route → admit → pick → attempt → relay → settle → record (docs/life-of-a-request.md).
 * Front ends call in when a client has sent or taken something, the engine when an endpoint has. Thread: worker.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { Clock } from '../core/clock.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { NEVER, type Tick } from '../core/tick.js';
import {
  BODY_HIGH_WATER,
  type Engine,
  EVENT_STRIDE,
  EventField,
  EventFlag,
  EventType,
  MAX_EXCHANGES,
  NO_BODY,
  SendFlag,
  SendResult,
} from '../engine/engine.js';
import { codeOfFailure } from '../engine/engine-failure.js';
import { admitSize, exceedsBody, type RequestSize } from '../policies/request-limits.js';
import { admitPassage, isIdempotent } from '../policies/request-passage.js';
import { mayRetry } from '../policies/retry.js';
import { ADMIT, type Verdict } from '../policies/verdict.js';
import { errorResponse, optionsResponse } from './error-response.js';
import { BODYLESS, DELIVERED, type Ending, type Exchange, UNKNOWN_LENGTH } from './exchange.js';
import type { ExchangeRecorder } from './exchange-recorder.js';
import { type HostRoutes, routeFor } from './router.js';

/** Facts of a request that only `admit` looks at. */
export interface RequestFacts extends RequestSize {
  readonly hasLoop: boolean;
  /** Max-Forwards, or -1 without one. */
  readonly maxForwards: number;
}

/** What the pipeline works with; one for each worker. */
export interface PipelineParts {
  readonly engine: Engine;
  /** By the indices of the plan. */
  readonly upstreams: readonly UpstreamRuntime[];
  readonly recorder: ExchangeRecorder;
  readonly clock: Clock;
  /** An attempt failed for want of descriptors. */
  readonly onFileLimit: () => void;
  /** Where the engine's events and their bytes are (EngineOptions). */
  readonly events: Int32Array;
  readonly arena: Uint8Array;
}

export class Pipeline {
  readonly #engine: Engine;
  readonly #upstreams: readonly UpstreamRuntime[];
  readonly #recorder: ExchangeRecorder;
  readonly #clock: Clock;
  readonly #onFileLimit: () => void;
  readonly #events: Int32Array;
  readonly #arena: ArrayBufferLike;
  /** All exchanges ever made in this worker, by id. */
  readonly #exchanges: Exchange[] = [];
  /** The shared clock, read once by each call into the pipeline that settles or picks. */
  #now: Tick = NEVER;
  #openExchanges = 0;
  #exchangesBegun = 0;
  #isDraining = false;

  constructor(parts: PipelineParts) {
    this.#engine = parts.engine;
    this.#upstreams = parts.upstreams;
    this.#recorder = parts.recorder;
    this.#clock = parts.clock;
    this.#onFileLimit = parts.onFileLimit;
    this.#events = parts.events;
    this.#arena = parts.arena.buffer;
    invariant(
      parts.arena.byteOffset === 0,
      'the arena begins its buffer, so that offsets of events are offsets of the buffer',
    );
  }

  get openExchanges(): number {
    return this.#openExchanges;
  }

  /** Since the start of this worker. */
  get exchangesBegun(): number {
    return this.#exchangesBegun;
  }

  /** From now on every response tells its client to close the connection. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Makes an exchange known; `make` gets its id. @returns null when this worker has as many as the engine can tell apart */
  register<T extends Exchange>(make: (id: number) => T): T | null {
    if (this.#exchanges.length >= MAX_EXCHANGES) return null;
    const exchange = make(this.#exchanges.length);
    this.#exchanges.push(exchange);
    return exchange;
  }

  // --- called by front ends -----------------------------------------------------------------------------------------------

  /**
   * A request's head has come: routes it, admits it and begins its first attempt, or answers it. HOT: bench micro/l7/pipeline.
   *
   * @param routes of the request's host
   */
  begin(exchange: Exchange, routes: HostRoutes, facts: RequestFacts): void {
    this.#now = this.#clock.nowTick();
    this.#open(exchange);
    if (facts.maxForwards === 0 && exchange.method === 'OPTIONS') return this.#answerOptions(exchange);
    const verdict = this.#route(exchange, routes);
    const admitted = verdict === ADMIT ? admit(exchange, facts) : verdict;
    if (admitted !== ADMIT) return this.#answer(exchange, admitted);
    this.#attempt(exchange, false);
  }

  /**
   * A request that may not even be looked at, since where it ends is in doubt. The answer waits for a later turn: what follows on the
   * connection may be a smuggled request, and while an answer is due no front end takes another from the same connection.
   */
  refuse(exchange: Exchange, code: ErrorCode): void {
    this.#open(exchange);
    exchange.state = 'refusing';
    exchange.refusal = setImmediate(() => this.#answer(exchange, code));
  }

  /** More of a request's body. */
  requestBody(exchange: Exchange, chunk: ArrayBuffer, isLast: boolean): void {
    if (exchange.state !== 'attempting' && exchange.state !== 'relaying') return;
    exchange.receivedBytes += chunk.byteLength;
    if (exceedsBody(exchange.listener.limits, exchange.receivedBytes)) {
      this.#now = this.#clock.nowTick();
      return this.#fail(exchange, 'SLUICE_BODY_TOO_LARGE');
    }
    exchange.isBodyComplete = isLast;
    const heldBytes = this.#engine.write(exchange.id, chunk, isLast);
    // Nothing more will come after the last: reading on then only tells whether the client is still there.
    if (isLast) exchange.resumeRequest();
    else if (heldBytes > BODY_HIGH_WATER) exchange.pauseRequest();
  }

  /** The client is gone: its upstream work ends at once. */
  clientGone(exchange: Exchange): void {
    if (exchange.state === 'free' || exchange.state === 'broken') return;
    this.#now = this.#clock.nowTick();
    this.#engine.release(exchange.id);
    this.#finish(exchange, 'SLUICE_CLIENT_GONE');
  }

  /** The client takes bytes again. */
  clientReady(exchange: Exchange): void {
    if (exchange.state === 'relaying') this.#engine.resume(exchange.id);
  }

  /** The client has taken the last byte of a response whose endpoint was done before. */
  clientTookAll(exchange: Exchange): void {
    if (exchange.state === 'flushing') this.#finish(exchange, DELIVERED);
  }

  // --- called by the engine -----------------------------------------------------------------------------------------------

  /** Handles a batch of the engine's events. HOT. */
  onBatch(count: number): void {
    const events = this.#events;
    this.#now = this.#clock.nowTick();
    for (let base = 0, end = count * EVENT_STRIDE; base < end; base += EVENT_STRIDE) {
      const type = events[base + EventField.type];
      if (type === EventType.NONE) continue;
      const exchange = this.#exchanges[events[base + EventField.exchange] as number] as Exchange;
      switch (type) {
        case EventType.HEAD:
          this.#relayHead(exchange, base);
          break;
        case EventType.BODY:
          this.#relayBody(exchange, base);
          break;
        case EventType.FAILED:
          this.#attemptFailed(exchange, base);
          break;
        case EventType.DRAINED:
          exchange.resumeRequest();
          break;
      }
    }
  }

  // --- the steps ----------------------------------------------------------------------------------------------------------

  #open(exchange: Exchange): void {
    exchange.state = 'attempting';
    this.#openExchanges++;
    this.#exchangesBegun++;
    this.#recorder.begin();
  }

  #route(exchange: Exchange, routes: HostRoutes): Verdict {
    const route = routeFor(routes, exchange.path);
    if (route === undefined) return 'SLUICE_NO_ROUTE';
    exchange.upstream = this.#upstreams[route.upstream] as UpstreamRuntime;
    exchange.exchangeTimeoutMs = route.exchangeTimeoutMs;
    return ADMIT;
  }

  /** Picks an endpoint and begins an attempt there. @param isResend the engine holds the request of a failed attempt */
  #attempt(exchange: Exchange, isResend: boolean): void {
    const upstream = exchange.upstream as UpstreamRuntime;
    for (;;) {
      const slot = upstream.pick(exchange, this.#now);
      if (slot === NO_ENDPOINT) return this.#fail(exchange, isResend ? exchange.lastFailure : 'SLUICE_NO_ENDPOINT');
      const result = isResend
        ? this.#engine.resend(exchange.id, slot)
        : this.#engine.send(
            exchange.id,
            slot,
            exchange.head,
            flagsOf(exchange),
            exchange.bodyBytes,
            exchange.exchangeTimeoutMs,
          );
      if (result === SendResult.OK) return;
      // The endpoint is new and its addresses are still on their way to this worker: another one serves meanwhile.
      if (result !== SendResult.NO_POOL) return this.#fail(exchange, codeOfRefusal(result));
      upstream.settleUnusable(exchange, this.#now);
    }
  }

  #relayHead(exchange: Exchange, base: number): void {
    const events = this.#events;
    const flags = events[base + EventField.flags] as number;
    const status = events[base + EventField.status] as number;
    const upstream = exchange.upstream as UpstreamRuntime;
    exchange.status = status;
    upstream.settleFirstByte(exchange, status, events[base + EventField.elapsedUs] as number, this.#now);
    const isLast = (flags & EventFlag.LAST) !== 0;
    if (isLast) upstream.settleEnd(exchange, this.#now);
    const mustClose = this.#isDraining || exchange.isLastOfConnection || (flags & EventFlag.REQUEST_UNFINISHED) !== 0;
    exchange.state = 'relaying';
    const isTaken = exchange.sendHead(
      new Uint8Array(this.#arena, events[base + EventField.headOffset], events[base + EventField.headLength]),
      this.#bodyOf(base),
      lengthOf(events, base, flags),
      isLast,
      mustClose,
    );
    this.#relayed(exchange, isTaken, isLast);
  }

  #relayBody(exchange: Exchange, base: number): void {
    const events = this.#events;
    const isLast = ((events[base + EventField.flags] as number) & EventFlag.LAST) !== 0;
    if (isLast) (exchange.upstream as UpstreamRuntime).settleEnd(exchange, this.#now);
    this.#relayed(exchange, exchange.sendBody(this.#bodyOf(base), isLast), isLast);
  }

  #bodyOf(base: number): Uint8Array {
    const bodyLength = this.#events[base + EventField.bodyLength] as number;
    return bodyLength === 0
      ? NOTHING
      : new Uint8Array(this.#arena, this.#events[base + EventField.bodyOffset], bodyLength);
  }

  #relayed(exchange: Exchange, isTaken: boolean, isLast: boolean): void {
    if (isLast) {
      if (exchange.isFlushed) this.#finish(exchange, DELIVERED);
      else exchange.state = 'flushing';
    } else if (!isTaken) {
      this.#engine.pause(exchange.id);
    }
  }

  #attemptFailed(exchange: Exchange, base: number): void {
    const events = this.#events;
    const flags = events[base + EventField.flags] as number;
    const code = codeOfFailure(events[base + EventField.status] as number);
    const upstream = exchange.upstream as UpstreamRuntime;
    this.#recorder.attemptFailed(exchange, code, events[base + EventField.errno] as number);
    // Once the endpoint has answered, a deadline that passes may be a slow client's doing.
    if (code === 'SLUICE_EXCHANGE_TIMEOUT' && exchange.status !== 0) upstream.settleEnd(exchange, this.#now);
    else upstream.settleFailure(exchange, code, events[base + EventField.elapsedUs] as number, this.#now);
    exchange.lastFailure = code;
    if (code === 'SLUICE_FILE_LIMIT') this.#onFileLimit();
    const isUnsent = (flags & EventFlag.RETRYABLE) !== 0;
    if (mayRetry({ code, isUnsent, attempts: exchange.attempts }, upstream.plan.retry.attempts))
      return this.#attempt(exchange, true);
    this.#fail(exchange, code);
  }

  /** Ends an exchange that went wrong: an error response where that is still possible, else a broken connection. */
  #fail(exchange: Exchange, code: ErrorCode): void {
    this.#engine.release(exchange.id);
    if (exchange.state === 'attempting') return this.#answer(exchange, code);
    // Breaking off may report the client as gone within the call; it is the failure that counts.
    exchange.state = 'broken';
    exchange.breakOff();
    this.#finish(exchange, code);
  }

  #answer(exchange: Exchange, code: ErrorCode): void {
    const response = errorResponse(code, exchange.requestId);
    // A body that has not been read to its end, and framing in doubt, leave nothing that could follow on this connection.
    const mustClose =
      this.#isDraining || exchange.state === 'refusing' || (exchange.bodyBytes !== NO_BODY && !exchange.isBodyComplete);
    exchange.status = response.status;
    exchange.sendLocal(response, mustClose);
    this.#finish(exchange, code);
  }

  /** The last hop that Max-Forwards allows answers for itself (RFC 9110 7.6.2). */
  #answerOptions(exchange: Exchange): void {
    const response = optionsResponse();
    exchange.status = response.status;
    exchange.sendLocal(response, this.#isDraining);
    this.#finish(exchange, DELIVERED);
  }

  #finish(exchange: Exchange, ending: Ending): void {
    if (exchange.refusal !== null) clearImmediate(exchange.refusal);
    exchange.upstream?.settleEnd(exchange, this.#now);
    this.#recorder.end(exchange, ending);
    this.#openExchanges--;
    exchange.recycle();
  }
}

const NOTHING = new Uint8Array(0);

/** The policies that can refuse a request, in their order. */
function admit(exchange: Exchange, facts: RequestFacts): Verdict {
  const passage = admitPassage(exchange.method, facts.hasLoop);
  return passage === ADMIT ? admitSize(exchange.listener.limits, facts) : passage;
}

function flagsOf(exchange: Exchange): number {
  return (
    (isIdempotent(exchange.method) ? SendFlag.IDEMPOTENT : 0) | (exchange.method === 'HEAD' ? SendFlag.HEAD_METHOD : 0)
  );
}

function lengthOf(events: Int32Array, base: number, flags: number): number {
  if ((flags & EventFlag.BODYLESS) !== 0) return BODYLESS;
  if ((flags & EventFlag.LENGTH_KNOWN) === 0) return UNKNOWN_LENGTH;
  return (
    (events[base + EventField.lengthHigh] as number) * 4_294_967_296 +
    ((events[base + EventField.lengthLow] as number) >>> 0)
  );
}

function codeOfRefusal(result: number): ErrorCode {
  switch (result) {
    case SendResult.BAD_HEAD:
      return 'SLUICE_BAD_REQUEST';
    case SendResult.HEAD_TOO_LARGE:
      return 'SLUICE_HEAD_TOO_LARGE';
    default:
      return 'SLUICE_INTERNAL';
  }
}
