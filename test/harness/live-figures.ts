/** Live figures for tests of what is shown of them. */
import type { LiveEndpoint, LiveFigures, LiveUpstream } from '../../src/observability/live-figures.js';
import { QUIET_FIGURES } from './admin-source.js';

/** An endpoint that serves. */
export function liveEndpoint(address: string, more: Partial<LiveEndpoint> = {}): LiveEndpoint {
  return {
    address,
    condition: 'healthy',
    state: 'enabled',
    backup: false,
    weight: 1,
    effectiveWeight: 1,
    inFlight: 0,
    cap: null,
    poolUse: null,
    share: null,
    heat: [],
    perSecond: 0,
    errorShare: null,
    bytesInPerSecond: 0,
    bytesOutPerSecond: 0,
    latencyMs: null,
    ...more,
  };
}

/** An upstream with these endpoints. */
export function liveUpstream(
  name: string,
  endpoints: readonly LiveEndpoint[],
  more: Partial<LiveUpstream> = {},
): LiveUpstream {
  const { perSecond, errorShare, bytesInPerSecond, bytesOutPerSecond, latencyMs } = liveEndpoint('');
  return {
    name,
    balance: 'least-conn',
    panicking: false,
    waiting: null,
    queueLength: null,
    cv: null,
    endpoints,
    perSecond,
    errorShare,
    bytesInPerSecond,
    bytesOutPerSecond,
    latencyMs,
    ...more,
  };
}

/** A proxy with two upstreams that has something to do. */
export const BUSY_FIGURES: LiveFigures = {
  ...QUIET_FIGURES,
  uptimeMs: 185_000,
  epoch: 3,
  totals: {
    ...QUIET_FIGURES.totals,
    perSecond: 1_234.5,
    errorShare: 0.004,
    latencyMs: { p50: 1.25, p95: 12, p99: 120, max: 900 },
    openConnections: 12,
    openExchanges: 3,
    openSessions: 1,
  },
  listeners: [
    {
      name: 'web',
      mode: 'l7',
      address: '127.0.0.1:8080',
      kind: 'native',
      perSecond: 1_234.5,
      errorShare: 0.004,
      bytesInPerSecond: 0,
      bytesOutPerSecond: 0,
      latencyMs: { p50: 1.25, p95: 12, p99: 120, max: 900 },
    },
  ],
  upstreams: [
    liveUpstream(
      'api',
      [
        liveEndpoint('10.0.0.1:9001', {
          perSecond: 900,
          errorShare: 0.005,
          latencyMs: { p50: 1, p95: 10, p99: 110, max: 900 },
          inFlight: 2,
          cap: 100,
          poolUse: 0.02,
          share: 0.73,
        }),
        liveEndpoint('10.0.0.2:9001', {
          condition: 'warming-up',
          perSecond: 334.5,
          errorShare: 0,
          latencyMs: { p50: 2, p95: 20, p99: 1_500, max: 1_900 },
          inFlight: 1,
          weight: 2,
          effectiveWeight: 1,
          share: 0.27,
        }),
        liveEndpoint('10.0.0.3:9001', { condition: 'unhealthy', backup: true }),
      ],
      { cv: 0.123, waiting: 4, queueLength: 100, perSecond: 1_234.5, errorShare: 0.004 },
    ),
    liveUpstream(
      'pg',
      [liveEndpoint('[2001:db8:1234:5678:9abc::1]:5432', { condition: 'drained', state: 'drained' })],
      {
        panicking: true,
      },
    ),
  ],
  workers: [
    {
      index: 0,
      state: 'serving',
      restarts: 1,
      openConnections: 12,
      openExchanges: 3,
      openSessions: 1,
      upstreamConnections: 7,
      busyShare: 0.42,
    },
  ],
};
