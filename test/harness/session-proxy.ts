/** A sluice in L4 mode in front of endpoints of a test, and what its admin API says of sessions. */
import { type ProxyProcess, startProxy } from './proxy-process.js';
import { until } from './wire.js';

/** What a test changes in the configuration; each is laid over what `sessionConfig` writes. */
export interface SessionConfigChanges {
  readonly listener?: object;
  readonly upstream?: object;
  readonly workers?: number;
  readonly shutdownTimeout?: string;
}

/** An endpoint: a port of 127.0.0.1, or what stands in the configuration. */
export type EndpointEntry = number | { readonly address: string; readonly [key: string]: unknown };

/** One L4 listener on a free port of 127.0.0.1 in front of the upstream `app`. */
export function sessionConfig(endpoints: readonly EndpointEntry[], changes: SessionConfigChanges = {}): object {
  const { listener, upstream, ...rest } = changes;
  return {
    listeners: [{ name: 'tcp', mode: 'l4', bind: '127.0.0.1:0', upstream: 'app', ...listener }],
    upstreams: { app: { endpoints: endpoints.map(endpointEntry), ...upstream } },
    // Tests leave sessions half open; the process is not to wait for them at its end.
    shutdownTimeout: '200ms',
    ...rest,
  };
}

/** An endpoint as it stands in a configuration. */
export function endpointEntry(endpoint: EndpointEntry): object {
  return typeof endpoint === 'number' ? { address: `127.0.0.1:${endpoint}` } : endpoint;
}

/** Starts sluice with `sessionConfig`. */
export function startSessionProxy(
  endpoints: readonly EndpointEntry[],
  changes: SessionConfigChanges = {},
  options: Parameters<typeof startProxy>[1] = {},
): Promise<ProxyProcess> {
  return startProxy(sessionConfig(endpoints, changes), options);
}

/** The part of /api/v1/status that tests of sessions look at. */
export interface SessionStatus {
  readonly workers: readonly { readonly state: string; readonly restarts: number; readonly openSessions: number }[];
  readonly totals: {
    readonly openSessions: number;
    readonly sessions: number;
    readonly bytesFromClients: number;
    readonly bytesToClients: number;
  };
  readonly failuresByCode: Readonly<Record<string, number>>;
}

export function sessionStatus(proxy: ProxyProcess): Promise<SessionStatus> {
  return proxy.admin<SessionStatus>('/api/v1/status');
}

/** How many sessions have failed since the start, by error code. */
export async function sessionFailures(proxy: ProxyProcess): Promise<Readonly<Record<string, number>>> {
  return (await sessionStatus(proxy)).failuresByCode;
}

/** Waits until so many sessions have failed with this code: they are counted a moment after their clients know. */
export function untilFailed(proxy: ProxyProcess, code: string, count: number): Promise<void> {
  return until(`${count} times ${code}`, async () => ((await sessionFailures(proxy))[code] ?? 0) === count);
}

/** Requests in flight on each endpoint, that is open sessions, in the order of the configuration. */
export async function sessionsOfEndpoints(proxy: ProxyProcess, upstream = 'app'): Promise<readonly number[]> {
  const view = await proxy.admin<{ endpoints: { inFlight: number }[] }>(`/api/v1/upstreams/${upstream}/endpoints`);
  return view.endpoints.map(({ inFlight }) => inFlight);
}

/** Waits until no session is open, neither in a worker nor on an endpoint of these upstreams. */
export async function untilNoSessions(
  proxy: ProxyProcess,
  timeoutMs = 5_000,
  upstreams: readonly string[] = ['app'],
): Promise<void> {
  let seen = '';
  await until(
    'no session open, none on an endpoint',
    async () => {
      const { totals } = await sessionStatus(proxy);
      const onEndpoints = (await Promise.all(upstreams.map((name) => sessionsOfEndpoints(proxy, name)))).flat();
      seen = JSON.stringify({ totals, onEndpoints });
      return totals.openSessions === 0 && onEndpoints.every((count) => count === 0);
    },
    timeoutMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${seen}`);
  });
}
