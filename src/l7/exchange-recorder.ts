/**
 * What of exchanges and their attempts is recorded, as it happens and when they end: figures in this worker's own memory, the log of what went
 * wrong, and whoever else wants to know of each end.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { FigureWriter } from '../board/figure-writer.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { WorkerStripe } from '../board/worker-stripe.js';
import type { EndpointPlan } from '../config/plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { tlsReason } from '../engine/tls-failure.js';
import type { FailureLog } from '../observability/failure-log.js';
import { DELIVERED, type Ending, type Exchange } from './exchange.js';
import type { RequestDescription } from './request-url.js';

/** Wants to know of the end of every exchange: the access log, traces. HOT. */
export interface ExchangeObserver {
  /** The exchange has begun; its request may be changed where it can be read. */
  began?(exchange: Exchange): void;
  /** One attempt has failed. @param endpoint index in the upstream */
  attemptFailed?(exchange: Exchange, endpoint: number, code: ErrorCode): void;
  /**
   * The exchange is over, and all its facts are known; its object is free when the call returns. May not fail.
   *
   * @param ending as it is recorded: what went wrong first, or DELIVERED
   */
  ended(exchange: Exchange, ending: Ending): void;
}

/** A tunnel: how long its attempt lasts says nothing of latency. */
const SWITCHING_PROTOCOLS = 101;

/** HOT (bench/micro/l7/recording.bench.ts). Thread: worker. */
export class ExchangeRecorder {
  readonly #stripe: WorkerStripe;
  readonly #figures: FigureWriter;
  readonly #failures: FailureLog;
  /** null: nobody; the usual case costs one branch. */
  #observers: readonly ExchangeObserver[] | null = null;

  /** @param board whose memory of figures is written */
  constructor({ stripe, figures }: Pick<WorkerBoard, 'stripe' | 'figures'>, failures: FailureLog) {
    this.#stripe = stripe;
    this.#figures = figures;
    this.#failures = failures;
  }

  /** From now on these are told of every end, in this order, and nobody else is. */
  observe(observers: readonly ExchangeObserver[]): void {
    this.#observers = observers.length === 0 ? null : observers;
  }

  /** HOT. */
  begin(exchange: Exchange): void {
    this.#stripe.beginExchange();
    if (this.#observers === null) return;
    for (const observer of this.#observers) observer.began?.(exchange);
  }

  /**
   * The head of an attempt's answer has come; `connectUs` and `isReused` of the exchange are that attempt's. While it holds its endpoint. HOT.
   *
   * @param attempting the exchange, or its second attempt
   */
  answered(exchange: Exchange, attempting: Attempting, status: number, firstByteUs: number): void {
    const { endpoint } = attempting;
    exchange.answeredBy = endpoint;
    const slot = slotOf(exchange.upstream as UpstreamRuntime, endpoint); // it has attempts
    this.#figures.endpoints.answered(slot, status, exchange.isReused, exchange.connectUs, firstByteUs);
  }

  /** It is known how the call of gRPC has ended that the answer is of. While the exchange holds its endpoint. @param word above 0 */
  grpcEnded({ answeredBy, upstream }: Exchange, word: number): void {
    if (answeredBy !== NO_ENDPOINT && upstream !== null)
      this.#figures.endpoints.grpcEnded(slotOf(upstream, answeredBy), word);
  }

  /** The endpoint whose answer goes to the client has sent the last byte of it. HOT. @param totalUs since its attempt began */
  completed(exchange: Exchange, totalUs: number): void {
    const { answeredBy, upstream } = exchange;
    if (answeredBy === NO_ENDPOINT || upstream === null || exchange.status === SWITCHING_PROTOCOLS) return;
    this.#figures.endpoints.completed(slotOf(upstream, answeredBy), totalUs);
  }

  /**
   * One attempt has failed; the exchange may go on with another one.
   *
   * @param endpoint index in the upstream
   */
  attemptFailed(exchange: Exchange, endpoint: number, code: ErrorCode, errno: number): void {
    const upstream = exchange.upstream;
    if (upstream === null) return;
    this.#figures.endpoints.failed(slotOf(upstream, endpoint), code);
    if (this.#observers !== null) {
      for (const observer of this.#observers) observer.attemptFailed?.(exchange, endpoint, code);
    }
    this.#failures.write('attempt-failed', code, {
      upstream: upstream.plan.name,
      endpoint: upstream.endpointName(endpoint),
      attempt: attemptsOf(exchange),
      ...whyOf(code, errno),
      requestId: exchange.describe().requestId,
    });
  }

  /** The exchange is over: all its facts are known, and its object is free behind this. HOT for DELIVERED. */
  end(exchange: Exchange, ending: Ending): void {
    this.#stripe.endExchange();
    if (exchange.status !== 0) this.#stripe.countResponse(exchange.status);
    this.#countEnd(exchange);
    if (ending !== DELIVERED) this.#failed(exchange, ending);
    if (this.#observers === null) return;
    for (const observer of this.#observers) observer.ended(exchange, ending);
  }

  #countEnd(exchange: Exchange): void {
    const { upstream, route, listener, second, answeredBy } = exchange;
    const { endpoints, routes, listeners, upstreams } = this.#figures;
    const retries = Math.max(attemptsOf(exchange) - 1, 0);
    const isHedged = second?.isUsed === true;
    listeners.exchangeEnded(listener.number, exchange, retries, isHedged);
    // Without an upstream it had no route: that of the object is of a request before.
    if (upstream === null || route === null) return;
    routes.exchangeEnded(route.plan.record, exchange, retries, isHedged);
    upstreams.exchangeEnded(upstream.plan.record, exchange, retries, isHedged);
    if (answeredBy === NO_ENDPOINT) return;
    const { queueUs, bytesFromClient, bytesToClient } = exchange;
    endpoints.served(slotOf(upstream, answeredBy), queueUs, bytesFromClient, bytesToClient);
  }

  #failed(exchange: Exchange, ending: ErrorCode): void {
    const { upstream, route, listener } = exchange;
    this.#stripe.countFailure(ending);
    this.#figures.listeners.failed(listener.number, ending);
    if (upstream !== null && route !== null) {
      this.#figures.routes.failed(route.plan.record, ending);
      this.#figures.upstreams.failed(upstream.plan.record, ending);
    }
    this.#failures.write('exchange-failed', ending, {
      listener: exchange.listener.name,
      ...(exchange.upstream === null ? {} : { upstream: exchange.upstream.plan.name }),
      ...known(exchange.describe()),
      status: exchange.status,
      attempts: attemptsOf(exchange),
    });
  }
}

/** @param endpoint index in the upstream */
function slotOf({ plan }: UpstreamRuntime, endpoint: number): number {
  return (plan.endpoints[endpoint] as EndpointPlan).slot; // it was picked there
}

/** On all upstreams. */
function attemptsOf({ attempts, recovery }: Exchange): number {
  return recovery.attemptsBefore + attempts;
}

/** What of a request is known: one that could not be parsed may have neither method nor id. */
function known({ method, path, requestId }: RequestDescription): Partial<RequestDescription> {
  return {
    ...(method === '' ? {} : { method }),
    ...(path === '' ? {} : { path: visible(path) }),
    ...(requestId === '' ? {} : { requestId }),
  };
}

/** Bytes of a path that are not printable ASCII as `\xHH`, as nginx does: a terminal may take some of them for commands. */
function visible(path: string): string {
  return path.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${hexOf(code, 2)}` : `\\u${hexOf(code, 4)}`;
  });
}

const HIDDEN = /[^ -~]/g;

function hexOf(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}

/** What the log says of a failure beside its code. */
function whyOf(code: ErrorCode, errno: number): { reason?: string; errno?: number } {
  if (code === 'SLUICE_ENDPOINT_TLS') return { reason: tlsReason(errno) };
  return errno === 0 ? {} : { errno };
}
