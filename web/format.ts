/** How numbers, times and sizes read on the page. Pure; null and what is not finite read as NOTHING. */

/** Shown where there is no figure. */
export const NOTHING = '–';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY_AND_CLOCK = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Letters of powers of a thousand. */
const THOUSANDS = ['', 'k', 'M', 'G', 'T', 'P'] as const;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A count: 999, 9,999, 12.3k, 4.56M. */
export function countText(count: number | null): string {
  if (count === null || !Number.isFinite(count)) return NOTHING;
  if (Math.abs(count) < 10_000) return WHOLE.format(count);
  return scaled(count, 1_000, THOUSANDS, '');
}

/** Something a second, without the unit: 0, 0.4, 12.3, 1,234, 45.6k. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null || !Number.isFinite(perSecond)) return NOTHING;
  if (perSecond === 0) return '0';
  if (perSecond < 0.1) return '<0.1';
  if (perSecond < 99.95) return perSecond.toFixed(1);
  return countText(Math.round(perSecond));
}

/** Bytes: 0 B, 812 B, 1.5 KiB, 12 MiB. */
export function bytesText(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return NOTHING;
  return bytes < 1_024 ? `${Math.round(bytes)} B` : scaled(bytes, 1_024, BYTE_UNITS, ' ');
}

/** A latency: 0.42 ms, 3.1 ms, 120 ms, 1.2 s, 2 min 5 s. */
export function latencyText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NOTHING;
  if (ms === 0) return '0 ms';
  if (ms < 0.995) return `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${threeDigits(ms / SECOND_MS)} s`;
  return durationText(ms);
}

/** A share of 0..1: 0 %, <0.1 %, 0.4 %, 12 %, 100 %; never 100 % or 0 % where it is not all or nothing. */
export function percentText(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return NOTHING;
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.1) return '<0.1 %';
  if (percent < 9.95) return `${percent.toFixed(1)} %`;
  if (percent > 99.5 && percent < 100) return '>99 %';
  return `${Math.round(percent)} %`;
}

/** A length of time: 45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return NOTHING;
  const whole = Math.max(ms, 0);
  if (whole < MINUTE_MS) return `${Math.floor(whole / SECOND_MS)} s`;
  if (whole < HOUR_MS) return pair(whole, MINUTE_MS, 'min', SECOND_MS, 's');
  if (whole < DAY_MS) return pair(whole, HOUR_MS, 'h', MINUTE_MS, 'min');
  return pair(whole, DAY_MS, 'd', HOUR_MS, 'h');
}

/** Time of the day, in the browser's zone: 14:03:59. */
export function clockText(at: number): string {
  return Number.isFinite(at) ? CLOCK.format(at) : NOTHING;
}

/** The same, with the day in front of it when that is not today's. */
export function momentText(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return isToday ? clockText(at) : DAY_AND_CLOCK.format(at);
}

/** `1 endpoint`, `3 endpoints`; of another plural where it is given. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(parts: readonly string[]): string {
  const [last = '', ...before] = [...parts].reverse();
  return before.length === 0 ? last : `${before.reverse().join(', ')} and ${last}`;
}

function pair(ms: number, bigMs: number, big: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % bigMs) / smallMs);
  return `${countText(Math.floor(ms / bigMs))} ${big}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

function scaled(value: number, step: number, units: readonly string[], space: string): string {
  let rest = value;
  let power = 0;
  // 999.95 would be written as 1000: it belongs to the next unit.
  while (Math.abs(rest) >= step - 0.5 && power < units.length - 1) {
    rest /= step;
    power += 1;
  }
  return `${threeDigits(rest)}${space}${units[power]}`;
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size < 9.995) return value.toFixed(2).replace(/\.?0+$/, '');
  if (size < 99.95) return value.toFixed(1).replace(/\.0$/, '');
  return WHOLE.format(value);
}
