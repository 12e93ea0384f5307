/** Checks what the settings of an upstream's health check mean together. */
import { HEALTH_INTERVAL_MS, HEALTH_TIMEOUT_MS } from './defaults.js';
import { formatDuration } from './duration.js';
import type { Findings } from './findings.js';
import { isSection } from './flags.js';
import type { Path } from './problem.js';
import { durationOf, FRAMING_FIELDS } from './resilience-checks.js';

/** Settings that not every kind has, and which have them. */
const OF_KINDS: Readonly<Record<string, readonly string[]>> = {
  path: ['http'],
  method: ['http'],
  host: ['http', 'grpc'],
  headers: ['http', 'grpc'],
  expect: ['http'],
  service: ['grpc'],
};
const CHECK_NAMES: Readonly<Record<string, string>> = { http: 'an HTTP', tcp: 'a TCP', grpc: 'a gRPC' };

/** Checks the plain values of one health check. Values that the schema refuses are passed over. */
export function checkHealthCheck(check: Readonly<Record<string, unknown>>, path: Path, findings: Findings): void {
  const kind = check.kind ?? 'http';
  const name = typeof kind === 'string' ? CHECK_NAMES[kind] : undefined;
  for (const [key, kinds] of name === undefined ? [] : Object.entries(OF_KINDS)) {
    if (check[key] === undefined || kinds.includes(kind as string)) continue;
    const hint = `remove ${key}, or write kind: ${kinds.join(' or ')}`;
    findings.report([...path, key], check[key], `does not belong to ${name} check`, hint);
  }
  if (kind === 'http' && check.path === undefined) {
    findings.report(
      [...path, 'path'],
      undefined,
      'is missing: it must be the path of the probe, such as /health',
      'for a TCP check write kind: tcp, for one of gRPC kind: grpc',
    );
  }
  if (kind !== 'tcp') checkRequest(check, path, findings);
  checkTimes(check, path, findings);
}

function checkRequest(check: Readonly<Record<string, unknown>>, path: Path, findings: Findings): void {
  const { method, headers, expect } = check;
  for (const name of isSection(headers) ? Object.keys(headers) : []) {
    // node:http refuses some of them, too.
    if (!FRAMING_FIELDS.has(name.toLowerCase())) continue;
    findings.report([...path, 'headers', name], undefined, 'is for the proxy to write', 'remove it');
  }
  if (method === 'HEAD' && isSection(expect) && expect.body !== undefined) {
    const sentence = 'is never found: an answer to HEAD has no body';
    findings.report([...path, 'expect', 'body'], expect.body, sentence, 'write method: GET, or remove it');
  }
}

function checkTimes(check: Readonly<Record<string, unknown>>, path: Path, findings: Findings): void {
  const intervalMs = durationOf(check.interval, HEALTH_INTERVAL_MS);
  const unhealthyMs = durationOf(check.unhealthyInterval, intervalMs ?? HEALTH_INTERVAL_MS);
  const timeoutMs = durationOf(check.timeout, HEALTH_TIMEOUT_MS);
  const slowerMs = durationOf(check.slowerThan, 0);
  if (timeoutMs === null) return;
  if (intervalMs !== null && timeoutMs > intervalMs) {
    const culprit = check.timeout === undefined ? 'interval' : 'timeout';
    const sentence = `makes the timeout (${formatDuration(timeoutMs)}) longer than the interval (${formatDuration(intervalMs)})`;
    findings.report([...path, culprit], check[culprit], sentence, 'a probe must end before the next begins');
  } else if (unhealthyMs !== null && timeoutMs > unhealthyMs) {
    const sentence = `makes the timeout (${formatDuration(timeoutMs)}) longer than this interval (${formatDuration(unhealthyMs)})`;
    const own = [...path, 'unhealthyInterval'];
    findings.report(own, check.unhealthyInterval, sentence, 'a probe must end before the next begins');
  }
  if (slowerMs !== null && slowerMs >= timeoutMs && slowerMs > 0)
    findings.report(
      [...path, 'slowerThan'],
      check.slowerThan,
      `is not below the timeout (${formatDuration(timeoutMs)}), where every probe ends`,
      'raise timeout, or lower this',
    );
}
