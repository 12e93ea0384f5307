/** What the admin API shows of an endpoint, from the board and from what the primary does for it. */
import type { Board } from '../../board/board.js';
import type { EndpointHealth } from '../../board/endpoint-health.js';
import { NO_SAMPLE } from '../../board/endpoint-load.js';
import type { EndpointPlan, UpstreamPlan } from '../../config/plan.js';
import type { Clock } from '../../core/clock.js';
import { type Drain, endsAt } from '../drains.js';
import { stateWord } from '../endpoint-condition.js';
import type { CheckRecord } from '../health/checker.js';

/** One row of GET /api/v1/upstreams/{name}/endpoints, and GET of a single one. Moments are in ISO 8601. */
export interface EndpointView {
  readonly address: string;
  readonly addresses: readonly string[];
  /** By the operator and the agent; `drained`: draining, and nothing is in flight. */
  readonly state: 'enabled' | 'draining' | 'drained' | 'disabled';
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly draining: boolean;
  readonly resolved: boolean;
  /** As configured, or as the operator set it; with `effectiveWeight` as it counts now, likewise `maxConns`. */
  readonly weight: number;
  readonly effectiveWeight: number;
  readonly backup: boolean;
  readonly maxConns: number;
  readonly effectiveMaxConns: number;
  /** Most in flight by what it was seen to bear; null: nobody measures it. */
  readonly adaptiveCap: number | null;
  /** How far it has warmed up, above 0, at most 1; null: it does not warm up. */
  readonly slowStart: number | null;
  /** Requests and sessions open now, over all workers. */
  readonly inFlight: number;
  /** null: the operator does not drain it. */
  readonly drain: {
    readonly since: string;
    /** null: it may take for ever; then `endsAt` is null, too. */
    readonly timeoutMs: number | null;
    readonly inFlightAtStart: number;
    readonly inFlight: number;
    readonly endsAt: string | null;
  } | null;
  /** null: its upstream has no active check. */
  readonly healthCheck: {
    readonly verdict: CheckRecord['verdict'];
    /** When the verdict last changed; null: never since the start. */
    readonly changedAt: string | null;
    readonly lastProbe: {
      readonly at: string;
      readonly succeeded: boolean;
      readonly elapsedMs: number;
      readonly reason: string | null;
    } | null;
    readonly lastFailure: { readonly at: string; readonly reason: string } | null;
  } | null;
  /** null: its upstream has no outlier detection. */
  readonly outlier: {
    /** `trial`: its ejection is over, and requests find out whether it works. */
    readonly ejection: EndpointHealth['ejection'];
    readonly ejectedForMs: number;
    /** Since the start, with those that were not made because too many endpoints would have been out. */
    readonly ejections: number;
    readonly suppressedEjections: number;
  } | null;
  /** null: its upstream has no breaker. */
  readonly breaker: {
    readonly state: EndpointHealth['breaker'];
    readonly openForMs: number;
    readonly openings: number;
  } | null;
  /** null: it has not answered yet. */
  readonly latencyEwmaUs: number | null;
  /** Attempts since the start. */
  readonly requests: number;
  readonly failures: number;
  /** Of the attempts: those that were not the first of their exchange or session. */
  readonly retries: number;
  /** Part of the upstream's attempts, 0..1; null: there was none. */
  readonly share: number | null;
}

/** What the primary's keepers know of an endpoint beside the board, by its slot. */
export interface EndpointFacts {
  /** How far it has warmed up, above 0, at most 1; null: it does not warm up. */
  rampProgress(slot: number): number | null;
  /** null: it has no check. */
  checkOf(slot: number): CheckRecord | null;
  /** null: the operator does not drain it. */
  drainOf(slot: number): Drain | null;
  /** As PanicWatch.panicsOf(). */
  panicsOf(upstream: UpstreamPlan): { readonly isPanicking: boolean; readonly panics: number };
}

/** Where the views come from; functions are asked anew for each answer. */
export interface EndpointViewParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly facts: EndpointFacts;
  readonly addressesOf: (slot: number) => readonly string[];
  /** A moment of the shared clock in ISO 8601. */
  readonly momentOf: (ms: number) => string;
}

/** All endpoints of an upstream, in the order of the configuration. */
export function endpointViews(upstream: UpstreamPlan, parts: EndpointViewParts): EndpointView[] {
  const { board } = parts;
  const figures = upstream.endpoints.map(({ slot }) => board.endpointFigures(slot));
  const allAttempts = figures.reduce((sum, { attempts }) => sum + attempts, 0);
  return upstream.endpoints.map((endpoint, index) => {
    const { attempts = 0, failures = 0, retries = 0 } = figures[index] ?? {};
    const share = allAttempts === 0 ? null : attempts / allAttempts;
    return { ...stateView(upstream, endpoint, parts), requests: attempts, failures, retries, share };
  });
}

function stateView(
  upstream: UpstreamPlan,
  endpoint: EndpointPlan,
  parts: EndpointViewParts,
): Omit<EndpointView, 'requests' | 'failures' | 'retries' | 'share'> {
  const { board, facts, clock } = parts;
  const { slot } = endpoint;
  const state = board.control.state(slot);
  const inFlight = board.load.inflight(slot);
  const latencyUs = board.load.latencyUs(slot);
  const adaptiveCap = board.control.adaptiveCap(slot);
  return {
    address: endpoint.name,
    addresses: parts.addressesOf(slot),
    state: stateWord(state, inFlight),
    enabled: state.isEnabled,
    healthy: state.isHealthy && !state.isUnknown,
    draining: state.isDraining,
    resolved: state.isResolved,
    weight: state.weight,
    effectiveWeight: state.effectiveWeight,
    backup: state.isBackup,
    maxConns: state.cap,
    effectiveMaxConns: state.effectiveCap,
    adaptiveCap: adaptiveCap === 0 ? null : adaptiveCap,
    slowStart: facts.rampProgress(slot),
    inFlight,
    drain: drainView(facts.drainOf(slot), inFlight, parts),
    healthCheck: checkView(facts.checkOf(slot), parts),
    ...passiveView(upstream, board.health.health(slot, clock.nowTick())),
    latencyEwmaUs: latencyUs === NO_SAMPLE ? null : latencyUs,
  };
}

function drainView(drain: Drain | null, inFlight: number, { momentOf }: EndpointViewParts): EndpointView['drain'] {
  if (drain === null) return null;
  const end = endsAt(drain);
  return {
    since: momentOf(drain.since),
    timeoutMs: drain.timeoutMs,
    inFlightAtStart: drain.inFlightAtStart,
    inFlight,
    endsAt: end === null ? null : momentOf(end),
  };
}

function passiveView(upstream: UpstreamPlan, health: EndpointHealth): Pick<EndpointView, 'outlier' | 'breaker'> {
  const { ejection, ejectedForMs, ejections, suppressedEjections, breaker, openForMs, breakerOpenings } = health;
  return {
    outlier: upstream.outlier === null ? null : { ejection, ejectedForMs, ejections, suppressedEjections },
    breaker: upstream.breaker === null ? null : { state: breaker, openForMs, openings: breakerOpenings },
  };
}

function checkView(record: CheckRecord | null, { momentOf }: EndpointViewParts): EndpointView['healthCheck'] {
  if (record === null) return null;
  const { verdict, changedAt, lastProbe, lastFailure } = record;
  return {
    verdict,
    changedAt: changedAt === null ? null : momentOf(changedAt),
    lastProbe:
      lastProbe === null
        ? null
        : {
            at: momentOf(lastProbe.at),
            succeeded: lastProbe.reason === null,
            elapsedMs: Math.round(lastProbe.elapsedMs * 10) / 10,
            reason: lastProbe.reason,
          },
    lastFailure: lastFailure === null ? null : { at: momentOf(lastFailure.at), reason: lastFailure.reason },
  };
}
