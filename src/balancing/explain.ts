/** Explains a pick: who may be picked and how each one scores, who may not and why. Made right before the pick, from the same state. */
import { type EndpointControlTable, WEIGHT_UNIT } from '../board/endpoint-control.js';
import { isPaused } from '../board/endpoint-load.js';
import type { BalancerName, SubsetPlan } from '../config/picking-plan.js';
import { msBetween, type Tick } from '../core/tick.js';
import { Standing } from './attempt-observer.js';
import type { Balancer, PickKey } from './balancer.js';
import { type EndpointGroup, NO_POSITION } from './endpoint-group.js';
import { isFull } from './lowest-score.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/**
 * Why an endpoint may not be picked. `gone`: its slot has another endpoint, and a newer plan is on its way. `on-trial`: it gets probes only (its
 * ejection is over, or its breaker half-open); who is picked in spite of it is one.
 */
export const EXCLUSIONS = [
  'not-in-subset',
  'gone',
  'disabled',
  'draining',
  'no-weight',
  'unresolved',
  'unknown',
  'unhealthy',
  'breaker-open',
  'ejected',
  'on-trial',
  'paused',
  'tried',
  'full',
  'above-load-bound',
] as const;
export type Exclusion = (typeof EXCLUSIONS)[number];

/** An endpoint outside of all groups. */
export const NO_GROUP = -1;

export interface ExplainedEndpoint {
  readonly name: string;
  /** null: it may be picked, once its group is asked. */
  readonly exclusion: Exclusion | null;
  /** Index into PickExplanation.groups, or NO_GROUP. */
  readonly group: number;
  /** As it counts now; 1 is the weight 1 of a configuration. */
  readonly weight: number;
  readonly inflight: number;
  /** Most in flight, as it counts now; 0: no cap. */
  readonly cap: number;
  /** Most in flight by bounded load; 0: no bound. */
  readonly bound: number;
  /** What the balancer compares (Balancer.scoreFor), of those that may be picked; null: it compares nothing. */
  readonly score: number | null;
  /** How long it is still to be left alone. */
  readonly pauseMs: number;
}

/** A level, or the backups, which come last. */
export interface ExplainedGroup {
  readonly isBackups: boolean;
  /** Share of the picks that begin here, in percent; 0 for backups. */
  readonly load: number;
  /** Panic: unhealthy endpoints are in it. */
  readonly ignoresHealth: boolean;
  /** Its members are all compared; otherwise, where scores count, two that are drawn. */
  readonly comparesAll: boolean;
}

/** What is known right before a pick. Endpoints have the indices of the plan. */
export interface PickExplanation {
  readonly upstream: string;
  readonly balance: BalancerName;
  /** null: the whole upstream. */
  readonly subset: Readonly<Record<string, string>> | null;
  /** The endpoint that the client belongs to, or NO_ENDPOINT. */
  readonly preferred: number;
  /** The balancer goes by the request's key, whose hash this is. */
  readonly picksByKey: boolean;
  readonly hash: number;
  readonly hashHigh: number;
  readonly groups: readonly ExplainedGroup[];
  readonly endpoints: readonly ExplainedEndpoint[];
}

/** What a pick goes by. */
export interface PickFacts {
  /** Refreshed. */
  readonly view: UpstreamView;
  readonly balancer: Balancer;
  readonly control: EndpointControlTable;
  /** null: all endpoints. */
  readonly subset: SubsetPlan | null;
  readonly key: PickKey;
  readonly tried: TriedSet;
  /** The endpoint that is claimed first if it is eligible, or NO_ENDPOINT. */
  readonly preferred: number;
  readonly now: Tick;
}

/**
 * Tells what a pick would go by if it were made now. The pick itself reads the counts again: what other workers claim or end in
 * between makes it differ. Changes nothing that a pick depends on. Cold: allocates. Thread: worker.
 */
export function explainPick(facts: PickFacts): PickExplanation {
  const { view, balancer, subset, key, preferred } = facts;
  const { plan } = view;
  const groups = [...view.levels, view.backups];
  return {
    upstream: plan.name,
    balance: plan.balance,
    subset: subset?.labels ?? null,
    preferred,
    picksByKey: isByKey(REASONS[plan.balance]),
    hash: key.hash,
    hashHigh: key.hashHigh,
    groups: groups.map((group, number) => ({
      isBackups: group === view.backups,
      load: group === view.backups ? 0 : view.loadOf(number),
      ignoresHealth: group.ignoresHealth,
      comparesAll: balancer.comparesAll?.(group) ?? false,
    })),
    endpoints: plan.endpoints.map((_, endpoint) => explainEndpoint(facts, groups, endpoint)),
  };
}

function explainEndpoint(facts: PickFacts, groups: readonly EndpointGroup[], endpoint: number): ExplainedEndpoint {
  const { view, control, now } = facts;
  const { name, slot, generation } = view.endpoint(endpoint);
  const inflight = view.load.generation(slot) === generation ? view.load.inflightHint(slot) : 0;
  const number = groups.findIndex((group) => memberAt(group, slot, endpoint) !== NO_POSITION);
  const group = groups[number];
  if (group !== undefined) return { name, inflight, group: number, ...explainMember(facts, group, slot, inflight) };
  const { effectiveWeight, effectiveCap } = control.state(slot);
  return {
    name,
    exclusion: exclusionOf(facts, endpoint),
    group: NO_GROUP,
    weight: effectiveWeight,
    inflight,
    cap: effectiveCap,
    bound: 0,
    score: null,
    pauseMs: pauseOf(view, slot, now),
  };
}

function memberAt(group: EndpointGroup, slot: number, endpoint: number): number {
  const position = group.positionOf(slot);
  return position !== NO_POSITION && group.endpointAt(position) === endpoint ? position : NO_POSITION;
}

/** Everybody in a group takes work: what is left are the pick's own reasons. */
function explainMember(facts: PickFacts, group: EndpointGroup, slot: number, inflight: number) {
  const { view, balancer, key, tried, now } = facts;
  const position = group.positionOf(slot);
  const cap = group.capAt(position);
  const bound = balancer.boundFor?.(view, group, position, now) ?? 0;
  let exclusion: Exclusion | null = null;
  if (tried.has(group.endpointAt(position))) exclusion = 'tried';
  else if (isFull(inflight, cap)) exclusion = 'full';
  else if (isFull(inflight, bound)) exclusion = 'above-load-bound';
  const score = exclusion === null ? (balancer.scoreFor?.(view, group, position, inflight, key, now) ?? null) : null;
  return {
    exclusion,
    weight: group.weightAt(position) / WEIGHT_UNIT,
    cap,
    bound,
    score,
    pauseMs: pauseOf(view, slot, now),
  };
}

/** Why an endpoint is in no group; of several reasons the one that somebody has decided comes first. */
function exclusionOf({ view, control, subset, now }: PickFacts, endpoint: number): Exclusion {
  const { slot, generation } = view.endpoint(endpoint);
  if (subset !== null && !subset.endpoints.includes(endpoint)) return 'not-in-subset';
  const state = control.state(slot);
  if (state.generation !== generation) return 'gone';
  if (!state.isEnabled) return 'disabled';
  if (state.isDraining) return 'draining';
  if (state.effectiveWeight === 0) return 'no-weight';
  if (!state.isResolved) return 'unresolved';
  if (state.isUnknown) return 'unknown';
  if (!state.isHealthy) return 'unhealthy';
  const standing = view.standingOf(endpoint, now);
  if ((standing & Standing.BREAKER_OPEN) !== 0) return 'breaker-open';
  if ((standing & Standing.EJECTED) !== 0) return 'ejected';
  return standing === 0 ? 'paused' : 'on-trial';
}

function pauseOf(view: UpstreamView, slot: number, now: Tick): number {
  const until = view.load.pausedUntil(slot);
  return isPaused(until, now) ? msBetween(now, until) : 0;
}

/** How a pick came to its endpoint. `by-then`: another worker had changed the counts between explanation and pick. */
export const PICK_REASONS = [
  'nobody-eligible',
  'nobody-else',
  'probe',
  'affinity',
  'turn',
  'lowest-score',
  'lowest-score-and-turn',
  'lowest-score-by-then',
  'lower-score-of-two-drawn',
  'drawn-by-weight',
  'first-with-room',
  'hash',
  'hash-beyond-load-bound',
  'highest-rank',
] as const;
export type PickReason = (typeof PICK_REASONS)[number];

const REASONS: Readonly<Record<BalancerName, PickReason>> = {
  'round-robin': 'turn',
  'least-conn': 'lowest-score',
  'least-time': 'lowest-score',
  'peak-ewma': 'lowest-score',
  predictive: 'lowest-score',
  'random-two': 'lowest-score',
  random: 'drawn-by-weight',
  first: 'first-with-room',
  'ip-hash': 'hash',
  hash: 'hash',
  ketama: 'hash',
  maglev: 'hash',
  rendezvous: 'highest-rank',
};

/**
 * Why the pick that was explained went where it went. Pure.
 *
 * @param picked index of the endpoint, or NO_ENDPOINT
 */
export function reasonOf({ balance, preferred, groups, endpoints }: PickExplanation, picked: number): PickReason {
  const endpoint = endpoints[picked];
  if (endpoint === undefined) return 'nobody-eligible';
  if (picked === preferred) return 'affinity';
  if (endpoint.exclusion === 'paused') return 'nobody-else';
  if (endpoint.exclusion === 'on-trial') return 'probe';
  const reason = REASONS[balance];
  if (isByKey(reason)) return endpoint.exclusion === 'above-load-bound' ? 'hash-beyond-load-bound' : reason;
  if (reason !== 'lowest-score') return reason;
  if (groups[endpoint.group]?.comparesAll !== true) return 'lower-score-of-two-drawn';
  const scores = endpoints.filter(({ group }) => group === endpoint.group).map(({ score }) => score ?? Infinity);
  const lowest = Math.min(...scores);
  if (endpoint.score !== lowest) return 'lowest-score-by-then';
  return scores.filter((score) => score === lowest).length > 1 ? 'lowest-score-and-turn' : reason;
}

function isByKey(reason: PickReason): boolean {
  return reason === 'hash' || reason === 'highest-rank';
}
