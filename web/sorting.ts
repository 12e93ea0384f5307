/** Order of the endpoints in a table, by any of its columns. Pure. */
import type { LiveEndpoint } from '../src/observability/live-figures.js';
import { urgencyOf } from './conditions.js';

/** Columns that a table of endpoints can be sorted by; `configured`: as the configuration has them. */
export type SortKey =
  | 'configured'
  | 'address'
  | 'condition'
  | 'weight'
  | 'perSecond'
  | 'errorShare'
  | 'p50'
  | 'p95'
  | 'p99'
  | 'inFlight'
  | 'share';

/** How a table is sorted. */
export interface Sorting {
  readonly key: SortKey;
  readonly isDescending: boolean;
}

/** As the configuration has them. */
export const UNSORTED: Sorting = { key: 'configured', isDescending: false };

/** So that 10.0.0.9 comes before 10.0.0.10. */
const BY_NAME = new Intl.Collator('en', { numeric: true });

/** A new list; equal ones keep their order, and those without a figure come last either way. */
export function sorted(endpoints: readonly LiveEndpoint[], { key, isDescending }: Sorting): readonly LiveEndpoint[] {
  if (key === 'configured') return endpoints;
  const sign = isDescending ? -1 : 1;
  if (key === 'address') return [...endpoints].sort((a, b) => sign * BY_NAME.compare(a.address, b.address));
  const values = new Map(endpoints.map((endpoint) => [endpoint, figureOf(endpoint, key)]));
  return [...endpoints].sort((a, b) => {
    const first = values.get(a) ?? null;
    const second = values.get(b) ?? null;
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    return sign * (first - second);
  });
}

/** What a click on a column's head leads to: figures begin with the largest, names and conditions with the first; a third click gives up sorting. */
export function nextSorting(current: Sorting, key: SortKey): Sorting {
  const beginsDescending = key !== 'address' && key !== 'condition';
  if (current.key !== key) return { key, isDescending: beginsDescending };
  return current.isDescending === beginsDescending ? { key, isDescending: !beginsDescending } : UNSORTED;
}

function figureOf(endpoint: LiveEndpoint, key: Exclude<SortKey, 'configured' | 'address'>): number | null {
  switch (key) {
    case 'condition':
      return urgencyOf(endpoint.condition);
    case 'weight':
      return endpoint.effectiveWeight;
    case 'p50':
    case 'p95':
    case 'p99':
      return endpoint.latencyMs?.[key] ?? null;
    default:
      return endpoint[key];
  }
}
