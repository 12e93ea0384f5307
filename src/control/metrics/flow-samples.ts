/** Samples of counters and histograms that workers record in the same way for listeners, routes, upstreams and endpoints. */
import type { EndpointFlowFigures, ErrorFigures, Figures } from '../../board/figures.js';
import { type FigureKind, grpcField, type LatencyOf } from '../../board/figures-layout.js';
import { LatencyCounts } from '../../board/latency-counts.js';
import { GRPC_STATUSES } from '../../core/grpc-status.js';
import {
  boundTextsOf,
  type Exposition,
  joinLabels,
  type LabelText,
  labelText,
} from '../../observability/exposition.js';
import { DURATION_BOUNDS_S, SESSION_BOUNDS_S } from '../../observability/metric-catalog.js';

const US_PER_S = 1_000_000;

/** Counts by the class of a status, as all kinds of figures have them. */
export type ClassCounts = Readonly<Record<(typeof CLASSES)[number][0], number>>;
const CLASSES = [
  ['responses1xx', '1xx'],
  ['responses2xx', '2xx'],
  ['responses3xx', '3xx'],
  ['responses4xx', '4xx'],
  ['responses5xx', '5xx'],
] as const;
const CLASS_LABELS = CLASSES.map(([field, name]) => [field, labelText(['class', name])] as const);
const GRPC_LABELS = GRPC_STATUSES.map((name) => [grpcField(name), labelText(['status', name])] as const);
const NO_ANSWER = labelText(['class', 'none']);

/** Which bounds a histogram has. */
const BOUNDS = {
  duration: { us: DURATION_BOUNDS_S.map((bound) => bound * US_PER_S), texts: boundTextsOf(DURATION_BOUNDS_S) },
  session: { us: SESSION_BOUNDS_S.map((bound) => bound * US_PER_S), texts: boundTextsOf(SESSION_BOUNDS_S) },
} as const;

/** Adds a sample for each class. @param exchanges that ended: those without an answer are of class `none`; absent: there are none such */
export function sampleClasses(into: Exposition, labels: LabelText, counts: ClassCounts, exchanges?: number): void {
  let answered = 0;
  for (const [field, label] of CLASS_LABELS) {
    into.sample(joinLabels(labels, label), counts[field]);
    answered += counts[field];
  }
  if (exchanges !== undefined) into.sample(joinLabels(labels, NO_ANSWER), Math.max(0, exchanges - answered));
}

/** Adds a sample for each status by which calls of gRPC have ended: most endpoints have none. */
export function sampleGrpc(into: Exposition, labels: LabelText, counts: EndpointFlowFigures): void {
  for (const [field, label] of GRPC_LABELS)
    if (counts[field] > 0) into.sample(joinLabels(labels, label), counts[field]);
}

/** Adds a sample for each error that has occurred. */
export function sampleErrors(into: Exposition, labels: LabelText, errors: ErrorFigures): void {
  for (const [code, count] of Object.entries(errors)) into.sample(joinLabels(labels, labelText(['code', code])), count);
}

/** Reads histograms of the board, one after the other. Thread: primary. */
export class HistogramSamples {
  readonly #figures: Figures;
  /** Filled over and over. */
  readonly #counts = new LatencyCounts();

  constructor(figures: Figures) {
    this.#figures = figures;
  }

  /** Adds one histogram, empty ones included: a series that comes and goes has no rate. */
  sample<Kind extends FigureKind>(
    into: Exposition,
    labels: LabelText,
    kind: Kind,
    number: number,
    latency: LatencyOf<Kind>,
    bounds: keyof typeof BOUNDS = 'duration',
  ): void {
    const counts = this.#counts;
    counts.clear();
    this.#figures.read(kind, number, latency, counts);
    const { us, texts } = BOUNDS[bounds];
    const sum = counts.sumUs / US_PER_S;
    into.histogram(labels, texts, { cumulative: counts.cumulative(us), count: counts.count, sum });
  }
}
