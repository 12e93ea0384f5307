/** One upstream as one worker sees it: its plan, the board's tables, and which endpoints may take work now. */
import type { ClaimJournal } from '../board/claim-journal.js';
import { countOf, generationOf, MOST_CLAIMS } from '../board/claims-word.js';
import type { EndpointControlTable } from '../board/endpoint-control.js';
import { type EndpointLoadTable, isPaused } from '../board/endpoint-load.js';
import type { HashTable } from '../board/hash-table.js';
import type { UpstreamTable } from '../board/upstream-table.js';
import type { WaitingTable } from '../board/waiting-table.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { SubsetPlan } from '../config/picking-plan.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { type AttemptObserver, Standing } from './attempt-observer.js';
import { EndpointGroup, NO_POSITION } from './endpoint-group.js';
import { type LevelCount, loadsOf, panicOf, WHOLE } from './levels.js';
import { TrialList } from './trial-list.js';
import type { TriedSet } from './tried-set.js';

/** No level gets all picks: UpstreamView.levelAt says where one begins. */
export const SEVERAL_LEVELS = -1;

/** No endpoint is paused that could be claimed: as NO_ENDPOINT. */
export const NOBODY = -1;

/** UpstreamView.placesAt: more than ever wait. */
export const UNCAPPED = 2 ** 30;

/** What a candidate is in the rebuild that is under way; bits. */
const WOULD_TAKE_WORK = 1;
const IS_HEALTHY = 2;
const IS_PAUSED = 4;
const HEALTHY_BUT_PAUSED = IS_HEALTHY | IS_PAUSED;
/** Its breaker is open. */
const IS_SHUT = 8;
/** Healthy, but for its trial, or for its half-open breaker, which is heeded in panic as well. */
const IS_ON_TRIAL = 16;
const IS_HALF_OPEN = 32;

/** A group that is being rebuilt. */
interface Census extends LevelCount {
  total: number;
  healthy: number;
  /** Those of them that are not paused. */
  awake: number;
  awakeHealthy: number;
}

/** Read what you need of it; only refresh() changes anything. Thread: worker. */
export class UpstreamView {
  readonly plan: UpstreamPlan;
  readonly load: EndpointLoadTable;
  readonly claims: ClaimJournal;
  readonly waiting: WaitingTable;
  /** In which keys are looked up, over all endpoints of the upstream; null: its balancer needs none. */
  readonly hashTable: HashTable | null;
  /** Endpoints that take work and are no backups, by EndpointPlan.level; one may be empty. At least one. */
  readonly levels: readonly EndpointGroup[];
  /** Endpoints that take work while no other is eligible. */
  readonly backups: EndpointGroup;
  /** Indices of the endpoints that may be picked at all: those of the subset. */
  readonly #candidates: readonly number[];
  /** By place in #candidates, as of the last rebuild: which group it belongs to, its weight, and what it is. */
  readonly #numbers: Uint16Array;
  readonly #weights: Int32Array;
  readonly #states: Uint8Array;
  /** Most probes at a time of those that get probes only. */
  readonly #probes: Int32Array;
  /** The levels, then the backups; and what was counted of each. */
  readonly #groups: readonly EndpointGroup[];
  readonly #censuses: readonly Census[];
  /** By group: its endpoints that get probes only. */
  readonly #trials: readonly TrialList[];
  readonly #turn: number;
  readonly #control: EndpointControlTable;
  readonly #upstreams: UpstreamTable;
  readonly #observer: AttemptObserver | null;
  /** Control epoch of the groups; 0, before any endpoint was assigned, is never current. */
  #epoch = 0;
  /** When the first pause or ejection ends, or the first breaker becomes half-open; NEVER: time changes nothing. */
  #changesAt: Tick = NEVER;
  #loads: readonly number[] = [];
  #onlyLevel = 0;
  #isPanicking = false;
  #hasTrials = false;
  #isShut = false;

  /**
   * Empty until the first refresh().
   *
   * @param subset   whose endpoints are seen; null: all of them
   * @param observer who says which of them are left alone for what they did; null: nobody
   */
  constructor(
    plan: UpstreamPlan,
    board: WorkerBoard,
    subset: SubsetPlan | null,
    observer: AttemptObserver | null = null,
  ) {
    this.plan = plan;
    this.load = board.load;
    this.claims = board.claims;
    this.waiting = board.waiting;
    this.hashTable = board.hashTables[plan.hashTable] ?? null; // NO_HASH_TABLE is no index
    this.#candidates = subset?.endpoints ?? plan.endpoints.map((_, endpoint) => endpoint);
    this.#numbers = new Uint16Array(this.#candidates.length);
    this.#weights = new Int32Array(this.#candidates.length);
    this.#states = new Uint8Array(this.#candidates.length);
    this.#probes = new Int32Array(this.#candidates.length);
    this.#observer = observer;
    this.#turn = subset?.turn ?? plan.turn;
    this.#control = board.control;
    this.#upstreams = board.upstreams;
    const levels = plan.endpoints.reduce((most, { level }) => Math.max(most, level + 1), 1);
    const group = (number: number): EndpointGroup => new EndpointGroup(number, levels + 1, this.#candidates.length);
    this.levels = Array.from({ length: levels }, (_, level) => group(level));
    this.backups = group(levels);
    this.#groups = [...this.levels, this.backups];
    this.#censuses = this.#groups.map(() => ({ total: 0, healthy: 0, awake: 0, awakeHealthy: 0 }));
    this.#trials = this.#groups.map(() => new TrialList(board));
  }

  /** Slot and generation of an endpoint, by its index in the plan. */
  endpoint(index: number): EndpointPlan {
    const endpoint = this.plan.endpoints[index];
    invariant(endpoint, 'a picked endpoint is one of the plan');
    return endpoint;
  }

  /**
   * Rebuilds the groups if a control record has changed, or an endpoint has begun or ceased to be left alone (paused, ejected, its breaker
   * open). HOT while not: a load and a compare.
   */
  refresh(now: Tick): void {
    const isCurrent = this.#upstreams.controlEpochHint(this.plan.record) === this.#epoch;
    if (isCurrent && (this.#changesAt === NEVER || msBetween(now, this.#changesAt) > 0)) return;
    this.#rebuild(now);
  }

  /** Whose turn it is among the equals of a group; no two workers get the same number. HOT. */
  nextTurn(group: EndpointGroup): number {
    return this.#upstreams.nextTurn(this.#turn, group.cursor);
  }

  /** The level at which every pick begins, or SEVERAL_LEVELS. HOT. */
  get onlyLevel(): number {
    return this.#onlyLevel;
  }

  /**
   * The level at which a pick begins, where several have load. HOT.
   *
   * @param percent 0 .. 99, drawn at random or from a key
   */
  levelAt(percent: number): number {
    let end = 0;
    for (let level = 0; level < this.#loads.length; level++) {
      end += this.#loads[level] as number; // level < length
      if (percent < end) return level;
    }
    return 0;
  }

  /** Share of the picks that begin at a level, in percent. */
  loadOf(level: number): number {
    return this.#loads[level] ?? 0;
  }

  /** Is health ignored in a group? In which one: EndpointGroup.ignoresHealth. */
  get isPanicking(): boolean {
    return this.#isPanicking;
  }

  /** Do endpoints get probes only? HOT. */
  get hasTrials(): boolean {
    return this.#hasTrials;
  }

  /** Those of a group that do. */
  trialsOf(group: EndpointGroup): TrialList {
    return this.#trials[this.#groups.indexOf(group)] as TrialList; // one for each group
  }

  /** Is an endpoint that would take work refused by its breaker alone, or left to probes? */
  get isShut(): boolean {
    return this.#isShut;
  }

  /**
   * Claims one endpoint of whatever level, if it takes work and has a place. Not an unhealthy or ejected one, even in panic: who is asked
   * for by name is asked for the sake of what it knows of a client, and a dead endpoint knows nothing. HOT.
   *
   * @param index of the endpoint in the plan; one that gets probes only is another call's: TrialList.claim
   */
  claim(index: number, now: Tick): boolean {
    const { slot, generation } = this.endpoint(index);
    for (let number = 0; number < this.#groups.length; number++) {
      const group = this.#groups[number] as EndpointGroup; // number < length
      const position = group.positionOf(slot);
      if (position === NO_POSITION) continue;
      if (group.ignoresHealth && !(this.#control.takesWork(slot) && this.standingOf(index, now) === 0)) return false;
      return this.claims.claim(slot, generation, group.capAt(position)) > 0;
    }
    return false;
  }

  /**
   * Places that an endpoint has left, as of the last refresh(): 0 where it takes no work, UNCAPPED without a cap, those among its probes
   * where it gets probes only.
   *
   * @param index of the endpoint in the plan
   */
  placesAt(index: number): number {
    const { slot, generation } = this.endpoint(index);
    for (let number = 0; number < this.#groups.length; number++) {
      const group = this.#groups[number] as EndpointGroup; // number < length
      const position = group.positionOf(slot);
      if (position === NO_POSITION) continue;
      const claims = this.load.claims(slot);
      if (generationOf(claims) !== generation) return 0;
      const cap = group.capAt(position);
      return cap === 0 ? UNCAPPED : Math.max(0, cap - countOf(claims));
    }
    return this.#hasTrials ? this.#trials.reduce((places, trials) => places + trials.placesAt(index), 0) : 0;
  }

  /**
   * Is there an endpoint that takes work and has not been tried, with a place or without? Cold.
   *
   * @param tried endpoints that the exchange has tried already
   */
  hasUntried(tried: TriedSet): boolean {
    for (const group of this.#groups) {
      for (let position = 0; position < group.size; position++) {
        if (!tried.has(group.endpointAt(position))) return true;
      }
    }
    return false;
  }

  /**
   * Claims the one with the fewest in flight of those that are left alone for their pause: for a request that nobody else can have, which
   * would be refused otherwise. Cold.
   *
   * @param tried endpoints that the exchange has tried already
   * @returns index of the endpoint in the plan, or NOBODY
   */
  claimPaused(tried: TriedSet): number {
    let chosen = NOBODY;
    let fewest = Infinity;
    for (let place = 0; place < this.#candidates.length; place++) {
      const index = this.#candidates[place] as number; // place < length
      if (((this.#states[place] as number) & HEALTHY_BUT_PAUSED) !== HEALTHY_BUT_PAUSED || tried.has(index)) continue;
      const { slot } = this.endpoint(index);
      const inflight = this.load.inflightHint(slot);
      const cap = this.#control.cap(slot);
      if (inflight >= fewest || (cap !== 0 && inflight >= cap)) continue;
      chosen = index;
      fewest = inflight;
    }
    if (chosen === NOBODY) return NOBODY;
    const { slot, generation } = this.endpoint(chosen);
    return this.claims.claim(slot, generation, this.#control.cap(slot)) > 0 ? chosen : NOBODY;
  }

  /** Why an endpoint is left alone for what it did, or gets probes only: bits of Standing. Cold. @param index in the plan */
  standingOf(index: number, now: Tick): number {
    return this.#observer?.standingOf(index, now) ?? 0;
  }

  #rebuild(now: Tick): void {
    // The epoch is read before the records: a change after it bumps the epoch again, and the next refresh sees that.
    this.#epoch = this.#upstreams.controlEpoch(this.plan.record);
    this.#takeCensus(now);
    const levels = this.#censuses.slice(0, -1);
    const panic = panicOf(levels, this.#censuses[levels.length] as Census, this.plan.panicShare); // the backups are the last
    const ignoresHealth = [...panic.levels, panic.backups];
    this.#isPanicking = ignoresHealth.includes(true);
    this.#loads = loadsOf(levels);
    const isSpread = this.#loads.some((load) => load > 0 && load < WHOLE);
    this.#onlyLevel = isSpread ? SEVERAL_LEVELS : Math.max(0, this.#loads.indexOf(WHOLE));
    this.#hasTrials = false;
    for (const [number, group] of this.#groups.entries()) this.#fill(group, number, ignoresHealth[number] === true);
  }

  /** Reads what the candidates are, and counts them by groups. */
  #takeCensus(now: Tick): void {
    for (const census of this.#censuses) Object.assign(census, { total: 0, healthy: 0, awake: 0, awakeHealthy: 0 });
    this.#changesAt = NEVER;
    this.#isShut = false;
    for (let place = 0; place < this.#candidates.length; place++) {
      const { slot, generation, level } = this.endpoint(this.#candidates[place] as number); // place < length
      const weight = this.#control.weight(slot);
      const state = weight > 0 ? this.#stateOf(place, slot, generation, now) : 0;
      const number = this.#control.isBackup(slot) ? this.levels.length : level;
      this.#states[place] = state;
      this.#numbers[place] = number;
      this.#weights[place] = weight;
      const census = this.#censuses[number] as Census; // one for each group
      if (state === 0) {
        if (weight > 0 && this.#awaitsFirstProbe(slot, generation)) {
          census.total += 1;
          census.healthy += 1;
        }
        continue;
      }
      const isHealthy = (state & IS_HEALTHY) !== 0;
      census.total += 1;
      if (isHealthy) census.healthy += 1;
      if ((state & (IS_PAUSED | IS_SHUT)) !== 0) continue;
      census.awake += 1;
      if (isHealthy) census.awakeHealthy += 1;
    }
  }

  /** 0: takes no work, whatever its health. */
  #stateOf(place: number, slot: number, generation: number, now: Tick): number {
    // Another generation: the slot has been given to another endpoint, and a newer plan is on its way.
    if (this.#control.generation(slot) !== generation) return 0;
    if (!this.#control.takesWorkIfHealthy(slot)) return 0;
    const isHealthy = this.#control.takesWork(slot);
    const health =
      this.#observer === null ? healthBit(isHealthy) : this.#healthSeen(this.#observer, place, isHealthy, now);
    return WOULD_TAKE_WORK | health | (this.#isPaused(slot, now) ? IS_PAUSED : 0);
  }

  /** Who is ejected or on trial, or whose breaker is not closed, is no healthy endpoint where healthy ones are counted. */
  #healthSeen(observer: AttemptObserver, place: number, isHealthy: boolean, now: Tick): number {
    const standing = observer.standingOf(this.#candidates[place] as number, now); // place < length
    if (standing === 0) return healthBit(isHealthy);
    this.#noteChange(observer.changesAt);
    this.#probes[place] = Math.min(observer.probes, MOST_CLAIMS);
    if ((standing & (Standing.BREAKER_OPEN | Standing.HALF_OPEN)) !== 0 && isHealthy) this.#isShut = true;
    if ((standing & Standing.BREAKER_OPEN) !== 0) return IS_SHUT;
    const halfOpen = (standing & Standing.HALF_OPEN) === 0 ? 0 : IS_HALF_OPEN;
    return isHealthy && (standing & Standing.EJECTED) === 0 ? halfOpen | IS_ON_TRIAL : halfOpen;
  }

  #noteChange(at: Tick): void {
    if (at === NEVER) return;
    const isFirst = this.#changesAt === NEVER || msBetween(at, this.#changesAt) > 0;
    if (isFirst) this.#changesAt = at;
  }

  /** It takes nothing, but nobody panics before its first probe has come back. */
  #awaitsFirstProbe(slot: number, generation: number): boolean {
    return this.#control.generation(slot) === generation && this.#control.awaitsFirstProbe(slot);
  }

  #isPaused(slot: number, now: Tick): boolean {
    for (;;) {
      const until = this.load.pausedUntil(slot);
      if (until === NEVER) return false;
      if (isPaused(until, now)) {
        this.#noteChange(until);
        return true;
      }
      if (this.load.endPause(slot, until)) return false;
    }
  }

  /**
   * Whoever asked to be left alone is left out, unless everybody did: the answer that an endpoint gives then is passed on. In panic, too,
   * everybody means the healthy ones, while there is one: a pause of the last of them must not leave all work to the sick.
   *
   * Whoever is on trial gets probes only, unless in panic; whoever's breaker is half-open, in panic as well.
   */
  #fill(group: EndpointGroup, number: number, ignoresHealth: boolean): void {
    const { healthy, awake, awakeHealthy } = this.#censuses[number] as Census; // one for each group
    const needed = WOULD_TAKE_WORK | (ignoresHealth ? 0 : IS_HEALTHY);
    const refused = ((healthy > 0 ? awakeHealthy : awake) > 0 ? IS_PAUSED : 0) | IS_SHUT;
    const probed = ignoresHealth ? IS_HALF_OPEN : IS_ON_TRIAL;
    const trials = this.#trials[number] as TrialList; // one for each group
    group.begin();
    trials.clear();
    for (let place = 0; place < this.#candidates.length; place++) {
      const state = this.#states[place] as number; // place < length
      if (this.#numbers[place] !== number || (state & refused) !== 0) continue;
      const getsProbes = (state & probed) !== 0;
      if (!getsProbes && (state & needed) !== needed) continue;
      const index = this.#candidates[place] as number;
      const { slot, generation } = this.endpoint(index);
      const cap = this.#control.cap(slot);
      if (getsProbes) trials.add(index, slot, generation, cap, this.#probes[place] as number);
      else group.add(index, slot, generation, this.#weights[place] as number, cap);
    }
    group.end(ignoresHealth);
    if (trials.size > 0) this.#hasTrials = true;
  }
}

function healthBit(isHealthy: boolean): number {
  return isHealthy ? IS_HEALTHY : 0;
}
