/** Schema of an upstream: its endpoints, its balancer, and how they are connected to, judged and tried again. */
import { z } from 'zod';
import {
  BALANCER,
  CONNECT_ATTEMPTS,
  CONNECT_TIMEOUT_MS,
  ENDPOINT_MAX_CONNS,
  ENDPOINT_PRIORITY,
  ENDPOINT_PROXY_PROTOCOL,
  ENDPOINT_WEIGHT,
  FIRST_BYTE_TIMEOUT_MS,
  HEALTH_INTERVAL_MS,
  HEALTH_TIMEOUT_MS,
  HEALTHY_AFTER,
  POOL_MAX_CONNECTIONS,
  POOL_MAX_IDLE,
  RESPONSE_HEAD_BYTES,
  RESPONSE_HEADERS,
  RETRY_ATTEMPTS,
  UNHEALTHY_AFTER,
  UPSTREAM_IDLE_TIMEOUT_MS,
  UPSTREAM_KEEP_ALIVE_IDLE_MS,
} from '../defaults.js';
import type { BalancerName } from '../picking-plan.js';
import { choice, duration, endpointAddress, fact, section, size, text, wholeNumber } from './field.js';
import { keepAlive } from './keep-alive.js';
import { labels, pickingFields } from './picking.js';

const HOUR_MS = 3_600_000;
const RESPONSE_HEAD_BYTES_MAX = 64 * 1024;

/** Largest weight: the round-robin cycle is as long as the sum of an upstream's weights over their common divisor. */
export const WEIGHT_MAX = 1000;

/** All balancers. */
export const BALANCERS = [
  'round-robin',
  'least-conn',
  'least-time',
  'peak-ewma',
  'predictive',
  'random-two',
  'random',
  'first',
  'ip-hash',
  'hash',
  'ketama',
  'maglev',
  'rendezvous',
] as const satisfies readonly BalancerName[];

/** What other programs call them. */
const FOREIGN_BALANCERS: Readonly<Record<string, string>> = {
  roundrobin: 'round-robin',
  round_robin: 'round-robin',
  rr: 'round-robin',
  leastconn: 'least-conn',
  least_conn: 'least-conn',
  least_request: 'least-conn',
  least_time: 'least-time',
  leasttime: 'least-time',
  ewma: 'peak-ewma',
  peak_ewma: 'peak-ewma',
  p2c: 'random-two',
  source: 'ip-hash',
  ip_hash: 'ip-hash',
  consistent: 'ketama',
  chash: 'ketama',
  ring_hash: 'ketama',
  hrw: 'rendezvous',
};

/** One endpoint of an upstream. */
export const endpointSchema = section(
  {
    address: endpointAddress({
      description: 'Where the endpoint listens. Names are resolved, with all their addresses.',
    }),
    weight: wholeNumber({
      min: 0,
      max: WEIGHT_MAX,
      description: 'Share of the traffic, relative to the other endpoints; 0: none.',
    }).default(ENDPOINT_WEIGHT),
    backup: fact({ description: 'Picked only while no endpoint that is not a backup is eligible.' }).default(false),
    maxConns: wholeNumber({
      min: 1,
      max: 1_000_000,
      word: { text: 'unlimited', value: 0 },
      description: 'Most requests in flight and sessions on this endpoint, exact over all workers.',
    }).default(ENDPOINT_MAX_CONNS),
    priority: wholeNumber({
      min: 0,
      max: 128,
      description: 'Endpoints of a higher number are picked from only as far as those of lower ones are not healthy.',
    }).default(ENDPOINT_PRIORITY),
    labels: labels('What the endpoint is, for `subset`, `preferOwnZone` and `weights`.').default({}),
  },
  'An endpoint: one address of the upstream.',
);

/** The active checker of an upstream. */
export const healthCheckSchema = section(
  {
    kind: choice({
      names: ['http', 'tcp'],
      description: '`http`: a GET answered with 2xx or 3xx is good. `tcp`: an accepted connection is good.',
    }).default('http'),
    path: text({
      pattern: /^\/[!-~]*$/,
      expected: 'a path that begins with /, such as /health',
      hint: (path) =>
        path === 'tcp' ? 'for a TCP check write kind: tcp' : path.startsWith('/') ? null : `did you mean /${path}?`,
      description: 'Path (and query) of the probe; needed by `http`, not allowed with `tcp`.',
      form: 'path',
    }).optional(),
    interval: duration({
      minMs: 100,
      maxMs: 24 * HOUR_MS,
      description: 'Time between two probes of an endpoint.',
    }).default(HEALTH_INTERVAL_MS),
    timeout: duration({
      minMs: 10,
      maxMs: HOUR_MS,
      description: 'A probe must be answered in this time; at most the interval.',
    }).default(HEALTH_TIMEOUT_MS),
    healthyAfter: wholeNumber({
      min: 1,
      max: 100,
      description: 'Good probes in a row until an unhealthy endpoint is healthy.',
    }).default(HEALTHY_AFTER),
    unhealthyAfter: wholeNumber({
      min: 1,
      max: 100,
      description: 'Bad probes in a row until a healthy endpoint is unhealthy.',
    }).default(UNHEALTHY_AFTER),
  },
  'Active health checks.',
);

/** A named set of interchangeable endpoints. */
export const upstreamSchema = section(
  {
    balance: choice({
      names: BALANCERS,
      foreign: FOREIGN_BALANCERS,
      description: 'How an endpoint is picked for each attempt of an exchange or a session.',
    }).default(BALANCER),
    ...pickingFields,
    endpoints: z
      .array(endpointSchema)
      .min(1)
      .meta({ description: 'The endpoints; at least one that is not a backup.' }),
    timeouts: section(
      {
        connect: duration({
          minMs: 1,
          maxMs: HOUR_MS,
          description:
            'Time for the connection to an endpoint, over all its addresses, and for waiting for a free one.',
        }).default(CONNECT_TIMEOUT_MS),
        firstByte: duration({
          minMs: 1,
          maxMs: 24 * HOUR_MS,
          description: 'Time from the request to the first byte of its answer.',
        }).default(FIRST_BYTE_TIMEOUT_MS),
        idle: duration({
          minMs: 1,
          maxMs: 24 * HOUR_MS,
          description: 'Longest silence inside a response, or while sending a request body.',
        }).default(UPSTREAM_IDLE_TIMEOUT_MS),
      },
      'How long endpoints may take.',
    ).prefault({}),
    retry: section(
      {
        attempts: wholeNumber({
          min: 1,
          max: 10,
          description: 'Tries of one exchange over all endpoints, the first included; 1: no retry.',
        }).default(RETRY_ATTEMPTS),
        connectAttempts: wholeNumber({
          min: 1,
          max: 10,
          description:
            'Endpoints that a session (mode `l4`) tries to connect to, the first included; the client sees nothing of those that failed.',
        }).default(CONNECT_ATTEMPTS),
      },
      'Trying again on another endpoint, where that is safe.',
    ).prefault({}),
    pool: section(
      {
        maxIdle: wholeNumber({ min: 0, max: 65_536, description: 'Most idle connections kept.' }).default(
          POOL_MAX_IDLE,
        ),
        maxConnections: wholeNumber({
          min: 1,
          max: 65_536,
          word: { text: 'unlimited', value: 0 },
          description: 'Most connections, busy ones included; above it attempts wait, at most the connect timeout.',
        }).default(POOL_MAX_CONNECTIONS),
        keepAliveIdle: duration({
          minMs: 1,
          maxMs: HOUR_MS,
          description:
            "An idle connection is closed after this. Keep it below the endpoints' own keep-alive timeout (5 s in Node).",
        }).default(UPSTREAM_KEEP_ALIVE_IDLE_MS),
      },
      'The connection pool of each endpoint in each worker, for exchanges (mode `l7`): sessions have connections of their own.',
    ).prefault({}),
    responseLimits: section(
      {
        headBytes: size({
          minBytes: 1024,
          maxBytes: RESPONSE_HEAD_BYTES_MAX,
          description: 'Largest head of a response; larger ones are answered 502.',
        }).default(RESPONSE_HEAD_BYTES),
        headers: wholeNumber({ min: 1, max: 1000, description: 'Most header lines of a response.' }).default(
          RESPONSE_HEADERS,
        ),
      },
      'How much the head of a response may hold.',
    ).prefault({}),
    proxyProtocol: choice({
      names: ['off', 'v1', 'v2'],
      description:
        "PROXY header that tells endpoints the client's address at the start of each connection: `v1` (text) or `v2` (binary, with server name, ALPN and a unique id where known). For sessions (mode `l4`) only; the endpoints must expect it.",
    }).default(ENDPOINT_PROXY_PROTOCOL),
    keepAlive: keepAlive({
      description: 'TCP keep-alive of connections of sessions (mode `l4`) to the endpoints; `off` to have none.',
    }),
    healthCheck: z
      .union([z.literal('off'), healthCheckSchema])
      .default('off')
      .meta({ description: 'Active health checks; without them an endpoint counts as healthy.' }),
  },
  'An upstream: a named set of interchangeable endpoints.',
);

export type Upstream = z.output<typeof upstreamSchema>;
export type EndpointSettings = z.output<typeof endpointSchema>;
