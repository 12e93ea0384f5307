/** One request over HTTP/2 on a connection of a probe, and its end in every case: answer, failure, time-out, giving up. */
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { HealthCheckPlan } from '../../config/plan.js';
import { type AttemptResult, failed, timedOut } from './probe-result.js';

/** What the exchange's owner does with an answer. */
export type OnHttp2Answer = (
  headers: IncomingHttpHeaders,
  stream: ClientHttp2Stream,
  /** Only the first call counts. */
  decide: (result: AttemptResult) => void,
) => void;

/**
 * Sends one request and closes the connection once there is a result. Thread: primary.
 *
 * @param body null: none
 * @param onAnswer called when the final head has come
 * @returns never rejects
 */
export function http2Exchange(
  socket: Socket,
  head: OutgoingHttpHeaders,
  body: Buffer | null,
  timeoutMs: number,
  check: Pick<HealthCheckPlan, 'timeoutMs'>,
  signal: AbortSignal,
  onAnswer: OnHttp2Answer,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const session = connect('http://localhost', { createConnection: () => socket });
    let isDecided = false;
    let isAnswered = false;
    const decide = (result: AttemptResult): void => {
      if (isDecided) return;
      isDecided = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      resolve(result);
      // A GOAWAY, then the end: nothing of the endpoint's is left half done.
      session.close();
      session.destroy();
    };
    const timer = setTimeout(() => decide(timedOut(check)), timeoutMs);
    const giveUp = (): void => decide({ succeeded: false, reason: 'the check was given up' });
    signal.addEventListener('abort', giveUp);
    session.on('error', (error) => decide(failed(error)));
    session.on('goaway', (code) => {
      if (code !== 0) decide({ succeeded: false, reason: `it ended the HTTP/2 connection with code ${code}` });
    });
    session.on('close', () => decide({ succeeded: false, reason: 'the connection closed without a final response' }));
    if (signal.aborted) return giveUp();
    const stream = session.request(head, { endStream: body === null });
    stream.on('error', (error) => decide(failed(error)));
    stream.once('response', (headers) => {
      isAnswered = true;
      onAnswer(headers, stream, decide);
    });
    // Behind an answer's head whoever reads its body decides.
    stream.once('close', () => {
      if (!isAnswered) decide({ succeeded: false, reason: 'the stream ended without a final response' });
    });
    if (body !== null) stream.end(body);
  });
}
