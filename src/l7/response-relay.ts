/**
 * Moves bodies and responses between a front end in TypeScript and the engine, and tells the pipeline what has happened. The native
 * front end needs none of it: its bytes stay in the engine. Thread: worker.
 */
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { AttemptFact } from '../engine/attempt-profile.js';
import {
  BODY_HIGH_WATER,
  type Engine,
  EVENT_STRIDE,
  EventField,
  EventFlag,
  EventType,
  HEDGE_OFFSET,
} from '../engine/engine.js';
import { codeOfFailure } from '../engine/engine-failure.js';
import { FIRST_FRONT_END_EXCHANGE } from '../engine/front-end-event.js';
import { exceedsBody } from '../policies/request-limits.js';
import type { AskedResponse, AskedResponses } from './asked-response.js';
import { retryAfterIn, tellFacts } from './endpoint-facts.js';
import { DELIVERED } from './exchange.js';
import type { Pipeline } from './pipeline.js';
import { BODYLESS, type RelayedExchange, UNKNOWN_LENGTH } from './relayed-exchange.js';
import type { RequestFacts } from './request-admission.js';
import { type HostRoutes, routeFor } from './router.js';

/** What the relay works with; one for each worker. */
export interface ResponseRelayParts {
  readonly pipeline: Pipeline;
  readonly engine: Engine;
  /** Where the engine's events and their bytes are (EngineOptions). */
  readonly events: Int32Array;
  readonly arena: Uint8Array;
}

export class ResponseRelay implements AskedResponses<RelayedExchange> {
  readonly #pipeline: Pipeline;
  readonly #engine: Engine;
  readonly #events: Int32Array;
  readonly #arena: ArrayBufferLike;
  /** All exchanges ever made here, by id. */
  readonly #exchanges: RelayedExchange[] = [];

  constructor(parts: ResponseRelayParts) {
    this.#pipeline = parts.pipeline;
    this.#engine = parts.engine;
    this.#events = parts.events;
    this.#arena = parts.arena.buffer;
    invariant(
      parts.arena.byteOffset === 0,
      'the arena begins its buffer, so that offsets of events are offsets of the buffer',
    );
  }

  /**
   * Makes an exchange known; `make` gets its id.
   *
   * @returns null when there are as many as there are numbers below those of the native front end
   */
  register<T extends RelayedExchange>(make: (id: number, engine: Engine) => T): T | null {
    if (this.#exchanges.length >= FIRST_FRONT_END_EXCHANGE) return null;
    const exchange = make(this.#exchanges.length, this.#engine);
    exchange.askedResponses = this;
    this.#exchanges.push(exchange);
    return exchange;
  }

  /** All objects of exchanges that there are. */
  get exchanges(): readonly RelayedExchange[] {
    return this.#exchanges;
  }

  /** As DataPlane.cut. */
  cut(slot: number, generation: number): void {
    this.#pipeline.readClock();
    for (const exchange of this.#exchanges)
      if (exchange.hasAttemptOn(slot, generation) && !exchange.cutTunnel()) this.#pipeline.cut(exchange, slot);
  }

  // --- called by front ends -----------------------------------------------------------------------------------------------

  /** A request's head has come. HOT. @param routes of the request's host */
  begin(exchange: RelayedExchange, routes: HostRoutes, facts: RequestFacts): void {
    this.#pipeline.readClock();
    this.#pipeline.begin(exchange, routeFor(routes, exchange.path), facts);
  }

  /**
   * A request that may not even be looked at, since where it ends is in doubt. The answer waits for a later turn: what follows on the
   * connection may be a smuggled request, and while an answer is due no front end takes another from the same connection.
   */
  refuse(exchange: RelayedExchange, code: ErrorCode): void {
    this.#pipeline.refuseLater(exchange);
    exchange.refusal = setImmediate(() => this.#pipeline.answerRefused(exchange, code));
  }

  /** More of a request's body. */
  requestBody(exchange: RelayedExchange, chunk: ArrayBuffer, isLast: boolean): void {
    const { state } = exchange;
    if (state !== 'attempting' && state !== 'relaying' && state !== 'waiting') return;
    exchange.receivedBytes += chunk.byteLength;
    exchange.bytesFromClient = exchange.receivedBytes;
    if (exceedsBody(exchange.listener.limits, exchange.receivedBytes)) {
      this.#pipeline.readClock();
      return this.#pipeline.clientFailed(exchange, 'SLUICE_BODY_TOO_LARGE');
    }
    exchange.isBodyComplete = isLast;
    // One that waits for its first place: the engine does not know it yet.
    const isEarly = state === 'waiting' && !exchange.isBegun;
    const heldBytes = isEarly
      ? exchange.holdBody(chunk, isLast)
      : this.#engine.write(exchange.attemptNumber, chunk, isLast);
    // Nothing more will come after the last: reading on then only tells whether the client is still there.
    if (isLast) exchange.resumeRequest();
    else if (heldBytes > BODY_HIGH_WATER) exchange.pauseRequest();
  }

  /** The client is gone: its upstream work ends at once. */
  clientGone(exchange: RelayedExchange): void {
    if (exchange.state === 'free' || exchange.state === 'broken') return;
    if (exchange.refusal !== null) clearImmediate(exchange.refusal);
    this.#pipeline.readClock();
    exchange.release();
    this.#pipeline.finished(exchange, 'SLUICE_CLIENT_GONE');
  }

  /** The client takes bytes again. */
  clientReady(exchange: RelayedExchange): void {
    if (exchange.state === 'relaying') this.#engine.resume(exchange.attemptNumber);
  }

  /** The client has taken the last byte of a response whose endpoint was done before. */
  clientTookAll(exchange: RelayedExchange): void {
    if (exchange.state !== 'flushing') return;
    this.#pipeline.readClock();
    this.#pipeline.finished(exchange, DELIVERED);
  }

  // --- called by the engine -----------------------------------------------------------------------------------------------

  /** Handles a batch of the engine's events. HOT. */
  onBatch(count: number): void {
    const events = this.#events;
    this.#pipeline.readClock();
    for (let base = 0, end = count * EVENT_STRIDE; base < end; base += EVENT_STRIDE) {
      const type = events[base + EventField.type];
      if (type === EventType.NONE) continue;
      const number = events[base + EventField.exchange] as number;
      const exchange = this.#exchanges[number & ~HEDGE_OFFSET] as RelayedExchange;
      switch (type) {
        case EventType.HEAD:
          this.#headCame(exchange, number, base);
          break;
        case EventType.BODY:
          this.#relayBody(exchange, base);
          break;
        case EventType.FAILED:
          this.#attemptFailed(exchange, number, base);
          break;
        case EventType.DRAINED:
          exchange.resumeRequest();
          break;
      }
    }
  }

  #headCame(exchange: RelayedExchange, number: number, base: number): void {
    const events = this.#events;
    const flags = events[base + EventField.flags] as number;
    const status = events[base + EventField.status] as number;
    const elapsedUs = events[base + EventField.elapsedUs] as number;
    const connectUs = events[base + EventField.connectUs] as number;
    const head = new Uint8Array(
      this.#arena,
      events[base + EventField.headOffset],
      events[base + EventField.headLength],
    );
    const totalBytes = lengthOf(events, base, flags);
    const body = this.#bodyOf(base);
    if ((flags & EventFlag.ASKED) === 0) {
      if (exchange.isHedged) exchange.settleOn(number);
      noteConnection(exchange, connectUs, flags);
      this.#relayHead(exchange, status, elapsedUs, flags, head, body, totalBytes);
    } else {
      this.#ask(exchange, {
        number,
        status,
        elapsedUs,
        connectUs,
        flags,
        head: head.slice(),
        body: body.slice(),
        totalBytes,
      });
    }
  }

  /** The pipeline decides within the call, or later: until then nothing more of the response comes. */
  #ask(exchange: RelayedExchange, asked: AskedResponse): void {
    const { number, status, elapsedUs } = asked;
    const isHedge = number !== exchange.firstNumber;
    const wasHedged = exchange.isHedged;
    exchange.asked = asked;
    noteConnection(exchange, asked.connectUs, asked.flags);
    this.#pipeline.responseAsked(exchange, status, elapsedUs, retryAfterIn(asked.head), isHedge);
    if (!wasHedged || exchange.asked !== asked) return;
    // The other attempt may still do better.
    exchange.asked = null;
    if (exchange.isHedged) exchange.dropAttempt(number);
  }

  /** Called by the exchange, for the pipeline. */
  passOn(exchange: RelayedExchange): void {
    const asked = exchange.asked;
    if (asked === null) return;
    exchange.asked = null;
    if (exchange.isHedged) exchange.settleOn(asked.number);
    this.#engine.pass(asked.number);
    const { status, elapsedUs, connectUs, flags, head, body, totalBytes } = asked;
    noteConnection(exchange, connectUs, flags);
    this.#relayHead(exchange, status, elapsedUs, flags, head, body, totalBytes);
  }

  #relayHead(
    exchange: RelayedExchange,
    status: number,
    elapsedUs: number,
    flags: number,
    head: Uint8Array,
    body: Uint8Array,
    totalBytes: number,
  ): void {
    this.#pipeline.headCame(exchange, status, elapsedUs, exchange.attemptNumber !== exchange.firstNumber);
    const headForClient = tellFacts(this.#pipeline, exchange, head);
    const isLast = (flags & EventFlag.LAST) !== 0;
    if (isLast) this.#pipeline.endpointDone(exchange);
    const mustClose =
      this.#pipeline.isDraining ||
      exchange.isLastOfConnection ||
      exchange.isListenerGone ||
      (flags & EventFlag.REQUEST_UNFINISHED) !== 0;
    exchange.bytesToClient = body.length;
    const isTaken = exchange.sendHead(headForClient, body, totalBytes, isLast, mustClose);
    this.#relayed(exchange, isTaken, isLast);
  }

  #relayBody(exchange: RelayedExchange, base: number): void {
    const events = this.#events;
    const isLast = ((events[base + EventField.flags] as number) & EventFlag.LAST) !== 0;
    if (isLast) this.#pipeline.endpointDone(exchange);
    const body = this.#bodyOf(base);
    exchange.bytesToClient += body.length;
    this.#relayed(exchange, exchange.sendBody(body, isLast), isLast);
  }

  #bodyOf(base: number): Uint8Array {
    const bodyLength = this.#events[base + EventField.bodyLength] as number;
    return bodyLength === 0
      ? NOTHING
      : new Uint8Array(this.#arena, this.#events[base + EventField.bodyOffset], bodyLength);
  }

  #relayed(exchange: RelayedExchange, isTaken: boolean, isLast: boolean): void {
    if (isLast) {
      if (exchange.isFlushed) this.#pipeline.finished(exchange, DELIVERED);
    } else if (!isTaken) {
      this.#engine.pause(exchange.attemptNumber);
    }
  }

  #attemptFailed(exchange: RelayedExchange, number: number, base: number): void {
    const events = this.#events;
    const code = codeOfFailure(events[base + EventField.status] as number);
    const elapsedUs = events[base + EventField.elapsedUs] as number;
    const errno = events[base + EventField.errno] as number;
    let facts = factsOf(events[base + EventField.flags] as number);
    const isHedge = number !== exchange.firstNumber;
    exchange.asked = null;
    if (exchange.isHedged) {
      // The other attempt goes on, and holds the request as well.
      exchange.dropAttempt(number);
      facts &= ~AttemptFact.HELD;
    }
    if (isHedge) this.#pipeline.hedgeFailed(exchange, code, facts, elapsedUs, errno);
    else this.#pipeline.attemptFailed(exchange, code, facts, elapsedUs, errno);
  }
}

/** @param flags bits of EventFlag. @returns bits of AttemptFact */
function factsOf(flags: number): number {
  return (
    ((flags & EventFlag.RETRYABLE) !== 0 ? AttemptFact.HELD : 0) |
    ((flags & EventFlag.SENT) !== 0 ? AttemptFact.SENT : 0) |
    ((flags & EventFlag.REUSED) !== 0 ? AttemptFact.REUSED : 0) |
    ((flags & EventFlag.ANSWERED) !== 0 ? AttemptFact.ANSWERED : 0)
  );
}

function noteConnection(exchange: RelayedExchange, connectUs: number, flags: number): void {
  exchange.connectUs = connectUs;
  exchange.isReused = (flags & EventFlag.REUSED) !== 0;
}

const NOTHING = new Uint8Array(0);

function lengthOf(events: Int32Array, base: number, flags: number): number {
  if ((flags & EventFlag.BODYLESS) !== 0) return BODYLESS;
  if ((flags & EventFlag.LENGTH_KNOWN) === 0) return UNKNOWN_LENGTH;
  return (
    (events[base + EventField.lengthHigh] as number) * 4_294_967_296 +
    ((events[base + EventField.lengthLow] as number) >>> 0)
  );
}
