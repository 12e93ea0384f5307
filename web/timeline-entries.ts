/** What happened, as the page keeps it: each entry once, in order, and a choice of them by level and text. Pure. */
import type { TimelineEntry } from '../src/observability/live-figures.js';

/** Entries that are kept, as many as the API has. */
export const MOST_ENTRIES = 500;

/** Least important level that is shown. */
export type LevelChoice = 'info' | 'warn' | 'error';

const LEVELS: readonly TimelineEntry['level'][] = ['info', 'warn', 'error', 'fatal'];

/**
 * Puts new entries to those that are known.
 *
 * @param known oldest first
 * @returns oldest first, each id once (the newer word counts), at most MOST_ENTRIES
 */
export function merged(known: readonly TimelineEntry[], more: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const byId = new Map([...known, ...more].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((a, b) => a.id - b.id).slice(-MOST_ENTRIES);
}

/** @returns newest first, those of a level and above that have the text somewhere */
export function chosen(entries: readonly TimelineEntry[], least: LevelChoice, text: string): readonly TimelineEntry[] {
  const wanted = text.trim().toLowerCase();
  const from = LEVELS.indexOf(least);
  return entries
    .filter((entry) => LEVELS.indexOf(entry.level) >= from && (wanted === '' || wordsOf(entry).includes(wanted)))
    .reverse();
}

function wordsOf({ text, event, code, upstream, endpoint }: TimelineEntry): string {
  return [text, event, code, upstream, endpoint].join('\n').toLowerCase();
}

/** Events that say how a reload went; the latest one counts. */
const RELOADS: readonly TimelineEntry['event'][] = ['reloaded', 'reload-unchanged', 'reload-failed'];

/** Since when the configuration file is one that cannot be used, in ms since 1970; null: the last reload went well, or there was none. */
export function badFileSince(entries: readonly TimelineEntry[]): number | null {
  const reloads = entries.filter(({ event }) => RELOADS.includes(event));
  const lastGood = reloads.findLastIndex(({ event }) => event !== 'reload-failed');
  return reloads[lastGood + 1]?.at ?? null;
}
