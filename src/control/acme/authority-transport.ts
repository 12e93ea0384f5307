/**
 * How requests reach an authority of ACME: https with its own roots, a time limit, a limit of size, and failures that say what the authority
 * asked for. acme-client sends through axios, whose adapter this is. Thread: primary.
 */
import { request } from 'node:https';
import { retryAfterSeconds } from '../../policies/retry-after.js';

/** The authority is not reached, is out of order, or wants to be left alone. */
export class AuthorityError extends Error {
  /** @param retryAfterMs how long it asks to be left alone; 0: it does not */
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** What axios gives an adapter, as far as it is used. */
export interface TransportRequest {
  readonly url?: string;
  readonly method?: string;
  readonly data?: unknown;
  readonly headers: { toJSON(): Record<string, unknown> };
}

/** What axios wants back. */
export interface TransportResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Record<string, string>;
  readonly data: string;
  readonly config: TransportRequest;
  readonly request: null;
}

/** A request that has not been answered by then is over: authorities answer in less than a second. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A chain has some KB. */
const MOST_RESPONSE_BYTES = 1024 * 1024;
const TOO_MANY_REQUESTS = 429;
const MS_PER_S = 1_000;

/** @param ca PEM of the authorities that the server is verified with; null: those of Node */
export function authorityTransport(ca: string | null): (asked: TransportRequest) => Promise<TransportResponse> {
  return async (asked) => {
    const response = await send(asked, ca);
    const { status, headers, data } = response;
    if (status !== TOO_MANY_REQUESTS && status < 500) return response;
    const seconds = retryAfterSeconds(headers['retry-after'] ?? '', Date.now());
    throw new AuthorityError(`the authority answers ${status}: ${problemIn(data)}`, Math.max(seconds, 0) * MS_PER_S);
  };
}

function send(asked: TransportRequest, ca: string | null): Promise<TransportResponse> {
  const url = new URL(asked.url ?? '');
  if (url.protocol !== 'https:') throw new AuthorityError(`the authority names ${url.href}, which is not https`, 0);
  const fields = Object.entries(asked.headers.toJSON()).map(([name, value]) => [name, String(value)]);
  const body = typeof asked.data === 'string' ? asked.data : '';
  const headers = { ...Object.fromEntries(fields), 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(new AuthorityError(`the authority at ${url.host} cannot be asked: ${error.message}`, 0));
    const method = (asked.method ?? 'get').toUpperCase();
    const sent = request(url, { method, headers, ...(ca === null ? {} : { ca }) }, (answer) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > MOST_RESPONSE_BYTES) sent.destroy(new Error('its answer is longer than 1 MiB'));
        else pieces.push(piece);
      });
      answer.on('error', fail);
      answer.on('end', () => {
        const { statusCode = 0, statusMessage = '' } = answer;
        resolve({
          status: statusCode,
          statusText: statusMessage,
          headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
          data: Buffer.concat(pieces).toString('utf8'),
          config: asked,
          request: null,
        });
      });
    });
    sent.setTimeout(REQUEST_TIMEOUT_MS, () => sent.destroy(new Error('no answer in 30 s')));
    sent.on('error', fail);
    sent.end(body);
  });
}

/** What a problem document (RFC 9457) says, or the beginning of what came instead. */
function problemIn(data: string): string {
  try {
    const { detail } = JSON.parse(data) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // no JSON
  }
  return data.slice(0, 200);
}
