/** Series of listeners and routes in GET /metrics. */
import type { Board } from '../../board/board.js';
import type { FlowFigures } from '../../board/figures.js';
import type { ListenerPlan, Plan, RoutePlan } from '../../config/plan.js';
import { type Exposition, type LabelText, labelText } from '../../observability/exposition.js';
import { HistogramSamples, sampleClasses, sampleErrors } from './flow-samples.js';

/** Where they come from. */
export interface TrafficSeriesParts {
  readonly board: Board;
}

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

/** `route`: host and path of its match, e.g. '*.example.com/api/'. `upstream`: with a split all of them, e.g. 'blue,green'. */
function routeLabels(listener: string, { host, path, upstream, split }: RoutePlan, plan: Plan): LabelText {
  const targets = split === null ? [upstream] : split.targets.map((target) => target.upstream);
  const names = [...new Set(targets)].flatMap((index) => plan.upstreams[index]?.name ?? []);
  return labelText(['listener', listener], ['route', `${host}${path}`], ['upstream', names.join(',')]);
}
