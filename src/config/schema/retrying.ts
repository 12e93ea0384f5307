/** Schema of what is done about failed attempts and full endpoints: retries, hedges, queue, adaptive caps. */
import { z } from 'zod';
import {
  CONCURRENCY_LEAST,
  CONCURRENCY_MOST,
  CONNECT_ATTEMPTS,
  QUEUE_LENGTH,
  RETRY_ATTEMPTS,
  RETRY_BACKOFF_MOST_MS,
  RETRY_BACKOFF_MS,
  RETRY_BODY_BYTES,
  RETRY_BUDGET_PER_SECOND,
  RETRY_BUDGET_SHARE,
  RETRY_MOST_RETRY_AFTER_MS,
  RETRY_NON_IDEMPOTENT,
  RETRY_ON,
  RETRY_STATUSES,
} from '../defaults.js';
import type { RetryCondition } from '../resilience-plan.js';
import { choice, duration, fact, percentage, section, size, wholeNumber } from './field.js';

const HOUR_MS = 3_600_000;

/** All conditions of retries. */
export const RETRY_CONDITIONS = [
  'connect',
  'reset',
  'timeout',
  'bad-response',
] as const satisfies readonly RetryCondition[];

/** What other programs call them. */
const FOREIGN_CONDITIONS: Readonly<Record<string, string>> = {
  error: 'reset',
  'connect-failure': 'connect',
  'conn-failure': 'connect',
  'refused-stream': 'connect',
  'empty-response': 'reset',
  'response-timeout': 'timeout',
  invalid_header: 'bad-response',
  'junk-response': 'bad-response',
};

const MEANING_OF_ON =
  'What is tried again: `connect` (no connection), `reset` (it broke before the answer), `timeout` (no first byte in time), `bad-response` (no valid HTTP). Requests that an endpoint may have seen only if they are idempotent.';

function retryOn() {
  return z.array(
    choice({ names: RETRY_CONDITIONS, foreign: FOREIGN_CONDITIONS, description: 'A way in which attempts fail.' }),
  );
}

function retryStatuses() {
  return z.array(wholeNumber({ min: 400, max: 599, description: 'A status.' }));
}

const MEANING_OF_STATUSES =
  'Statuses of endpoints that are tried again, such as 503; the last answer is passed on as it is.';
const ATTEMPTS = {
  min: 1,
  max: 10,
  description: 'Tries of one exchange over all endpoints, hedges and the first included; 1: no retry.',
};
const NON_IDEMPOTENT = {
  description:
    'Tries requests again that were sent, whatever their method; else only idempotent ones and those with an `Idempotency-Key`.',
};

/** Trying again. */
export const retrySchema = section(
  {
    attempts: wholeNumber(ATTEMPTS).default(RETRY_ATTEMPTS),
    connectAttempts: wholeNumber({
      min: 1,
      max: 10,
      description:
        'Endpoints that a session (mode `l4`) tries to connect to, the first included; the client sees nothing of those that failed.',
    }).default(CONNECT_ATTEMPTS),
    on: retryOn()
      .default([...RETRY_ON])
      .meta({ description: MEANING_OF_ON }),
    statuses: retryStatuses()
      .default([...RETRY_STATUSES])
      .meta({ description: MEANING_OF_STATUSES }),
    nonIdempotent: fact(NON_IDEMPOTENT).default(RETRY_NON_IDEMPOTENT),
    bodyBytes: size({
      minBytes: 0,
      maxBytes: 1024 * 1024,
      description:
        'Request bodies up to this are held to be sent again; requests with longer ones are not tried again.',
    }).default(RETRY_BODY_BYTES),
    backoff: section(
      {
        base: duration({
          minMs: 1,
          maxMs: HOUR_MS,
          off: true,
          description: 'Pause before retry N: drawn from 0 to (2^N - 1) times this.',
        }).default(RETRY_BACKOFF_MS),
        max: duration({ minMs: 1, maxMs: HOUR_MS, description: 'Longest pause.' }).default(RETRY_BACKOFF_MOST_MS),
      },
      'Pause before a retry, with full jitter. A refused connect is followed by no pause.',
    ).prefault({}),
    maxRetryAfter: duration({
      minMs: 1,
      maxMs: HOUR_MS,
      off: true,
      description: 'A `Retry-After` up to this is waited for, where no other endpoint can take the request.',
    }).default(RETRY_MOST_RETRY_AFTER_MS),
    budget: z
      .union([
        z.literal('off'),
        section(
          {
            share: percentage({ min: 0, max: 1000, description: 'Share of the requests of the last 10 s.' }).default(
              RETRY_BUDGET_SHARE,
            ),
            perSecond: wholeNumber({ min: 0, max: 1_000_000, description: 'And so many a second.' }).default(
              RETRY_BUDGET_PER_SECOND,
            ),
          },
          'Most retries and hedges, over all workers.',
        ),
      ])
      .prefault({})
      .meta({ description: 'Bounds retries and hedges over all requests, so that they cannot multiply an outage.' }),
  },
  'Trying again on another endpoint, where that is safe.',
).prefault({});

/** What a route may say differently. */
export const routeRetrySchema = section(
  {
    attempts: wholeNumber(ATTEMPTS).optional(),
    on: retryOn().optional().meta({ description: MEANING_OF_ON }),
    statuses: retryStatuses().optional().meta({ description: MEANING_OF_STATUSES }),
    nonIdempotent: fact(NON_IDEMPOTENT).optional(),
  },
  'Retries of this route; what is absent is as the upstream has it.',
).prefault({});

/** A second attempt at the same time. */
export const hedgeSchema = z
  .union([
    z.literal('off'),
    section(
      {
        after: duration({ minMs: 1, maxMs: HOUR_MS, description: 'Time after which it is made.' }).optional(),
        quantile: percentage({
          min: 50,
          max: 99.9,
          description: 'Or: after the time in which this share of the recent answers of the upstream had begun.',
        }).optional(),
      },
      'One of `after` and `quantile`.',
    ),
  ])
  .meta({
    description:
      'A second attempt, on another endpoint, of idempotent requests whose first one has not answered yet; the first answer counts. Within `retry.attempts` and `retry.budget`.',
  });

/** Waiting for a place. */
export const queueSchema = z
  .union([
    z.literal('off'),
    section(
      {
        length: wholeNumber({ min: 1, max: 65_536, description: 'Most that wait, over all workers.' }).default(
          QUEUE_LENGTH,
        ),
      },
      'The queue of an upstream.',
    ),
  ])
  .prefault({})
  .meta({
    description:
      'Requests and sessions wait here when all endpoints are at their cap, for `timeouts.queue`, first come first served within a priority. `off`: they are refused.',
  });

/** Adaptive caps. */
export const concurrencySchema = z
  .union([
    z.literal('off'),
    section(
      {
        min: wholeNumber({ min: 1, max: 100_000, description: 'Least cap.' }).default(CONCURRENCY_LEAST),
        max: wholeNumber({ min: 1, max: 100_000, description: 'Highest cap.' }).default(CONCURRENCY_MOST),
        initial: wholeNumber({
          min: 1,
          max: 100_000,
          description: 'The cap to begin with. Without it: `min`.',
        }).optional(),
      },
      'Bounds of the adaptive cap.',
    ),
  ])
  .default('off')
  .meta({
    description:
      'A cap on the requests in flight at each endpoint that follows its latency (Gradient2): it falls when answers take longer than they used to. The lower one of it and `maxConns` counts.',
  });
