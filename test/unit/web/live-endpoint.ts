/** Endpoints as the API shows them, for tests that care for some of their figures. */
import type { LiveEndpoint, LiveUpstream } from '../../../src/observability/live-figures.js';

/** One that is well. */
export function liveEndpoint(more: Partial<LiveEndpoint> = {}): LiveEndpoint {
  return {
    address: '10.0.0.1:9001',
    condition: 'healthy',
    state: 'enabled',
    backup: false,
    weight: 1,
    effectiveWeight: 1,
    inFlight: 0,
    cap: null,
    poolUse: null,
    share: null,
    perSecond: 0,
    errorShare: null,
    bytesInPerSecond: 0,
    bytesOutPerSecond: 0,
    latencyMs: null,
    heat: [],
    ...more,
  };
}

/** One with these endpoints. */
export function liveUpstream(endpoints: readonly LiveEndpoint[], more: Partial<LiveUpstream> = {}): LiveUpstream {
  return {
    name: 'api',
    balance: 'round-robin',
    panicking: false,
    waiting: null,
    queueLength: null,
    cv: null,
    perSecond: 0,
    errorShare: null,
    bytesInPerSecond: 0,
    bytesOutPerSecond: 0,
    latencyMs: null,
    endpoints,
    ...more,
  };
}
