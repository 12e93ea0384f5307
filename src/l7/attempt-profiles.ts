/** How the requests of each route are attempted on each upstream that it may lead to: both of their settings merged, once, at the start. */
import type { L7ListenerPlan, Plan, RoutePlan, UpstreamPlan } from '../config/plan.js';
import { NO_FALLBACK, type RetryPlan } from '../config/resilience-plan.js';
import { invariant } from '../core/invariant.js';
import { type AttemptProfile, PLAIN_PROFILE } from '../engine/attempt-profile.js';
import { HedgeDelay } from '../policies/hedge-delay.js';
import type { RouteBreaker } from '../policies/route-breaker.js';

/** AttemptProfile.heldBodyBytes where a request that was sent is not sent again. */
const NOTHING_HELD = -1;

/** How requests of a route are attempted on one upstream. */
export interface AttemptSettings {
  /** With what the route says of its own. */
  readonly retry: RetryPlan;
  /** Longest wait for a place in the queue. */
  readonly queueMs: number;
  /** null: no second attempts. Shared by all routes with the same settings. */
  readonly hedge: HedgeDelay | null;
  /** Engine.openProfile, of requests that may be carried out twice. */
  readonly profile: number;
  /** Of the others: nothing that was sent is held, no status asked about. */
  readonly profileOnce: number;
}

/** One route, as its worker serves it. */
export class RouteSettings {
  readonly plan: RoutePlan;
  /** Host and path, as logs and spans have it. */
  readonly name: string;
  readonly breaker: RouteBreaker | null;
  /** By index of the upstream. */
  readonly #byUpstream: readonly (AttemptSettings | undefined)[];

  constructor(plan: RoutePlan, breaker: RouteBreaker | null, byUpstream: readonly (AttemptSettings | undefined)[]) {
    this.plan = plan;
    this.name = `${plan.host}${plan.path}`;
    this.breaker = breaker;
    this.#byUpstream = byUpstream;
  }

  /** Of an upstream that the route may lead to, its fallback's included. HOT: one look into an array. @param upstream index in the plan */
  on(upstream: number): AttemptSettings {
    return this.#byUpstream[upstream] as AttemptSettings; // made of all targets of the route
  }
}

/** What the settings are made with. */
export interface AttemptProfilesParts {
  readonly plan: Pick<Plan, 'listeners' | 'upstreams'>;
  /** Makes a profile known to the engine: Engine.openProfile. */
  readonly open: (profile: number, settings: AttemptProfile) => void;
  /** The breaker of a route that has one. */
  readonly breakerOf: (route: RoutePlan, listener: L7ListenerPlan) => RouteBreaker | null;
}

/** Thread: worker; one for each pipeline. */
export class AttemptProfiles {
  readonly #routes = new Map<RoutePlan, RouteSettings>();
  readonly #upstreams: readonly UpstreamPlan[];
  readonly #open: AttemptProfilesParts['open'];
  /** By what they say, as JSON: equal settings are one. */
  readonly #numbers = new Map<string, number>();
  readonly #hedges = new Map<string, HedgeDelay>();

  constructor({ plan, open, breakerOf }: AttemptProfilesParts) {
    this.#upstreams = plan.upstreams;
    this.#open = open;
    for (const listener of plan.listeners) {
      if (listener.mode !== 'l7') continue;
      for (const route of listener.routes)
        this.#routes.set(route, new RouteSettings(route, breakerOf(route, listener), this.#settingsOf(route)));
    }
  }

  /** @param route of the plan, the object itself */
  of(route: RoutePlan): RouteSettings {
    const settings = this.#routes.get(route);
    invariant(settings, 'a request takes a route of the plan');
    return settings;
  }

  #settingsOf(route: RoutePlan): readonly (AttemptSettings | undefined)[] {
    const byUpstream: AttemptSettings[] = [];
    const targets = route.split === null ? [route.upstream] : route.split.targets.map(({ upstream }) => upstream);
    const fallback = route.fallback?.upstream ?? NO_FALLBACK;
    for (const index of fallback === NO_FALLBACK ? targets : [...targets, fallback]) {
      const upstream = this.#upstreams[index];
      invariant(upstream, 'a route leads to upstreams of the plan');
      byUpstream[index] = this.#settings(route, upstream);
    }
    return byUpstream;
  }

  #settings(route: RoutePlan, upstream: UpstreamPlan): AttemptSettings {
    const retry: RetryPlan = { ...upstream.retry, ...route.retry };
    const hedge = route.hedge === undefined ? upstream.hedge : route.hedge;
    const times = this.#timesOf(route, upstream);
    const triesSent = retry.attempts > 1 && (retry.on.some((condition) => condition !== 'connect') || asks(retry));
    const isSentAgain = triesSent || hedge !== null || (route.fallback?.upstream ?? NO_FALLBACK) !== NO_FALLBACK;
    return {
      retry,
      queueMs: route.timeouts.queueMs ?? upstream.timeouts.queueMs,
      hedge: hedge === null ? null : this.#hedgeOf(upstream, JSON.stringify(hedge), () => new HedgeDelay(hedge)),
      profile: this.#numberOf({
        ...times,
        heldBodyBytes: isSentAgain ? retry.bodyBytes : NOTHING_HELD,
        askedStatuses: asks(retry) ? retry.statuses : [],
      }),
      profileOnce: this.#numberOf({ ...times, heldBodyBytes: NOTHING_HELD, askedStatuses: [] }),
    };
  }

  /** 0 where the route says nothing else than the upstream, whose connection pools have these times already. */
  #timesOf({ timeouts }: RoutePlan, upstream: UpstreamPlan): Omit<AttemptProfile, 'heldBodyBytes' | 'askedStatuses'> {
    return {
      connectTimeoutMs: timeouts.connectMs ?? 0,
      firstByteTimeoutMs: timeouts.firstByteMs ?? 0,
      idleTimeoutMs: timeouts.idleMs ?? 0,
      attemptTimeoutMs: timeouts.attemptMs ?? upstream.timeouts.attemptMs,
    };
  }

  #hedgeOf(upstream: UpstreamPlan, key: string, make: () => HedgeDelay): HedgeDelay {
    const name = `${upstream.index} ${key}`;
    const delay = this.#hedges.get(name) ?? make();
    this.#hedges.set(name, delay);
    return delay;
  }

  #numberOf(profile: AttemptProfile): number {
    const key = JSON.stringify(profile);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = PLAIN_PROFILE + 1 + this.#numbers.size;
      this.#numbers.set(key, number);
      this.#open(number, profile);
    }
    return number;
  }
}

function asks({ attempts, statuses }: RetryPlan): boolean {
  return attempts > 1 && statuses.length > 0;
}
