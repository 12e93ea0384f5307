/** A sluice whose configuration changes again and again under clients that must not notice. */
import { endpointEntry } from './session-proxy.js';

/** Ports of what is behind the proxy: three endpoints of each kind. */
export interface StagePorts {
  readonly http: readonly number[];
  readonly webSocket: readonly number[];
  readonly session: readonly number[];
}

/** Where the proxy listens; 0 at its start. */
export interface StagePlaces {
  readonly web: number;
  readonly tcp: number;
}

/** What differs from one configuration to the next. */
interface Variant {
  /** Which endpoints of each kind there are, by index. */
  readonly endpoints: readonly number[];
  /** Laid over the upstream of requests; for its first endpoint. */
  readonly http: object;
  readonly first?: object;
  readonly sessions: object;
  readonly routes: readonly object[];
  readonly listener: object;
  readonly isSecondListenerThere?: boolean;
}

const FAST = { path: '/fast/' };

/** Everything that a reload is to change without a trace on the wire: endpoints, weights, balancers, routes, timeouts, queues, limits. */
const VARIANTS: readonly Variant[] = [
  {
    endpoints: [0, 1],
    http: { balance: 'round-robin' },
    sessions: { balance: 'least-conn' },
    routes: [],
    listener: {},
  },
  {
    endpoints: [1, 2],
    http: { balance: 'least-time', queue: { length: 50 } },
    first: { weight: 7, maxConns: 500 },
    sessions: { balance: 'round-robin', timeouts: { connect: '2s' } },
    routes: [{ match: FAST, upstream: 'app', timeouts: { exchange: '9s' } }],
    listener: { limits: { connections: 5_000 } },
  },
  {
    endpoints: [0, 1, 2],
    http: { balance: 'maglev', hashKey: 'path', retry: { attempts: 3 } },
    sessions: { balance: 'ketama', proxyProtocol: 'off', queue: { length: 20 } },
    routes: [{ match: { host: 'other.test' }, upstream: 'tunnels' }],
    listener: {},
    isSecondListenerThere: true,
  },
  {
    endpoints: [2, 0],
    http: { balance: 'peak-ewma', queue: { length: 10 }, timeouts: { firstByte: '20s' } },
    first: { weight: 3 },
    sessions: { balance: 'random-two', timeouts: { queue: '3s' }, queue: { length: 40 } },
    routes: [],
    listener: { trustedProxies: ['10.0.0.0/8'], limits: { headers: 60 } },
  },
];

/** How many there are before they begin anew. */
export const STAGE_VARIANTS = VARIANTS.length;

/**
 * @param number of the configuration, from 0
 * @param frontend of the listener of requests and WebSockets
 */
export function stageConfig(number: number, frontend: string, ports: StagePorts, places: StagePlaces): object {
  const variant = VARIANTS[number % VARIANTS.length] as Variant;
  const pick = (of: readonly number[]): object[] =>
    variant.endpoints.map((index) => endpointEntry(of[index] as number));
  const [first, ...rest] = pick(ports.http);
  const uws = frontend === 'uws' ? { limits: {} } : {};
  return {
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        frontend,
        bind: `127.0.0.1:${places.web}`,
        routes: [
          ...variant.routes,
          { match: { path: '/ws' }, upstream: 'tunnels' },
          { match: { path: '/' }, upstream: 'app' },
        ],
        ...variant.listener,
        ...uws,
      },
      { name: 'tcp', mode: 'l4', bind: `127.0.0.1:${places.tcp}`, upstream: 'sessions' },
      ...(variant.isSecondListenerThere === true
        ? [{ name: 'more', mode: 'l4', bind: '127.0.0.1:0', upstream: 'sessions' }]
        : []),
    ],
    upstreams: {
      app: { endpoints: [{ ...first, ...variant.first }, ...rest], ...variant.http },
      tunnels: { endpoints: pick(ports.webSocket) },
      sessions: { endpoints: pick(ports.session), ...variant.sessions },
    },
    shutdownTimeout: '2s',
  };
}
