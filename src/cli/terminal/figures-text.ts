/** Writes figures for people: short, of a width that tables can count on. Pure. */

/** What stands where there is nothing to say. */
export const NOTHING = '-';

const MS_PER_S = 1_000;

/** A rate or a count: '0', '0.4', '12', '1.2k', '34k', '5.6M'. At most 5 characters below 10^9. */
export function countText(count: number): string {
  if (count >= 999_500) return `${short(count / 1_000_000)}M`;
  if (count >= 9_999.5) return `${short(count / 1_000)}k`;
  return short(count);
}

/** A latency in ms; seconds from 1,000 ms on: '0.05', '1.2', '120', '1.2s'. null: '-'. */
export function msText(ms: number | null): string {
  if (ms === null) return NOTHING;
  if (ms >= 999.5) return `${short(ms / MS_PER_S)}s`;
  if (ms > 0 && ms < 0.095) return ms.toFixed(2);
  return short(ms);
}

/** A part of a whole: '0%', '<0.1%', '0.4%', '12%'. null: '-'. */
export function shareText(share: number | null): string {
  if (share === null) return NOTHING;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1%';
  return `${short(percent)}%`;
}

/** How long something has lasted: '5 s', '3 min 5 s', '2 h 3 min', '4 d 2 h'. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / MS_PER_S);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  const told = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return told.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** '1 endpoint', '2 endpoints' */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** Text of others, such as names, without what would steer the terminal. */
export function plainText(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}

/** One decimal below 10, none above; whole numbers without one. */
function short(value: number): string {
  const text = value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
