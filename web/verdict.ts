/** Whether all is well, in a sentence, and what is not. Pure. */
import type { LiveFigures, LiveUpstream } from '../src/observability/live-figures.js';
import { CONDITIONS, type Tone, takesWork } from './conditions.js';
import { clockText, countOf, percentText } from './format.js';

/** From these on a figure is worth a word: the thresholds of the alert rules that come with sluice. */
const MUCH_ERROR_SHARE = 0.01;
const MOST_ERROR_SHARE = 0.05;
const MUCH_POOL_USE = 0.8;
const MUCH_QUEUE_USE = 0.8;
/** A coefficient of variation above this is not even any more. */
export const UNEVEN_CV = 0.3;

/** Something that needs somebody. */
export interface Trouble {
  readonly tone: Extract<Tone, 'warn' | 'bad'>;
  /** null: the whole of sluice. */
  readonly upstream: string | null;
  readonly endpoint: string | null;
  /** A sentence without its subject, which is the endpoint, the upstream or sluice. */
  readonly text: string;
}

/** The state of everything. */
export interface Verdict {
  readonly tone: Extract<Tone, 'good' | 'warn' | 'bad'>;
  readonly title: string;
  readonly detail: string;
  /** Worst first. */
  readonly troubles: readonly Trouble[];
}

/**
 * Judges one second.
 *
 * @param badFileSince since when the configuration file cannot be used, in ms since 1970; null: it can
 */
export function verdictOf(figures: LiveFigures, badFileSince: number | null = null): Verdict {
  const troubles = [...ofFile(badFileSince), ...ofAll(figures), ...figures.upstreams.flatMap(ofUpstream)];
  const bad = troubles.filter(({ tone }) => tone === 'bad');
  // What is wrong with an upstream says more than the many endpoints that made it so.
  const ordered = [...troubles].sort((a, b) => placeOf(a) - placeOf(b));
  const endpoints = figures.upstreams.flatMap((upstream) => upstream.endpoints);
  const working = endpoints.filter(takesWork).length;
  const detail = `${working} of ${countOf(endpoints.length, 'endpoint')} in ${countOf(figures.upstreams.length, 'upstream')} take work`;
  if (bad.length > 0) return { tone: 'bad', title: `${countOf(bad.length, 'problem')}`, detail, troubles: ordered };
  if (ordered.length > 0) {
    return { tone: 'warn', title: `${countOf(ordered.length, 'thing')} to look at`, detail, troubles: ordered };
  }
  return { tone: 'good', title: 'All is well', detail, troubles: [] };
}

function placeOf({ tone, endpoint }: Trouble): number {
  return (tone === 'bad' ? 0 : 2) + (endpoint === null ? 0 : 1);
}

function ofFile(badFileSince: number | null): Trouble[] {
  if (badFileSince === null) return [];
  const text = `goes by an older configuration: since ${clockText(badFileSince)} the file cannot be used, as the timeline says`;
  return [{ tone: 'warn', upstream: null, endpoint: null, text }];
}

function ofAll({ readiness, totals, workers }: LiveFigures): Trouble[] {
  const about = (tone: Trouble['tone'], text: string): Trouble => ({ tone, upstream: null, endpoint: null, text });
  const troubles: Trouble[] = [];
  if (readiness === 'starting') troubles.push(about('warn', 'is starting: not every worker accepts yet'));
  if (readiness === 'draining') troubles.push(about('warn', 'is ending: it takes no new connections'));
  if (readiness === 'degraded') {
    const away = workers.filter(({ state }) => state !== 'serving').length;
    troubles.push(about('bad', `lacks ${countOf(away, 'worker')}: the others serve`));
  }
  const errorShare = totals.errorShare ?? 0;
  if (errorShare >= MUCH_ERROR_SHARE) {
    const tone = errorShare >= MOST_ERROR_SHARE ? 'bad' : 'warn';
    troubles.push(about(tone, `answers ${percentText(errorShare)} with an error`));
  }
  return troubles;
}

function ofUpstream(upstream: LiveUpstream): Trouble[] {
  const { name, endpoints, panicking, waiting, queueLength } = upstream;
  const about = (tone: Trouble['tone'], text: string, endpoint: string | null = null): Trouble => ({
    tone,
    upstream: name,
    endpoint,
    text,
  });
  const troubles: Trouble[] = [];
  if (endpoints.length > 0 && !endpoints.some(takesWork)) {
    const last = panicking ? ', so health is ignored' : '';
    troubles.push(about('bad', `has no endpoint that takes work${last}`));
  } else if (panicking) {
    troubles.push(about('bad', 'has so few healthy endpoints that health is ignored'));
  }
  if (waiting !== null && queueLength !== null && queueLength > 0 && waiting >= queueLength * MUCH_QUEUE_USE) {
    troubles.push(about('warn', `has ${waiting} of ${queueLength} places in its queue taken`));
  }
  for (const { address, condition, poolUse } of endpoints) {
    const { tone, meaning } = CONDITIONS[condition];
    if (tone === 'bad' || tone === 'warn') troubles.push(about(tone, meaning, address));
    else if (poolUse !== null && poolUse >= MUCH_POOL_USE) {
      troubles.push(about('warn', `has ${percentText(poolUse)} of its places taken`, address));
    }
  }
  return troubles;
}
