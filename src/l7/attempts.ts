/**
 * The attempts of exchanges: which endpoint is asked, when the next one is, and when nobody is asked any more. Picks, begins, waits, tries
 * again and falls back; what may be done is decided in src/policies. Thread: worker.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { TriedSet } from '../balancing/tried-set.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import { NO_SUBSET } from '../config/picking-plan.js';
import { type FallbackPlan, PRIORITIES } from '../config/resilience-plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import type { Rng } from '../core/rng.js';
import type { Timers } from '../core/timers.js';
import { AttemptFact } from '../engine/attempt-profile.js';
import { fallbackFor } from '../policies/fallback.js';
import { isIdempotent } from '../policies/request-passage.js';
import { isRepeatable, mayTryElsewhere, pauseMs } from '../policies/retry.js';
import { asksToWait, retryAfterSeconds } from '../policies/retry-after.js';
import type { RetryBudgets } from '../policies/retry-budgets.js';
import { BreakerPassage } from '../policies/route-breaker.js';
import { ADMIT } from '../policies/verdict.js';
import { NOT_WAITING, type WaitingHost } from '../policies/waiter.js';
import { QUEUE_IS_FULL, WAITS, type WaitingRoom } from '../policies/waiting-room.js';
import type { BatchClock } from './batch-clock.js';
import { BEGUN, type Exchange, NO_POOL, type RouteSettings } from './exchange.js';
import { unbind } from './exchange-affinity.js';
import type { ExchangeRecorder } from './exchange-recorder.js';
import { pickExplained } from './explained-pick.js';
import type { Hedges } from './hedges.js';
import { NONE_ASKED, NOT_WITHDRAWN } from './recovery.js';
import type { RequestPlans } from './request-plans.js';
import type { RequestRouting } from './request-routing.js';

const MS_PER_S = 1_000;
const IDEMPOTENCY_KEY = 'idempotency-key';

/** What attempts are made with. */
export interface AttemptsParts {
  readonly plans: RequestPlans;
  readonly routing: RequestRouting;
  readonly clock: BatchClock;
  readonly timers: Timers;
  readonly rng: Rng;
  readonly budgets: RetryBudgets;
  readonly hedges: Hedges;
  readonly recorder: ExchangeRecorder;
  /** Nobody will serve it: answers it, or breaks its response off. */
  readonly giveUp: (exchange: Exchange, code: ErrorCode) => void;
}

/** One for each pipeline. */
export class Attempts {
  readonly #parts: AttemptsParts;
  /** What waiting rooms ask. */
  readonly host: WaitingHost<Exchange> = {
    readTick: () => {
      this.#parts.clock.read();
      return this.#parts.clock.now;
    },
    pick: (exchange) => this.#pickOne(exchange),
    begin: (exchange, slot) => this.#begun(exchange, slot),
    timedOut: (exchange) => {
      const code = exchange.isInTime(this.#parts.clock.now, 0) ? 'SLUICE_QUEUE_TIMEOUT' : 'SLUICE_EXCHANGE_TIMEOUT';
      this.#leftQueue(exchange, code);
    },
    displaced: (exchange) => this.#leftQueue(exchange, 'SLUICE_QUEUE_FULL'),
  };
  #isClosed = false;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  /** Nothing is begun any more by what waits. Idempotent. */
  close(): void {
    this.#isClosed = true;
  }

  /** The first attempt of a request, whose upstream and settings are set. HOT (bench/micro/l7/native-front-end.bench.ts). */
  begin(exchange: Exchange): void {
    const { routing, budgets, clock } = this.#parts;
    const { recovery, route, settings } = exchange;
    const upstream = exchange.upstream as UpstreamRuntime; // set by the pipeline
    invariant(route !== null && settings !== null, 'a request that is attempted has a route');
    const { retry, served } = settings;
    const { fallback } = route.plan;
    const isSentAgain = retry.attempts > 1 || fallback !== null;
    const isSafe = isIdempotent(exchange.method);
    recovery.hasIdempotencyKey = isSentAgain && !isSafe && exchange.header(IDEMPOTENCY_KEY) !== null;
    recovery.isRepeatable = isRepeatable(isSafe, recovery.hasIdempotencyKey, retry);
    recovery.profile = recovery.isRepeatable ? settings.profile : settings.profileOnce;
    budgets.countRequest(upstream.plan, clock.nowMs);
    if (fallback !== null) routing.keepFallbackKey(exchange, route, fallback);
    if (route.breaker !== null) {
      exchange.passage ??= new BreakerPassage();
      const verdict = route.breaker.admit(exchange.passage, clock.now);
      if (verdict !== ADMIT) return this.#giveUp(exchange, verdict);
    }
    const { affinity, room } = served;
    if (affinity !== null) exchange.preferred = affinity.preferredOf(exchange, clock.now);
    routing.fillKey(exchange, upstream, route.plan);
    if (room !== null) {
      recovery.priority = priorityOf(exchange);
      if (room.mustQueue(exchange, clock.now)) return this.#wait(exchange, room);
    }
    this.#pick(exchange);
  }

  // --- how attempts end ---------------------------------------------------------------------------------------------------

  /** The only attempt that ran has failed, and has been settled: the next one, or the end. @param facts bits of AttemptFact */
  failed(exchange: Exchange, code: ErrorCode, facts: number): void {
    const { recovery, settings } = exchange;
    if (settings === null) return this.#parts.giveUp(exchange, code);
    const { retry } = settings;
    exchange.lastFailure = code;
    recovery.note(facts);
    recovery.askedStatus = NONE_ASKED;
    this.#parts.plans.follow(exchange);
    const told = recovery.isSent ? facts | AttemptFact.SENT : facts;
    const mayRetry = exchange.attempts < retry.attempts && mayTryElsewhere(code, told, recovery.isRepeatable, retry.on);
    // Whoever has failed this request is not asked again: with nobody else left a pause would only make the client wait.
    if (!mayRetry || !hasUntried(exchange)) return this.#giveUp(exchange, code);
    this.#pause(exchange, pauseMs(exchange.attempts, code, retry.backoff, this.#parts.rng));
  }

  /** NO_POOL, told in an event: another endpoint serves meanwhile. */
  unusable(exchange: Exchange): void {
    (exchange.upstream as UpstreamRuntime).settleUnusable(exchange, this.#parts.clock.now);
    this.#pick(exchange);
  }

  /**
   * The only attempt that runs has an answer whose status may be tried again.
   *
   * @param answered the exchange, or its second attempt
   */
  asked(exchange: Exchange, answered: Attempting, status: number, elapsedUs: number, retryAfter: string): void {
    const { rng, clock, budgets } = this.#parts;
    const { recovery, settings } = exchange;
    const upstream = exchange.upstream as UpstreamRuntime; // it has an attempt
    if (settings === null) return exchange.passOn();
    const { retry } = settings;
    const waitMs = retryAfter === '' ? 0 : retryAfterSeconds(retryAfter, Date.now()) * MS_PER_S;
    const isWaitable = waitMs > 0 && waitMs <= retry.mostRetryAfterMs;
    const hasNext = hasUntried(exchange, answered) || isWaitable;
    const mayAsk = recovery.isRepeatable && retry.statuses.includes(status) && exchange.attempts < retry.attempts;
    if (!mayAsk || !hasNext || !budgets.allows(upstream.plan, clock.nowMs)) return exchange.passOn();
    this.settleAnswer(exchange, answered, status, elapsedUs, retryAfter);
    recovery.askedStatus = status;
    recovery.askAgainAtMs = isWaitable ? clock.nowMs + waitMs : NONE_ASKED;
    this.#pause(exchange, pauseMs(exchange.attempts, null, retry.backoff, rng));
  }

  /** An answer that does not go to the client, at least not for now: what it says of its endpoint. */
  settleAnswer(exchange: Exchange, answered: Attempting, status: number, elapsedUs: number, retryAfter: string): void {
    const { now } = this.#parts.clock;
    const upstream = exchange.upstream as UpstreamRuntime; // it has an attempt
    this.#parts.recorder.answered(exchange, answered, status, elapsedUs);
    upstream.settleFirstByte(answered, status, elapsedUs, now);
    if (retryAfter !== '' && asksToWait(status))
      upstream.settleRetryAfter(answered, retryAfterSeconds(retryAfter, Date.now()), now);
    upstream.settleUnusable(answered, now);
    exchange.recovery.isSent = true;
    this.avoid(exchange, answered);
  }

  /** Where an attempt of the exchange has failed the next one does not go. */
  avoid(exchange: Exchange, attempting: Attempting): void {
    exchange.tried ??= new TriedSet();
    exchange.tried.addAll(attempting.tried);
  }

  /** The exchange is over, or answered: nothing of it waits any more. Idempotent. */
  ended(exchange: Exchange): void {
    const { recovery, upstream } = exchange;
    recovery.cancelPause?.();
    recovery.cancelPause = null;
    if (upstream === null) return;
    exchange.endWait(this.#parts.clock.nowMs);
    if (exchange.entry !== NOT_WAITING) exchange.room?.leave(exchange);
    this.#giveBack(exchange);
  }

  // --- waiting ------------------------------------------------------------------------------------------------------------

  #pause(exchange: Exchange, ms: number): void {
    const { budgets, clock, timers } = this.#parts;
    const { recovery } = exchange;
    const { plan } = exchange.upstream as UpstreamRuntime; // it had an attempt
    if (ms <= 0) return this.#again(exchange);
    if (!exchange.isInTime(clock.now, ms) || !budgets.allows(plan, clock.nowMs)) return this.#concede(exchange);
    exchange.state = 'waiting';
    exchange.beginWait(clock.nowMs);
    exchange.putOff();
    recovery.cancelPause = timers.after(ms, () => {
      if (this.#isClosed) return;
      recovery.cancelPause = null;
      exchange.endWait(clock.read());
      exchange.state = 'attempting';
      this.#again(exchange);
    });
  }

  #again(exchange: Exchange): void {
    const { budgets, clock } = this.#parts;
    const { plan } = exchange.upstream as UpstreamRuntime; // it had an attempt
    if (!budgets.withdraw(plan, clock.nowMs)) return this.#concede(exchange);
    exchange.recovery.withdrawnAtMs = clock.nowMs;
    this.#pick(exchange);
  }

  /** In line for a place at an endpoint. */
  #wait(exchange: Exchange, room: WaitingRoom<Exchange>): void {
    const { now } = this.#parts.clock;
    const { settings, recovery, exchangeTimeoutMs } = exchange;
    if (settings === null || !exchange.isInTime(this.#parts.clock.now, 0))
      return this.#giveUp(exchange, 'SLUICE_EXCHANGE_TIMEOUT');
    const { queueMs } = settings;
    exchange.room = room;
    const deadlineMs = exchangeTimeoutMs === 0 ? queueMs : Math.min(queueMs, exchange.timeLeftMs);
    const result = room.wait(exchange, recovery.priority, deadlineMs, now);
    if (result === QUEUE_IS_FULL) return this.#giveUp(exchange, exchange.lastFailure ?? 'SLUICE_QUEUE_FULL');
    if (result !== WAITS) return this.#begun(exchange, result);
    exchange.state = 'waiting';
    exchange.beginWait(this.#parts.clock.nowMs);
    exchange.putOff();
  }

  /** It has its place. */
  #begun(exchange: Exchange, slot: number): void {
    exchange.endWait(this.#parts.clock.nowMs);
    exchange.state = 'attempting';
    if (!this.#start(exchange, slot)) this.#pick(exchange);
  }

  /** It has none, and will not have one. What went wrong before it had to wait counts more. */
  #leftQueue(exchange: Exchange, code: ErrorCode): void {
    exchange.endWait(this.#parts.clock.nowMs);
    exchange.state = 'attempting';
    this.#giveUp(exchange, exchange.lastFailure ?? code);
  }

  // --- picking and beginning ----------------------------------------------------------------------------------------------

  #pick(exchange: Exchange): void {
    for (;;) {
      const slot = this.#pickOne(exchange);
      if (slot === NO_ENDPOINT) return this.#noneFound(exchange);
      if (this.#start(exchange, slot)) return;
    }
  }

  /** @returns false: the endpoint cannot be used yet, and another one is to be picked */
  #start(exchange: Exchange, slot: number): boolean {
    const { recovery, settings } = exchange;
    const upstream = exchange.upstream as UpstreamRuntime; // it has just been picked from
    settings?.served.affinity?.bind(exchange);
    let start = BEGUN as ReturnType<Exchange['beginAttempt']>;
    if (!exchange.isInTime(this.#parts.clock.now, 0)) start = 'SLUICE_EXCHANGE_TIMEOUT';
    else if (recovery.hasBegun) start = exchange.tryAgain(slot, recovery.profile);
    else start = exchange.beginAttempt(slot, recovery.profile);
    if (start === BEGUN) {
      recovery.hasBegun = true;
      recovery.askedStatus = NONE_ASKED;
      recovery.withdrawnAtMs = NOT_WITHDRAWN;
      if (settings !== null && settings.hedge !== null) this.#parts.hedges.begun(exchange, settings.hedge);
      return true;
    }
    upstream.settleUnusable(exchange, this.#parts.clock.now);
    if (start === NO_POOL) return false;
    if (recovery.askedStatus !== NONE_ASKED) this.#concede(exchange);
    else this.#giveUp(exchange, start);
    return true;
  }

  #noneFound(exchange: Exchange): void {
    const { clock } = this.#parts;
    const { recovery } = exchange;
    const upstream = exchange.upstream as UpstreamRuntime; // it has just been asked
    if (recovery.askedStatus !== NONE_ASKED) {
      const waitMs = recovery.askAgainAtMs - clock.nowMs;
      const isWaitable = recovery.askAgainAtMs !== NONE_ASKED && waitMs > 0;
      recovery.askAgainAtMs = NONE_ASKED;
      if (!isWaitable) return this.#concede(exchange);
      // Nobody else: the one that said when to come again is asked then.
      this.#giveBack(exchange);
      exchange.tried?.clear();
      return this.#pause(exchange, Math.ceil(waitMs) + 1);
    }
    const why = upstream.whyNone(exchange, clock.now);
    const room = why === 'SLUICE_ENDPOINTS_FULL' ? (exchange.settings?.served.room ?? null) : null;
    if (room !== null) return this.#wait(exchange, room);
    this.#giveUp(exchange, exchange.lastFailure ?? why);
  }

  /** HOT. */
  #pickOne(exchange: Exchange): number {
    this.#parts.plans.follow(exchange);
    const upstream = exchange.upstream as UpstreamRuntime; // set before the first pick
    const { now } = this.#parts.clock;
    return exchange.listener.explains ? pickExplained(exchange, exchange, upstream, now) : upstream.pick(exchange, now);
  }

  // --- the last steps -----------------------------------------------------------------------------------------------------

  /** There will be no other attempt: the answer that was asked about goes to the client, or the last failure is its end. */
  #concede(exchange: Exchange): void {
    if (exchange.recovery.askedStatus === NONE_ASKED)
      return this.#giveUp(exchange, exchange.lastFailure ?? 'SLUICE_NO_ENDPOINT');
    this.#giveBack(exchange);
    exchange.state = 'attempting';
    exchange.passOn();
  }

  /** Nobody of this upstream will serve it: that of the fallback, or the end. Before the head. */
  #giveUp(exchange: Exchange, code: ErrorCode): void {
    const { recovery } = exchange;
    this.#giveBack(exchange);
    const fallback = exchange.route?.plan.fallback ?? null;
    if (fallback !== null) {
      const step = fallbackFor(code, fallback, {
        hasFallenBack: recovery.fellBackFor !== null,
        isHeld: recovery.isHeld,
        isSent: recovery.isSent,
        isRepeatable: recovery.isRepeatable,
      });
      if (step === 'upstream' && exchange.isInTime(this.#parts.clock.now, 0))
        return this.#fallBack(exchange, fallback, code);
    }
    this.#parts.giveUp(exchange, recovery.fellBackFor ?? code);
  }

  /** Its attempts there count anew; the deadline over all of them goes on. */
  #fallBack(exchange: Exchange, { upstream: index }: FallbackPlan, code: ErrorCode): void {
    const { routing, budgets, clock } = this.#parts;
    const { recovery, route } = exchange;
    if (route === null) return;
    // Its own upstream has failed the request, whatever the other one makes of it.
    if (exchange.passage !== null) route.breaker?.settled(exchange.passage, true, 0, clock.now);
    const settings = route.on(index);
    const upstream = settings.served.runtime;
    unbind(exchange);
    exchange.upstream = upstream;
    exchange.subset = NO_SUBSET;
    exchange.settings = settings;
    exchange.preferred = NO_ENDPOINT;
    exchange.tried = null;
    exchange.lastFailure = null;
    recovery.fellBackFor = code;
    recovery.attemptsBefore += exchange.attempts;
    exchange.attempts = 0;
    // Whether this one's endpoints may get it twice is for this one to say.
    recovery.isRepeatable = isRepeatable(isIdempotent(exchange.method), recovery.hasIdempotencyKey, settings.retry);
    recovery.profile = recovery.isRepeatable ? settings.profile : settings.profileOnce;
    routing.takeFallbackKey(exchange, upstream);
    budgets.countRequest(upstream.plan, clock.nowMs);
    exchange.state = 'attempting';
    this.#parts.plans.follow(exchange);
    const room = exchange.settings.served.room;
    if (room?.mustQueue(exchange, clock.now) === true) return this.#wait(exchange, room);
    this.#pick(exchange);
  }

  #giveBack({ recovery, upstream }: Exchange): void {
    if (recovery.withdrawnAtMs === NOT_WITHDRAWN || upstream === null) return;
    this.#parts.budgets.giveBack(upstream.plan, recovery.withdrawnAtMs);
    recovery.withdrawnAtMs = NOT_WITHDRAWN;
  }
}

/** Is there an endpoint that has not failed this request? @param answered where it is now, if that is another one to come */
function hasUntried({ upstream, subset, tried }: Exchange, answered: Attempting | null = null): boolean {
  if (upstream === null) return false;
  const { endpoints, subsets } = upstream.plan;
  const count = subset === NO_SUBSET ? endpoints.length : (subsets[subset]?.endpoints.length ?? 0);
  const isMore = answered !== null && tried?.has(answered.endpoint) !== true;
  return (tried?.size ?? 0) + (isMore ? 1 : 0) < count;
}

/** Of the header that may say so, else of the route. */
function priorityOf(exchange: Exchange): number {
  const { plan } = exchange.route as RouteSettings; // set before the first attempt
  const text = plan.priorityHeader === null ? null : exchange.header(plan.priorityHeader);
  const said = text !== null && ONE_DIGIT.test(text) ? Number(text) : PRIORITIES;
  return said < PRIORITIES ? said : plan.priority;
}
const ONE_DIGIT = /^\d$/;
