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
};

/** @param addresses of the endpoints */
export function stageConfig(frontend: FrontEndName, addresses: readonly string[]): object {
  const endpoints = addresses.map((address) => ({ address }));
  const names = Object.keys(UPSTREAMS) as StageUpstream[];
  return {
    workers: 2,
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        bind: '127.0.0.1:0',
        frontend,
        routes: names.map((name) => ({ match: { path: `/${name}/` }, upstream: name })),
      },
    ],
    upstreams: Object.fromEntries(names.map((name) => [name, { endpoints, ...COMMON, ...UPSTREAMS[name] }])),
  };
}
