/** Series of endpoints in GET /metrics. */
import type { Board } from '../../board/board.js';
import type { EndpointFlowFigures } from '../../board/figures.js';
import type { EndpointFigures } from '../../board/worker-stripe.js';
import type { EndpointPlan, Plan, UpstreamPlan } from '../../config/plan.js';
import type { Clock } from '../../core/clock.js';
import { type Exposition, joinLabels, type LabelText, labelText, NO_LABELS } from '../../observability/exposition.js';
import type { LiveEndpoint, LiveFigures } from '../../observability/live-figures.js';
import type { MetricName } from '../../observability/metric-catalog.js';
import { HistogramSamples, sampleClasses, sampleErrors, sampleGrpc } from './flow-samples.js';

/** Endpoints with histograms and percentiles, which are 37 series for each; the first ones of the configuration. */
export const MOST_DETAILED_ENDPOINTS = 1_000;

const PERCENTILES = ['p50', 'p95', 'p99'] as const;
const MS_PER_S = 1_000;
const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Where they come from. */
export interface EndpointSeriesParts {
  readonly board: Board;
  readonly clock: Clock;
  /** MOST_DETAILED_ENDPOINTS; fewer in tests. */
  readonly mostDetailed?: number;
}

/** One endpoint during one scrape. */
interface Row {
  readonly upstream: UpstreamPlan;
  readonly slot: number;
  readonly labels: LabelText;
  readonly live: LiveEndpoint;
  readonly figures: EndpointFigures;
  readonly flow: EndpointFlowFigures;
}

/** Thread: primary. */
export class EndpointSeries {
  readonly #parts: EndpointSeriesParts;
  readonly #histograms: HistogramSamples;

  constructor(parts: EndpointSeriesParts) {
    this.#parts = parts;
    this.#histograms = new HistogramSamples(parts.board.figures);
  }

  /** @param live of the same plan */
  write(into: Exposition, plan: Plan, live: LiveFigures): void {
    const all = plan.upstreams.flatMap((upstream, index) =>
      upstream.endpoints.flatMap((endpoint, place) => {
        const seen = live.upstreams[index]?.endpoints[place];
        return seen === undefined ? [] : [{ upstream, endpoint, seen }];
      }),
    );
    const rows = all.map(({ upstream, endpoint, seen }) => this.#row(upstream, endpoint, seen));
    const detailed = rows.slice(0, this.#parts.mostDetailed ?? MOST_DETAILED_ENDPOINTS);
    this.#counters(into, rows);
    this.#passive(into, rows);
    this.#histogramsOf(into, detailed);
    this.#states(into, rows);
    this.#windows(into, rows, detailed);
    into.family('sluice_endpoints_without_histograms');
    into.sample(NO_LABELS, rows.length - detailed.length);
  }

  #row(upstream: UpstreamPlan, { name, slot }: EndpointPlan, live: LiveEndpoint): Row {
    const labels = labelText(['upstream', upstream.name], ['endpoint', name]);
    const { board } = this.#parts;
    return { upstream, slot, labels, live, figures: board.endpointFigures(slot), flow: board.figures.endpoint(slot) };
  }

  #counters(into: Exposition, rows: readonly Row[]): void {
    const { figures: recorded } = this.#parts.board;
    family(into, 'sluice_endpoint_attempts_total', rows, ({ figures }) => figures.attempts);
    into.family('sluice_endpoint_failures_total');
    for (const { labels, slot } of rows) sampleErrors(into, labels, recorded.errors('endpoint', slot));
    into.family('sluice_endpoint_responses_total');
    for (const { labels, flow } of rows) sampleClasses(into, labels, flow);
    into.family('sluice_grpc_responses_total');
    for (const { labels, flow } of rows) sampleGrpc(into, labels, flow);
    family(into, 'sluice_endpoint_connects_total', rows, ({ flow }) => flow.connects);
    family(into, 'sluice_endpoint_reuses_total', rows, ({ flow }) => flow.reuses);
    family(into, 'sluice_endpoint_from_clients_bytes_total', rows, ({ flow }) => flow.bytesFromClients);
    family(into, 'sluice_endpoint_to_clients_bytes_total', rows, ({ flow }) => flow.bytesToClients);
    family(into, 'sluice_endpoint_retries_total', rows, ({ figures }) => figures.retries);
  }

  /** What passive detection and breakers have done. */
  #passive(into: Exposition, rows: readonly Row[]): void {
    const { health } = this.#parts.board;
    const watched = rows.filter(({ upstream }) => upstream.outlier !== null);
    const broken = rows.filter(({ upstream }) => upstream.breaker !== null);
    const now = this.#parts.clock.nowTick();
    family(into, 'sluice_endpoint_ejections_total', watched, ({ slot }) => health.ejections.ejections(slot));
    family(into, 'sluice_endpoint_ejections_suppressed_total', watched, ({ slot }) =>
      health.ejections.suppressions(slot),
    );
    family(into, 'sluice_endpoint_breaker_openings_total', broken, ({ slot }) => health.breakers.openings(slot));
    family(
      into,
      'sluice_endpoint_breaker_state',
      broken,
      ({ slot }) => BREAKER_STATES[health.health(slot, now).breaker],
    );
  }

  #histogramsOf(into: Exposition, rows: readonly Row[]): void {
    into.family('sluice_endpoint_first_byte_seconds');
    for (const { labels, slot } of rows) this.#histograms.sample(into, labels, 'endpoint', slot, 'firstByte');
    into.family('sluice_endpoint_connect_seconds');
    for (const { labels, slot } of rows) this.#histograms.sample(into, labels, 'endpoint', slot, 'connect');
  }

  #states(into: Exposition, rows: readonly Row[]): void {
    const { control, health } = this.#parts.board;
    family(into, 'sluice_endpoint_up', rows, ({ slot }) =>
      Number(control.takesWork(slot) && health.isInGoodStanding(slot)),
    );
    family(into, 'sluice_endpoint_healthy', rows, ({ slot }) => {
      const { isHealthy, isUnknown } = control.state(slot);
      return Number(isHealthy && !isUnknown);
    });
    into.family('sluice_endpoint_condition');
    for (const { labels, live } of rows) into.sample(joinLabels(labels, labelText(['condition', live.condition])), 1);
    family(into, 'sluice_endpoint_weight', rows, ({ live }) => live.effectiveWeight);
    family(into, 'sluice_endpoint_in_flight', rows, ({ live }) => live.inFlight);
    family(into, 'sluice_endpoint_cap', rows, ({ live }) => live.cap);
    family(into, 'sluice_endpoint_pool_use_ratio', rows, ({ live }) => live.poolUse);
  }

  #windows(into: Exposition, rows: readonly Row[], detailed: readonly Row[]): void {
    family(into, 'sluice_endpoint_attempts_per_second', rows, ({ live }) => live.perSecond);
    family(into, 'sluice_endpoint_error_ratio', rows, ({ live }) => live.errorShare);
    family(into, 'sluice_endpoint_share_ratio', rows, ({ live }) => live.share);
    into.family('sluice_endpoint_latency_seconds');
    for (const { labels, live } of detailed) {
      for (const percentile of PERCENTILES) {
        const ms = live.latencyMs?.[percentile];
        if (ms !== undefined)
          into.sample(joinLabels(labels, labelText(['percentile', percentile.slice(1)])), ms / MS_PER_S);
      }
    }
  }
}

/** One family with at most one sample for each endpoint. */
function family(into: Exposition, name: MetricName, rows: readonly Row[], figureOf: (row: Row) => number | null): void {
  into.family(name);
  for (const row of rows) into.sample(row.labels, figureOf(row));
}
