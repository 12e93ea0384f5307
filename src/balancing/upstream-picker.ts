/** Picks endpoints of one upstream: its balancer, asked about one level and, if none of it will do, the others and the backups. */
import type { EndpointControlTable } from '../board/endpoint-control.js';
import type { WorkerBoard } from '../board/worker-board.js';
import { HASHING_BALANCERS, type SubsetPlan } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import type { AttemptObserver } from './attempt-observer.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { explainPick, type PickExplanation } from './explain.js';
import { WHOLE } from './levels.js';
import { balancerFor } from './registry.js';
import { NO_TRIAL } from './trial-list.js';
import type { TriedSet } from './tried-set.js';
import { SEVERAL_LEVELS, UpstreamView } from './upstream-view.js';

/** 2^32 divided by the golden ratio: multiplying by it spreads neighbours far apart (Knuth, The Art of Computer Programming 3, 6.4). */
const GOLDEN_RATIO = 0x9e3779b1;

/** Thread: worker; one for each upstream of its plan, and one for each of their subsets. */
export class UpstreamPicker {
  readonly view: UpstreamView;
  readonly #balancer: Balancer;
  readonly #picksByKey: boolean;
  readonly #rng: Rng;
  readonly #control: EndpointControlTable;
  readonly #subset: SubsetPlan | null;
  readonly #rehearse: () => UpstreamPicker;
  #rehearsal: UpstreamPicker | null = null;
  #pickedProbe = false;

  /**
   * @param rng      this worker's; workers must have different seeds
   * @param subset   whose endpoints are picked; null: all of them
   * @param observer who says which of them are left alone for what they did; null: nobody
   * @param balancer another picker's, for its rehearsal
   */
  constructor(
    plan: UpstreamPlan,
    board: WorkerBoard,
    rng: Rng,
    subset: SubsetPlan | null,
    observer: AttemptObserver | null = null,
    balancer: Balancer = balancerFor(plan.balance),
  ) {
    this.view = new UpstreamView(plan, board, subset, observer);
    this.#control = board.control;
    this.#subset = subset;
    this.#balancer = balancer;
    this.#picksByKey = HASHING_BALANCERS.has(plan.balance);
    this.#rng = rng;
    this.#rehearse = () => new UpstreamPicker(plan, board.rehearsal(), rng, subset, observer, balancer);
  }

  /** Picks as this one would, and claims nothing; what its balancer has learned is the same. Cold. */
  get rehearsal(): UpstreamPicker {
    this.#rehearsal ??= this.#rehearse();
    return this.#rehearsal;
  }

  /** What was picked or claimed last has a place among the probes of its endpoint: begin it AS_PROBE. HOT. */
  get pickedProbe(): boolean {
    return this.#pickedProbe;
  }

  /** Does the balancer learn from what is settled? Then settled() is to be called. */
  get learns(): boolean {
    return this.#balancer.settled !== undefined;
  }

  /** An attempt that was picked here was measured: see Balancer.settled. HOT. */
  settled(endpoint: number, key: PickKey, inflight: number, elapsedUs: number, isFailure: boolean, now: Tick): void {
    this.#balancer.settled?.(this.view, endpoint, key, inflight, elapsedUs, isFailure, now);
  }

  /**
   * Claims the endpoint that a client belongs to, if it is eligible: it takes work, has a place, and has not been tried. Its level does
   * not count, and it may be a backup. Unlike a pick it is never an unhealthy endpoint, not in panic either. HOT.
   *
   * @param endpoint index in plan.endpoints
   * @returns it, or NO_ENDPOINT: then pick
   */
  claimPreferred(endpoint: number, tried: TriedSet, now: Tick): number {
    const view = this.view;
    view.refresh(now);
    this.#pickedProbe = false;
    if (tried.has(endpoint)) return NO_ENDPOINT;
    if (view.claim(endpoint, now)) return endpoint;
    return view.hasTrials ? this.#claimTrial(endpoint) : NO_ENDPOINT;
  }

  /**
   * Picks an endpoint and claims it: hand the result to EndpointLedger.begin() at once, which gives the claim back.
   *
   * Begins at the level that all load goes to, or at one drawn by their loads (levels.ts). When nobody is eligible there, the other levels
   * are asked, the best first, then the backups, and at the very last who is left alone for a pause.
   * HOT (bench/micro/balancing/pick.bench.ts).
   * @param tried endpoints this exchange has tried already
   * @returns index in plan.endpoints, or NO_ENDPOINT (then SLUICE_NO_ENDPOINT)
   */
  pick(key: PickKey, tried: TriedSet, now: Tick): number {
    const view = this.view;
    view.refresh(now);
    this.#pickedProbe = false;
    const level = view.onlyLevel === SEVERAL_LEVELS ? view.levelAt(this.#percentFor(key)) : view.onlyLevel;
    const group = view.levels[level] as EndpointGroup; // a level of this view
    const endpoint = this.#pickFrom(group, key, tried, now);
    return endpoint === NO_ENDPOINT ? this.#pickElsewhere(group, key, tried, now) : endpoint;
  }

  /** The level to which a key belongs now, whatever the balancer: the same in all workers. HOT. */
  levelOf(key: PickKey, now: Tick): number {
    const view = this.view;
    view.refresh(now);
    return view.onlyLevel === SEVERAL_LEVELS ? view.levelAt(percentOf(key)) : view.onlyLevel;
  }

  /**
   * Why the next pick for the same request will go where it goes. Cold, before that pick.
   *
   * @param preferred the endpoint that would be asked of claimPreferred() first, or NO_ENDPOINT
   */
  explain(key: PickKey, tried: TriedSet, preferred: number, now: Tick): PickExplanation {
    const view = this.view;
    view.refresh(now);
    const facts = { view, balancer: this.#balancer, control: this.#control, subset: this.#subset };
    return explainPick({ ...facts, key, tried, preferred, now });
  }

  #pickElsewhere(asked: EndpointGroup, key: PickKey, tried: TriedSet, now: Tick): number {
    const view = this.view;
    for (let level = 0; level < view.levels.length; level++) {
      const group = view.levels[level] as EndpointGroup; // level < length
      if (group === asked) continue;
      const endpoint = this.#pickFrom(group, key, tried, now);
      if (endpoint !== NO_ENDPOINT) return endpoint;
    }
    const endpoint = this.#pickFrom(view.backups, key, tried, now);
    return endpoint === NO_ENDPOINT ? view.claimPaused(tried) : endpoint;
  }

  #pickFrom(group: EndpointGroup, key: PickKey, tried: TriedSet, now: Tick): number {
    if (this.view.hasTrials) {
      const endpoint = this.view.trialsOf(group).claimAny(tried);
      this.#pickedProbe = endpoint !== NO_TRIAL;
      if (this.#pickedProbe) return endpoint;
    }
    return group.size === 0 ? NO_ENDPOINT : this.#balancer.pickFrom(this.view, group, key, tried, this.#rng, now);
  }

  /** Whoever belongs to an endpoint on trial may be its probe; else it goes elsewhere. */
  #claimTrial(endpoint: number): number {
    const { view } = this;
    for (const group of [...view.levels, view.backups]) {
      this.#pickedProbe = view.trialsOf(group).claim(endpoint);
      if (this.#pickedProbe) return endpoint;
    }
    return NO_ENDPOINT;
  }

  /** Where a balancer picks by the key, its level is the key's, too: or the endpoint of a key would be another one each time. */
  #percentFor(key: PickKey): number {
    return this.#picksByKey ? percentOf(key) : this.#rng.below(WHOLE);
  }
}

/** 0 .. 99, the same for the same key. */
function percentOf(key: PickKey): number {
  // Spread anew: balancers use the hash as it is, so its own bits would tie what is picked in a level to the level.
  const spread = Math.imul(key.hash ^ key.hashHigh, GOLDEN_RATIO) >>> 0;
  return Math.floor((spread / 2 ** 32) * WHOLE);
}
