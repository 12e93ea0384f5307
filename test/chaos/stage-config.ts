/** The proxy's configuration on a chaos stage: three endpoints, seen by several upstreams that differ in what is looked at. */
import type { FrontEndName } from '../../src/config/plan.js';
import type { StageUpstream } from './scenario.js';

/**
 * Times are short, so that a scenario takes seconds: what is silent counts as failed after 400 ms, ejections last 300 ms, idle
 * connections 400 ms. All else is as users get it.
 */
export const ATTEMPT_MS = 400;
export const EJECTION_MS = 300;
export const MOST_EJECTION_MS = 600;
export const SLOW_START_MS = 1_200;
/** Most in flight at an endpoint of `capped`. */
export const CAP = 16;
/** Name of the listener of mode l4. */
export const SESSION_LISTENER = 'sessions';
const CONNECT_MS = 250;
const KEEP_ALIVE_MS = 400;

const COMMON = {
  timeouts: { connect: `${CONNECT_MS}ms`, attempt: `${ATTEMPT_MS}ms`, firstByte: '2s', idle: '2s' },
  pool: { keepAliveIdle: `${KEEP_ALIVE_MS}ms` },
  outlier: { ejectionTime: `${EJECTION_MS}ms`, maxEjectionTime: `${MOST_EJECTION_MS}ms` },
};

const UPSTREAMS: Readonly<Record<StageUpstream, object>> = {
  /** Everybody has the same share. */
  even: { balance: 'round-robin' },
  /** By latency. */
  fast: { balance: 'least-time' },
  /** Who returns gets its share little by little. */
  warming: { balance: 'round-robin', slowStart: { window: `${SLOW_START_MS}ms` } },
  /** Statuses that say "not now" are tried elsewhere. */
  asking: { balance: 'round-robin', retry: { statuses: [500, 502, 503, 504] } },
  /** With health checks beside what traffic shows. */
  checked: {
    balance: 'round-robin',
    healthCheck: { path: '/health', interval: '200ms', timeout: '200ms', unhealthyAfter: 2, healthyAfter: 1 },
  },
  /** What finds no place waits. Attempts may take long: what is slow here is meant to be. */
  capped: { balance: 'least-conn', timeouts: { attempt: '5s', firstByte: '5s' } },
  hedged: { balance: 'round-robin', hedge: { after: '30ms' } },
  breaking: {
    balance: 'round-robin',
    outlier: 'off',
    retry: { attempts: 1 },
    breaker: { window: '1s', openTime: '200ms', maxOpenTime: '400ms' },
  },
  /** Whole connections. */
  sessions: { balance: 'least-conn' },
};

/** @param addresses of the endpoints */
export function stageConfig(frontend: FrontEndName, addresses: readonly string[]): object {
  const endpointsOf = (name: StageUpstream): object[] =>
    addresses.map((address) => ({ address, ...(name === 'capped' ? { maxConns: CAP } : {}) }));
  const names = Object.keys(UPSTREAMS) as StageUpstream[];
  return {
    workers: 2,
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        bind: '127.0.0.1:0',
        frontend,
        routes: names
          .filter((name) => name !== 'sessions')
          .map((name) => ({ match: { path: `/${name}/` }, upstream: name })),
      },
      { name: SESSION_LISTENER, mode: 'l4', bind: '127.0.0.1:0', upstream: 'sessions' },
    ],
    upstreams: Object.fromEntries(
      names.map((name) => [name, { endpoints: endpointsOf(name), ...COMMON, ...UPSTREAMS[name] }]),
    ),
  };
}
