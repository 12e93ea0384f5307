/** What a chaos scenario promises, held against what was counted. Pure: facts in, findings out. */
import { isIdempotent, methodOf } from './children/traffic.mjs';
import type { Execution } from './endpoint-process.js';
import type { LoadResult } from './request-load.js';

/** One promise, and whether it was kept. */
export interface Finding {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** A number that has to be in a range. @param places digits behind the point in the report */
export function within(what: string, value: number, least: number, most: number, places = 0): Finding {
  const text = (number: number): string => number.toFixed(places);
  const wanted =
    least === most
      ? text(least)
      : most === Number.POSITIVE_INFINITY
        ? `at least ${text(least)}`
        : least === Number.NEGATIVE_INFINITY || least === 0
          ? `at most ${text(most)}`
          : `${text(least)} to ${text(most)}`;
  return { what, wanted, found: text(value), isMet: value >= least && value <= most };
}

/** Nothing may be in the list. */
export function none(what: string, found: readonly string[], count = found.length): Finding {
  const shown = found.slice(0, 3).join('; ');
  return { what, wanted: 'none', found: count === 0 ? 'none' : `${count}: ${shown}`, isMet: count === 0 };
}

/** How many failed idempotent requests there were, with code and time since the load began. */
export function noFailedIdempotent(load: LoadResult): Finding {
  const count = Object.entries(load.byMethod)
    .filter(([method]) => isIdempotent(method))
    .reduce((sum, [, { failed }]) => sum + failed, 0);
  const shown = load.failures
    .filter(({ method }) => isIdempotent(method))
    .map(
      ({ method, id, outcome, sentAtMs, failedAtMs }) =>
        `${method} ${id} ${outcome} (sent at ${Math.round(sentAtMs - load.startedAtMs)} ms, failed ${Math.round(failedAtMs - sentAtMs)} ms later)`,
    );
  return none('failed idempotent requests', shown, count);
}

/** Answers that belong to another request, or that no endpoint gave. */
export function noWrongAnswer(load: LoadResult): Finding {
  return none('wrong answers', load.wrong, load.wrongCount);
}

/**
 * POSTs are executed exactly once where they succeed, and at most once where they fail.
 *
 * @param executions at all endpoints
 */
export function postsOnce(load: LoadResult, executions: readonly Execution[]): Finding {
  const times = new Map<number, number>();
  for (const { id } of executions) times.set(id, (times.get(id) ?? 0) + 1);
  const failed = new Set(load.failedPosts);
  const faults: string[] = [];
  let posts = 0;
  for (let id = load.firstId; id < load.firstId + load.sent; id++) {
    if (isIdempotent(methodOf(load.seed, id))) continue;
    posts++;
    const count = times.get(id) ?? 0;
    if (count > 1 || (count === 0 && !failed.has(id)))
      faults.push(`POST ${id} ${failed.has(id) ? 'failed' : 'succeeded'} and was executed ${count} times`);
  }
  const finding = none('POSTs not executed exactly once (failed ones: at most once)', faults);
  return finding.isMet ? { ...finding, found: `none of ${posts}, of which ${failed.size} failed` } : finding;
}

/** Attempts as the proxy counts them, and executions as the endpoints do, for each request. */
export function attemptsAtMost(
  most: number,
  load: LoadResult,
  attempts: number,
  executions: readonly Execution[],
): Finding[] {
  return [
    within('attempts for each request, as the proxy counts them', attempts / load.sent, 0, most, 3),
    within('executions for each request, as the endpoints count them', executions.length / load.sent, 0, most, 3),
  ];
}

/** Requests a second while the load had a processor. */
export function rateOf({ sent, durationMs, pausedMs }: Pick<LoadResult, 'sent' | 'durationMs' | 'pausedMs'>): number {
  return (1000 * sent) / (durationMs - pausedMs);
}

/** The load came as planned: what a scenario shows counts only then. */
export function loadHeld(load: LoadResult, leastPerSecond: number): Finding {
  return within('requests a second', rateOf(load), leastPerSecond, Number.POSITIVE_INFINITY);
}

/** Share of one endpoint of the executions in [fromMs, toMs), Unix times; undefined where there was none. */
export function executionShare(
  executionsOf: ReadonlyMap<string, readonly Execution[]>,
  endpointName: string,
  fromMs: number,
  toMs: number,
): number | undefined {
  const inside = ({ atMs }: Execution): boolean =>
    // Both are the lower 32 bits of a time.
    (atMs - (fromMs % 2 ** 32) + 2 ** 32) % 2 ** 32 < toMs - fromMs;
  let own = 0;
  let all = 0;
  for (const [name, executions] of executionsOf) {
    const count = executions.filter(inside).length;
    all += count;
    if (name === endpointName) own += count;
  }
  return all === 0 ? undefined : own / all;
}
