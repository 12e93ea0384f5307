/**
 * The path of a request through a worker: route → admit → pick → attempt → relay → settle → record (docs/life-of-a-request.md).
 * Front ends call in with what clients and endpoints have done; how bytes get from one to the other is their business. Which endpoints are
 * asked, and when again, is in attempts.ts. Thread: worker.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { RoutePlan, UpstreamPlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { NOT_GRPC } from '../core/grpc-status.js';
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import type { Timers } from '../core/timers.js';
import { isReplaced } from '../policies/fallback.js';
import { retryAfterSeconds } from '../policies/retry-after.js';
import { RetryBudgets } from '../policies/retry-budgets.js';
import { ADMIT } from '../policies/verdict.js';
import type { WaitingHost } from '../policies/waiter.js';
import { settleBreaker, settleGrpcEnd, settleHead } from './answer-judgement.js';
import type { AttemptProfiles } from './attempt-profiles.js';
import { Attempts } from './attempts.js';
import { BatchClock } from './batch-clock.js';
import { errorResponse, fixedResponse, type LocalResponse } from './error-response.js';
import { attemptOf, DELIVERED, type Ending, type Exchange, elapsedUs, MOST_ELAPSED_US } from './exchange.js';
import { unbind } from './exchange-affinity.js';
import type { ExchangeRecorder } from './exchange-recorder.js';
import { Hedges } from './hedges.js';
import type { ListenerAnswers } from './listener-answers.js';
import { admit, type RequestFacts } from './request-admission.js';
import { type RequestPlan, RequestPlans } from './request-plans.js';
import { RequestRouting } from './request-routing.js';

/** What the pipeline works with; one for each worker. */
export interface PipelineParts {
  readonly profiles: AttemptProfiles;
  readonly board: Pick<WorkerBoard, 'retryBudgets' | 'stripe'>;
  readonly recorder: ExchangeRecorder;
  readonly listenerAnswers: ListenerAnswers;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Of the pauses before retries. */
  readonly rng: Rng;
  /** An attempt failed for want of descriptors. */
  readonly onFileLimit: () => void;
  /** The retry budget of an upstream is spent; at most once in 10 s. @param refused since it was told the last time */
  readonly onBudgetSpent: (upstream: UpstreamPlan, refused: number) => void;
}

/** One for each worker, whatever front ends it has. */
export class Pipeline {
  readonly #plans: RequestPlans;
  readonly #routing: RequestRouting;
  readonly #attempts: Attempts;
  readonly #hedges: Hedges;
  readonly #recorder: ExchangeRecorder;
  readonly #listenerAnswers: ListenerAnswers;
  readonly #clock: BatchClock;
  readonly #onFileLimit: () => void;
  #openExchanges = 0;
  #exchangesBegun = 0;
  #isDraining = false;

  constructor(parts: PipelineParts) {
    const { recorder, timers, rng, board } = parts;
    const clock = new BatchClock(parts.clock);
    const routing = new RequestRouting();
    const budgets = new RetryBudgets(board, parts.onBudgetSpent);
    this.#plans = new RequestPlans(parts.profiles);
    this.#routing = routing;
    this.#recorder = recorder;
    this.#listenerAnswers = parts.listenerAnswers;
    this.#clock = clock;
    this.#onFileLimit = parts.onFileLimit;
    this.#hedges = new Hedges({ clock, timers, budgets, stripe: board.stripe });
    this.#attempts = new Attempts({
      plans: this.#plans,
      routing,
      clock,
      timers,
      rng,
      budgets,
      hedges: this.#hedges,
      recorder,
      giveUp: (exchange, code) => this.#fail(exchange, code),
    });
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

  /** For the waiting rooms. */
  get waitingHost(): WaitingHost<Exchange> {
    return this.#attempts.host;
  }

  /**
   * Goes by a plan from now on: the first one, and each that follows. Requests under way keep route, settings and upstream that they began
   * with; only where their next attempt goes is said by the plan of now.
   */
  apply(plan: RequestPlan): void {
    this.#plans.apply(plan);
    this.#hedges.retain(this.#plans.hedgeDelays);
    this.#routing.forget();
  }

  /** From now on every response tells its client to close the connection. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Nothing is begun any more by what waits. Idempotent. */
  close(): void {
    this.#attempts.close();
    this.#hedges.close();
  }

  /** The clock as it was last read. */
  get now(): Tick {
    return this.#clock.now;
  }

  /**
   * Reads the shared clock for all calls until the next reading: front ends do so once for a batch of events, or for a request.
   *
   * @returns it, in ms
   */
  readClock(): number {
    return this.#clock.read();
  }

  // --- what clients do ----------------------------------------------------------------------------------------------------

  /**
   * A request's head has come: takes its route, admits it and begins its first attempt, or answers it. HOT (bench/micro/l7/native-front-end.bench.ts).
   *
   * @param route the most specific that matches; undefined: none does
   */
  begin(exchange: Exchange, route: RoutePlan | undefined, facts: RequestFacts): void {
    this.#open(exchange);
    const own = this.#listenerAnswers.to(exchange, facts);
    if (typeof own === 'string') return this.#answer(exchange, own);
    if (own !== null) return this.#send(exchange, own, exchange.isConnectionSpent, DELIVERED);
    if (route === undefined) return this.#answer(exchange, 'SLUICE_NO_ROUTE');
    this.#route(exchange, route);
    const verdict = admit(exchange, facts);
    if (verdict !== ADMIT) return this.#answer(exchange, verdict);
    this.#attempts.begin(exchange);
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
    this.#attempts.ended(exchange);
    this.#settleAll(exchange);
    if (exchange.passage !== null) exchange.route?.breaker?.release(exchange.passage);
    exchange.totalUs = elapsedUs(exchange.beganAtMs, this.#clock.nowMs);
    this.#recorder.end(exchange, exchange.failure ?? ending);
    this.#openExchanges--;
    exchange.recycle();
  }

  // --- what endpoints do --------------------------------------------------------------------------------------------------

  /**
   * The head of the response has come, and goes to the client; `connectUs` and `isReused` are set. HOT.
   *
   * @param firstByteUs since the attempt began
   * @param isHedge   it is that of the second attempt (Exchange.hedge)
   * @param grpc      a word of src/core/grpc-status.ts: with GRPC_AWAITED the answer is judged when the endpoint is done
   */
  headCame(exchange: Exchange, status: number, firstByteUs: number, isHedge = false, grpc: number = NOT_GRPC): void {
    const { second, settings } = exchange;
    exchange.grpc = grpc;
    exchange.state = 'relaying';
    exchange.status = status;
    exchange.firstByteUs = firstByteUs;
    exchange.firstByteAtMs = this.#clock.nowMs;
    if (second?.isUsed === true) this.#hedges.decided(exchange, second, isHedge);
    if (settings !== null && settings.hedge !== null) this.#hedges.answered(settings.hedge, status, firstByteUs);
    settleHead(exchange, this.#recorder, this.#clock.now);
  }

  /** The head asks for a pause: Retry-After of a 429 or 503. Behind headCame, before the endpoint is done. @param value of the field */
  retryAfterCame(exchange: Exchange, value: string): void {
    exchange.upstream?.settleRetryAfter(exchange.serving, retryAfterSeconds(value, Date.now()), this.#clock.now);
  }

  /** The head reports the endpoint's load. Behind headCame, before the endpoint is done. @param text of `endpoint-load-metrics` */
  reportCame(exchange: Exchange, text: string): void {
    exchange.upstream?.settleReport(exchange.serving, text, this.#clock.nowMs);
  }

  /** The endpoint is done with the exchange: it may take another one. HOT. @param grpc as of headCame, where only the trailers say it */
  endpointDone(exchange: Exchange, grpc: number = NOT_GRPC): void {
    if (grpc > 0) settleGrpcEnd(exchange, grpc, this.#recorder, this.#clock.now);
    if (exchange.state === 'relaying') exchange.state = 'flushing';
    const bodyUs = elapsedUs(exchange.firstByteAtMs, this.#clock.nowMs);
    const attemptUs = Math.min(exchange.firstByteUs + bodyUs, MOST_ELAPSED_US);
    this.#recorder.completed(exchange, attemptUs);
    exchange.upstream?.settleLastByte(exchange.serving, attemptUs, this.#clock.now);
  }

  /**
   * The head of a response has come whose status its profile asks about: `passOn`, `tryAgain`, or `putOff` and one of these later. Where
   * the exchange's other attempt still runs nothing is called: that one counts, and the front end drops this response.
   *
   * @param status     in AttemptProfile.askedStatuses
   * @param elapsedUs  since the attempt began
   * @param retryAfter value of Retry-After; '': none
   * @param isHedge    it is that of the second attempt
   */
  responseAsked(exchange: Exchange, status: number, elapsedUs: number, retryAfter: string, isHedge: boolean): void {
    const { attempting, isAlone } = attemptOf(exchange, isHedge);
    if (isAlone) this.#attempts.asked(exchange, attempting, status, elapsedUs, retryAfter);
    else this.#attempts.settleAnswer(exchange, attempting, status, elapsedUs, retryAfter);
  }

  /**
   * The attempt failed: another one, an error response, or a broken connection; nothing where the exchange's other attempt still runs.
   *
   * @param facts     bits of AttemptFact
   * @param elapsedUs since the attempt began
   * @param errno     or 0
   */
  attemptFailed(exchange: Exchange, code: ErrorCode, facts: number, elapsedUs: number, errno: number): void {
    this.#attemptFailed(exchange, false, code, facts, elapsedUs, errno);
  }

  /** As attemptFailed, of the second attempt. */
  hedgeFailed(exchange: Exchange, code: ErrorCode, facts: number, elapsedUs: number, errno: number): void {
    this.#attemptFailed(exchange, true, code, facts, elapsedUs, errno);
  }

  /**
   * The time of an endpoint to drain is over, and the exchange has an attempt there: its request goes elsewhere where that is safe, or it
   * ends with SLUICE_ENDPOINT_DRAINED. Counts against nobody.
   */
  cut(exchange: Exchange, slot: number): void {
    const isSecond = exchange.upstream?.plan.endpoints[exchange.endpoint]?.slot !== slot;
    const isLeft = exchange.state === 'attempting' && this.#hedges.leave(exchange, isSecond);
    if (!isLeft) this.#fail(exchange, 'SLUICE_ENDPOINT_DRAINED');
  }

  /** Breaks an exchange off whatever it has come to: its client's connection ends. */
  abandon(exchange: Exchange, code: ErrorCode): void {
    if (exchange.state === 'broken' || exchange.state === 'free') return;
    this.#attempts.ended(exchange);
    exchange.release();
    this.#settleAll(exchange);
    this.#breakOff(exchange, code);
  }

  /**
   * The attempt could not begin: the endpoint is new and its addresses are still on their way to this worker. Another one serves
   * meanwhile.
   */
  attemptUnusable(exchange: Exchange): void {
    this.#attempts.unusable(exchange);
  }

  // --- the steps ----------------------------------------------------------------------------------------------------------

  #open(exchange: Exchange): void {
    exchange.state = 'attempting';
    exchange.serial++;
    exchange.beganAtMs = this.#clock.nowMs;
    this.#openExchanges++;
    this.#exchangesBegun++;
    this.#recorder.begin(exchange);
  }

  #route(exchange: Exchange, route: RoutePlan): void {
    // Nearly always that of the request before: then nothing is looked up.
    if (exchange.route === null || exchange.route.plan !== route) exchange.route = this.#plans.settingsOf(route);
    exchange.exchangeTimeoutMs = route.exchangeTimeoutMs;
    exchange.beganAt = this.#clock.now;
    this.#routing.lead(exchange, exchange.route);
  }

  #attemptFailed(
    exchange: Exchange,
    isHedge: boolean,
    code: ErrorCode,
    facts: number,
    elapsedUs: number,
    errno: number,
  ): void {
    const { attempting, isAlone } = attemptOf(exchange, isHedge);
    this.#settleFailure(exchange, attempting, code, elapsedUs, errno);
    if (code === 'SLUICE_FILE_LIMIT') this.#onFileLimit();
    if (exchange.state !== 'attempting') return this.#fail(exchange, code);
    if (isAlone || code === 'SLUICE_EXCHANGE_TIMEOUT') return this.#attempts.failed(exchange, code, facts);
    exchange.lastFailure = code;
    exchange.recovery.note(facts);
  }

  #settleFailure(exchange: Exchange, attempting: Attempting, code: ErrorCode, elapsedUs: number, errno: number): void {
    const { now } = this.#clock;
    if (attempting.endpoint === NO_ENDPOINT) return;
    this.#recorder.attemptFailed(exchange, attempting.endpoint, code, errno);
    // Once the endpoint has answered, a deadline that passes may be a slow client's doing.
    const upstream = exchange.upstream as UpstreamRuntime; // it had an attempt
    if (code === 'SLUICE_EXCHANGE_TIMEOUT' && exchange.status !== 0) return upstream.settleEnd(attempting, now);
    upstream.settleFailure(attempting, code, elapsedUs, now);
    if (attempting !== exchange) this.#attempts.avoid(exchange, attempting);
  }

  /** Ends an exchange that went wrong: an error response where that is still possible, else a broken connection. */
  #fail(exchange: Exchange, code: ErrorCode): void {
    this.#attempts.ended(exchange);
    exchange.release();
    this.#settleAll(exchange);
    if (exchange.state === 'attempting' || exchange.state === 'waiting') return this.#answer(exchange, code);
    this.#breakOff(exchange, code);
  }

  #breakOff(exchange: Exchange, code: ErrorCode): void {
    // Breaking off may report the client as gone within the call; it is the failure that counts, and of two the first.
    exchange.state = 'broken';
    exchange.failure ??= code;
    if (exchange.breakOff()) this.finished(exchange, code);
  }

  /** Gives back what its attempts hold. */
  #settleAll(exchange: Exchange): void {
    const { upstream, second } = exchange;
    if (upstream === null) return;
    upstream.settleEnd(exchange, this.#clock.now);
    if (second !== null && second.endpoint !== NO_ENDPOINT) upstream.settleEnd(second, this.#clock.now);
  }

  #answer(exchange: Exchange, code: ErrorCode): void {
    exchange.failure = code;
    exchange.answeredBy = NO_ENDPOINT;
    unbind(exchange);
    const fixed = exchange.upstream === null || !isReplaced(code) ? null : exchange.route?.plan.fallback?.response;
    const response =
      fixed === null || fixed === undefined
        ? errorResponse(code, exchange.describe().requestId, this.#retryAfterMs(exchange, code))
        : fixedResponse(fixed);
    if (exchange.passage !== null && isReplaced(code)) settleBreaker(exchange, true, this.#clock.now);
    this.#send(exchange, response, exchange.isConnectionSpent, code);
  }

  #retryAfterMs({ route }: Exchange, code: ErrorCode): number {
    return code === 'SLUICE_BREAKER_OPEN' ? (route?.breaker?.retryAfterMs(this.#clock.now) ?? 0) : 0;
  }

  #send(exchange: Exchange, response: LocalResponse, isConnectionSpent: boolean, ending: Ending): void {
    exchange.state = 'answering';
    exchange.status = response.status;
    // The native front end counts for itself, heads as well, and says so in the end.
    if (exchange.method !== 'HEAD') exchange.bytesToClient = Buffer.byteLength(response.body);
    const isOver = exchange.sendLocal(response, this.#isDraining || isConnectionSpent);
    if (isOver) this.finished(exchange, ending);
  }
}
