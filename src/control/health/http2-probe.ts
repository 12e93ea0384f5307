/** The http kind of a probe over HTTP/2: the same request and the same judgement as over HTTP/1.1. */
import type { Socket } from 'node:net';
import type { EndpointPlan } from '../../config/plan.js';
import { type HttpCheckPlan, headersOf, judgeResponse } from './http-probe.js';
import { http2Exchange } from './http2-exchange.js';
import type { AttemptResult } from './probe-result.js';

/**
 * Asks on a connection that it then owns. Thread: primary.
 *
 * @param timeoutMs what is left of the check's
 * @returns never rejects
 */
export function http2Probe(
  endpoint: EndpointPlan,
  socket: Socket,
  timeoutMs: number,
  check: HttpCheckPlan,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { host, ...headers } = headersOf(endpoint, check);
  const head = {
    ':method': check.method,
    ':path': check.path,
    ':scheme': check.tls === null ? 'http' : 'https',
    ':authority': host,
    ...headers,
  };
  return http2Exchange(socket, head, null, timeoutMs, check, signal, (answer, stream, decide) => {
    let isComplete = false;
    stream.once('end', () => {
      isComplete = true;
    });
    const body = { stream, coding: answer['content-encoding'], isComplete: () => isComplete };
    judgeResponse(Number(answer[':status']), body, check, decide);
  });
}
