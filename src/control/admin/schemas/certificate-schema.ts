/** What certificates look like as JSON, for the OpenAPI document and its test. */
import { z } from 'zod';
import type { CertificateView } from '../certificate-view.js';

const time = z.iso.datetime();

/** One of GET /api/v1/certificates. */
export const certificateSchema = z.object({
  listener: z
    .string()
    .nullable()
    .describe('Name of the listener that shows it to clients; null: an upstream does, to endpoints.'),
  upstream: z.string().nullable(),
  names: z.array(z.string()),
  issuer: z.string(),
  serial: z.string(),
  startsAt: time,
  endsAt: time,
  fingerprint: z.string().describe('SHA-256, 64 hex digits.'),
  keyType: z.string().describe('e.g. ec, rsa.'),
  source: z.string().describe('Path of its file, or acme.'),
}) satisfies z.ZodType<CertificateView>;
