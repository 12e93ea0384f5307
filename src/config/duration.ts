/** Durations as users write them: a number and a unit. */
import type { Parsed } from './address.js';

/** Units from the largest to the smallest, in ms. */
const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** What an editor checks a duration against (JSON Schema `pattern`). */
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$';

/**
 * Reads a duration such as "500ms", "1.5s", "5m" or "1h". A bare number is refused: seconds or milliseconds?
 *
 * @returns whole milliseconds
 */
export function parseDuration(text: string): Parsed<number> {
  const parts = DURATION.exec(text);
  if (parts === null) return { ok: false, expected: 'a duration such as 500ms, 10s, 5m or 1h', hint: hintFor(text) };
  const [, digits, unitName] = parts;
  const unitMs = UNITS.find(([name]) => name === unitName)?.[1] ?? 1;
  const ms = Number(digits) * unitMs;
  // 1.001 s is 1000.9999… in floating point: what is a whole number to a person must stay one.
  const wholeMs = Math.round(ms);
  if (!Number.isSafeInteger(wholeMs) || Math.abs(ms - wholeMs) > 1e-6 * Math.max(1, ms)) {
    return { ok: false, expected: 'a duration of whole milliseconds', hint: null };
  }
  return { ok: true, value: wholeMs };
}

/** Writes whole milliseconds in the largest unit that keeps them whole: 90000 is "90s", 60000 is "1m". */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const [name, unitMs] = UNITS.find(([, size]) => ms % size === 0) ?? (['ms', 1] as const);
  return `${ms / unitMs}${name}`;
}

function hintFor(text: string): string | null {
  const number = /^[+-]?\d+(\.\d+)?$/.exec(text.trim());
  if (number !== null)
    return text.startsWith('-')
      ? 'a duration is not negative'
      : `add a unit: ${text.trim()}s for seconds or ${text.trim()}ms for milliseconds`;
  const parts = /^(\d+(?:\.\d+)?)\s*([a-zµ]+)\.?$/i.exec(text.trim());
  if (parts === null) return null;
  const [, digits = '', unit = ''] = parts;
  const meant = { s: 's', m: 'm', h: 'h', ms: 'ms', d: 'd' }[unitOf(unit)] ?? null;
  if (meant === 'd') return `days are written in hours: ${Number(digits) * 24}h`;
  return meant === null ? 'the units are ms, s, m and h' : `write ${digits}${meant}`;
}

/** The unit that a longer or differently written word stands for. */
function unitOf(word: string): string {
  const lower = word.toLowerCase();
  if (/^(ms|msec|msecs|millis|milliseconds?)$/.test(lower)) return 'ms';
  if (/^(s|secs?|seconds?)$/.test(lower)) return 's';
  if (/^(m|mins?|minutes?)$/.test(lower)) return 'm';
  if (/^(h|hrs?|hours?)$/.test(lower)) return 'h';
  return /^(d|days?)$/.test(lower) ? 'd' : '';
}
