/** Where a request of a route goes, and what the balancer there wants to know of it: the steps of the pipeline that need its key. */
import { TrafficSplit } from '../balancing/traffic-split.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { SplitPlan, TargetPlan } from '../config/picking-plan.js';
import { NO_SUBSET } from '../config/picking-plan.js';
import type { RoutePlan } from '../config/plan.js';
import { type FallbackPlan, NO_FALLBACK } from '../config/resilience-plan.js';
import type { Exchange, RouteSettings } from './exchange.js';

/** Keys of a split are hashed with all 64 bits. */
const IS_CRC = false;

/** Thread: worker; one for each pipeline. */
export class RequestRouting {
  // Made when the first request needs them.
  readonly #splits = new Map<SplitPlan, TrafficSplit>();
  readonly #routeClasses = new Map<RoutePlan, number>();

  /** Another plan counts. */
  forget(): void {
    this.#splits.clear();
    this.#routeClasses.clear();
  }

  /** Sets upstream, subset and settings: those of the route, or of the target that the key of its split falls to. HOT. */
  lead(exchange: Exchange, route: RouteSettings): void {
    const { split } = route.plan;
    const target = split === null ? route.plan : this.#targetOf(exchange, route, split);
    const settings = route.on(target.upstream);
    exchange.settings = settings;
    exchange.upstream = settings.served.runtime;
    exchange.subset = target.subset;
  }

  /** Fills in what the balancer of the exchange's upstream wants to know; it stays for all attempts. HOT. */
  fillKey(exchange: Exchange, upstream: UpstreamRuntime, route: RoutePlan): void {
    const { source, isCrc } = upstream.keyWish;
    if (source !== null && !exchange.hashKey(source, isCrc)) upstream.fillRandomKey(exchange.key);
    if (upstream.plan.balance === 'predictive') exchange.key.routeClass = this.#classOf(exchange, route);
  }

  /** Before any other key is filled in: that of a fallback, which may be needed when the request's head is not there any more. */
  keepFallbackKey(exchange: Exchange, route: RouteSettings, { upstream }: FallbackPlan): void {
    if (upstream === NO_FALLBACK) return;
    const { source, isCrc } = route.on(upstream).served.runtime.keyWish;
    if (source !== null && exchange.hashKey(source, isCrc)) exchange.recovery.keepKey(exchange.key);
  }

  /** Fills in the key that was kept, or a random one. */
  takeFallbackKey({ key, recovery }: Exchange, upstream: UpstreamRuntime): void {
    if (recovery.fallbackKey === null) return upstream.fillRandomKey(key);
    key.hash = recovery.fallbackKey.hash;
    key.hashHigh = recovery.fallbackKey.hashHigh;
  }

  #targetOf(exchange: Exchange, route: RouteSettings, split: SplitPlan): TargetPlan {
    let sides = this.#splits.get(split);
    if (sides === undefined) {
      sides = new TrafficSplit(split, (target) => nameOf(target, route));
      this.#splits.set(split, sides);
    }
    if (!exchange.hashKey(split.key, IS_CRC))
      route.on(split.targets[0]?.upstream ?? 0).served.runtime.fillRandomKey(exchange.key);
    return sides.targetOf(exchange.key);
  }

  /** Index of the route in its listener: the same in all workers. */
  #classOf({ listener }: Exchange, route: RoutePlan): number {
    let routeClass = this.#routeClasses.get(route);
    if (routeClass === undefined) {
      routeClass = listener.routes.indexOf(route);
      this.#routeClasses.set(route, routeClass);
    }
    return routeClass;
  }
}

function nameOf({ upstream, subset }: TargetPlan, route: RouteSettings): string {
  const { name, subsets } = route.on(upstream).served.runtime.plan;
  return subset === NO_SUBSET ? name : `${name} ${JSON.stringify(subsets[subset]?.labels)}`;
}
