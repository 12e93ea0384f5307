/** One L7 request and its response, from head to last byte, over all attempts; and what the pipeline asks of its front end. */
import { NO_ENDPOINT, PickKey } from '../balancing/balancer.js';
import type { KeySource } from '../balancing/key-source.js';
import type { TriedSet } from '../balancing/tried-set.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import { NO_SUBSET } from '../config/picking-plan.js';
import type { L7ListenerPlan, RoutePlan } from '../config/plan.js';
import type { RetryPlan } from '../config/resilience-plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { NOT_GRPC } from '../core/grpc-status.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import type { AccessLines } from '../engine/access-lines.js';
import type { ClientCertificate } from '../engine/tls.js';
import type { HedgeDelay } from '../policies/hedge-delay.js';
import type { BreakerPassage, RouteBreaker } from '../policies/route-breaker.js';
import { NOT_WAITING, type Waiter } from '../policies/waiter.js';
import type { WaitingRoom } from '../policies/waiting-room.js';
import type { LocalResponse } from './error-response.js';
import type { ExchangeTrace } from './exchange-trace.js';
import type { LogTexts } from './log-texts.js';
import { Recovery } from './recovery.js';
import type { RequestDescription, RequestUrl } from './request-url.js';
import type { SecondAttempt } from './second-attempt.js';

/**
 * free: not in use · attempting: an attempt runs or is being chosen, nothing of a response has come · waiting: for a place in the
 * queue, or for the end of a back-off; no attempt runs · relaying: the head has gone to the client · flushing: the endpoint is done, the
 * client has not taken everything yet · refusing: a local answer is due in a later turn · answering: the proxy's own answer is on its way
 * · broken: the response is being broken off.
 */
export type ExchangeState =
  | 'free'
  | 'attempting'
  | 'waiting'
  | 'relaying'
  | 'flushing'
  | 'refusing'
  | 'answering'
  | 'broken';

/** Affinity of one upstream in one worker. */
export interface ExchangeAffinity {
  /** The endpoint that the request's client belongs to, or NO_ENDPOINT; its upstream and subset have been found. HOT. */
  preferredOf(exchange: Exchange, now: Tick): number;
  /** An attempt is about to begin at `exchange.endpoint`: sees to it that the response of this one binds the client, if it is to. HOT. */
  bind(exchange: Exchange): void;
}

/**
 * An upstream as the requests of one plan meet it: its runtime, and what this data plane has beside it. Requests that began under a former
 * plan go on with theirs, unless they follow the plan (Attempts). Thread: worker.
 */
export interface ServedUpstream {
  readonly runtime: UpstreamRuntime;
  /** null: an upstream without. */
  readonly affinity: ExchangeAffinity | null;
  /** Where requests wait for a place; null: nobody waits. */
  readonly room: WaitingRoom<Exchange> | null;
}

/** How requests of a route are attempted on one upstream. */
export interface AttemptSettings {
  readonly served: ServedUpstream;
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

/** One route of one plan, as its worker serves it. */
export class RouteSettings {
  readonly plan: RoutePlan;
  /** Host and path, as logs and spans have it. */
  readonly name: string;
  readonly breaker: RouteBreaker | null;
  /** By index of the upstream in that plan. */
  readonly #byUpstream: readonly (AttemptSettings | undefined)[];

  constructor(plan: RoutePlan, breaker: RouteBreaker | null, byUpstream: readonly (AttemptSettings | undefined)[]) {
    this.plan = plan;
    this.name = `${plan.host}${plan.path}`;
    this.breaker = breaker;
    this.#byUpstream = byUpstream;
  }

  /** Of an upstream that the route may lead to, its fallback's included. HOT: one look into an array. @param upstream index in the plan of the route */
  on(upstream: number): AttemptSettings {
    return this.#byUpstream[upstream] as AttemptSettings; // made of all targets of the route
  }

  /** Adds the profiles that its requests may name. */
  collectProfiles(into: Set<number>): void {
    for (const settings of this.#byUpstream) {
      if (settings !== undefined) into.add(settings.profile).add(settings.profileOnce);
    }
  }
}

/** What became of an attempt that was to begin. NO_POOL: its endpoint is not known to the engine (yet); nothing was begun. */
export type AttemptStart = typeof BEGUN | typeof NO_POOL | ErrorCode;
export const BEGUN = 'BEGUN';
export const NO_POOL = 'NO_POOL';

/**
 * An exchange; made once, used for one request after the other. The front end fills the request in and calls the pipeline; the
 * pipeline decides through the abstract methods. Thread: worker.
 */
export abstract class Exchange implements Attempting, Waiter {
  state: ExchangeState = 'free';
  /** Another one for each request of this object. */
  serial = 0;

  // The request, filled in by the front end before Pipeline.begin.
  /** '' for a method that the front end has only a number for: `describe` tells it. */
  method = '';

  // What the pipeline has decided.
  /** Stays with the object until a request takes another route; null: none has taken any. */
  route: RouteSettings | null = null;
  /** Of the route on the upstream; null: no route yet. */
  settings: AttemptSettings | null = null;
  upstream: UpstreamRuntime | null = null;
  /** Index into the upstream's subsets, or NO_SUBSET. */
  subset = NO_SUBSET;
  readonly key = new PickKey();
  /** Index in the upstream of the endpoint that the client belongs to, or NO_ENDPOINT. */
  preferred = NO_ENDPOINT;
  /** A cookie that binds the client to the endpoint has been added to the response. */
  isBinding = false;
  /** Deadline over all attempts, counted from beganAt; 0: none. */
  exchangeTimeoutMs = 0;
  beganAt: Tick = NEVER;
  /** Shared clock when the head of the request came. */
  beganAtMs = 0;
  /** What is left of that for the attempt that is about to begin; 0: no deadline. */
  timeLeftMs = 0;
  /** Index in the upstream of the endpoint that is claimed, or NO_ENDPOINT. */
  endpoint = NO_ENDPOINT;
  attempts = 0;
  /** Endpoints whose attempts failed; null: none. */
  tried: TriedSet | null = null;
  /** Entry in the queue of its upstream: the waiting room's. */
  entry = NOT_WAITING;
  /** Where it waits, or has waited last. */
  room: WaitingRoom<Exchange> | null = null;
  readonly recovery = new Recovery();
  /** Its attempt beside the first; null: this object has never had one. */
  second: SecondAttempt | null = null;
  /** Whose response the client gets: this, or `second`. */
  serving: Attempting = this;
  /** Through the breaker of its route; null: this object has never met one. */
  passage: BreakerPassage | null = null;
  /** Of the latest attempt that failed; null: none has. */
  lastFailure: ErrorCode | null = null;
  /** Why the exchange ends otherwise than with an endpoint's whole response; null: nothing of the kind. */
  failure: ErrorCode | null = null;
  /** Status sent to the client; 0 before that. */
  status = 0;
  /** Of the attempt whose head has come: how long that took, and the shared clock then. */
  firstByteUs = 0;
  /** A word of src/core/grpc-status.ts. */
  grpc: number = NOT_GRPC;
  firstByteAtMs = 0;
  // What the record tells of it. Times in µs, at most MOST_ELAPSED_US; bytes as the client's side saw them: heads and bodies, and what went
  // through a tunnel; with `frontend: uws`, whose library keeps heads to itself, bodies alone.
  /** From the head of the request to the end of the client's side. */
  totalUs = 0;
  /** How long it waited in queues, and in pauses before retries. */
  queueUs = 0;
  /** Of the attempt whose head has come: how long its connection took; 0: it had one from the pool. */
  connectUs = 0;
  isReused = false;
  bytesFromClient = 0;
  bytesToClient = 0;
  /** Index in the upstream of the endpoint whose answer its client gets; NO_ENDPOINT: nobody's, or the proxy's own. */
  answeredBy = NO_ENDPOINT;
  /** Shared clock since when it waits; NOT_IN_LINE: it does not. */
  #waitsSinceMs = NOT_IN_LINE;
  /** The trace that it is part of; null: tracing is off. */
  trace: ExchangeTrace | null = null;
  /** Why its endpoints were picked, where its listener explains; null: nothing was explained. */
  explanation: string | null = null;

  /**
   * @param id       number of this exchange in the engine and in the ledger, for the life of this object
   * @param listener where its client comes from
   */
  constructor(
    readonly id: number,
    public listener: L7ListenerPlan,
  ) {}

  /**
   * Sets `timeLeftMs`.
   *
   * @returns false: the deadline over all attempts will have passed in `ms`
   */
  isInTime(now: Tick, ms: number): boolean {
    if (this.exchangeTimeoutMs === 0) return true;
    this.timeLeftMs = this.exchangeTimeoutMs - msBetween(this.beganAt, now);
    return this.timeLeftMs > ms;
  }

  /** It waits from now on, in a queue or for the end of a pause. */
  beginWait(nowMs: number): void {
    this.#waitsSinceMs = nowMs;
  }

  /** It goes on, or is over. Idempotent. */
  endWait(nowMs: number): void {
    if (this.#waitsSinceMs === NOT_IN_LINE) return;
    this.queueUs += Math.max(elapsedUs(this.#waitsSinceMs, nowMs), 1);
    this.#waitsSinceMs = NOT_IN_LINE;
  }

  /** Does an attempt of it run on an endpoint, or a response of it come from there? */
  hasAttemptOn(slot: number, generation: number): boolean {
    const { upstream, second } = this;
    return upstream !== null && (isOn(this, upstream, slot, generation) || isOn(second, upstream, slot, generation));
  }

  /** Cold: allocates. While the exchange is open. */
  abstract describe(): RequestDescription;

  /** What its client has asked for, whole. Within the call of Pipeline.begin. */
  abstract url(): RequestUrl;

  /**
   * Hashes a key of the request into `key`. While the front end has the head: within the call of Pipeline.begin. HOT.
   *
   * @param isCrc as in KeyWish
   * @returns false: the request has no such key, and `key` is as it was
   */
  abstract hashKey(source: KeySource, isCrc: boolean): boolean;
  /** The text that hashKey hashes, a character for each byte; null: the request has no such key. When hashKey may be called. */
  abstract keyText(source: KeySource): string | null;

  /**
   * The value of a request's field, several joined by commas; null: it has none. Before the first attempt. What frames the message or
   * belongs to its connection is not told.
   *
   * @param name in lower case
   */
  abstract header(name: string): string | null;

  /** What its client has shown as its certificate, and what was believed; null: none. Cold: allocates. While the exchange is open. */
  clientCertificate(): ClientCertificate | null {
    return null;
  }

  /**
   * Sends the request to an endpoint, within `timeLeftMs`: within the call that brought it, or after `putOff`.
   *
   * @param slot    of the endpoint
   * @param profile as in Engine.openProfile
   */
  abstract beginAttempt(slot: number, profile: number): AttemptStart;
  /**
   * Sends it to another one: after an attempt that failed with AttemptFact.HELD, or whose response was asked about, which is dropped.
   * Within the call that told it, or after `putOff`.
   */
  abstract tryAgain(slot: number, profile: number): AttemptStart;
  /**
   * Nothing is decided now of a request, a failed attempt or a response that was asked about: beginAttempt, tryAgain, passOn, sendLocal or
   * breakOff follows. What is held of request and response stays so until then.
   */
  abstract putOff(): void;
  /** A response that was asked about goes to the client after all; what is told of it goes on as if nobody had asked. */
  abstract passOn(): void;
  /**
   * Begins a second attempt beside the one that runs; of two responses the first that is not asked about counts, and the other attempt
   * ends of itself.
   *
   * @returns false: nothing was begun, since not all of the request is held, it switches protocols, or its endpoint is not known yet
   */
  abstract hedge(slot: number, profile: number): boolean;
  /** Ends that second attempt alone. Idempotent. */
  abstract releaseHedge(): void;
  /** Ends the attempts that there are, at once. */
  abstract release(): void;
  /**
   * Adds a field to the head that the client gets in the end, of an endpoint or of the proxy's own; as FrontEnd.addResponseField. Before
   * the head has gone, else nothing happens.
   *
   * @param value null: takes the added field away
   * @throws TypeError for what cannot be added
   */
  abstract addResponseField(name: string, value: string | null): void;

  /**
   * Writes a whole response of the proxy's own.
   *
   * @param mustClose the connection may not be used again
   * @returns true: the client's side is over with it; false: Pipeline.finished will be called when it is
   */
  abstract sendLocal(response: LocalResponse, mustClose: boolean): boolean;
  /** Where the request ends is in doubt, or will not be read: nothing can follow an answer that is sent now. */
  abstract get isConnectionSpent(): boolean;
  /** Breaks the response off so that the client cannot take it for complete. @returns as sendLocal */
  abstract breakOff(): boolean;

  /**
   * Changes the request before it is sent: replaces all fields of that name; null removes them. When `header` may be called.
   *
   * @param name in lower case
   */
  abstract setHeader(name: string, value: string | null): void;

  /** Whether tellLog has texts that writeAccessLine does not know. HOT. */
  get hasLogTexts(): boolean {
    return true;
  }

  /** What is known of the request in words. While it is being recorded. */
  abstract tellLog(texts: LogTexts): void;

  /** Writes its line of the access log. While it is being recorded. HOT. @returns as AccessLines.write */
  writeAccessLine(lines: AccessLines): number {
    return lines.write();
  }

  /** Gives the object back to the front end. */
  abstract recycle(): void;

  /** While it is free: lets go of what it still has of a plan before. @param listener any one of the plan that counts; null: it has none */
  forgetPlan(listener: L7ListenerPlan | null): void {
    this.route = null;
    this.room = null;
    if (listener !== null) this.listener = listener;
  }

  /** Forgets the request. The pipeline has settled everything before. */
  reset(): void {
    this.state = 'free';
    this.upstream = null;
    this.settings = null;
    this.serving = this;
    this.recovery.reset();
    if (this.second?.isUsed === true) this.second.reset();
    this.preferred = NO_ENDPOINT;
    this.isBinding = false;
    this.endpoint = NO_ENDPOINT;
    this.attempts = 0;
    this.tried = null;
    this.lastFailure = null;
    this.failure = null;
    this.status = 0;
    this.firstByteUs = 0;
    this.grpc = NOT_GRPC;
    this.answeredBy = NO_ENDPOINT;
    this.totalUs = 0;
    this.queueUs = 0;
    this.connectUs = 0;
    this.isReused = false;
    this.bytesFromClient = 0;
    this.bytesToClient = 0;
    this.explanation = null;
    this.trace = null;
    this.timeLeftMs = 0;
  }
}

function isOn(attempting: Attempting | null, { plan }: UpstreamRuntime, slot: number, generation: number): boolean {
  if (attempting === null || attempting.endpoint === NO_ENDPOINT) return false;
  const endpoint = plan.endpoints[attempting.endpoint];
  return endpoint?.slot === slot && endpoint.generation === generation;
}

const NOT_IN_LINE = -1;
const US_PER_MS = 1_000;
/** An int32; as the engine's own times. */
export const MOST_ELAPSED_US = 2 ** 31 - 1;

/** Between two readings of the shared clock, whole, at most MOST_ELAPSED_US. HOT. */
export function elapsedUs(fromMs: number, toMs: number): number {
  return Math.min((toMs - fromMs) * US_PER_MS, MOST_ELAPSED_US) | 0;
}

/** One of an exchange's attempts. isAlone: the other one does not run. */
export function attemptOf(exchange: Exchange, isHedge: boolean): { attempting: Attempting; isAlone: boolean } {
  const { second } = exchange;
  if (second === null || !second.isUsed) return { attempting: exchange, isAlone: true };
  if (isHedge) return { attempting: second, isAlone: exchange.endpoint === NO_ENDPOINT };
  return { attempting: exchange, isAlone: second.endpoint === NO_ENDPOINT };
}

/** Why an exchange ended, for the record: DELIVERED, or the code of what went wrong. */
export type Ending = typeof DELIVERED | ErrorCode;
export const DELIVERED = 'DELIVERED';
