/** Reads what a POST to /api/v1/explain asks about: JSON, checked strictly, with every problem told. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { HEADER_NAME } from '../../config/schema/header-fields.js';
import type { ExplainRequest } from '../../worker/explaining.js';

/** A token of RFC 9110. */
const METHOD = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}$/;
/** As it stands in a request line: printable ASCII without blanks. */
const TARGET = /^(?:\/[!-~]{0,8191}|\*)$/;
const HOST = /^[!-~]{0,255}$/;
/** As OpenSSL writes it: printable ASCII. */
const SUBJECT = /^[ -~]{0,8192}$/;
const FINGERPRINT = /^(?:[0-9a-f]{64})?$/;
const VALUE = /^[\t -~\u0080-\u00ff]{0,8192}$/;

/** The body; what is absent is as `default` says. */
export const explainSchema = z.strictObject({
  listener: z.string().nullable().default(null).describe('Name; null: the first one that fits.'),
  method: z.string().regex(METHOD).default('GET'),
  host: z.string().regex(HOST).default('').describe('Host and port as in the Host field.'),
  target: z.string().regex(TARGET).describe('Path and query.'),
  headers: z.record(z.string().regex(HEADER_NAME), z.string().regex(VALUE)).default({}),
  client: z.string().refine(isAddress).nullable().default(null).describe('IP address; null: 127.0.0.1.'),
  clientCertificate: z
    .strictObject({
      subject: z.string().regex(SUBJECT).default(''),
      fingerprint: z.string().regex(FINGERPRINT).default(''),
    })
    .nullable()
    .default(null)
    .describe('What the client has shown: its subject (RFC 2253), its SHA-256 fingerprint; null: nothing.'),
});

/** What each key has to be, for people. */
const EXPECTED: Readonly<Record<string, string>> = {
  listener: 'listener must be the name of a listener, or null',
  method: 'method must be a method of HTTP, such as "GET"',
  host: 'host must be as in a Host field, such as "example.com:8080"',
  target: 'target must be path and query, such as "/api/users?page=2"',
  headers: 'headers must be an object with names and values of fields',
  client: 'client must be an IP address, or null',
  clientCertificate:
    'clientCertificate must be an object with subject (printable ASCII) and fingerprint (64 hex digits in lower case), or null',
};

/** An example of a body. */
export const EXPLAIN_EXAMPLE = { method: 'GET', host: 'example.com', target: '/api/users' };

/** What was asked about, or what is wrong with it. */
export type ReadExplain =
  | { readonly ok: true; readonly request: ExplainRequest }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the body of a POST. Pure. */
export function readExplain(text: string): ReadExplain {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { ok: false, problems: [`the body is not valid JSON; an example is ${JSON.stringify(EXPLAIN_EXAMPLE)}`] };
  }
  const read = explainSchema.safeParse(body);
  if (!read.success) return { ok: false, problems: [...new Set(read.error.issues.flatMap(problemsOf))] };
  const fields = Object.entries(read.data.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { ok: true, request: { ...read.data, headers: Object.fromEntries(fields) } };
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `${JSON.stringify(key)} is not known: the keys are ${Object.keys(EXPECTED).join(', ')}`,
    );
  }
  const [key] = issue.path;
  return [EXPECTED[String(key)] ?? `the body must be an object, such as ${JSON.stringify(EXPLAIN_EXAMPLE)}`];
}
