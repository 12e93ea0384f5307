/** What the live figures and the timeline look like as JSON, for the OpenAPI document and its test. */
import { z } from 'zod';
import { ERROR_CATALOG, type ErrorCode } from '../../../core/error-catalog.js';
import type { LiveFigures, TimelineEntry } from '../../../observability/live-figures.js';
import { LOG_EVENTS, type LogEvent } from '../../../observability/log-events.js';

const count = z.int().min(0);
const share = z.number().min(0).max(1);

const latency = z
  .object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() })
  .describe('Percentiles of the window in ms.');

const rates = {
  perSecond: z.number().min(0),
  errorShare: share.nullable(),
  bytesInPerSecond: z.number().min(0),
  bytesOutPerSecond: z.number().min(0),
  latencyMs: latency.nullable(),
};

const endpoint = z.object({
  address: z.string(),
  condition: z.enum([
    'disabled',
    'drained',
    'draining',
    'unresolved',
    'unknown',
    'unhealthy',
    'ejected',
    'broken',
    'on-trial',
    'warming-up',
    'healthy',
  ]),
  state: z.enum(['enabled', 'draining', 'drained', 'disabled']),
  backup: z.boolean(),
  weight: count,
  effectiveWeight: count,
  inFlight: count,
  cap: count.nullable(),
  poolUse: z.number().min(0).nullable(),
  share: share.nullable(),
  heat: z
    .array(count)
    .describe('Answers of the last second by how long they took: up to 1, 2, 5 … 5000 ms, and longer.'),
  ...rates,
});

/** GET /api/v1/live/now, and the data of each `figures` event. */
export const liveFiguresSchema = z.object({
  version: z.string(),
  at: z.number().describe('Milliseconds since 1970.'),
  uptimeMs: count,
  windowMs: count,
  epoch: count,
  readiness: z.enum(['starting', 'ready', 'degraded', 'draining']),
  totals: z.object({ ...rates, openConnections: count, openExchanges: count, openSessions: count }),
  listeners: z.array(
    z.object({ name: z.string(), mode: z.enum(['l4', 'l7']), address: z.string(), kind: z.string(), ...rates }),
  ),
  routes: z.array(
    z.object({ listener: z.string(), host: z.string(), path: z.string(), upstreams: z.array(z.string()), ...rates }),
  ),
  upstreams: z.array(
    z.object({
      name: z.string(),
      balance: z.string(),
      panicking: z.boolean(),
      waiting: count.nullable(),
      queueLength: count.nullable(),
      cv: z.number().min(0).nullable().describe('Coefficient of variation of attempts per weight.'),
      endpoints: z.array(endpoint),
      ...rates,
    }),
  ),
  workers: z.array(
    z.object({
      index: count,
      state: z.string(),
      restarts: count,
      openConnections: count,
      openExchanges: count,
      openSessions: count,
      upstreamConnections: count,
      busyShare: z.number().min(0),
    }),
  ),
}) satisfies z.ZodType<LiveFigures>;

const logEvents = Object.keys(LOG_EVENTS) as LogEvent[]; // its own keys
const errorCodes = Object.keys(ERROR_CATALOG) as ErrorCode[]; // likewise

/** One entry of the timeline, and the data of each `happened` event. */
export const timelineEntrySchema = z.object({
  id: z.int().min(1),
  at: z.number().describe('Milliseconds since 1970.'),
  level: z.enum(['info', 'warn', 'error', 'fatal']),
  event: z.enum(logEvents),
  text: z.string(),
  code: z.enum(errorCodes).nullable(),
  upstream: z.string().nullable(),
  endpoint: z.string().nullable(),
  count: z.int().min(1),
}) satisfies z.ZodType<TimelineEntry>;
