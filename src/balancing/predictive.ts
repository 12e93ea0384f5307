/** predictive: the endpoint that is predicted to answer first, while predictions prove better than least-time's estimate. */
import { WEIGHT_UNIT } from '../board/endpoint-control.js';
import { NO_SAMPLE } from '../board/endpoint-load.js';
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import type { Balancer, PickKey } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { ExpectedLatency } from './expected-latency.js';
import { LowestScoreBalancer } from './lowest-score.js';
import { ResponseTimes } from './response-times.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/** As least-time's, which it falls back to. */
const LARGEST_SCAN = 8;
/** Samples before the two errors are compared. */
const LEAST_COMPARED = 128;
/** Weight of one sample in either error: about the last 256. */
const ERROR_WEIGHT = 1 / 256;
/** Predictions are gone by once their error is this share of least-time's, and until it is no smaller: so it does not flap. */
const BETTER_SHARE = 0.95;
/** Steps of the predicted logarithm, 9 %: endpoints that are nearly equal take turns, as with latencyBucket(). */
const STEPS = 8;
const US_PER_MS = 1_000;
/** As µs it fits an int32. */
const MOST_AGE_MS = 2_000_000;

/**
 * score = predicted response time under the present load / weight (ResponseTimes), in logarithms; at least the age of the oldest request
 * in flight where that shows a stall.
 *
 * The guard: each settled request is predicted after the fact, from what was known before it, by the model and by the estimate that
 * least-time goes by; of both the mean of |log2(predicted / measured)| over about the last 256 is kept. While the model's is not the
 * smaller one, scores are least-time's. Thread: worker; one for each upstream.
 */
export class Predictive extends LowestScoreBalancer {
  readonly #expected = new ExpectedLatency();
  #times: ResponseTimes | undefined;
  /** Mean errors in doublings: of the model, of least-time's estimate. */
  readonly #errors = new Float64Array(2);
  #compared = 0;
  #predicts = false;
  /** By endpoint: the weight of which the logarithm was taken, and that. */
  #weights = new Int32Array(0);
  #logWeights = new Float64Array(0);
  /** By endpoint: the tick for which its oldest wait was looked up, and that in µs. */
  #agedAt = new Int32Array(0);
  #agesUs = new Int32Array(0);

  constructor() {
    super(LARGEST_SCAN);
  }

  /** Does it go by predictions now, rather than by least-time's scores? */
  get predicts(): boolean {
    return this.#predicts;
  }

  override pickFrom(
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    rng: Rng,
    now: Tick,
  ): number {
    if (this.#predicts) this.#timesOf(view).turnTo(key.routeClass, key.bodyBytes, now);
    return super.pickFrom(view, group, key, tried, rng, now);
  }

  settled(
    view: UpstreamView,
    endpoint: number,
    key: PickKey,
    inflight: number,
    elapsedUs: number,
    isFailure: boolean,
    now: Tick,
  ): void {
    const times = this.#timesOf(view);
    if (isFailure) {
      times.fail(endpoint, elapsedUs, now);
      return;
    }
    times.turnTo(key.routeClass, key.bodyBytes, now);
    times.measure(elapsedUs);
    times.predicted(endpoint, inflight, now);
    this.#compare(times, view.load.latencyUs(view.endpoint(endpoint).slot));
    times.learn(endpoint, inflight, now);
  }

  override scoreFor(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    key: PickKey,
    now: Tick,
  ): number {
    if (!this.#predicts) return super.scoreFor(view, group, position, inflight, key, now);
    this.#timesOf(view).turnTo(key.routeClass, key.bodyBytes, now);
    this.scoreOf(view, group, position, inflight, now);
    return 2 ** (this.score[0] as number) * WEIGHT_UNIT;
  }

  protected override scoreOf(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    now: Tick,
  ): void {
    const times = this.#times;
    if (!this.#predicts || times === undefined) {
      this.score[0] = (this.#expected.us(view, group, position, now) * (1 + inflight)) / group.weightAt(position);
      return;
    }
    const endpoint = group.endpointAt(position);
    times.unloaded(endpoint, now);
    let unloaded = times.found[0] as number; // just left there
    if (Number.isNaN(unloaded)) unloaded = Math.log2(this.#expected.us(view, group, position, now));
    const ageUs = this.#ageOf(view, group, position, endpoint, now);
    if (ageUs > 0 && times.isStalled(endpoint, ageUs)) unloaded = Math.max(unloaded, Math.log2(ageUs));
    const level = Math.floor(unloaded * STEPS) / STEPS;
    this.#lookUpWeight(endpoint, group.weightAt(position));
    times.growth(endpoint, inflight);
    this.score[0] = level + (times.found[0] as number) - (this.#logWeights[endpoint] as number); // both just left there
  }

  #timesOf(view: UpstreamView): ResponseTimes {
    if (this.#times === undefined) {
      const endpoints = view.plan.endpoints.length;
      this.#times = new ResponseTimes(endpoints);
      this.#weights = new Int32Array(endpoints);
      this.#logWeights = new Float64Array(endpoints);
      this.#agedAt = new Int32Array(endpoints);
      this.#agesUs = new Int32Array(endpoints);
    }
    return this.#times;
  }

  /** @param times with what was predicted and what was measured @param estimateUs of the board, or NO_SAMPLE */
  #compare(times: ResponseTimes, estimateUs: number): void {
    const predicted = times.found[0] as number;
    const logUs = times.measured[0] as number;
    if (Number.isNaN(predicted) || estimateUs === NO_SAMPLE) return;
    const errors = this.#errors;
    const weight = Math.max(ERROR_WEIGHT, 1 / (this.#compared + 1));
    errors[0] = (errors[0] as number) + (Math.abs(predicted - logUs) - (errors[0] as number)) * weight; // two of them
    errors[1] = (errors[1] as number) + (Math.abs(Math.log2(estimateUs) - logUs) - (errors[1] as number)) * weight;
    if (this.#compared < LEAST_COMPARED) this.#compared += 1;
    else this.#predicts = (errors[0] as number) < (errors[1] as number) * (this.#predicts ? 1 : BETTER_SHARE);
  }

  /** The waits of all workers lie on lines of their own: looked up once a tick. */
  #ageOf(view: UpstreamView, group: EndpointGroup, position: number, endpoint: number, now: Tick): number {
    if (this.#agedAt[endpoint] !== now) {
      this.#agedAt[endpoint] = now;
      const ageMs = view.waiting.oldestAgeMs(group.slotAt(position), group.generationAt(position), now);
      this.#agesUs[endpoint] = Math.min(ageMs, MOST_AGE_MS) * US_PER_MS;
    }
    return this.#agesUs[endpoint] as number; // looked up for this endpoint
  }

  #lookUpWeight(endpoint: number, weight: number): void {
    if (this.#weights[endpoint] === weight) return;
    this.#weights[endpoint] = weight;
    this.#logWeights[endpoint] = Math.log2(weight);
  }
}

/** Makes the balancer for one upstream in one worker. */
export function predictive(): Balancer {
  return new Predictive();
}
