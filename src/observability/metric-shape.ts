/** How a metric is described in the catalogue. */

/** Seconds and bytes only; `ratio` is 0 to 1, or above where more is possible. */
export type MetricUnit = 'seconds' | 'bytes' | 'ratio';

/** How a metric is described. */
export interface MetricShape {
  /** `info`: a gauge that is 1 and whose labels are the news. */
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  /** Absent: a plain count. Then the name does not end with it. */
  readonly unit?: MetricUnit;
  readonly labels: readonly string[];
  /** One sentence without a full stop, as HELP and docs/metrics.md have it. */
  readonly help: string;
  /** Where there is one, if not always. */
  readonly when?: string;
}

/** Metrics of some sections of docs/metrics.md, by section and name. */
export type MetricSections = Readonly<Record<string, Readonly<Record<string, MetricShape>>>>;
