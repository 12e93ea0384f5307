/** Axes of charts: where round numbers lie on them, and how they are written. Pure. */

/** A direction of a chart, from the data to pixels. */
export interface Axis {
  readonly steps: readonly number[];
  /** @returns pixels */
  position(value: number): number;
}

const WANTED_STEPS = 5;
const ROUND = [1, 2, 2.5, 5, 10];

/**
 * An axis with steps of equal size, from `low` (rounded down) to `high` (rounded up).
 *
 * @param fromPx pixel of the lower end, toPx that of the upper one
 */
export function linearAxis(low: number, high: number, fromPx: number, toPx: number): Axis {
  const span = high > low ? high - low : 1;
  const rough = span / WANTED_STEPS;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = (ROUND.find((factor) => factor * magnitude >= rough * 0.999) ?? 10) * magnitude;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil((low + span) / step - 1e-9));
  const steps = Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(9)));
  const start = first * step;
  const whole = (last - first) * step;
  return { steps, position: (value) => fromPx + ((value - start) / whole) * (toPx - fromPx) };
}

/** An axis on which each step is ten times the one before; low and high are above 0. */
export function logAxis(low: number, high: number, fromPx: number, toPx: number): Axis {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9));
  const steps = Array.from({ length: last - first + 1 }, (_, index) => Number((10 ** (first + index)).toPrecision(6)));
  return {
    steps,
    position: (value) =>
      fromPx + ((Math.log10(Math.max(value, 10 ** first)) - first) / (last - first)) * (toPx - fromPx),
  };
}

/** A number as short as it can be without saying something else: 12000 → 12,000; 0.25; 1.5. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
