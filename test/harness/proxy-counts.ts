/** What sluice itself says is open: read through the admin API, to be compared with what really is. */
import type { ProxyProcess } from './proxy-process.js';
import { until } from './wire.js';

/** The part of /api/v1/status that tests look at. */
export interface StatusFacts {
  readonly workers: readonly {
    readonly state: string;
    readonly openExchanges: number;
    readonly upstreamConnections: number;
  }[];
  readonly totals: {
    readonly openExchanges: number;
    readonly requests: number;
    readonly attempts: number;
    readonly failures: number;
  };
}

/** The part of an endpoint's view that tests look at. */
export interface EndpointFacts {
  readonly address: string;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly share: number | null;
  readonly healthy: boolean;
  /** How far it has warmed up, 0 .. 1; null: it does not. */
  readonly slowStart: number | null;
}

export function statusFacts(proxy: ProxyProcess): Promise<StatusFacts> {
  return proxy.admin<StatusFacts>('/api/v1/status');
}

/** @returns in the order of the configuration */
export async function endpointFacts(proxy: ProxyProcess, upstream = 'app'): Promise<readonly EndpointFacts[]> {
  const view = await proxy.admin<{ endpoints: EndpointFacts[] }>(`/api/v1/upstreams/${upstream}/endpoints`);
  return view.endpoints;
}

/** Waits until no exchange is open and nothing is in flight on any endpoint of the upstream. */
export async function untilIdle(proxy: ProxyProcess, timeoutMs = 3_000, upstream = 'app'): Promise<void> {
  let seen = '';
  await until(
    'nothing open, nothing in flight',
    async () => {
      const { totals } = await statusFacts(proxy);
      const inFlight = (await endpointFacts(proxy, upstream)).map((endpoint) => endpoint.inFlight);
      seen = JSON.stringify({ openExchanges: totals.openExchanges, inFlight });
      return totals.openExchanges === 0 && inFlight.every((count) => count === 0);
    },
    timeoutMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${seen}`);
  });
}
