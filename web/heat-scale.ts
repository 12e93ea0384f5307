/** Colours and columns of a latency heat map. Pure. */
import { LATENCY_BOUNDS_MS } from '../src/observability/live-figures.js';
import { latencyText } from './format.js';

/** Rows of a heat map: one for each bound, and one for what took longer. */
export const HEAT_ROWS = LATENCY_BOUNDS_MS.length + 1;

/** From few to many; each step differs in lightness, so that it reads without colours, too. (After the idea of viridis: even steps of lightness.) */
const LIGHT_STOPS = ['#d7ebf7', '#8fc7e8', '#3f93cf', '#1f5fa8', '#4b2c82', '#2c0f45'] as const;
const DARK_STOPS = ['#17324a', '#1f5580', '#2a86b0', '#55bfae', '#b9e08a', '#fdf3a8'] as const;

/** Colours from one answer to the most of all cells, in equal steps of the logarithm. */
export const HEAT_STEPS = 24;

/** The colours of a scheme as 'rgb(r,g,b)', HEAT_STEPS of them. */
export function heatColours(isDark: boolean): readonly string[] {
  const stops = (isDark ? DARK_STOPS : LIGHT_STOPS).map(channelsOf);
  return Array.from({ length: HEAT_STEPS }, (_, step) => {
    const place = (step / (HEAT_STEPS - 1)) * (stops.length - 1);
    const left = Math.min(Math.floor(place), stops.length - 2);
    const mixed = [0, 1, 2].map((channel) => {
      const from = stops[left]?.[channel] ?? 0;
      const to = stops[left + 1]?.[channel] ?? 0;
      return Math.round(from + (to - from) * (place - left));
    });
    return `rgb(${mixed.join(',')})`;
  });
}

/**
 * Which colour a cell has.
 *
 * @param count answers in the cell, above 0
 * @param most  answers in the fullest cell
 * @returns 0 to HEAT_STEPS - 1
 */
export function heatStep(count: number, most: number): number {
  if (most <= 1) return HEAT_STEPS - 1;
  const step = (Math.log(Math.max(count, 1)) / Math.log(most)) * (HEAT_STEPS - 1);
  return Math.min(Math.max(Math.round(step), 0), HEAT_STEPS - 1);
}

/** What a row means: '≤ 1 ms', '1 – 2 ms', …, '> 5 s'. */
export function heatRowText(row: number): string {
  const upper = LATENCY_BOUNDS_MS[row];
  const lower = LATENCY_BOUNDS_MS[row - 1];
  if (lower === undefined) return `≤ ${boundText(upper)}`;
  return upper === undefined ? `> ${boundText(lower)}` : `${boundText(lower)} – ${boundText(upper)}`;
}

/** A bound is exact: '1 ms', where a measured latency would read '1.0 ms'. */
export function boundText(boundMs: number | undefined): string {
  return latencyText(boundMs).replace('.0 ', ' ');
}

/** Adds up heat, row by row; rows that one lacks count as 0. */
export function sumOfHeat(heats: readonly (readonly number[])[]): number[] {
  return Array.from({ length: HEAT_ROWS }, (_, row) => heats.reduce((sum, heat) => sum + (heat[row] ?? 0), 0));
}

function channelsOf(colour: string): readonly number[] {
  return [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16));
}
