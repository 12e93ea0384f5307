/** Tells the pipeline what endpoints say of themselves in heads that pass through TypeScript; the native front end does so by itself. */
import { Buffer } from 'node:buffer';
import { REPORT_FIELD } from '../balancing/load-report.js';
import { asksToWait } from '../policies/retry-after.js';
import type { Exchange } from './exchange.js';
import type { Pipeline } from './pipeline.js';

const LINE_END = '\r\n';
const RETRY_AFTER = 'retry-after';

/** What is told to. */
export type FactsTaker = Pick<Pipeline, 'retryAfterCame' | 'reportCame'>;

/**
 * Tells of Retry-After with 429 and 503, and of the report of load where the upstream takes reports; of several fields of a name the
 * first. To be called behind `headCame`, before the endpoint is done. HOT for all other responses, which are not looked at. Thread: worker.
 *
 * @param head "200 OK\r\nname: value…", valid during the call only
 * @returns the head for the client: without reports where they are the proxy's
 */
export function tellFacts(taker: FactsTaker, exchange: Exchange, head: Uint8Array): Uint8Array {
  const takesReports = exchange.upstream?.takesReports === true;
  const isAskedToWait = asksToWait(exchange.status);
  if (!takesReports && !isAskedToWait) return head;
  const lines = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1').split(LINE_END);
  if (isAskedToWait) {
    const retryAfter = fieldIn(lines, RETRY_AFTER);
    if (retryAfter !== null) taker.retryAfterCame(exchange, retryAfter);
  }
  const report = takesReports ? fieldIn(lines, REPORT_FIELD) : null;
  if (report === null) return head;
  taker.reportCame(exchange, report);
  return Buffer.from(lines.filter((line) => nameOf(line) !== REPORT_FIELD).join(LINE_END), 'latin1');
}

/** @param head as of tellFacts. @returns the value of Retry-After, whatever the status; '': none */
export function retryAfterIn(head: Uint8Array): string {
  const lines = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1').split(LINE_END);
  return fieldIn(lines, RETRY_AFTER) ?? '';
}

function fieldIn(lines: readonly string[], name: string): string | null {
  const line = lines.find((candidate) => nameOf(candidate) === name);
  return line === undefined ? null : line.slice(line.indexOf(':') + 1).trim();
}

/** In lower case; '' of the status line. */
function nameOf(line: string): string {
  return line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();
}
