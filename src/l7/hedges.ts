/** Second attempts beside first ones that are late: when they are made, and what becomes of the one that loses. Thread: worker. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { isFailingStatus } from '../balancing/endpoint-ledger.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { WorkerStripe } from '../board/worker-stripe.js';
import type { Timers } from '../core/timers.js';
import type { HedgeDelay } from '../policies/hedge-delay.js';
import { isIdempotent } from '../policies/request-passage.js';
import type { RetryBudgets } from '../policies/retry-budgets.js';
import type { BatchClock } from './batch-clock.js';
import type { Exchange } from './exchange.js';
import { unbind } from './exchange-affinity.js';
import { pickExplained } from './explained-pick.js';
import { HedgeLine } from './hedge-line.js';
import { SecondAttempt } from './second-attempt.js';

/** What hedges are made with. */
export interface HedgesParts {
  readonly clock: BatchClock;
  readonly timers: Timers;
  readonly budgets: RetryBudgets;
  readonly stripe: WorkerStripe;
}

/** One for each pipeline. */
export class Hedges {
  readonly #parts: HedgesParts;
  readonly #lines = new Map<HedgeDelay, HedgeLine>();

  constructor(parts: HedgesParts) {
    this.#parts = parts;
  }

  /** An attempt of an exchange whose route hedges has begun. HOT where hedging is on. */
  begun(exchange: Exchange, delay: HedgeDelay): void {
    // Later ones have been waited for already; and whatever its key says, two at a time is no retry.
    if (exchange.attempts !== 1 || exchange.recovery.attemptsBefore !== 0 || !isIdempotent(exchange.method)) return;
    let line = this.#lines.get(delay);
    if (line === undefined) {
      const { clock, timers } = this.#parts;
      line = new HedgeLine({ delay, clock, timers, due: (late) => this.#hedge(late) });
      this.#lines.set(delay, line);
    }
    line.push(exchange);
  }

  /** A head has come. HOT where hedging is on. @param elapsedUs since its attempt began */
  answered(delay: HedgeDelay, status: number, elapsedUs: number): void {
    if (!isFailingStatus(status)) delay.answered(elapsedUs);
  }

  /** The first head has come: the other attempt ends, through no fault of its endpoint. @param isSecond it is that of the second attempt */
  decided(exchange: Exchange, second: SecondAttempt, isSecond: boolean): void {
    const upstream = exchange.upstream as UpstreamRuntime; // it has attempts
    upstream.settleEnd(isSecond ? exchange : second, this.#parts.clock.now);
    exchange.serving = isSecond ? second : exchange;
  }

  /**
   * The endpoint of an attempt is to be left, and nothing of a response has come. Whatever of its request may be sent again is sent elsewhere,
   * beside it: the endpoint is left for good when the other one answers, or when it does so itself.
   *
   * @param isSecond it is the second attempt
   * @returns false: nobody else has the request, or can have it
   */
  leave(exchange: Exchange, isSecond: boolean): boolean {
    const { clock } = this.#parts;
    const { second, upstream } = exchange;
    if (upstream === null) return false;
    if (second?.isUsed !== true)
      return exchange.recovery.isRepeatable && exchange.isInTime(clock.now, 0) && this.#besides(exchange, upstream);
    if (exchange.endpoint === NO_ENDPOINT || second.endpoint === NO_ENDPOINT) return false;
    if (!isSecond) return true;
    exchange.releaseHedge();
    upstream.settleEnd(second, clock.now);
    return true;
  }

  /** Another plan counts: lines of delays that are not in it end when they are empty. */
  retain(delays: ReadonlySet<HedgeDelay>): void {
    for (const [delay, line] of this.#lines) {
      if (line.length === 0 && !delays.has(delay)) this.#lines.delete(delay);
    }
  }

  /** Nothing is begun any more. Idempotent. */
  close(): void {
    for (const line of this.#lines.values()) line.close();
  }

  #hedge(exchange: Exchange): void {
    const { budgets, clock } = this.#parts;
    const { settings, upstream } = exchange;
    if (settings === null || upstream === null || exchange.endpoint === NO_ENDPOINT) return;
    // There has been one already, since its endpoint was drained; or it has fallen back to where nobody hedges.
    if (exchange.second?.isUsed === true || settings.hedge === null) return;
    // Whoever answers, the client would be bound to the first one: only there may what it begins with this request lie.
    if (exchange.isBinding) return;
    if (exchange.attempts >= settings.retry.attempts || !exchange.isInTime(clock.now, 0)) return;
    if (!budgets.withdraw(upstream.plan, clock.nowMs)) return;
    if (!this.#besides(exchange, upstream)) budgets.giveBack(upstream.plan, clock.nowMs);
  }

  /** Begins a second attempt where an endpoint takes it. */
  #besides(exchange: Exchange, upstream: UpstreamRuntime): boolean {
    const { clock, stripe } = this.#parts;
    exchange.second ??= new SecondAttempt(exchange);
    const { second } = exchange;
    second.follow(exchange);
    const slot = exchange.listener.explains
      ? pickExplained(exchange, second, upstream, clock.now)
      : upstream.pick(second, clock.now);
    const isBegun = slot !== NO_ENDPOINT && exchange.hedge(slot, exchange.recovery.profile);
    if (!isBegun) {
      upstream.settleEnd(second, clock.now);
      return false;
    }
    // To an endpoint that is drained nobody is bound.
    unbind(exchange);
    exchange.attempts = second.attempts;
    stripe.countHedge();
    return true;
  }
}
