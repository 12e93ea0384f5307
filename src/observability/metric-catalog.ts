/**
 * Every metric of GET /metrics: name, type, unit, labels and what it means. docs/metrics.md is made from this, and tests hold the
 * exposition, the dashboard and the alert rules to it.
 */
import type { MetricShape } from './metric-shape.js';
import { PROCESS_METRICS } from './process-metrics.js';
import { TRAFFIC_METRICS } from './traffic-metrics.js';

/** By section of docs/metrics.md, in the order of the exposition. Names of counters have the `_total` of their samples. */
export const METRIC_SECTIONS = { ...TRAFFIC_METRICS, ...PROCESS_METRICS } as const;

type Sections = typeof METRIC_SECTIONS;
type NamesOf<Section> = Section extends unknown ? keyof Section : never;

/** Name of a metric; of a counter with its `_total`. */
export type MetricName = NamesOf<Sections[keyof Sections]> & string;

/** All metrics by name. */
export const METRICS = Object.assign({}, ...Object.values(METRIC_SECTIONS)) as Readonly<
  Record<MetricName, MetricShape>
>; // the same entries

/** Upper bounds in seconds of all histograms; those of LATENCY_BOUNDS_MS are among them. Sessions last longer: they have their own. */
export const DURATION_BOUNDS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;
export const SESSION_BOUNDS_S = [0.01, 0.1, 1, 10, 60, 600, 3_600] as const;
