/**
 * Moves bodies and responses between a front end in TypeScript and the engine, and tells the pipeline what has happened. The native
 * front end needs none of it: its bytes stay in the engine. Thread: worker.
 */
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { AttemptFact } from '../engine/attempt-profile.js';
import { BODY_HIGH_WATER, type Engine, EVENT_STRIDE, EventField, EventFlag, EventType } from '../engine/engine.js';
import { codeOfFailure } from '../engine/engine-failure.js';
import { FIRST_FRONT_END_EXCHANGE } from '../engine/front-end-event.js';
import { exceedsBody } from '../policies/request-limits.js';
import { tellFacts } from './endpoint-facts.js';
import { DELIVERED } from './exchange.js';
import type { Pipeline, RequestFacts } from './pipeline.js';
import { BODYLESS, type RelayedExchange, UNKNOWN_LENGTH } from './relayed-exchange.js';
import { type HostRoutes, routeFor } from './router.js';

/** What the relay works with; one for each worker. */
export interface ResponseRelayParts {
  readonly pipeline: Pipeline;
  readonly engine: Engine;
  /** Where the engine's events and their bytes are (EngineOptions). */
  readonly events: Int32Array;
  readonly arena: Uint8Array;
}

export class ResponseRelay {
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
    this.#exchanges.push(exchange);
    return exchange;
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
    if (exchange.state !== 'attempting' && exchange.state !== 'relaying') return;
    exchange.receivedBytes += chunk.byteLength;
    if (exceedsBody(exchange.listener.limits, exchange.receivedBytes)) {
      this.#pipeline.readClock();
      return this.#pipeline.clientFailed(exchange, 'SLUICE_BODY_TOO_LARGE');
    }
    exchange.isBodyComplete = isLast;
    const heldBytes = this.#engine.write(exchange.id, chunk, isLast);
    // Nothing more will come after the last: reading on then only tells whether the client is still there.
    if (isLast) exchange.resumeRequest();
    else if (heldBytes > BODY_HIGH_WATER) exchange.pauseRequest();
  }

  /** The client is gone: its upstream work ends at once. */
  clientGone(exchange: RelayedExchange): void {
    if (exchange.state === 'free' || exchange.state === 'broken') return;
    if (exchange.refusal !== null) clearImmediate(exchange.refusal);
    this.#pipeline.readClock();
    this.#engine.release(exchange.id);
    this.#pipeline.finished(exchange, 'SLUICE_CLIENT_GONE');
  }

  /** The client takes bytes again. */
  clientReady(exchange: RelayedExchange): void {
    if (exchange.state === 'relaying') this.#engine.resume(exchange.id);
  }

  /** The client has taken the last byte of a response whose endpoint was done before. */
  clientTookAll(exchange: RelayedExchange): void {
    if (exchange.state === 'flushing') this.#pipeline.finished(exchange, DELIVERED);
  }

  // --- called by the engine -----------------------------------------------------------------------------------------------

  /** Handles a batch of the engine's events. HOT. */
  onBatch(count: number): void {
    const events = this.#events;
    this.#pipeline.readClock();
    for (let base = 0, end = count * EVENT_STRIDE; base < end; base += EVENT_STRIDE) {
      const type = events[base + EventField.type];
      if (type === EventType.NONE) continue;
      const exchange = this.#exchanges[events[base + EventField.exchange] as number] as RelayedExchange;
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

  #relayHead(exchange: RelayedExchange, base: number): void {
    const events = this.#events;
    const flags = events[base + EventField.flags] as number;
    this.#pipeline.headCame(
      exchange,
      events[base + EventField.status] as number,
      events[base + EventField.elapsedUs] as number,
    );
    const head = tellFacts(
      this.#pipeline,
      exchange,
      new Uint8Array(this.#arena, events[base + EventField.headOffset], events[base + EventField.headLength]),
    );
    const isLast = (flags & EventFlag.LAST) !== 0;
    if (isLast) this.#pipeline.endpointDone(exchange);
    const mustClose =
      this.#pipeline.isDraining || exchange.isLastOfConnection || (flags & EventFlag.REQUEST_UNFINISHED) !== 0;
    const isTaken = exchange.sendHead(head, this.#bodyOf(base), lengthOf(events, base, flags), isLast, mustClose);
    this.#relayed(exchange, isTaken, isLast);
  }

  #relayBody(exchange: RelayedExchange, base: number): void {
    const events = this.#events;
    const isLast = ((events[base + EventField.flags] as number) & EventFlag.LAST) !== 0;
    if (isLast) this.#pipeline.endpointDone(exchange);
    this.#relayed(exchange, exchange.sendBody(this.#bodyOf(base), isLast), isLast);
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
      this.#engine.pause(exchange.id);
    }
  }

  #attemptFailed(exchange: RelayedExchange, base: number): void {
    const events = this.#events;
    this.#pipeline.attemptFailed(
      exchange,
      codeOfFailure(events[base + EventField.status] as number),
      ((events[base + EventField.flags] as number) & EventFlag.RETRYABLE) !== 0 ? AttemptFact.HELD : AttemptFact.SENT,
      events[base + EventField.elapsedUs] as number,
      events[base + EventField.errno] as number,
    );
  }
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
