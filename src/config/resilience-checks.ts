/** Checks what settings of failure and overload mean together: bounds that cross, choices that exclude each other, fallbacks. */
import {
  BREAKER_ERROR_RATIO,
  BREAKER_MOST_OPEN_MS,
  BREAKER_OPEN_MS,
  CONCURRENCY_LEAST,
  CONCURRENCY_MOST,
  OUTLIER_EJECTION_MS,
  OUTLIER_MOST_EJECTION_MS,
  QUEUE_LENGTH,
  RETRY_BACKOFF_MOST_MS,
  RETRY_BACKOFF_MS,
} from './defaults.js';
import { formatDuration, parseDuration } from './duration.js';
import { type Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import type { Path } from './problem.js';

type Section = Readonly<Record<string, unknown>>;

/** Most that can wait in all queues together: each has a record on the board, whose MOST_QUEUE_ENTRIES this is. */
export const QUEUED_MAX = 1 << 22;

/** Fields that say where a message ends, or belong to its connection: the proxy writes them. In lower case. */
export const FRAMING_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Checks the plain values of one upstream. Values that the schema refuses are passed over. */
export function checkResilience(upstream: Section, path: Path, findings: Findings): void {
  checkHedge(upstream.hedge, [...path, 'hedge'], findings);
  checkBreaker(upstream.breaker, [...path, 'breaker'], findings);
  checkConcurrency(upstream.concurrency, [...path, 'concurrency'], findings);
  const { outlier, retry } = upstream;
  if (isSection(outlier)) checkOutlier(outlier, [...path, 'outlier'], findings);
  if (isSection(outlier))
    checkOrder(
      [
        durationOf(outlier.ejectionTime, OUTLIER_EJECTION_MS),
        durationOf(outlier.maxEjectionTime, OUTLIER_MOST_EJECTION_MS),
      ],
      ['ejectionTime', 'maxEjectionTime'],
      outlier,
      [...path, 'outlier'],
      findings,
    );
  if (isSection(retry) && isSection(retry.backoff))
    checkOrder(
      [durationOf(retry.backoff.base, RETRY_BACKOFF_MS), durationOf(retry.backoff.max, RETRY_BACKOFF_MOST_MS)],
      ['base', 'max'],
      retry.backoff,
      [...path, 'retry', 'backoff'],
      findings,
    );
}

/** Checks that the board has room for all queues together. */
export function checkQueues(upstreams: Section, findings: Findings): void {
  const total = Object.values(upstreams).reduce<number>((sum, upstream) => sum + placesToWait(upstream), 0);
  if (total <= QUEUED_MAX) return;
  findings.report(
    ['upstreams'],
    upstreams,
    `let ${total} requests wait in all queues together, but this version takes at most ${QUEUED_MAX}`,
    'lower queue.length, or write queue: off',
  );
}

/** As the compiler numbers them, or more where nobody sends requests to an upstream. */
function placesToWait(upstream: unknown): number {
  if (!isSection(upstream)) return 0;
  const { queue, concurrency, weights } = upstream;
  const canBeFull =
    isSection(concurrency) ||
    (isSection(weights) && weights.agent !== undefined) ||
    listOf(upstream.endpoints).some((endpoint) => isSection(endpoint) && Number(endpoint.maxConns) > 0);
  if (queue === 'off' || !canBeFull) return 0;
  const length = isSection(queue) ? (queue.length ?? QUEUE_LENGTH) : QUEUE_LENGTH;
  return typeof length === 'number' ? length : 0;
}

/** Checks the plain values of one route of an l7 listener; that a fallback's upstream exists is checked beside. */
export function checkRouteResilience(route: Section, path: Path, findings: Findings): void {
  checkHedge(route.hedge, [...path, 'hedge'], findings);
  checkBreaker(route.breaker, [...path, 'breaker'], findings);
  if (isSection(route.fallback)) checkFallback(route.fallback, route, [...path, 'fallback'], findings);
}

function checkHedge(hedge: unknown, path: Path, findings: Findings): void {
  if (!isSection(hedge)) return;
  const { after, quantile } = hedge;
  if (after === undefined && quantile === undefined)
    findings.report(path, hedge, 'says neither after nor quantile', 'write after: 50ms or quantile: 95%, or off');
  if (after !== undefined && quantile !== undefined)
    findings.report([...path, 'quantile'], quantile, 'stands beside after', 'write one of the two');
}

function checkBreaker(breaker: unknown, path: Path, findings: Findings): void {
  if (!isSection(breaker)) return;
  const times = [durationOf(breaker.openTime, BREAKER_OPEN_MS), durationOf(breaker.maxOpenTime, BREAKER_MOST_OPEN_MS)];
  checkOrder(times, ['openTime', 'maxOpenTime'], breaker, path, findings);
  const { errorRatio = BREAKER_ERROR_RATIO, failures = 'off', latency = 'off' } = breaker;
  if (errorRatio === 'off' && failures === 'off' && latency === 'off')
    findings.report(
      path,
      breaker,
      'has nothing to open for',
      'switch on errorRatio, failures or latency, or write off',
    );
}

function checkOutlier(outlier: Section, path: Path, findings: Findings): void {
  const { gatewayFailures, failures = 'off', failureRatio = 'off', successRate = 'off', latency = 'off' } = outlier;
  if ([gatewayFailures, failures, failureRatio, successRate, latency].every((each) => each === 'off'))
    findings.report(path, outlier, 'ejects for nothing', 'switch one of its rules on, or write off');
}

function checkConcurrency(concurrency: unknown, path: Path, findings: Findings): void {
  if (!isSection(concurrency)) return;
  const { min = CONCURRENCY_LEAST, max = CONCURRENCY_MOST, initial } = concurrency;
  if (typeof min !== 'number' || typeof max !== 'number') return;
  if (min > max) {
    const culprit = concurrency.min === undefined ? 'max' : 'min';
    findings.report([...path, culprit], concurrency[culprit], `makes min (${min}) higher than max (${max})`, null);
  } else if (typeof initial === 'number' && (initial < min || initial > max)) {
    findings.report(
      [...path, 'initial'],
      initial,
      `is ${initial}, but must be from min (${min}) to max (${max})`,
      null,
    );
  }
}

/** @param times null: malformed, which the schema reports */
function checkOrder(
  times: readonly (number | null)[],
  names: readonly [shorter: string, longer: string],
  section: Section,
  path: Path,
  findings: Findings,
): void {
  const [shortMs, longMs] = times;
  if (typeof shortMs !== 'number' || typeof longMs !== 'number' || shortMs <= longMs) return;
  const [shorter, longer] = names;
  const culprit = section[longer] === undefined ? shorter : longer;
  findings.report(
    [...path, culprit],
    section[culprit],
    `makes ${shorter} (${formatDuration(shortMs)}) longer than ${longer} (${formatDuration(longMs)})`,
    null,
  );
}

function checkFallback(fallback: Section, route: Section, path: Path, findings: Findings): void {
  const { upstream, response } = fallback;
  if (upstream === undefined && response === undefined)
    findings.report(path, fallback, 'says neither upstream nor response', 'write one of them, or off');
  const own = [
    route.upstream,
    ...listOf(route.split)
      .filter(isSection)
      .map((target) => target.upstream),
  ];
  if (typeof upstream === 'string' && own.includes(upstream))
    findings.report(
      [...path, 'upstream'],
      upstream,
      'is where the requests of this route go already',
      'name another upstream, or remove it: retries try the other endpoints',
    );
  if (!isSection(response)) return;
  const { status, body } = response;
  if ((status === 204 || status === 304) && typeof body === 'string' && body !== '')
    findings.report([...path, 'response', 'body'], body, `cannot be sent: a ${status} has no body`, 'remove it');
  for (const name of isSection(response.headers) ? Object.keys(response.headers) : []) {
    const field = name.toLowerCase();
    if (!FRAMING_FIELDS.has(field) && field !== 'date') continue;
    const at = [...path, 'response', 'headers', name];
    findings.report(at, undefined, 'is for the proxy to write', 'remove it');
  }
}

/** @returns null for a malformed duration, which the schema reports; 0 for off */
export function durationOf(value: unknown, defaultMs: number): number | null {
  if (value === undefined) return defaultMs;
  if (value === 'off') return 0;
  const parsed = typeof value === 'string' ? parseDuration(value) : null;
  return parsed?.ok === true ? parsed.value : null;
}
