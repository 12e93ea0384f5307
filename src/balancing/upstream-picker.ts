/** Picks endpoints of one upstream: its balancer, asked about the primaries and, if none of them will do, the backups. */
import type { WorkerBoard } from '../board/worker-board.js';
import type { SubsetPlan } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import { balancerFor } from './registry.js';
import type { TriedSet } from './tried-set.js';
import { UpstreamView } from './upstream-view.js';

/** Thread: worker; one for each upstream of its plan, and one for each of their subsets. */
export class UpstreamPicker {
  readonly view: UpstreamView;
  readonly #balancer: Balancer;
  readonly #rng: Rng;

  /**
   * @param rng    this worker's; workers must have different seeds
   * @param subset whose endpoints are picked; null: all of them
   */
  constructor(plan: UpstreamPlan, board: WorkerBoard, rng: Rng, subset: SubsetPlan | null) {
    this.view = new UpstreamView(plan, board, subset);
    this.#balancer = balancerFor(plan.balance);
    this.#rng = rng;
  }

  /** Does the balancer learn from what is settled? Then settled() is to be called. */
  get learns(): boolean {
    return this.#balancer.settled !== undefined;
  }

  /** An endpoint has answered an attempt that was picked here: see Balancer.settled. HOT. */
  settled(endpoint: number, key: PickKey, inflight: number, elapsedUs: number, now: Tick): void {
    this.#balancer.settled?.(this.view, endpoint, key, inflight, elapsedUs, now);
  }

  /**
   * Claims the endpoint that a client belongs to, if it is eligible: it takes work, has a place, and has not been tried. HOT.
   *
   * @param endpoint index in plan.endpoints
   * @returns it, or NO_ENDPOINT: then pick
   */
  claimPreferred(endpoint: number, tried: TriedSet): number {
    const view = this.view;
    view.refresh();
    if (tried.has(endpoint)) return NO_ENDPOINT;
    return view.primaries.claim(endpoint, view.claims) || view.backups.claim(endpoint, view.claims)
      ? endpoint
      : NO_ENDPOINT;
  }

  /**
   * Picks an endpoint and claims it: hand the result to EndpointLedger.begin() at once, which gives the claim back.
   *
   * Backups are picked only when no primary is eligible: none takes work, or all are tried or full.
   * HOT (bench/micro/balancing/pick.bench.ts).
   * @param tried endpoints this exchange has tried already
   * @returns index in plan.endpoints, or NO_ENDPOINT (then SLUICE_NO_ENDPOINT)
   */
  pick(key: PickKey, tried: TriedSet, now: Tick): number {
    const view = this.view;
    view.refresh();
    const endpoint = this.#balancer.pickFrom(view, view.primaries, key, tried, this.#rng, now);
    if (endpoint !== NO_ENDPOINT || view.backups.size === 0) return endpoint;
    return this.#balancer.pickFrom(view, view.backups, key, tried, this.#rng, now);
  }
}
