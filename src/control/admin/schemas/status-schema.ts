/** What the views of status, upstreams and endpoints look like as JSON, for the OpenAPI document and its test. */
import { z } from 'zod';
import type { Readiness, StatusView, UpstreamView } from '../admin-source.js';
import type { EndpointView } from '../endpoint-view.js';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const moment = z.iso.datetime();

const readiness = z.enum(['starting', 'ready', 'degraded', 'draining']) satisfies z.ZodType<Readiness>;

/** GET /healthz. */
export const healthSchema = z.object({ status: z.literal('alive') });

/** GET /readyz. */
export const readinessSchema = z.object({ status: readiness });

const listener = z.object({
  name: z.string(),
  mode: z.enum(['l7', 'l4']),
  frontend: z.string().optional().describe('Of mode l7.'),
  relay: z.string().optional().describe('Of mode l4.'),
  host: z.string().optional().describe('Of a listener over TCP, with its real `port`.'),
  port: z.int().min(0).max(65_535).optional(),
  path: z.string().optional().describe('Of a UNIX socket.'),
});

/** GET /api/v1/status; a listener's form is checked less than its type says, which has alternatives. */
export const statusSchema = z.object({
  version: z.string(),
  pid: count,
  uptimeMs: count,
  epoch: count.describe('Number of the plan that counts.'),
  readiness,
  listeners: z.array(listener),
  workers: z.array(
    z.object({
      index: count,
      state: z.string(),
      restarts: count,
      openConnections: count,
      openExchanges: count,
      openSessions: count,
      upstreamConnections: count,
      busyShare: z.number().min(0).describe('Part of its time that its loop was busy in the last second.'),
      requests: count,
      sessions: count,
    }),
  ),
  totals: z.object({
    openConnections: count,
    openExchanges: count,
    openSessions: count,
    requests: count,
    sessions: count,
    bytesFromClients: count,
    bytesToClients: count,
    attempts: count,
    failures: count,
    retries: count,
    hedges: count,
    retriesRefused: count,
  }),
  failuresByCode: z.record(z.string(), count),
}) satisfies z.ZodType<Omit<StatusView, 'listeners'>>;

/** One row of GET /api/v1/upstreams. */
export const upstreamSchema = z.object({
  name: z.string(),
  balance: z.string(),
  healthCheck: z.string().nullable(),
  endpoints: count,
  eligibleEndpoints: count,
  ejectedEndpoints: count,
  ejections: count,
  suppressedEjections: count,
  brokenEndpoints: count,
  panicking: z.boolean(),
  panics: count,
  waiting: count.nullable(),
  queueLength: count.nullable(),
  retries: count,
}) satisfies z.ZodType<UpstreamView>;

/** One endpoint of GET /api/v1/upstreams/{upstream}/endpoints. */
export const endpointSchema = z.object({
  address: z.string(),
  addresses: z.array(z.string()),
  state: z.enum(['enabled', 'draining', 'drained', 'disabled']),
  enabled: z.boolean(),
  healthy: z.boolean(),
  draining: z.boolean(),
  resolved: z.boolean(),
  weight: count,
  effectiveWeight: count,
  backup: z.boolean(),
  maxConns: count.describe('0: no cap.'),
  effectiveMaxConns: count,
  adaptiveCap: count.nullable(),
  slowStart: share.nullable(),
  inFlight: count,
  drain: z
    .object({
      since: moment,
      timeoutMs: z.number().nullable(),
      inFlightAtStart: count,
      inFlight: count,
      endsAt: moment.nullable(),
    })
    .nullable()
    .describe('null: the operator does not drain it.'),
  healthCheck: z
    .object({
      verdict: z.enum(['unknown', 'healthy', 'unhealthy']),
      changedAt: moment.nullable(),
      lastProbe: z
        .object({ at: moment, succeeded: z.boolean(), elapsedMs: z.number(), reason: z.string().nullable() })
        .nullable(),
      lastFailure: z.object({ at: moment, reason: z.string() }).nullable(),
    })
    .nullable(),
  outlier: z
    .object({
      ejection: z.enum(['none', 'ejected', 'trial']),
      ejectedForMs: z.number(),
      ejections: count,
      suppressedEjections: count,
    })
    .nullable(),
  breaker: z
    .object({ state: z.enum(['closed', 'open', 'half-open']), openForMs: z.number(), openings: count })
    .nullable(),
  latencyEwmaUs: z.number().nullable(),
  requests: count,
  failures: count,
  retries: count,
  share: share.nullable(),
}) satisfies z.ZodType<EndpointView>;
