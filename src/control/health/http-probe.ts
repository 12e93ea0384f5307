/** The http kind of a probe over HTTP/1.1: one request on a connection of its own, judged by its status and, if asked for, by its body. */
import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { EndpointPlan, HealthCheckPlan } from '../../config/plan.js';
import { type ProbeBody, searchBody } from './body-search.js';
import { type AttemptResult, failed, SUCCEEDED, timedOut } from './probe-result.js';

/** A check that asks with a request. */
export type HttpCheckPlan = HealthCheckPlan & { readonly kind: 'http' };

/**
 * Asks on a connection that it then owns. A good status is the result as soon as the head has come, unless the body counts as well; then the time for it is in the
 * timeout. What comes after the result is read and thrown away for the rest of that time, so that the endpoint does not log a reset.
 *
 * @param timeoutMs what is left of the check's
 * @returns never rejects
 */
export function httpProbe(
  endpoint: EndpointPlan,
  socket: Socket,
  timeoutMs: number,
  check: HttpCheckPlan,
  signal: AbortSignal,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const sent = request({
      createConnection: () => socket,
      method: check.method,
      path: check.path,
      signal,
      headers: { ...headersOf(endpoint, check), connection: 'close' },
    });
    const timer = setTimeout(() => {
      decide(timedOut(check));
      sent.destroy();
    }, timeoutMs);
    let isDecided = false;
    const decide = (result: AttemptResult): void => {
      isDecided = true;
      resolve(result); // only the first one counts
      if (sent.closed) clearTimeout(timer);
    };
    let isBeingJudged = false;
    sent.once('response', (response) => {
      isBeingJudged = true;
      response.on('error', () => {});
      const coding = response.headers['content-encoding'];
      const body = { stream: response, coding, isComplete: () => response.complete };
      judgeResponse(response.statusCode ?? 0, body, check, (result) => {
        decide(result);
        response.resume();
      });
    });
    // A 101: whatever it is switched to, nothing is said on it.
    sent.once('upgrade', (response, socket) => {
      socket.destroy();
      decide(statusResult(response.statusCode ?? 0, check) ?? SUCCEEDED);
    });
    sent.on('error', (error) => decide(failed(error)));
    sent.once('close', () => {
      if (!isBeingJudged) decide({ succeeded: false, reason: 'the connection closed without a final response' });
      // A body may still be decoded; then its end is the decision.
      if (isDecided) clearTimeout(timer);
    });
    sent.end();
  });
}

/** The host that a probe names. */
export function hostOf(endpoint: EndpointPlan, { host }: { readonly host: string | null }): string {
  return host ?? (endpoint.target.kind === 'unix' ? 'localhost' : endpoint.name);
}

/** What an endpoint is asked with; a header of the check replaces the one of the same name. */
export function headersOf(endpoint: EndpointPlan, check: HttpCheckPlan): Record<string, string> {
  return {
    host: hostOf(endpoint, check),
    'user-agent': 'sluice health check',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...check.headers,
  };
}

/** @param done called once, as soon as the result is known */
export function judgeResponse(
  status: number,
  body: ProbeBody,
  check: HttpCheckPlan,
  done: (result: AttemptResult) => void,
): void {
  const wanted = check.expect.body;
  const result = statusResult(status, check);
  if (result !== null || wanted === null) return done(result ?? SUCCEEDED);
  searchBody(body, wanted, (reason) => done(reason === null ? SUCCEEDED : { succeeded: false, reason }));
}

/** null: the status is good. */
function statusResult(status: number, { expect }: HttpCheckPlan): AttemptResult | null {
  const isGood = expect.statuses.some(([from, to]) => status >= from && status <= to);
  return isGood ? null : { succeeded: false, reason: `it answered with status ${status}` };
}
