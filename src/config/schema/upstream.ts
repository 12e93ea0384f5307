/** Schema of an upstream: its endpoints, its balancer, and how they are connected to, judged and tried again. */
import { z } from 'zod';
import {
  ATTEMPT_TIMEOUT_MS,
  BALANCER,
  CONNECT_TIMEOUT_MS,
  ENDPOINT_MAX_CONNS,
  ENDPOINT_PRIORITY,
  ENDPOINT_PROXY_PROTOCOL,
  ENDPOINT_WEIGHT,
  FIRST_BYTE_TIMEOUT_MS,
  POOL_MAX_CONNECTIONS,
  POOL_MAX_IDLE,
  QUEUE_TIMEOUT_MS,
  RESPONSE_HEAD_BYTES,
  RESPONSE_HEADERS,
  UPSTREAM_IDLE_TIMEOUT_MS,
  UPSTREAM_KEEP_ALIVE_IDLE_MS,
} from '../defaults.js';
import type { BalancerName } from '../picking-plan.js';
import { ENDPOINT_PROTOCOL } from '../tls-defaults.js';
import { breakerSchema, outlierSchema } from './ejection.js';
import { choice, duration, endpointAddress, fact, section, size, wholeNumber } from './field.js';
import { healthCheckSchema } from './health-check.js';
import { upstreamHttp2Schema } from './http2.js';
import { keepAlive } from './keep-alive.js';
import { labels, pickingFields } from './picking.js';
import { concurrencySchema, hedgeSchema, queueSchema, retrySchema } from './retrying.js';
import { upstreamTlsSchema } from './tls.js';

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
        attempt: duration({
          minMs: 1,
          maxMs: 24 * HOUR_MS,
          off: true,
          description: 'Time of one attempt, from its begin to the head of the answer, connecting included.',
        }).default(ATTEMPT_TIMEOUT_MS),
        queue: duration({
          minMs: 1,
          maxMs: HOUR_MS,
          description: 'Longest wait in the queue for a place at an endpoint.',
        }).default(QUEUE_TIMEOUT_MS),
      },
      'How long endpoints may take.',
    ).prefault({}),
    retry: retrySchema,
    hedge: hedgeSchema.default('off'),
    queue: queueSchema,
    concurrency: concurrencySchema,
    outlier: outlierSchema,
    breaker: breakerSchema('each endpoint'),
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
    tls: upstreamTlsSchema,
    protocol: choice({
      names: ['h1', 'h2', 'auto'],
      foreign: { http1: 'h1', http2: 'h2', 'http/1.1': 'h1', grpc: 'h2' },
      description:
        'What endpoints are spoken to for exchanges: `h1` (HTTP/1.1), `h2` (HTTP/2, without TLS by prior knowledge; what gRPC needs), or `auto`: what they choose by ALPN, without TLS `h1`. WebSockets and other upgrades go over HTTP/1.1, so `h2` has none: the endpoint gets such a request without its Upgrade (`uws` goes over HTTP/1.1 there, too).',
    }).default(ENDPOINT_PROTOCOL),
    http2: upstreamHttp2Schema.prefault({}),
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
