/** The http kind of a probe: one request on a connection of its own, judged by its status and, if asked for, by its body. */
import { type IncomingMessage, request } from 'node:http';
import type { EndpointPlan, HealthCheckPlan } from '../../config/plan.js';
import { searchBody } from './body-search.js';
import { type AttemptResult, type ConnectTarget, failed, SUCCEEDED, timedOut } from './probe-result.js';

type HttpCheckPlan = HealthCheckPlan & { readonly kind: 'http' };

/**
 * Asks at one address. A good status is the result as soon as the head has come, unless the body counts as well; then the time for it is in the
 * timeout. What comes after the result is read and thrown away for the rest of that time, so that the endpoint does not log a reset.
 *
 * @param timeoutMs what is left of the check's
 * @returns never rejects
 */
export function httpProbe(
  endpoint: EndpointPlan,
  target: ConnectTarget,
  timeoutMs: number,
  check: HttpCheckPlan,
  signal: AbortSignal,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const connectTo = 'path' in target ? { socketPath: target.path } : { host: target.host, port: target.port };
    const sent = request({
      ...connectTo,
      method: check.method,
      path: check.path,
      agent: false,
      signal,
      headers: headersOf(endpoint, check),
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
      judgeResponse(response, check, (result) => {
        decide(result);
        response.resume();
      });
    });
    // A 101: whatever it is switched to, nothing is said on it.
    sent.once('upgrade', (response, socket) => {
      socket.destroy();
      decide(statusResult(response, check) ?? SUCCEEDED);
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

/** What an endpoint is asked with; a header of the check replaces the one of the same name. */
function headersOf(endpoint: EndpointPlan, { host, headers }: HttpCheckPlan): Record<string, string> {
  return {
    host: host ?? (endpoint.target.kind === 'unix' ? 'localhost' : endpoint.name),
    'user-agent': 'sluice health check',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...headers,
    connection: 'close',
  };
}

function judgeResponse(response: IncomingMessage, check: HttpCheckPlan, done: (result: AttemptResult) => void): void {
  const { body } = check.expect;
  const result = statusResult(response, check);
  if (result !== null || body === null) return done(result ?? SUCCEEDED);
  searchBody(response, body, (reason) => done(reason === null ? SUCCEEDED : { succeeded: false, reason }));
}

/** null: the status is good. */
function statusResult({ statusCode = 0 }: IncomingMessage, { expect }: HttpCheckPlan): AttemptResult | null {
  const isGood = expect.statuses.some(([from, to]) => statusCode >= from && statusCode <= to);
  return isGood ? null : { succeeded: false, reason: `it answered with status ${statusCode}` };
}
