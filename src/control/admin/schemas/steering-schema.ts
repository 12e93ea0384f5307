/** What reloads, explanations and failures look like as JSON, for the OpenAPI document and its test. */
import { z } from 'zod';
import { ERROR_CATALOG, type ErrorCode } from '../../../core/error-catalog.js';
import type { Explanation } from '../../../worker/explaining.js';
import type { ReloadReport } from '../admin-source.js';
import type { FailureView } from '../answer.js';

const names = z.array(z.string());
const count = z.int().min(0);
const changes = z.object({ added: count, changed: count, removed: count });

/** 200 of POST /api/v1/reload, and the data of each `reloaded` event. */
export const reloadReportSchema = z.object({
  isUnchanged: z.boolean().describe('The configuration says what it said before.'),
  epoch: z.int().min(1),
  listeners: changes,
  upstreams: changes,
  endpoints: changes,
  needsRestart: names.describe('Settings that take effect with the next start only.'),
  warnings: names,
}) satisfies z.ZodType<ReloadReport>;

/** Every failure. */
export const failureSchema = z.object({
  error: z.string(),
  message: z.string(),
  problems: names.optional(),
}) satisfies z.ZodType<Pick<FailureView, 'error' | 'message'>>;

const errorCodes = Object.keys(ERROR_CATALOG) as ErrorCode[]; // its own keys

/** 200 of POST /api/v1/explain. */
export const explanationSchema = z.object({
  listener: z.string(),
  worker: z.int().min(0),
  route: z.object({ host: z.string(), path: z.string() }).nullable(),
  policies: names,
  upstream: z.string().nullable(),
  balance: z.string().nullable(),
  endpoint: z.string().nullable(),
  isDrawn: z.boolean(),
  code: z.enum(errorCodes).nullable(),
  candidates: z.array(
    z.object({
      endpoint: z.string(),
      exclusion: z.string().nullable(),
      group: z.string().nullable(),
      weight: z.number().min(0),
      inFlight: z.int().min(0),
      cap: z.int().min(0),
      score: z.number().nullable(),
    }),
  ),
}) satisfies z.ZodType<Explanation>;
