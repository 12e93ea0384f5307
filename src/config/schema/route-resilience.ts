/** Schema of what a route says of failure and overload: priority, deadlines, retries, breaker, fallback. */
import { z } from 'zod';
import { EXCHANGE_TIMEOUT_MS, ROUTE_PRIORITY } from '../defaults.js';
import { PRIORITIES } from '../resilience-plan.js';
import { breakerSchema } from './ejection.js';
import { duration, section, text, wholeNumber } from './field.js';
import { HEADER_NAME, headerFields } from './header-fields.js';
import { upstreamName } from './name.js';
import { hedgeSchema, routeRetrySchema } from './retrying.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Longest body of a fixed response. */
const BODY_MAX = 65_536;

/** Deadlines of a route; what is absent is as the upstream has it. */
export const routeTimeoutsSchema = section(
  {
    exchange: duration({
      minMs: 1,
      maxMs: DAY_MS,
      off: true,
      description: 'Deadline for the whole exchange: over all attempts and waits, and to the last byte of the body.',
    }).default(EXCHANGE_TIMEOUT_MS),
    connect: duration({ minMs: 1, maxMs: HOUR_MS, description: 'As `timeouts.connect` of the upstream.' }).optional(),
    firstByte: duration({
      minMs: 1,
      maxMs: DAY_MS,
      description: 'As `timeouts.firstByte` of the upstream.',
    }).optional(),
    idle: duration({ minMs: 1, maxMs: DAY_MS, description: 'As `timeouts.idle` of the upstream.' }).optional(),
    attempt: duration({
      minMs: 1,
      maxMs: DAY_MS,
      off: true,
      description: 'As `timeouts.attempt` of the upstream.',
    }).optional(),
    queue: duration({ minMs: 1, maxMs: HOUR_MS, description: 'As `timeouts.queue` of the upstream.' }).optional(),
  },
  'Deadlines of this route; what is absent is as the upstream has it.',
).prefault({});

const responseSchema = section(
  {
    status: wholeNumber({ min: 200, max: 599, description: 'Its status.' }).default(503),
    headers: headerFields('Its headers, such as `content-type`.'),
    body: text({
      pattern: new RegExp(`^[\\s\\S]{0,${BODY_MAX}}$`),
      expected: `text of at most ${BODY_MAX} characters`,
      description: 'Its body.',
      form: 'text',
    }).default(''),
  },
  'A response of the proxy.',
);

/** What a route says of failure and overload. */
export const routeResilienceFields = {
  priority: wholeNumber({
    min: 0,
    max: PRIORITIES - 1,
    description: 'Which requests are served first where they have to wait: those of the lower number.',
  }).default(ROUTE_PRIORITY),
  priorityHeader: text({
    pattern: HEADER_NAME,
    expected: 'the name of a header',
    convert: (name) => name.toLowerCase(),
    description: `Header whose value, a digit from 0 to ${PRIORITIES - 1}, is the priority. Clients can set it: let something in front of sluice decide what they may claim.`,
    form: 'header',
  }).optional(),
  timeouts: routeTimeoutsSchema,
  retry: routeRetrySchema,
  hedge: hedgeSchema.optional(),
  breaker: breakerSchema('this route, over all its upstreams'),
  fallback: z
    .union([
      z.literal('off'),
      section(
        {
          upstream: upstreamName({
            description: 'Upstream that is asked instead, where the request can still be sent.',
          }).optional(),
          response: responseSchema
            .optional()
            .meta({ description: 'Response that is given where that fails, too, or there is none.' }),
        },
        'One or both of `upstream` and `response`.',
      ),
    ])
    .default('off')
    .meta({
      description:
        'What takes the place of a 502, 503 or 504 of the proxy. An answer of an endpoint is never replaced.',
    }),
};
