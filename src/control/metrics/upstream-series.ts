/** Series of upstreams in GET /metrics. */
import type { Board } from '../../board/board.js';
import type { Plan } from '../../config/plan.js';
import { type Exposition, joinLabels, type LabelText, labelText, NO_LABELS } from '../../observability/exposition.js';
import type { LiveFigures, LiveUpstream } from '../../observability/live-figures.js';
import type { EndpointFacts } from '../admin/endpoint-view.js';
import { HistogramSamples, sampleClasses, sampleErrors } from './flow-samples.js';

/** Where they come from. */
export interface UpstreamSeriesParts {
  readonly board: Board;
  readonly facts: Pick<EndpointFacts, 'panicsOf'>;
}

/** Thread: primary. */
export class UpstreamSeries {
  readonly #parts: UpstreamSeriesParts;
  readonly #histograms: HistogramSamples;

  constructor(parts: UpstreamSeriesParts) {
    this.#parts = parts;
    this.#histograms = new HistogramSamples(parts.board.figures);
  }

  /** @param live of the same plan */
  write(into: Exposition, plan: Plan, live: LiveFigures): void {
    const { board, facts } = this.#parts;
    const rows = plan.upstreams.map((upstream, index) => ({
      upstream,
      labels: labelText(['upstream', upstream.name]),
      flow: board.figures.flow('upstream', upstream.record),
      live: live.upstreams[index] as LiveUpstream, // of the same plan
    }));
    into.family('sluice_upstream_info');
    for (const { upstream, labels } of rows)
      into.sample(joinLabels(labels, labelText(['balance', upstream.balance])), 1);
    into.family('sluice_upstream_requests_total');
    for (const { labels, flow } of rows) sampleClasses(into, labels, flow, flow.exchanges);
    into.family('sluice_upstream_sessions_total');
    for (const { labels, flow } of rows) into.sample(labels, flow.sessions);
    into.family('sluice_upstream_errors_total');
    for (const { upstream, labels } of rows)
      sampleErrors(into, labels, board.figures.errors('upstream', upstream.record));
    into.family('sluice_upstream_retries_total');
    for (const { labels, flow } of rows) into.sample(labels, flow.retries);
    into.family('sluice_upstream_hedges_total');
    for (const { labels, flow } of rows) into.sample(labels, flow.hedges);
    into.family('sluice_retries_refused_total');
    into.sample(NO_LABELS, board.totals().traffic.retriesRefused);
    into.family('sluice_upstream_endpoints');
    for (const { labels, live: seen } of rows) conditions(into, labels, seen);
    into.family('sluice_upstream_up_endpoints');
    for (const { upstream, labels } of rows) {
      const up = upstream.endpoints.filter(
        ({ slot }) => board.control.takesWork(slot) && board.health.isInGoodStanding(slot),
      );
      into.sample(labels, up.length);
    }
    into.family('sluice_upstream_panicking');
    for (const { labels, live: seen } of rows) into.sample(labels, Number(seen.panicking));
    into.family('sluice_upstream_panics_total');
    for (const { upstream, labels } of rows) into.sample(labels, facts.panicsOf(upstream).panics);
    into.family('sluice_upstream_waiting');
    for (const { labels, live: seen } of rows) into.sample(labels, seen.waiting);
    into.family('sluice_upstream_queue_length');
    for (const { labels, live: seen } of rows) into.sample(labels, seen.queueLength);
    into.family('sluice_upstream_queue_wait_seconds');
    for (const { upstream, labels } of rows)
      this.#histograms.sample(into, labels, 'upstream', upstream.record, 'queue');
    into.family('sluice_upstream_coefficient_of_variation');
    for (const { labels, live: seen } of rows) into.sample(labels, seen.cv);
  }
}

/** How many endpoints are in each condition that one of them is in. */
function conditions(into: Exposition, labels: LabelText, { endpoints }: LiveUpstream): void {
  const counts = new Map<string, number>();
  for (const { condition } of endpoints) counts.set(condition, (counts.get(condition) ?? 0) + 1);
  for (const [condition, count] of counts) into.sample(joinLabels(labels, labelText(['condition', condition])), count);
}
