/**
 * The path of a request through a worker: route → admit → pick → attempt → relay → settle → record (docs/life-of-a-request.md).
 * Front ends call in with what clients and endpoints have done; how bytes get from one to the other is their business. Thread: worker.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { explanationText, withAttempt } from '../balancing/explanation-text.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { RoutePlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { msBetween, NEVER, type Tick, tickOf } from '../core/tick.js';
import { AttemptFact, PLAIN_PROFILE } from '../engine/attempt-profile.js';
import { admitSize, type RequestSize } from '../policies/request-limits.js';
import { admitPassage } from '../policies/request-passage.js';
import { mayRetry } from '../policies/retry.js';
import { retryAfterSeconds } from '../policies/retry-after.js';
import { ADMIT, type Verdict } from '../policies/verdict.js';
import { errorResponse, type LocalResponse, optionsResponse } from './error-response.js';
import { type AttemptStart, BEGUN, DELIVERED, type Ending, type Exchange, NO_POOL } from './exchange.js';
import { affinityOf, type ExchangeAffinity, unbind } from './exchange-affinity.js';
import type { ExchangeRecorder } from './exchange-recorder.js';
import { RequestRouting } from './request-routing.js';

/** Facts of a request that only `admit` looks at. */
export interface RequestFacts extends RequestSize {
  readonly hasLoop: boolean;
  /** Max-Forwards, or -1 without one. */
  readonly maxForwards: number;
}

/** What the pipeline works with; one for each worker. */
export interface PipelineParts {
  /** By the indices of the plan. */
  readonly upstreams: readonly UpstreamRuntime[];
  readonly recorder: ExchangeRecorder;
  readonly clock: Clock;
  /** An attempt failed for want of descriptors. */
  readonly onFileLimit: () => void;
}

const US_PER_MS = 1_000;
/** An int32; as the engine's own times. */
const MOST_ELAPSED_US = 2 ** 31 - 1;

/** Field of a response that says why its endpoint was picked. */
const EXPLANATION_FIELD = 'X-Sluice-Explain';

/** One for each worker, whatever front ends it has. */
export class Pipeline {
  readonly #routing: RequestRouting;
  /** By the indices of the plan; null: an upstream without. */
  readonly #affinities: readonly (ExchangeAffinity | null)[];
  readonly #recorder: ExchangeRecorder;
  readonly #clock: Clock;
  readonly #onFileLimit: () => void;
  #now: Tick = NEVER;
  /** The same reading in ms and their fractions. */
  #nowMs = 0;
  #openExchanges = 0;
  #exchangesBegun = 0;
  #isDraining = false;

  constructor(parts: PipelineParts) {
    this.#routing = new RequestRouting(parts.upstreams);
    this.#affinities = parts.upstreams.map(({ plan }) => affinityOf(plan));
    this.#recorder = parts.recorder;
    this.#clock = parts.clock;
    this.#onFileLimit = parts.onFileLimit;
  }

  get openExchanges(): number {
    return this.#openExchanges;
  }

  /** Since the start of this worker. */
  get exchangesBegun(): number {
    return this.#exchangesBegun;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** From now on every response tells its client to close the connection. */
  drain(): void {
    this.#isDraining = true;
  }

  /** The clock as it was last read. */
  get now(): Tick {
    return this.#now;
  }

  /**
   * Reads the shared clock for all calls until the next reading: front ends do so once for a batch of events, or for a request.
   *
   * @returns it, in ms
   */
  readClock(): number {
    const nowMs = this.#clock.nowMs();
    this.#now = tickOf(nowMs);
    this.#nowMs = nowMs;
    return nowMs;
  }

  // --- what clients do ----------------------------------------------------------------------------------------------------

  /**
   * A request's head has come: takes its route, admits it and begins its first attempt, or answers it. HOT (bench/micro/l7/native-front-end.bench.ts).
   *
   * @param route the most specific that matches; undefined: none does
   */
  begin(exchange: Exchange, route: RoutePlan | undefined, facts: RequestFacts): void {
    this.#open(exchange);
    if (facts.maxForwards === 0 && exchange.method === 'OPTIONS') return this.#answerOptions(exchange);
    if (route === undefined) return this.#answer(exchange, 'SLUICE_NO_ROUTE');
    const upstream = this.#route(exchange, route);
    const verdict = admit(exchange, facts);
    if (verdict !== ADMIT) return this.#answer(exchange, verdict);
    const affinity = this.#affinityOf(exchange);
    if (affinity !== null) exchange.preferred = affinity.preferredOf(exchange, this.#now);
    this.#routing.fillKey(exchange, upstream, route);
    this.#attempt(exchange);
  }

  /** A request that may not even be looked at. The exchange says whether another one can follow on its connection. */
  refuse(exchange: Exchange, code: ErrorCode): void {
    this.#open(exchange);
    this.#answer(exchange, code);
  }

  /** As refuse, but `answerRefused` gives the answer later. */
  refuseLater(exchange: Exchange): void {
    this.#open(exchange);
    exchange.state = 'refusing';
  }

  answerRefused(exchange: Exchange, code: ErrorCode): void {
    this.#answer(exchange, code);
  }

  /** The client has done something wrong behind the head: an error response where that is still possible, else a broken connection. */
  clientFailed(exchange: Exchange, code: ErrorCode): void {
    this.#fail(exchange, code);
  }

  /**
   * The client's side is over. The one end of every exchange, after which its object is free.
   *
   * @param ending how, as the client's side saw it; what went wrong before counts more
   */
  finished(exchange: Exchange, ending: Ending): void {
    exchange.upstream?.settleEnd(exchange, this.#now);
    this.#recorder.end(exchange, exchange.failure ?? ending);
    this.#openExchanges--;
    exchange.recycle();
  }

  // --- what endpoints do --------------------------------------------------------------------------------------------------

  /**
   * The head of the response has come. HOT.
   *
   * @param elapsedUs since the attempt began
   * @param _isHedge  it is that of the second attempt (Exchange.hedge)
   */
  headCame(exchange: Exchange, status: number, elapsedUs: number, _isHedge = false): void {
    exchange.state = 'relaying';
    exchange.status = status;
    exchange.firstByteUs = elapsedUs;
    exchange.firstByteAtMs = this.#nowMs;
    (exchange.upstream as UpstreamRuntime).settleFirstByte(exchange, status, elapsedUs, this.#now);
  }

  /** The head asks for a pause: Retry-After of a 429 or 503. Behind headCame, before the endpoint is done. @param value of the field */
  retryAfterCame(exchange: Exchange, value: string): void {
    exchange.upstream?.settleRetryAfter(exchange, retryAfterSeconds(value, Date.now()), this.#now);
  }

  /** The head reports the endpoint's load. Behind headCame, before the endpoint is done. @param text of `endpoint-load-metrics` */
  reportCame(exchange: Exchange, text: string): void {
    exchange.upstream?.settleReport(exchange, text, this.#nowMs);
  }

  /** The endpoint is done with the exchange: it may take another one. HOT. */
  endpointDone(exchange: Exchange): void {
    if (exchange.state === 'relaying') exchange.state = 'flushing';
    const bodyUs = (this.#nowMs - exchange.firstByteAtMs) * US_PER_MS;
    const elapsedUs = Math.min(exchange.firstByteUs + bodyUs, MOST_ELAPSED_US) | 0;
    exchange.upstream?.settleLastByte(exchange, elapsedUs, this.#now);
  }

  /**
   * The attempt failed: another one, an error response, or a broken connection.
   *
   * @param facts     bits of AttemptFact
   * @param elapsedUs since the attempt began
   * @param errno     or 0
   */
  attemptFailed(exchange: Exchange, code: ErrorCode, facts: number, elapsedUs: number, errno: number): void {
    const upstream = exchange.upstream as UpstreamRuntime;
    this.#recorder.attemptFailed(exchange, code, errno);
    // Once the endpoint has answered, a deadline that passes may be a slow client's doing.
    if (code === 'SLUICE_EXCHANGE_TIMEOUT' && exchange.status !== 0) upstream.settleEnd(exchange, this.#now);
    else upstream.settleFailure(exchange, code, elapsedUs, this.#now);
    exchange.lastFailure = code;
    if (code === 'SLUICE_FILE_LIMIT') this.#onFileLimit();
    const isUnsent = (facts & (AttemptFact.HELD | AttemptFact.SENT)) === AttemptFact.HELD;
    if (mayRetry({ code, isUnsent, attempts: exchange.attempts }, upstream.plan.retry.attempts))
      return this.#attempt(exchange);
    this.#fail(exchange, code);
  }

  /**
   * The head of a response has come whose status its profile asks about: `passOn`, `tryAgain`, or `putOff` and one of these later.
   *
   * @param status      in AttemptProfile.askedStatuses
   * @param elapsedUs   since the attempt began
   * @param _retryAfter value of Retry-After; '': none
   * @param _isHedge    it is that of the second attempt
   */
  responseAsked(exchange: Exchange, _status: number, _elapsedUs: number, _retryAfter: string, _isHedge: boolean): void {
    exchange.passOn();
  }

  /** The second attempt failed; the first one may have failed before it. Parameters as of attemptFailed. */
  hedgeFailed(exchange: Exchange, code: ErrorCode, facts: number, elapsedUs: number, errno: number): void {
    this.attemptFailed(exchange, code, facts, elapsedUs, errno);
  }

  /**
   * The attempt could not begin: the endpoint is new and its addresses are still on their way to this worker. Another one serves
   * meanwhile.
   */
  attemptUnusable(exchange: Exchange): void {
    (exchange.upstream as UpstreamRuntime).settleUnusable(exchange, this.#now);
    this.#attempt(exchange);
  }

  // --- the steps ----------------------------------------------------------------------------------------------------------

  #open(exchange: Exchange): void {
    exchange.state = 'attempting';
    this.#openExchanges++;
    this.#exchangesBegun++;
    this.#recorder.begin();
  }

  #route(exchange: Exchange, route: RoutePlan): UpstreamRuntime {
    exchange.exchangeTimeoutMs = route.exchangeTimeoutMs;
    exchange.beganAt = this.#now;
    return this.#routing.lead(exchange, route);
  }

  #affinityOf({ upstream }: Exchange): ExchangeAffinity | null {
    return upstream === null ? null : (this.#affinities[upstream.plan.index] as ExchangeAffinity | null); // of the plan
  }

  /** Picks an endpoint and begins an attempt there. */
  #attempt(exchange: Exchange): void {
    const upstream = exchange.upstream as UpstreamRuntime;
    const affinity = this.#affinityOf(exchange);
    const isAnother = exchange.lastFailure !== null;
    for (;;) {
      const slot = exchange.listener.explains
        ? this.#pickAndExplain(exchange, upstream)
        : upstream.pick(exchange, this.#now);
      if (slot === NO_ENDPOINT) return this.#fail(exchange, exchange.lastFailure ?? 'SLUICE_NO_ENDPOINT');
      affinity?.bind(exchange);
      const start = this.#isInTime(exchange) ? this.#start(exchange, slot, isAnother) : 'SLUICE_EXCHANGE_TIMEOUT';
      if (start === BEGUN) return;
      if (start !== NO_POOL) return this.#fail(exchange, start);
      upstream.settleUnusable(exchange, this.#now);
    }
  }

  #start(exchange: Exchange, slot: number, isAnother: boolean): AttemptStart {
    return isAnother ? exchange.tryAgain(slot, PLAIN_PROFILE) : exchange.beginAttempt(slot, PLAIN_PROFILE);
  }

  /** Sets `timeLeftMs`. @returns false: the deadline over all attempts has passed */
  #isInTime(exchange: Exchange): boolean {
    const { exchangeTimeoutMs, beganAt } = exchange;
    if (exchangeTimeoutMs === 0) return true;
    exchange.timeLeftMs = exchangeTimeoutMs - msBetween(beganAt, this.#now);
    return exchange.timeLeftMs > 0;
  }

  /** Picks, and tells the client why with whatever answer it will get. Cold: off unless the listener says so. */
  #pickAndExplain(exchange: Exchange, upstream: UpstreamRuntime): number {
    const explanation = upstream.explain(exchange, this.#now);
    const attempt = exchange.attempts + 1;
    const slot = upstream.pick(exchange, this.#now);
    exchange.explanation = withAttempt(
      exchange.explanation,
      explanationText(explanation, exchange.endpoint, attempt), // NO_ENDPOINT when none was picked
    );
    exchange.addResponseField(EXPLANATION_FIELD, exchange.explanation);
    return slot;
  }

  /** Ends an exchange that went wrong: an error response where that is still possible, else a broken connection. */
  #fail(exchange: Exchange, code: ErrorCode): void {
    exchange.release();
    exchange.upstream?.settleEnd(exchange, this.#now);
    if (exchange.state === 'attempting') return this.#answer(exchange, code);
    // Breaking off may report the client as gone within the call; it is the failure that counts, and of two the first.
    exchange.state = 'broken';
    exchange.failure ??= code;
    if (exchange.breakOff()) this.finished(exchange, code);
  }

  #answer(exchange: Exchange, code: ErrorCode): void {
    exchange.failure = code;
    unbind(exchange);
    const { requestId } = exchange.describe();
    this.#send(exchange, errorResponse(code, requestId), exchange.isConnectionSpent, code);
  }

  /** The last hop that Max-Forwards allows answers for itself (RFC 9110 7.6.2). */
  #answerOptions(exchange: Exchange): void {
    this.#send(exchange, optionsResponse(), false, DELIVERED);
  }

  #send(exchange: Exchange, response: LocalResponse, isConnectionSpent: boolean, ending: Ending): void {
    exchange.state = 'answering';
    exchange.status = response.status;
    const isOver = exchange.sendLocal(response, this.#isDraining || isConnectionSpent);
    if (isOver) this.finished(exchange, ending);
  }
}

/** The policies that can refuse a request, in their order. */
function admit(exchange: Exchange, facts: RequestFacts): Verdict {
  const passage = admitPassage(exchange.method, facts.hasLoop);
  return passage === ADMIT ? admitSize(exchange.listener.limits, facts) : passage;
}
