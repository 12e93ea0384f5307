/**
 * The native front end as the pipeline sees it: one for all its listeners in a worker. Walks the batches of its events, tells the
 * pipeline what has happened, and sees to it that every event which asks for a decision gets one. Thread: worker.
 */
import { KeyHasher, type TextHashes } from '../../../balancing/key-hasher.js';
import type { WorkerStripe } from '../../../board/worker-stripe.js';
import type { Plan, RoutePlan } from '../../../config/plan.js';
import { invariant } from '../../../core/invariant.js';
import type { Timers } from '../../../core/timers.js';
import type { AccessLines } from '../../../engine/access-lines.js';
import type { Engine } from '../../../engine/engine.js';
import { codeOfFailure } from '../../../engine/engine-failure.js';
import type { FrontEnd, FrontEndAddon } from '../../../engine/front-end.js';
import {
  attemptFactsOf,
  BodyKind,
  FIRST_FRONT_END_EXCHANGE,
  FRONT_END_EVENT_STRIDE,
  FrontEndEventType,
  FrontEndField,
  FrontEndFlag,
  METHOD_NAMES,
  NO_POOL,
  RequestFault,
  UNKNOWN_HOST,
} from '../../../engine/front-end-event.js';
import type { OnShortage } from '../../../engine/session-engine.js';
import type { AccessLog } from '../../../observability/access-log.js';
import type { FailureLog } from '../../../observability/failure-log.js';
import type { SessionLimits } from '../../../policies/session-limits.js';
import type { HandOffPlace, SessionListenings } from '../../../worker/data-plane.js';
import type { Pipeline } from '../../pipeline.js';
import type {} from '../../request-admission.js';
import { NO_TABLE } from '../../router.js';
import { codeOfFault, endingOf } from './client-side-codes.js';
import { NativeConnections } from './native-connections.js';
import { type BatchInHand, NativeExchange, type NativeExchangeParts, NO_BATCH } from './native-exchange.js';
import { NativeFacts } from './native-facts.js';
import { NativeKeys } from './native-keys.js';
import { isForNative, type NativeListener } from './native-listener.js';
import { NativeListeners } from './native-listeners.js';
import { NativeTotals, type TotalsFigures } from './native-totals.js';

/** Events in one batch; a fuller turn is delivered in several. */
const BATCH_EVENTS = 256;
/** Requests of one batch lie there. */
const ARENA_BYTES = 1024 * 1024;

const KEY_WORDS = 2;
/** PickKey.bodyBytes of a chunked body. */
const UNKNOWN_BYTES = -1;
const TWO_TO_32 = 2 ** 32;

/** What the front end needs of its worker. */
export interface NativeFrontEndParts {
  readonly addon: Pick<FrontEndAddon, 'FrontEnd'> & TextHashes;
  readonly engine: Engine;
  readonly pipeline: Pipeline;
  readonly limits: SessionLimits;
  readonly stripe: WorkerStripe;
  readonly figures: TotalsFigures;
  /** Of listeners that are gone. */
  readonly timers: Timers;
  readonly failures: FailureLog;
  readonly accessLog: Pick<AccessLog<AccessLines>, 'onLines'>;
  /** This process's name in Via. */
  readonly viaName: string;
  /** 24 hex digits from a good source of randomness, other ones in each worker. */
  readonly requestIdPrefix: string;
  /** Most connections that this worker may accept for itself. */
  readonly maxConnections: number;
  readonly onShortage: OnShortage;
}

export class NativeFrontEnd {
  readonly #listeners: NativeListeners;
  readonly #pipeline: Pipeline;
  readonly #connections: NativeConnections;
  readonly #events = new Int32Array(BATCH_EVENTS * FRONT_END_EVENT_STRIDE);
  readonly #arena = Buffer.alloc(ARENA_BYTES);
  readonly #frontEnd: FrontEnd;
  readonly #exchangeParts: NativeExchangeParts;
  readonly #totals: NativeTotals;
  /** All exchanges ever made here, by their number less FIRST_FRONT_END_EXCHANGE. */
  readonly #exchanges: NativeExchange[] = [];
  readonly #facts = new NativeFacts();
  #openExchanges = 0;
  #batches = 0;
  readonly #batch: BatchInHand = { number: NO_BATCH };
  #isClosed = false;

  constructor(parts: NativeFrontEndParts) {
    const { pipeline, limits, stripe, failures, timers } = parts;
    this.#pipeline = pipeline;
    const memory = { events: this.#events, arena: this.#arena };
    this.#connections = new NativeConnections({ limits, stripe, http2: parts.figures.http2, failures, ...memory });
    this.#totals = new NativeTotals(stripe, parts.figures);
    const keyWords = new Int32Array(KEY_WORDS);
    this.#frontEnd = new parts.addon.FrontEnd({
      engine: parts.engine,
      ...memory,
      onBatch: (count) => this.onBatch(count),
      onShortage: parts.onShortage,
      maxConnections: parts.maxConnections,
      viaName: parts.viaName,
      requestIdPrefix: parts.requestIdPrefix,
      keyWords,
    });
    parts.accessLog.onLines((lines) => this.#frontEnd.logTo(lines));
    const frontEnd = this.#frontEnd;
    const keys = new NativeKeys({ frontEnd, keyWords, hasher: new KeyHasher(parts.addon) });
    this.#listeners = new NativeListeners({ frontEnd, timers, cut: (listener) => this.#cutOff(listener) });
    const shared = { events: this.#events, arena: this.#arena, batch: this.#batch };
    this.#exchangeParts = { ...shared, frontEnd, keys, pipeline };
  }

  /**
   * Goes by a plan: takes connections for its listeners from now on, from the mailbox or at sockets of its own, and for others no more. As
   * DataPlane.apply; within the turn in which the pipeline goes by that plan, since routes are told by the plan's own objects.
   *
   * @throws ProxyError when a socket cannot be opened; the rest is done all the same
   */
  apply(plan: Pick<Plan, 'listeners' | 'shutdownTimeoutMs'>, listenings: SessionListenings): void {
    this.#exchangeParts.keys.forget();
    const listeners = plan.listeners.filter(isForNative);
    this.#totals.follow(listeners);
    const failure = this.#listeners.apply(listeners, listenings, plan.shutdownTimeoutMs);
    if (failure !== null) throw failure;
  }

  /** All objects of exchanges that there are. */
  get exchanges(): readonly NativeExchange[] {
    return this.#exchanges.filter((exchange) => exchange !== undefined);
  }

  /** Of listeners that are gone: requests may still begin with them. */
  get leavingRoutes(): readonly RoutePlan[] {
    return this.#listeners.leavingRoutes;
  }

  /** Where the primary hands connections to; none where every listener has a socket of this worker's own. */
  handOffPlaces(): readonly HandOffPlace[] {
    return this.#listeners.areHandedOver ? [{ kind: 'mailbox', mode: 'l7', mailbox: this.#frontEnd.mailbox }] : [];
  }

  /** Stops accepting; answers in flight close their connections. Idempotent. */
  drain(): void {
    this.#frontEnd.stopListening();
    this.#frontEnd.drain();
  }

  /** Client connections open now, those in the mailbox included. */
  openConnections(): number {
    const { connections, queued } = this.#frontEnd.stats();
    return connections + queued;
  }

  /** Connections that wait in the mailbox, each with what may be a request. */
  queuedConnections(): number {
    return this.#frontEnd.stats().queued;
  }

  /** Tunnels open now, each with a connection to an endpoint that is in no pool any more. */
  tunnels(): number {
    return this.#frontEnd.stats().tunnels;
  }

  /** Exchanges that the pipeline knows of. */
  get openExchanges(): number {
    return this.#openExchanges;
  }

  /** Adds to the stripe's counters what has been moved since the last call. */
  countBytes(): void {
    if (!this.#isClosed) this.#totals.count(this.#frontEnd);
  }

  /** As DataPlane.cut. */
  cut(slot: number, generation: number): void {
    this.#pipeline.readClock();
    for (const exchange of this.#exchanges)
      if (exchange?.hasAttemptOn(slot, generation) === true) this.#pipeline.cut(exchange, slot);
  }

  /** The time of a listener that is gone is over. */
  #cutOff(listener: number): void {
    this.#pipeline.readClock();
    for (const exchange of this.exchanges)
      if (exchange.listener.number === listener) this.#pipeline.abandon(exchange, 'SLUICE_SESSION_CUT');
  }

  /** Closes every connection at once; to be called before the engine's close. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.countBytes();
    this.#isClosed = true;
    this.#listeners.close();
    this.#frontEnd.close();
  }

  /** Handles a batch of events, and writes the decisions into those that ask for one. HOT (bench/micro/l7/native-front-end.bench.ts). */
  onBatch(count: number): void {
    const nowMs = this.#pipeline.readClock();
    this.#batch.number = ++this.#batches;
    for (let base = 0, end = count * FRONT_END_EVENT_STRIDE; base < end; base += FRONT_END_EVENT_STRIDE) {
      switch (this.#events[base + FrontEndField.type]) {
        case FrontEndEventType.REQUEST:
          this.#requested(base);
          break;
        case FrontEndEventType.PROGRESS:
          this.#progressed(base);
          break;
        case FrontEndEventType.OPENED:
          this.#connections.opened(this.#listenerAt(base), base, nowMs);
          break;
        case FrontEndEventType.CLOSED:
          this.#connections.closed(this.#listenerAt(base), base);
          break;
        case FrontEndEventType.ATTEMPT_FAILED:
          this.#attemptFailed(base);
          break;
        case FrontEndEventType.RESPONSE_ASKED:
          this.#responseAsked(base);
          break;
        case FrontEndEventType.FAULT:
          this.#faulted(base);
          break;
      }
    }
    this.#batch.number = NO_BATCH;
  }

  // --- what events mean ---------------------------------------------------------------------------------------------------

  #requested(base: number): void {
    const listener = this.#listenerAt(base);
    const exchange = this.#exchangeFor(this.#at(base, FrontEndField.number), listener);
    invariant(exchange.state === 'free', 'a number is used for another request when its exchange has finished');
    exchange.listener = listener.plan;
    exchange.method = METHOD_NAMES[this.#at(base, FrontEndField.method)] ?? '';
    exchange.ask(base, this.#batches);
    this.#openExchanges++;
    const fault = this.#at(base, FrontEndField.fault);
    if (fault !== RequestFault.NONE) {
      exchange.hasFault = fault !== RequestFault.TOO_EARLY; // may come again on the same connection
      return this.#pipeline.refuse(exchange, codeOfFault(fault));
    }
    if ((this.#at(base, FrontEndField.flags) & FrontEndFlag.MISDIRECTED) !== 0)
      return this.#pipeline.refuse(exchange, 'SLUICE_MISDIRECTED');
    const number = this.#at(base, FrontEndField.route);
    if (number === UNKNOWN_HOST) return this.#requestedOfUnknownHost(exchange, listener, base);
    this.#begin(exchange, listener.route(number), base);
  }

  /** The Host has not been seen here before, or is forgotten: finds its table, which the front end remembers. */
  #requestedOfUnknownHost(exchange: NativeExchange, listener: NativeListener, base: number): void {
    const table = listener.router.tableOf(this.#textAt(base, FrontEndField.hostOffset, FrontEndField.hostLength));
    this.#events[base + FrontEndField.hostTable] = table;
    if (table === NO_TABLE) return this.#pipeline.refuse(exchange, 'SLUICE_BAD_HOST');
    const path = this.#textAt(base, FrontEndField.targetOffset, FrontEndField.pathLength);
    this.#begin(exchange, listener.routeIn(table, path), base);
  }

  #begin(exchange: NativeExchange, route: RoutePlan | undefined, base: number): void {
    const facts = this.#facts;
    facts.hasLoop = (this.#at(base, FrontEndField.flags) & FrontEndFlag.LOOP) !== 0;
    facts.maxForwards = this.#at(base, FrontEndField.maxForwards);
    exchange.key.bodyBytes = this.#bodyBytesAt(base);
    this.#pipeline.begin(exchange, route, facts);
  }

  /** As PickKey.bodyBytes. */
  #bodyBytesAt(base: number): number {
    const kind = this.#at(base, FrontEndField.bodyKind);
    if (kind === BodyKind.NONE) return 0;
    if (kind === BodyKind.CHUNKED) return UNKNOWN_BYTES;
    return this.#longAt(base, FrontEndField.bodyLow);
  }

  #progressed(base: number): void {
    const exchange = this.#openExchange(base);
    const flags = this.#at(base, FrontEndField.flags);
    const status = this.#at(base, FrontEndField.status);
    const grpc = this.#at(base, FrontEndField.grpcStatus);
    // Told in one event with what came before it, a head may be of an attempt that TypeScript has ended meanwhile.
    if ((flags & FrontEndFlag.FIRST_BYTE) !== 0 && isAttempted(exchange)) {
      const isHedge = (flags & FrontEndFlag.HEDGE_WON) !== 0;
      this.#noteConnection(exchange, base, flags);
      this.#pipeline.headCame(exchange, status, this.#at(base, FrontEndField.elapsedUs), isHedge, grpc);
      if (this.#at(base, FrontEndField.retryAfterLength) > 0)
        this.#pipeline.retryAfterCame(
          exchange,
          this.#textAt(base, FrontEndField.retryAfterOffset, FrontEndField.retryAfterLength),
        );
      if (this.#at(base, FrontEndField.reportLength) > 0)
        this.#pipeline.reportCame(exchange, this.#textAt(base, FrontEndField.reportOffset, FrontEndField.reportLength));
    }
    if ((flags & FrontEndFlag.ENDPOINT_DONE) !== 0) this.#pipeline.endpointDone(exchange, grpc);
    if ((flags & FrontEndFlag.FINISHED) === 0) return;
    exchange.takeBack(this.#batches);
    exchange.status = status;
    exchange.bytesToClient = this.#longAt(base, FrontEndField.toClientLow);
    exchange.bytesFromClient = this.#longAt(base, FrontEndField.fromClientLow);
    this.#openExchanges--;
    this.#pipeline.finished(exchange, endingOf(this.#at(base, FrontEndField.reason)));
  }

  #attemptFailed(base: number): void {
    const exchange = this.#openExchange(base);
    const flags = this.#at(base, FrontEndField.flags);
    const isOngoing = (flags & FrontEndFlag.ONGOING) !== 0;
    if (!isOngoing) exchange.ask(base, this.#batches);
    if ((flags & FrontEndFlag.HEAD_SEEN) !== 0 && exchange.state === 'attempting') exchange.state = 'relaying';
    // The exchange has been answered or broken off in the meantime, and its attempt with it.
    if (!isAttempted(exchange) && exchange.state !== 'relaying') return;
    const reason = this.#at(base, FrontEndField.reason);
    if (reason === NO_POOL) return this.#pipeline.attemptUnusable(exchange);
    const code = codeOfFailure(reason);
    // The attempt that goes on holds the request as well: nothing is to be sent again.
    const facts = attemptFactsOf(isOngoing ? flags & ~FrontEndFlag.RETRYABLE : flags);
    const elapsedUs = this.#at(base, FrontEndField.elapsedUs);
    const errno = this.#at(base, FrontEndField.errno);
    if ((flags & FrontEndFlag.HEDGE) === 0) this.#pipeline.attemptFailed(exchange, code, facts, elapsedUs, errno);
    else this.#pipeline.hedgeFailed(exchange, code, facts, elapsedUs, errno);
  }

  #responseAsked(base: number): void {
    const exchange = this.#openExchange(base);
    const flags = this.#at(base, FrontEndField.flags);
    if ((flags & FrontEndFlag.ONGOING) === 0) exchange.ask(base, this.#batches);
    if (!isAttempted(exchange)) return;
    this.#noteConnection(exchange, base, flags);
    this.#pipeline.responseAsked(
      exchange,
      this.#at(base, FrontEndField.status),
      this.#at(base, FrontEndField.elapsedUs),
      this.#textAt(base, FrontEndField.retryAfterOffset, FrontEndField.retryAfterLength),
      (flags & FrontEndFlag.HEDGE) !== 0,
    );
  }

  #faulted(base: number): void {
    const exchange = this.#openExchange(base);
    // Whatever is wrong behind a request that has its answer changes nothing: the front end reads no further.
    if (exchange.state === 'answering' || exchange.state === 'broken') return;
    exchange.takeBack(this.#batches);
    exchange.hasFault = true;
    this.#pipeline.clientFailed(exchange, codeOfFault(this.#at(base, FrontEndField.fault)));
  }

  // --- reading events -----------------------------------------------------------------------------------------------------

  #exchangeFor(number: number, listener: NativeListener): NativeExchange {
    const index = number - FIRST_FRONT_END_EXCHANGE;
    let exchange = this.#exchanges[index];
    if (exchange === undefined) {
      exchange = new NativeExchange(number, listener.plan, this.#exchangeParts);
      this.#exchanges[index] = exchange;
    }
    return exchange;
  }

  #openExchange(base: number): NativeExchange {
    const exchange = this.#exchanges[this.#at(base, FrontEndField.number) - FIRST_FRONT_END_EXCHANGE];
    invariant(exchange !== undefined && exchange.state !== 'free', 'the front end speaks of exchanges that have begun');
    return exchange;
  }

  #listenerAt(base: number): NativeListener {
    return this.#listeners.at(this.#at(base, FrontEndField.listener));
  }

  /** The bytes that two fields of an event point at, one character each. */
  #textAt(base: number, offsetField: number, lengthField: number): string {
    const offset = this.#at(base, offsetField);
    return this.#arena.toString('latin1', offset, offset + this.#at(base, lengthField));
  }

  #noteConnection(exchange: NativeExchange, base: number, flags: number): void {
    exchange.connectUs = this.#at(base, FrontEndField.connectUs);
    exchange.isReused = (flags & FrontEndFlag.REUSED) !== 0;
  }

  /** @param low field of the low word, which is unsigned; the high one follows */
  #longAt(base: number, low: number): number {
    return this.#at(base, low + 1) * TWO_TO_32 + (this.#at(base, low) >>> 0);
  }

  #at(base: number, field: number): number {
    return this.#events[base + field] as number; // inside the batch
  }
}

/** Nothing of a response has gone to the client, neither an endpoint's nor the proxy's own. HOT. */
function isAttempted({ state }: NativeExchange): boolean {
  return state === 'attempting' || state === 'waiting';
}
