/** Series of listeners and routes in GET /metrics. */
import type { Board } from '../../board/board.js';
import type { FlowFigures } from '../../board/figures.js';
import type { ListenerPlan, Plan, RoutePlan } from '../../config/plan.js';
import { FIRST_HANDSHAKE_FAILURE, HANDSHAKE_ENDS } from '../../core/handshake-ends.js';
import { type Exposition, joinLabels, type LabelText, labelText } from '../../observability/exposition.js';
import { HistogramSamples, sampleClasses, sampleErrors } from './flow-samples.js';

/** Where they come from. */
export interface TrafficSeriesParts {
  readonly board: Board;
}

const DONE_HANDSHAKES = HANDSHAKE_ENDS.slice(0, FIRST_HANDSHAKE_FAILURE).map((end) => {
  const [version = end, resumed] = end.split(' ');
  return [end, labelText(['version', version], ['resumed', resumed === undefined ? 'no' : 'yes'])] as const;
});
const FAILED_HANDSHAKES = HANDSHAKE_ENDS.slice(FIRST_HANDSHAKE_FAILURE).map(
  (end) => [end, labelText(['reason', end])] as const,
);

interface ListenerRow {
  readonly number: number;
  readonly mode: ListenerPlan['mode'];
  readonly labels: LabelText;
  readonly flow: FlowFigures;
}

interface RouteRow {
  readonly record: number;
  readonly labels: LabelText;
  readonly flow: FlowFigures;
}

/** Thread: primary. */
export class TrafficSeries {
  readonly #board: Board;
  readonly #histograms: HistogramSamples;

  constructor({ board }: TrafficSeriesParts) {
    this.#board = board;
    this.#histograms = new HistogramSamples(board.figures);
  }

  write(into: Exposition, plan: Plan): void {
    const { figures } = this.#board;
    const listeners = plan.listeners.map(({ name, number, mode }) => {
      return { number, mode, labels: labelText(['listener', name]), flow: figures.flow('listener', number) };
    });
    this.#requests(
      into,
      listeners.filter(({ mode }) => mode === 'l7'),
    );
    this.#sessions(
      into,
      listeners.filter(({ mode }) => mode === 'l4'),
    );
    into.family('sluice_errors_total');
    for (const { number, labels } of listeners) sampleErrors(into, labels, figures.errors('listener', number));
    into.family('sluice_from_clients_bytes_total');
    for (const { labels, flow } of listeners) into.sample(labels, flow.bytesFromClients);
    into.family('sluice_to_clients_bytes_total');
    for (const { labels, flow } of listeners) into.sample(labels, flow.bytesToClients);
    this.#handshakes(into, plan);
    this.#routes(into, plan);
  }

  #requests(into: Exposition, listeners: readonly ListenerRow[]): void {
    into.family('sluice_requests_total');
    for (const { labels, flow } of listeners) sampleClasses(into, labels, flow, flow.exchanges);
    into.family('sluice_request_duration_seconds');
    for (const { labels, number } of listeners) this.#histograms.sample(into, labels, 'listener', number, 'total');
    into.family('sluice_request_first_byte_seconds');
    for (const { labels, number } of listeners) this.#histograms.sample(into, labels, 'listener', number, 'firstByte');
  }

  #sessions(into: Exposition, listeners: readonly ListenerRow[]): void {
    into.family('sluice_sessions_total');
    for (const { labels, flow } of listeners) into.sample(labels, flow.sessions);
    into.family('sluice_session_duration_seconds');
    for (const { labels, number } of listeners)
      this.#histograms.sample(into, labels, 'listener', number, 'total', 'session');
  }

  #handshakes(into: Exposition, plan: Plan): void {
    const rows = plan.listeners.filter(countsHandshakes).map(({ name, number }) => {
      return { labels: labelText(['listener', name]), ends: this.#board.figures.handshakes(number) };
    });
    if (rows.length === 0) return;
    into.family('sluice_tls_handshakes_total');
    for (const { labels, ends } of rows)
      for (const [end, label] of DONE_HANDSHAKES) into.sample(joinLabels(labels, label), ends[end]);
    into.family('sluice_tls_handshake_failures_total');
    for (const { labels, ends } of rows)
      for (const [end, label] of FAILED_HANDSHAKES) into.sample(joinLabels(labels, label), ends[end]);
  }

  #routes(into: Exposition, plan: Plan): void {
    const { figures } = this.#board;
    const rows: RouteRow[] = plan.listeners.flatMap((listener) => {
      if (listener.mode === 'l4') return [];
      return listener.routes.map((route) => ({
        record: route.record,
        labels: routeLabels(listener.name, route, plan),
        flow: figures.flow('route', route.record),
      }));
    });
    into.family('sluice_route_requests_total');
    for (const { labels, flow } of rows) sampleClasses(into, labels, flow, flow.exchanges);
    into.family('sluice_route_request_duration_seconds');
    for (const { labels, record } of rows) this.#histograms.sample(into, labels, 'route', record, 'total');
    into.family('sluice_route_request_first_byte_seconds');
    for (const { labels, record } of rows) this.#histograms.sample(into, labels, 'route', record, 'firstByte');
    into.family('sluice_route_errors_total');
    for (const { labels, record } of rows) sampleErrors(into, labels, figures.errors('route', record));
  }
}

/** uWebSockets tells of none. */
function countsHandshakes(listener: ListenerPlan): boolean {
  return listener.tls !== null && (listener.mode === 'l4' || listener.frontend === 'native');
}

/** `route`: host and path of its match, e.g. '*.example.com/api/'. `upstream`: with a split all of them, e.g. 'blue,green'. */
function routeLabels(listener: string, { host, path, upstream, split }: RoutePlan, plan: Plan): LabelText {
  const targets = split === null ? [upstream] : split.targets.map((target) => target.upstream);
  const names = [...new Set(targets)].flatMap((index) => plan.upstreams[index]?.name ?? []);
  return labelText(['listener', listener], ['route', `${host}${path}`], ['upstream', names.join(',')]);
}
