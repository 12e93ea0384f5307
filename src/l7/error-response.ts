/** Turns an error code into the small HTTP response a client gets: the one place where codes become HTTP. */
import { STATUS_CODES } from 'node:http';
import type { FixedResponsePlan } from '../config/resilience-plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';

/** Seconds a client is told to wait when the proxy has no capacity or no endpoint, and it is not known when it will. */
const RETRY_AFTER_S = 1;
const MS_PER_S = 1_000;

/** Methods that are passed on. */
const ALLOW = 'allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** A response the proxy writes itself. `head`: "503 Service Unavailable\r\nname: value…", without Content-Length. */
export interface LocalResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * The response for a code. The body names the code and the request, never an address or a cause: those are in the log.
 *
 * @param requestId    '' when the request was refused before it had one
 * @param retryAfterMs of a 503: when another try may help; 0: not known
 */
export function errorResponse(code: ErrorCode, requestId: string, retryAfterMs = 0): LocalResponse {
  const { status, text } = ERROR_CATALOG[code];
  const lines = [`${status} ${reasonOf(status)}`, 'content-type: application/json', 'cache-control: no-store'];
  if (status === 503) lines.push(`retry-after: ${Math.max(RETRY_AFTER_S, Math.ceil(retryAfterMs / MS_PER_S))}`);
  if (status === 405) lines.push(ALLOW);
  const body = `${JSON.stringify({ error: code, message: text, ...(requestId === '' ? {} : { requestId }) })}\n`;
  return { status, head: lines.join('\r\n'), body };
}

/** The response that a route's fallback gives. */
export function fixedResponse({ status, headers, body }: FixedResponsePlan): LocalResponse {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return { status, head: [`${status} ${reasonOf(status)}`, ...lines].join('\r\n'), body };
}

/** What this proxy says of itself where Max-Forwards lets OPTIONS go no further. */
export function optionsResponse(): LocalResponse {
  return { status: 200, head: `200 ${reasonOf(200)}\r\n${ALLOW}`, body: '' };
}

/** Sends the client to another URL, for good, with the same method and body (RFC 9110 section 15.4.9). @param url ASCII without controls */
export function redirectResponse(url: string): LocalResponse {
  return { status: 308, head: `308 ${reasonOf(308)}\r\nlocation: ${url}`, body: '' };
}

/** A text as it is, not to be stored. */
export function textResponse(text: string): LocalResponse {
  return {
    status: 200,
    head: `200 ${reasonOf(200)}\r\ncontent-type: text/plain\r\ncache-control: no-store`,
    body: text,
  };
}

/** The standard reason phrase of a status. */
export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}
