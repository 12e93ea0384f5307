/** Reads the board once a second and tells what the proxy does: rates over a sliding window, states as they are at this moment. */
import type { Board } from '../board/board.js';
import { LatencyCounts } from '../board/latency-counts.js';
import type { EndpointPlan, ListenerPlan, Plan, UpstreamPlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import { latencyHistogram } from '../observability/latency-histogram.js';
import { type LatencyWindow, latencyFiguresOf } from '../observability/latency-window.js';
import type {
  LiveEndpoint,
  LiveFigures,
  LiveListener,
  LiveRoute,
  LiveUpstream,
  LiveWorker,
  TrafficRates,
} from '../observability/live-figures.js';
import { LATENCY_BOUNDS_MS } from '../observability/live-figures.js';
import type { EndpointFacts } from './admin/endpoint-view.js';
import { conditionOf, stateWord } from './endpoint-condition.js';
import { type FlowCounts, LiveReadings, NO_FLOW } from './live-readings.js';
import { bindText } from './start-failure.js';
import type { WorkerStatus } from './supervisor.js';
import { coefficientOfVariation } from './variation.js';

/** Between two readings of the board. */
const READ_INTERVAL_MS = 1_000;

/** Where the figures come from; functions are asked anew for each reading. */
export interface LiveParts {
  readonly version: string;
  /** The plan that counts now, with the real ports. */
  readonly plan: () => Plan;
  readonly board: Board;
  readonly clock: Clock;
  readonly timers: Timers;
  /** When the process started, on the same clock. */
  readonly startedAt: number;
  readonly readiness: () => LiveFigures['readiness'];
  readonly workers: () => readonly WorkerStatus[];
  readonly facts: Pick<EndpointFacts, 'rampProgress' | 'panicsOf'>;
  /** Date.now: what people's clocks show. */
  readonly wallClockMs: () => number;
}

/** Thread: primary. `start` before the first request, or the window of the first look is too short. */
export class LiveSource {
  readonly #parts: LiveParts;
  readonly #readings: LiveReadings;
  readonly #histogram = latencyHistogram();
  /** Filled over and over, as the histogram. */
  readonly #sum = new LatencyCounts();
  readonly #listeners = new Set<(figures: LiveFigures) => void>();
  #cancel: Cancel = () => {};

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#readings = new LiveReadings(parts.board);
  }

  /** Reads the board now and every second from now on. */
  start(): void {
    this.#cancel();
    this.#readings.read(this.#parts.plan(), this.#parts.clock.nowMs());
    this.#cancel = this.#parts.timers.after(READ_INTERVAL_MS, () => {
      this.start();
      if (this.#listeners.size === 0) return;
      const figures = this.now();
      for (const listener of this.#listeners) listener(figures);
    });
  }

  /** States as they are now; rates and latencies of the window up to the last reading, which is at most a second old. */
  now(): LiveFigures {
    const { version, board, clock, startedAt, wallClockMs } = this.#parts;
    const plan = this.#parts.plan();
    const workers = this.#parts.workers();
    const { exchanges, sessions } = board.totals();
    return {
      version,
      at: wallClockMs(),
      uptimeMs: Math.round(clock.nowMs() - startedAt),
      windowMs: Math.round(this.#readings.spanMs),
      epoch: plan.epoch,
      readiness: this.#parts.readiness(),
      totals: {
        ...this.#totalRates(plan),
        openConnections: workers.reduce((sum, { stats }) => sum + stats.openConnections, 0),
        openExchanges: exchanges,
        openSessions: sessions,
      },
      listeners: plan.listeners.map((listener) => this.#listener(listener)),
      routes: plan.listeners.flatMap((listener) => this.#routes(listener, plan)),
      upstreams: plan.upstreams.map((upstream) => this.#upstream(upstream)),
      workers: workers.map((worker) => this.#worker(worker)),
    };
  }

  /** Calls `listener` with each second's figures. @returns what ends that */
  onFigures(listener: (figures: LiveFigures) => void): () => void {
    const own = (figures: LiveFigures): void => listener(figures);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Reads no more. Idempotent. */
  close(): void {
    this.#cancel();
    this.#listeners.clear();
  }

  /** Of all listeners together; latencies of requests, not of sessions. */
  #totalRates(plan: Plan): TrafficRates {
    const flows = plan.listeners.map(({ number }) => this.#readings.flow('listener', number));
    const windows = plan.listeners.map(({ number }) => this.#readings.latencies('listener', number));
    return this.#ratesOf(sumOf(flows), this.#merged(windows));
  }

  #ratesOf(
    [ended = 0, failed = 0, bytesIn = 0, bytesOut = 0]: FlowCounts,
    latencies: LatencyCounts | null,
  ): TrafficRates {
    const seconds = Math.max(this.#readings.spanMs, READ_INTERVAL_MS) / MS_PER_S;
    return {
      perSecond: ended / seconds,
      errorShare: ended === 0 ? null : Math.min(1, failed / ended),
      bytesInPerSecond: bytesIn / seconds,
      bytesOutPerSecond: bytesOut / seconds,
      latencyMs: latencies === null ? null : latencyFiguresOf(latencies, this.#histogram),
    };
  }

  #merged(windows: readonly (LatencyWindow | null)[]): LatencyCounts {
    this.#sum.clear();
    for (const window of windows) if (window !== null && window.counts.count > 0) this.#sum.add(window.counts);
    return this.#sum;
  }

  #listener(listener: ListenerPlan): LiveListener {
    return {
      name: listener.name,
      mode: listener.mode,
      address: bindText(listener.bind),
      kind: listener.mode === 'l7' ? listener.frontend : listener.relay,
      ...this.#ratesOf(
        this.#readings.flow('listener', listener.number),
        this.#readings.latencies('listener', listener.number)?.counts ?? null,
      ),
    };
  }

  #routes(listener: ListenerPlan, plan: Plan): LiveRoute[] {
    if (listener.mode === 'l4') return [];
    return listener.routes.map((route) => {
      const targets = route.split === null ? [route.upstream] : route.split.targets.map(({ upstream }) => upstream);
      return {
        listener: listener.name,
        host: route.host,
        path: route.path,
        upstreams: [...new Set(targets)].flatMap((index) => plan.upstreams[index]?.name ?? []),
        ...this.#ratesOf(
          this.#readings.flow('route', route.record),
          this.#readings.latencies('route', route.record)?.counts ?? null,
        ),
      };
    });
  }

  #upstream(upstream: UpstreamPlan): LiveUpstream {
    const { board, facts } = this.#parts;
    const growths = upstream.endpoints.map((endpoint) => this.#readings.attempts(endpoint));
    const windows = upstream.endpoints.map((endpoint) => this.#readings.endpointLatencies(endpoint));
    const sum = sumOf(growths);
    const attempts = sum[0] ?? 0;
    const now = this.#parts.clock.nowTick();
    return {
      name: upstream.name,
      balance: upstream.balance,
      panicking: facts.panicsOf(upstream).isPanicking,
      waiting: upstream.queue === null ? null : board.waiting(upstream.queue.record),
      queueLength: upstream.queue?.length ?? null,
      cv: coefficientOfVariation(
        upstream.endpoints.map(({ slot, level, backup }, index) => ({
          takesWork: board.control.takesWork(slot) && board.health.isInGoodStanding(slot),
          level: backup ? Number.POSITIVE_INFINITY : level,
          weight: board.control.weight(slot),
          attempts: growths[index]?.[0] ?? 0,
        })),
      ),
      ...this.#ratesOf(sum, this.#merged(windows)),
      endpoints: upstream.endpoints.map((endpoint, index) => {
        const growth = growths[index] ?? NO_FLOW;
        return this.#endpoint(endpoint, growth, windows[index] ?? null, attempts, now);
      }),
    };
  }

  #endpoint(
    { name, slot, backup }: EndpointPlan,
    growth: FlowCounts,
    latencies: LatencyWindow | null,
    allAttempts: number,
    now: number,
  ): LiveEndpoint {
    const { board, facts } = this.#parts;
    const state = board.control.state(slot);
    const inFlight = board.load.inflight(slot);
    const standing = { state, health: board.health.health(slot, now), inFlight, warmth: facts.rampProgress(slot) };
    const cap = state.effectiveCap === 0 ? null : state.effectiveCap;
    return {
      address: name,
      condition: conditionOf(standing),
      state: stateWord(state, inFlight),
      backup,
      weight: state.weight,
      effectiveWeight: state.effectiveWeight,
      inFlight,
      cap,
      poolUse: cap === null ? null : inFlight / cap,
      share: allAttempts === 0 ? null : (growth[0] ?? 0) / allAttempts,
      heat: latencies?.heatAt(this.#readings.latestMs) ?? NO_HEAT,
      ...this.#ratesOf(growth, latencies?.counts ?? null),
    };
  }

  #worker({ index, state, restarts, stats }: WorkerStatus): LiveWorker {
    const { exchanges, sessions } = this.#parts.board.stripe(index).life();
    const { openConnections, upstreamConnections, busyShare } = stats;
    return {
      index,
      state,
      restarts,
      openConnections,
      openExchanges: exchanges,
      openSessions: sessions,
      upstreamConnections,
      busyShare,
    };
  }
}

const MS_PER_S = 1_000;
const NO_HEAT: readonly number[] = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);

function sumOf(flows: readonly FlowCounts[]): FlowCounts {
  return flows.reduce((sum, flow) => sum.map((count, field) => count + (flow[field] ?? 0)), NO_FLOW);
}
