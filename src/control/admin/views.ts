/** Builds what the admin API shows from the plan, the board and the supervisor. */
import type { Board } from '../../board/board.js';
import type { EndpointPlan, HealthCheckPlan, ListenerPlan, Plan, UpstreamPlan } from '../../config/plan.js';
import type { Clock } from '../../core/clock.js';
import { invariant } from '../../core/invariant.js';
import type { EndpointChange } from '../endpoint-operator.js';
import type { RunPhase } from '../run-phase.js';
import type { WorkerStatus } from '../supervisor.js';
import type { AdminSource, ListenerView, Readiness, StatusView, UpstreamView } from './admin-source.js';
import { type EndpointFacts, type EndpointView, endpointViews } from './endpoint-view.js';

/** Where the views come from; functions are asked anew for each answer. */
export interface ViewParts {
  readonly version: string;
  /** That counts, with the real ports. */
  readonly plan: () => Plan;
  readonly board: Board;
  readonly clock: Clock;
  /** When the process started, on the same clock. */
  readonly startedAt: number;
  readonly phase: () => RunPhase;
  readonly workers: () => readonly WorkerStatus[];
  readonly addressesOf: (slot: number) => readonly string[];
  readonly facts: EndpointFacts;
  /** As EndpointOperator.change(). */
  readonly change: (upstream: UpstreamPlan, endpoint: EndpointPlan, change: EndpointChange) => boolean;
  /** Date.now: what people's clocks show. */
  readonly wallClockMs: () => number;
  /** What the API passes on as it is. */
  readonly passedOn: SourceParts;
}

/** What of the API's source others make. */
export type SourceParts = Pick<
  AdminSource,
  'live' | 'timeline' | 'metrics' | 'reload' | 'onReloaded' | 'config' | 'certificates' | 'explain'
>;

/** Thread: primary. */
export function adminViews(parts: ViewParts): AdminSource {
  const upstreamOf = (name: string): UpstreamPlan | undefined =>
    parts.plan().upstreams.find((each) => each.name === name);
  const momentOf = (ms: number): string => new Date(parts.wallClockMs() + ms - parts.clock.nowMs()).toISOString();
  const endpointsOf = (name: string): readonly EndpointView[] | undefined => {
    const upstream = upstreamOf(name);
    return upstream === undefined ? undefined : endpointViews(upstream, { ...parts, momentOf });
  };
  return {
    ...parts.passedOn,
    readiness: () => readinessOf(parts.phase(), parts.workers()),
    status: () => statusView(parts),
    upstreams: () => parts.plan().upstreams.map((upstream) => upstreamView(upstream, parts)),
    endpoints: endpointsOf,
    endpoint: (upstreamName, endpointName) =>
      endpointsOf(upstreamName)?.find(({ address }) => address === endpointName),
    change: (upstreamName, endpointName, change) => {
      const upstream = upstreamOf(upstreamName);
      const endpoint = upstream?.endpoints.find(({ name }) => name === endpointName);
      invariant(upstream !== undefined && endpoint !== undefined, 'an endpoint that is changed has been found before');
      return parts.change(upstream, endpoint, change);
    },
  };
}

/** Pure: what the phase of the process and the states of its workers amount to. */
export function readinessOf(phase: RunPhase, workers: readonly Pick<WorkerStatus, 'state'>[]): Readiness {
  if (phase.kind === 'draining' || phase.kind === 'over') return 'draining';
  const serving = workers.filter(({ state }) => state === 'serving').length;
  if (phase.kind === 'starting' || serving === 0) return 'starting';
  return serving === workers.length ? 'ready' : 'degraded';
}

function statusView(parts: ViewParts): StatusView {
  const { board, clock } = parts;
  const plan = parts.plan();
  const workers = parts.workers();
  const totals = board.totals();
  const slots = plan.upstreams.flatMap(({ endpoints }) => endpoints.map(({ slot }) => slot));
  return {
    version: parts.version,
    pid: process.pid,
    uptimeMs: Math.round(clock.nowMs() - parts.startedAt),
    epoch: plan.epoch,
    readiness: readinessOf(parts.phase(), workers),
    listeners: plan.listeners.map(listenerView),
    workers: workers.map(({ index, state, restarts, stats }) => ({
      index,
      state,
      restarts,
      openConnections: stats.openConnections,
      openExchanges: board.stripe(index).life().exchanges,
      openSessions: board.stripe(index).life().sessions,
      upstreamConnections: stats.upstreamConnections,
      busyShare: stats.busyShare,
      requests: board.stripe(index).traffic().requests,
      sessions: board.stripe(index).traffic().sessions,
    })),
    totals: {
      openConnections: workers.reduce((sum, { stats }) => sum + stats.openConnections, 0),
      openExchanges: totals.exchanges,
      openSessions: totals.sessions,
      requests: totals.traffic.requests,
      sessions: totals.traffic.sessions,
      bytesFromClients: totals.traffic.bytesFromClients,
      bytesToClients: totals.traffic.bytesToClients,
      attempts: slots.reduce((sum, slot) => sum + board.endpointFigures(slot).attempts, 0),
      failures: slots.reduce((sum, slot) => sum + board.endpointFigures(slot).failures, 0),
      retries: totals.traffic.retries,
      hedges: totals.traffic.hedges,
      retriesRefused: totals.traffic.retriesRefused,
    },
    failuresByCode: Object.fromEntries(Object.entries(totals.failures).filter(([, count]) => count > 0)),
  };
}

/** What the admin API and the log show of a listener. Pure. */
export function listenerView(listener: ListenerPlan): ListenerView {
  const { name, bind } = listener;
  const how =
    listener.mode === 'l7'
      ? { mode: listener.mode, frontend: listener.frontend }
      : { mode: listener.mode, relay: listener.relay };
  return { name, ...how, ...(bind.kind === 'tcp' ? { host: bind.host, port: bind.port } : { path: bind.path }) };
}

function upstreamView(upstream: UpstreamPlan, { board, clock, facts }: ViewParts): UpstreamView {
  const { endpoints, queue } = upstream;
  const now = clock.nowTick();
  const healths = endpoints.map(({ slot }) => board.health.health(slot, now));
  const { isPanicking, panics } = facts.panicsOf(upstream);
  return {
    name: upstream.name,
    balance: upstream.balance,
    healthCheck: upstream.healthCheck === null ? null : healthCheckText(upstream.healthCheck),
    endpoints: endpoints.length,
    eligibleEndpoints: endpoints.filter((endpoint) => isEligible(endpoint, board)).length,
    ejectedEndpoints: healths.filter(({ ejection }) => ejection === 'ejected').length,
    ejections: healths.reduce((sum, { ejections }) => sum + ejections, 0),
    suppressedEjections: healths.reduce((sum, { suppressedEjections }) => sum + suppressedEjections, 0),
    brokenEndpoints: healths.filter(({ breaker }) => breaker !== 'closed').length,
    panicking: isPanicking,
    panics,
    waiting: queue === null ? null : board.waiting(queue.record),
    queueLength: queue?.length ?? null,
    retries: endpoints.reduce((sum, { slot }) => sum + board.endpointFigures(slot).retries, 0),
  };
}

function isEligible({ slot }: EndpointPlan, board: Board): boolean {
  const cap = board.control.cap(slot);
  const takesWork = board.control.takesWork(slot) && board.health.isInGoodStanding(slot);
  return takesWork && (cap === 0 || board.load.inflight(slot) < cap);
}

function healthCheckText(check: HealthCheckPlan): string {
  if (check.kind === 'grpc' && check.service !== '') return `grpc ${check.service}`;
  return check.kind === 'http' ? check.path : check.kind;
}
