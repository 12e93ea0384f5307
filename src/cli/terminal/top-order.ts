/** In which order `sluice top` shows the endpoints of an upstream. Pure. */
import type { LiveEndpoint } from '../../observability/live-figures.js';

/** What endpoints can be ordered by; `config`: as they stand in the configuration. In the order of the arrow keys. */
export const SORT_KEYS = [
  'config',
  'name',
  'state',
  'weight',
  'rps',
  'errors',
  'p50',
  'p95',
  'p99',
  'inflight',
  'share',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** What is compared; text upwards, numbers from the highest on. null: it has none, and comes last. */
const VALUES: Readonly<Record<Exclude<SortKey, 'config'>, (endpoint: LiveEndpoint) => string | number | null>> = {
  name: ({ address }) => address,
  state: ({ condition }) => condition,
  weight: ({ weight }) => weight,
  rps: ({ perSecond }) => perSecond,
  errors: ({ errorShare }) => errorShare,
  p50: ({ latencyMs }) => latencyMs?.p50 ?? null,
  p95: ({ latencyMs }) => latencyMs?.p95 ?? null,
  p99: ({ latencyMs }) => latencyMs?.p99 ?? null,
  inflight: ({ inFlight }) => inFlight,
  share: ({ share }) => share,
};

/** The endpoints in order; those that are equal stay as they stand in the configuration. */
export function inOrder(
  endpoints: readonly LiveEndpoint[],
  key: SortKey,
  isReversed: boolean,
): readonly LiveEndpoint[] {
  if (key === 'config') return isReversed ? endpoints.toReversed() : endpoints;
  const figureOf = VALUES[key];
  const sign = isReversed ? -1 : 1;
  return endpoints.toSorted((one, other) => {
    const [a, b] = [figureOf(one), figureOf(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === 'string' || typeof b === 'string')
      return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
    return sign * (b - a);
  });
}
