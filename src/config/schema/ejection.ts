/** Schema of how endpoints and routes in trouble are left alone: outlier detection and circuit breakers. */
import { z } from 'zod';
import {
  BREAKER_ERROR_RATIO,
  BREAKER_FAILURES,
  BREAKER_MOST_OPEN_MS,
  BREAKER_OPEN_MS,
  BREAKER_PROBES,
  BREAKER_REQUESTS,
  BREAKER_WINDOW_MS,
  OUTLIER_DEVIATIONS,
  OUTLIER_EJECTION_MS,
  OUTLIER_FAILURE_RATIO,
  OUTLIER_FAILURE_RATIO_REQUESTS,
  OUTLIER_FAILURES,
  OUTLIER_GATEWAY_FAILURES,
  OUTLIER_INTERVAL_MS,
  OUTLIER_LATENCY_ENDPOINTS,
  OUTLIER_LATENCY_FACTOR,
  OUTLIER_LATENCY_REQUESTS,
  OUTLIER_MOST_EJECTED,
  OUTLIER_MOST_EJECTION_MS,
  OUTLIER_SUCCESS_RATE_ENDPOINTS,
  OUTLIER_SUCCESS_RATE_REQUESTS,
  OUTLIER_TRIALS,
} from '../defaults.js';
import { decimal, duration, percentage, section, wholeNumber } from './field.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OFF = { text: 'off', value: 0 } as const;

/** Passive detection. */
export const outlierSchema = z
  .union([
    z.literal('off'),
    section(
      {
        gatewayFailures: wholeNumber({
          min: 1,
          max: 1000,
          word: OFF,
          description: 'Ejects after so many in a row: failed connections, timeouts, broken answers, 502, 503 and 504.',
        }).default(OUTLIER_GATEWAY_FAILURES),
        failures: wholeNumber({
          min: 1,
          max: 1000,
          word: OFF,
          description: 'Ejects after so many in a row: the same, and all other statuses from 500 on but 501 and 505.',
        }).default(OUTLIER_FAILURES),
        failureRatio: z
          .union([
            z.literal('off'),
            section(
              {
                above: percentage({
                  min: 1,
                  max: 100,
                  description: 'Share of failed requests in an interval.',
                }).default(OUTLIER_FAILURE_RATIO),
                minRequests: wholeNumber({ min: 1, max: 1_000_000, description: 'Least requests in it.' }).default(
                  OUTLIER_FAILURE_RATIO_REQUESTS,
                ),
              },
              'By the share of failures.',
            ),
          ])
          .default('off')
          .meta({ description: 'Ejects by the share of failures.' }),
        successRate: z
          .union([
            z.literal('off'),
            section(
              {
                deviations: decimal({
                  min: 0.1,
                  max: 10,
                  description: 'Standard deviations below the mean of all endpoints.',
                }).default(OUTLIER_DEVIATIONS),
                minRequests: wholeNumber({
                  min: 1,
                  max: 1_000_000,
                  description: 'Endpoints with fewer requests in an interval do not count.',
                }).default(OUTLIER_SUCCESS_RATE_REQUESTS),
                minEndpoints: wholeNumber({
                  min: 3,
                  max: 1000,
                  description: 'Nobody is ejected with fewer endpoints that count.',
                }).default(OUTLIER_SUCCESS_RATE_ENDPOINTS),
              },
              'By the success rate against the other endpoints.',
            ),
          ])
          .default('off')
          .meta({ description: 'Ejects by the success rate against the other endpoints.' }),
        latency: z
          .union([
            z.literal('off'),
            section(
              {
                factor: decimal({
                  min: 1.1,
                  max: 1000,
                  description: 'Times the median of all endpoints, of the mean time to the first byte.',
                }).default(OUTLIER_LATENCY_FACTOR),
                minRequests: wholeNumber({
                  min: 1,
                  max: 1_000_000,
                  description: 'Endpoints with fewer requests in an interval do not count.',
                }).default(OUTLIER_LATENCY_REQUESTS),
                minEndpoints: wholeNumber({
                  min: 3,
                  max: 1000,
                  description: 'Nobody is ejected with fewer endpoints that count.',
                }).default(OUTLIER_LATENCY_ENDPOINTS),
              },
              'By the latency against the other endpoints.',
            ),
          ])
          .default('off')
          .meta({ description: 'Ejects by the latency against the other endpoints.' }),
        interval: duration({
          minMs: 100,
          maxMs: HOUR_MS,
          description: 'Interval of `failureRatio`, `successRate` and `latency`.',
        }).default(OUTLIER_INTERVAL_MS),
        ejectionTime: duration({
          minMs: 100,
          maxMs: DAY_MS,
          description: 'First ejection; the n-th lasts n times as long.',
        }).default(OUTLIER_EJECTION_MS),
        maxEjectionTime: duration({ minMs: 100, maxMs: DAY_MS, description: 'Longest ejection.' }).default(
          OUTLIER_MOST_EJECTION_MS,
        ),
        maxEjected: percentage({
          min: 0,
          max: 100,
          description: 'Share of the endpoints that may be ejected at a time; at least one may, and never all.',
        }).default(OUTLIER_MOST_EJECTED),
        trials: wholeNumber({
          min: 1,
          max: 1000,
          description: 'Requests at a time on an endpoint that returns, until one has succeeded.',
        }).default(OUTLIER_TRIALS),
      },
      'Passive detection: endpoints are ejected for what they do to traffic.',
    ),
  ])
  .prefault({})
  .meta({ description: 'Passive detection of endpoints in trouble, beside health checks or without them.' });

/** A circuit breaker. @param of what it is for, as it stands behind "of" */
export function breakerSchema(of: string) {
  return z
    .union([
      z.literal('off'),
      section(
        {
          errorRatio: percentage({
            min: 1,
            max: 100,
            off: true,
            description:
              'Opens at this share of failures in the window: failed attempts and statuses from 500 on but 501 and 505.',
          }).default(BREAKER_ERROR_RATIO),
          minRequests: wholeNumber({
            min: 1,
            max: 1_000_000,
            description: 'From so many requests in the window on.',
          }).default(BREAKER_REQUESTS),
          window: duration({ minMs: 100, maxMs: HOUR_MS, description: 'The sliding window.' }).default(
            BREAKER_WINDOW_MS,
          ),
          failures: wholeNumber({
            min: 1,
            max: 1000,
            word: OFF,
            description: 'Opens after so many failures in a row.',
          }).default(BREAKER_FAILURES),
          latency: z
            .union([
              z.literal('off'),
              section(
                {
                  quantile: percentage({ min: 1, max: 99.9, description: 'Of the times to the first byte.' }),
                  above: duration({ minMs: 1, maxMs: HOUR_MS, description: 'Opens when it is above this.' }),
                },
                'By a quantile of the latency.',
              ),
            ])
            .default('off')
            .meta({ description: 'Opens by a quantile of the latency in the window, from `minRequests` on.' }),
          openTime: duration({
            minMs: 100,
            maxMs: DAY_MS,
            description: 'First time that it is open; each further one lasts twice as long.',
          }).default(BREAKER_OPEN_MS),
          maxOpenTime: duration({ minMs: 100, maxMs: DAY_MS, description: 'Longest time.' }).default(
            BREAKER_MOST_OPEN_MS,
          ),
          probes: wholeNumber({
            min: 1,
            max: 1000,
            description: 'Requests at a time that are let through afterwards; so many have to succeed until it closes.',
          }).default(BREAKER_PROBES),
        },
        `The circuit breaker of ${of}.`,
      ),
    ])
    .default('off')
    .meta({ description: `The circuit breaker of ${of}: while it is open nothing is sent.` });
}
