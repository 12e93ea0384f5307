/** One upstream in one worker: picks endpoints for exchanges and sessions, and settles how their attempts went. */

import { MOST_PAUSE_MS, NO_SAMPLE } from '../board/endpoint-load.js';
import type { WorkerBoard } from '../board/worker-board.js';
import { NO_SUBSET, type SubsetPlan } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Rng } from '../core/rng.js';
import { type Tick, tickAfter } from '../core/tick.js';
import { AS_PROBE, IN_PANIC, measureOf, PACED_BY_CLIENT } from './attempt-measure.js';
import type { AttemptObserver } from './attempt-observer.js';
import { NO_ENDPOINT, type PickKey } from './balancer.js';
import { type EndpointLedger, isFailingStatus } from './endpoint-ledger.js';
import type { PickExplanation } from './explain.js';
import { fillRandomKey, type KeyWish, keyWishOf } from './key-source.js';
import { LoadReport } from './load-report.js';
import { NONE_TRIED, TriedSet } from './tried-set.js';
import { UpstreamPicker } from './upstream-picker.js';

const MS_PER_S = 1_000;
/** Says that its sender asks too much, not that the endpoint is well or ill. */
const TOO_MANY_REQUESTS = 429;
/** No response, or a broken one. */
const NO_STATUS = 0;

/** Why nobody could be picked: whoever might be is full; its circuit is open; there is none that takes work. */
export type NoneReason = 'SLUICE_ENDPOINTS_FULL' | 'SLUICE_BREAKER_OPEN' | 'SLUICE_NO_ENDPOINT';

/** Who is told of places that come free, where requests wait for them. HOT. */
export interface ReleaseObserver {
  /** A claim on the endpoint that has this slot has been given back. Nothing may be picked or settled within. */
  released(slot: number, now: Tick): void;
}

/** A pick that was only rehearsed. */
export interface RehearsedPick {
  readonly explanation: PickExplanation;
  /** Index in the plan, or NO_ENDPOINT. */
  readonly endpoint: number;
  /** null: somebody would be picked. */
  readonly why: NoneReason | null;
}

/** What all upstreams of a worker share. */
export interface UpstreamParts {
  readonly board: WorkerBoard;
  readonly ledger: EndpointLedger;
  readonly rng: Rng;
  /** Who watches the attempts of an upstream; absent or null: nobody. */
  readonly observe?: (plan: UpstreamPlan) => AttemptObserver | null;
}

/** What picking and settling read and change of an exchange or a session. */
export interface Attempting {
  /** Its number in the ledger of the worker (src/worker/attempt-numbers.ts). */
  readonly id: number;
  /** Index in the upstream of the endpoint that is claimed, or NO_ENDPOINT. */
  endpoint: number;
  /** Index into the subsets of its upstream, or NO_SUBSET. */
  readonly subset: number;
  readonly key: PickKey;
  /** Index in the upstream of the endpoint that its client belongs to, or NO_ENDPOINT: taken for the first attempt if it is eligible. */
  readonly preferred: number;
  /** Made so far. */
  attempts: number;
  /** Endpoints whose attempts failed; null: none. */
  tried: TriedSet | null;
}

/** Thread: worker. Every method is HOT; `now` is the shared clock, read once for a batch of events or a request. */
export class UpstreamRuntime {
  readonly plan: UpstreamPlan;
  /** What its balancer wants to be filled into the key of an exchange or session, before the first pick. */
  readonly keyWish: KeyWish;
  readonly #rng: Rng;
  readonly #picker: UpstreamPicker;
  readonly #subsetPickers: readonly UpstreamPicker[];
  readonly #ledger: EndpointLedger;
  readonly #board: WorkerBoard;
  readonly #measure: number;
  readonly #learns: boolean;
  /** null: nobody watches its attempts. */
  readonly #observer: AttemptObserver | null;
  /** The one that is being read; null: no reports are taken. */
  readonly #report: LoadReport | null;
  /** null: nobody waits. */
  releases: ReleaseObserver | null = null;
  /**
   * The runtime of the same upstream in the plan that counts: what began here may go on there (followPlan). Shared by all runtimes of the
   * upstream, so that what lives long keeps none alive but its own and the latest.
   */
  line: { latest: UpstreamRuntime } = { latest: this };
  /**
   * The endpoint whose place is kept for whoever picks next: taken whatever the balancer would say, and nobody is picked where it is gone.
   * NO_ENDPOINT: none is kept.
   */
  wanted = NO_ENDPOINT;

  constructor(plan: UpstreamPlan, parts: UpstreamParts) {
    this.plan = plan;
    this.keyWish = keyWishOf(plan);
    this.#rng = parts.rng;
    this.#observer = parts.observe?.(plan) ?? null;
    const pickerOf = (subset: SubsetPlan | null): UpstreamPicker =>
      new UpstreamPicker(plan, parts.board, parts.rng, subset, this.#observer);
    this.#picker = pickerOf(null);
    this.#subsetPickers = plan.subsets.map(pickerOf);
    this.#ledger = parts.ledger;
    this.#board = parts.board;
    this.#measure = measureOf(plan);
    this.#learns = this.#picker.learns;
    this.#report = plan.weights.kind === 'reported' ? new LoadReport() : null;
  }

  /** For an exchange or session that does not have the key which its balancer wants. */
  fillRandomKey(key: PickKey): void {
    fillRandomKey(key, this.#rng);
  }

  /** The level to which the key of an exchange or session belongs now, among the endpoints that it may have. */
  levelOf(attempting: Attempting, now: Tick): number {
    return this.#pickerOf(attempting).levelOf(attempting.key, now);
  }

  /**
   * Picks and claims an endpoint for the next attempt of an exchange or session, which becomes its `endpoint`.
   * @returns the endpoint's slot, or NO_ENDPOINT
   */
  pick(attempting: Attempting, now: Tick): number {
    const isRetry = attempting.attempts > 0;
    const picker = this.#pickerOf(attempting);
    const tried = attempting.tried ?? NONE_TRIED;
    let endpoint = NO_ENDPOINT;
    if (this.wanted !== NO_ENDPOINT) {
      endpoint = picker.claimPreferred(this.wanted, tried, now);
      if (endpoint === NO_ENDPOINT && picker.view.placesAt(this.wanted) === 0) return NO_ENDPOINT;
    }
    if (endpoint === NO_ENDPOINT && attempting.preferred !== NO_ENDPOINT && !isRetry)
      endpoint = picker.claimPreferred(attempting.preferred, tried, now);
    if (endpoint === NO_ENDPOINT) endpoint = picker.pick(attempting.key, tried, now);
    if (endpoint === NO_ENDPOINT) return NO_ENDPOINT;
    const picked = picker.view.endpoint(endpoint);
    let measure = attempting.key.bodyBytes === 0 ? this.#measure : this.#measure | PACED_BY_CLIENT;
    if (picker.pickedProbe) measure |= AS_PROBE;
    else if (picker.view.isPanicking && picker.view.standingOf(endpoint, now) !== 0) measure |= IN_PANIC;
    this.#ledger.begin(attempting.id, picked, isRetry, now, measure);
    if (isRetry) this.#board.stripe.countRetry();
    attempting.endpoint = endpoint;
    attempting.attempts++;
    return picked.slot;
  }

  /** Places that an endpoint has left, see UpstreamView.placesAt. @param endpoint index in the plan */
  placesAt(endpoint: number, now: Tick): number {
    this.#picker.view.refresh(now);
    return this.#picker.view.placesAt(endpoint);
  }

  /** Why pick() has just found nobody. Cold. */
  whyNone(attempting: Attempting, now: Tick): NoneReason {
    const { view } = this.#pickerOf(attempting);
    view.refresh(now);
    if (view.hasUntried(attempting.tried ?? NONE_TRIED)) return 'SLUICE_ENDPOINTS_FULL';
    return view.isShut ? 'SLUICE_BREAKER_OPEN' : 'SLUICE_NO_ENDPOINT';
  }

  /** Why the next pick() for an exchange will go where it goes. Cold, right before that pick; it alone is to be explained by it. */
  explain(attempting: Attempting, now: Tick): PickExplanation {
    const preferred = attempting.attempts > 0 ? NO_ENDPOINT : attempting.preferred;
    return this.#pickerOf(attempting).explain(attempting.key, attempting.tried ?? NONE_TRIED, preferred, now);
  }

  /**
   * Where pick() would go now, and why: nothing is claimed, no cursor moves, nothing is counted. Cold.
   *
   * @returns endpoint: its index in the plan, or NO_ENDPOINT, and then why nobody
   */
  rehearse(attempting: Attempting, now: Tick): RehearsedPick {
    const picker = this.#pickerOf(attempting).rehearsal;
    const tried = attempting.tried ?? NONE_TRIED;
    const { preferred } = attempting;
    const explanation = picker.explain(attempting.key, tried, preferred, now);
    let endpoint = preferred === NO_ENDPOINT ? NO_ENDPOINT : picker.claimPreferred(preferred, tried, now);
    if (endpoint === NO_ENDPOINT) endpoint = picker.pick(attempting.key, tried, now);
    return { explanation, endpoint, why: endpoint === NO_ENDPOINT ? this.whyNone(attempting, now) : null };
  }

  /**
   * The head of the response has come.
   *
   * @param elapsedUs since the pick
   * @param isJudgedLater whether it is a good answer its trailers say: settleJudgement() tells of them
   */
  settleFirstByte(attempting: Attempting, status: number, elapsedUs: number, now: Tick, isJudgedLater = false): void {
    if (this.#learns) {
      const isFailure = isFailingStatus(status);
      if (isFailure || this.#ledger.isMeasuredByHead(attempting.id, status))
        this.#learn(attempting, elapsedUs, isFailure, now);
    }
    if (this.#observer !== null && status !== TOO_MANY_REQUESTS && !isJudgedLater)
      this.#observeHead(attempting, status, elapsedUs, now);
    this.#ledger.firstByte(attempting.id, status, elapsedUs, now);
  }

  /** The end of a response has said what it was. Behind settleFirstByte(), before settleLastByte(). @param elapsedUs to its head */
  settleJudgement(attempting: Attempting, status: number, elapsedUs: number, now: Tick): void {
    const observer = this.#observer;
    if (observer === null) return;
    const { id, endpoint } = attempting;
    const ledger = this.#ledger;
    if (isFailingStatus(status))
      // Its head was not counted.
      observer.failed(endpoint, status, false, ledger.measure(id), ledger.startedAt(id), now);
    else this.#observeSuccess(observer, attempting, elapsedUs, now);
  }

  /**
   * The endpoint has sent the last byte of its response: gives the claim back, as settleEnd().
   *
   * @param elapsedUs from the pick to that byte
   */
  settleLastByte(attempting: Attempting, elapsedUs: number, now: Tick): void {
    if (attempting.endpoint === NO_ENDPOINT) return;
    if (this.#learns && this.#ledger.isMeasuredByEnd(attempting.id)) this.#learn(attempting, elapsedUs, false, now);
    this.#ledger.lastByte(attempting.id, elapsedUs, now);
    this.settleEnd(attempting, now);
  }

  /**
   * The endpoint has answered 429 or 503 with Retry-After: all workers leave it alone until then, unless every endpoint of its
   * level asks for that. Call it before settleEnd(), and beside settleFirstByte(), which counts the status.
   *
   * @param seconds from now, as the header says; below 1 or no number: nothing happens; MOST_PAUSE_MS is the most that counts
   */
  settleRetryAfter(attempting: Attempting, seconds: number, now: Tick): void {
    if (attempting.endpoint === NO_ENDPOINT || !(seconds >= 1)) return;
    const { slot, generation } = this.#picker.view.endpoint(attempting.endpoint);
    const { load, upstreams } = this.#board;
    // Another endpoint has got the slot meanwhile: it asked for nothing.
    if (load.generation(slot) !== generation) return;
    const until = tickAfter(now, Math.min(Math.floor(seconds * MS_PER_S), MOST_PAUSE_MS));
    if (load.pauseUntil(slot, until, now)) upstreams.bumpControlEpoch(this.plan.record);
  }

  /** Whether its endpoints report their load, and reports are the proxy's, not the client's. */
  get takesReports(): boolean {
    return this.#report !== null;
  }

  /**
   * The endpoint has reported its load with a response. Call it before settleEnd().
   *
   * @param text  of the field `endpoint-load-metrics`; nothing happens where it is malformed, or no reports are taken
   * @param nowMs the shared clock
   */
  settleReport(attempting: Attempting, text: string, nowMs: number): void {
    const report = this.#report;
    if (report === null || attempting.endpoint === NO_ENDPOINT || !report.read(text)) return;
    const { slot, generation } = this.#picker.view.endpoint(attempting.endpoint);
    this.#board.reports.store(slot, generation, report.utilization, report.rate, report.errorRate, nowMs);
  }

  /** The session's connection to its endpoint is there. @param elapsedUs since the pick */
  settleConnected(attempting: Attempting, elapsedUs: number, now: Tick): void {
    if (this.#learns) this.#learn(attempting, elapsedUs, false, now);
    if (this.#observer !== null) this.#observeSuccess(this.#observer, attempting, elapsedUs, now);
    this.#ledger.connected(attempting.id, elapsedUs, now);
  }

  /**
   * The endpoint has reset the session's connection: a failure of the endpoint. Before its first byte it also raises the estimate,
   * however long the client had been silent until then; after it many protocols end like that. Then call settleEnd().
   *
   * @param hasAnswered true when the endpoint has sent at least one byte
   */
  settleReset(attempting: Attempting, hasAnswered: boolean, now: Tick): void {
    if (this.#learns && !hasAnswered) this.#learn(attempting, 0, true, now);
    if (this.#observer !== null && !hasAnswered) this.#observeFailure(this.#observer, attempting, NO_STATUS, now);
    this.#ledger.reset(attempting.id, hasAnswered, now);
  }

  /** The attempt is over: gives the claim back. Nothing happens where none is held, so every way out may call it. */
  settleEnd(attempting: Attempting, now: Tick): void {
    if (attempting.endpoint === NO_ENDPOINT) return;
    const sampleUs = this.#ledger.end(attempting.id, now);
    if (this.#learns && sampleUs !== NO_SAMPLE) this.#learn(attempting, sampleUs, false, now);
    const { endpoint } = attempting;
    attempting.endpoint = NO_ENDPOINT;
    if (this.releases !== null) this.releases.released(this.#picker.view.endpoint(endpoint).slot, now);
  }

  /** The attempt could not even begin on its endpoint, through no fault of it: another one is to be picked. */
  settleUnusable(attempting: Attempting, now: Tick): void {
    attempting.tried ??= new TriedSet();
    attempting.tried.add(attempting.endpoint);
    this.settleEnd(attempting, now);
  }

  /** The attempt failed: it counts against the endpoint if it was at fault, and is not made there again. */
  settleFailure(attempting: Attempting, code: ErrorCode, elapsedUs: number, now: Tick): void {
    if (ERROR_CATALOG[code].fault === 'endpoint') {
      if (this.#learns) this.#learn(attempting, elapsedUs, true, now);
      if (this.#observer !== null) this.#observeFailure(this.#observer, attempting, NO_STATUS, now);
      this.#ledger.fail(attempting.id, elapsedUs, now);
    }
    this.settleUnusable(attempting, now);
  }

  #learn(attempting: Attempting, elapsedUs: number, isFailure: boolean, now: Tick): void {
    const { endpoint, key } = attempting;
    const inflight = this.#ledger.inflightAtBegin(attempting.id);
    this.#pickerOf(attempting).settled(endpoint, key, inflight, elapsedUs, isFailure, now);
  }

  #observeHead(attempting: Attempting, status: number, elapsedUs: number, now: Tick): void {
    const observer = this.#observer as AttemptObserver; // the caller has looked
    if (isFailingStatus(status)) this.#observeFailure(observer, attempting, status, now);
    else this.#observeSuccess(observer, attempting, elapsedUs, now);
  }

  #observeSuccess(observer: AttemptObserver, { id, endpoint }: Attempting, elapsedUs: number, now: Tick): void {
    const ledger = this.#ledger;
    observer.succeeded(endpoint, elapsedUs, ledger.measure(id), ledger.startedAt(id), now);
  }

  /** Before the ledger is told. */
  #observeFailure(observer: AttemptObserver, { id, endpoint }: Attempting, status: number, now: Tick): void {
    const ledger = this.#ledger;
    observer.failed(endpoint, status, !ledger.awaitsAnswer(id), ledger.measure(id), ledger.startedAt(id), now);
  }

  #pickerOf({ subset }: Attempting): UpstreamPicker {
    return subset === NO_SUBSET ? this.#picker : (this.#subsetPickers[subset] as UpstreamPicker); // of the plan
  }

  /** The endpoint's name as the user wrote it; for logs. @param endpoint index in the plan */
  endpointName(endpoint: number): string {
    return this.plan.endpoints[endpoint]?.name ?? 'none';
  }
}
