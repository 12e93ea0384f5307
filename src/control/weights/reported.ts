/** `weights: reported`: weights from what endpoints report of their own load, by the formula of gRPC's weighted round robin. */
import type { EndpointReportFigures } from '../../board/endpoint-report.js';

/** Times and factors of gRFC A58 (semantics.md 3). */
export const REPORTED = {
  /** Between two looks, in ms. */
  periodMs: 1_000,
  /** What the first reports of an endpoint say is not believed for this long, in ms. */
  blackoutMs: 10_000,
  /** A report older than this says nothing any more, in ms. */
  expiryMs: 180_000,
  /** What a share of errors counts, in utilization. */
  errorPenalty: 1,
} as const;

/** Bounds of a share: one report that is off by orders of magnitude must neither starve nor flood its endpoint. */
export const LEAST_REPORTED_SHARE = 0.05;
export const MOST_REPORTED_SHARE = 20;

/** Since when, on the shared clock in ms, an endpoint has reported without a gap; null: it does not. */
export type ReportingSince = number | null;

/**
 * Weighs one report: rate / (utilization + error rate / rate x penalty). Pure.
 *
 * @returns null when it does not say what is needed: rate and utilization above 0
 */
export function reportedWeight({ utilization, rate, errorRate }: EndpointReportFigures): number | null {
  if (!(rate > 0 && utilization > 0)) return null;
  return rate / (utilization + (errorRate / rate) * REPORTED.errorPenalty);
}

/**
 * Folds the latest report into how long the endpoint has reported. Pure.
 *
 * @param since  as of the look before
 * @param latest null: it has never reported
 */
export function reportingSince(
  since: ReportingSince,
  latest: EndpointReportFigures | null,
  nowMs: number,
): ReportingSince {
  if (latest === null || reportedWeight(latest) === null || nowMs - latest.at >= REPORTED.expiryMs) return null;
  return since ?? latest.at;
}

/** The weight that counts: none in the blackout, and none without a report. Pure. */
export function believedWeight(
  since: ReportingSince,
  latest: EndpointReportFigures | null,
  nowMs: number,
): number | null {
  if (since === null || latest === null || nowMs - since < REPORTED.blackoutMs) return null;
  return reportedWeight(latest);
}

/**
 * Shares around 1 from weights: an endpoint without one gets the mean of the others, hence 1; with fewer than two weights all are equal. Pure.
 *
 * @param weights one for each endpoint; null: not known
 */
export function reportedShares(weights: readonly (number | null)[]): number[] {
  const known = weights.flatMap((weight) => (weight === null ? [] : [weight]));
  if (known.length < 2) return weights.map(() => 1);
  const mean = known.reduce((sum, weight) => sum + weight, 0) / known.length;
  return weights.map((weight) =>
    weight === null ? 1 : Math.min(Math.max(weight / mean, LEAST_REPORTED_SHARE), MOST_REPORTED_SHARE),
  );
}
