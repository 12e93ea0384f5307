/** Warns of settings of failure and overload that are accepted but will not do what their author may expect. */
import { canBeFull } from './compile-resilience.js';
import { QUEUE_LENGTH } from './defaults.js';
import { formatDuration } from './duration.js';
import type { Path } from './problem.js';
import type { L7Listener } from './schema/l7-listener.js';
import type { Listener } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';
import type { WarningCollector } from './warning-collector.js';

/** Warns of one upstream. @param users listeners with a route to it */
export function warnOfResilience(
  upstream: Upstream,
  path: Path,
  users: readonly Listener[],
  collector: WarningCollector,
): void {
  const { retry, hedge, endpoints, concurrency } = upstream;
  const noRetry = 'has no effect: retry.attempts is 1, so nothing is tried twice';
  if (hedge !== 'off') {
    if (retry.attempts === 1) collector.warn([...path, 'hedge'], noRetry, 'write retry: { attempts: 2 }');
    else if (endpoints.length === 1)
      collector.warn(
        [...path, 'hedge'],
        'has no effect: a hedge goes to another endpoint, and there is one only',
        'add endpoints',
      );
  }
  if (retry.attempts === 1 && retry.statuses.length > 0)
    collector.warn([...path, 'retry', 'statuses'], noRetry, 'write attempts: 2, or remove it');
  const isForSessions = users.length > 0 && users.every(({ mode }) => mode === 'l4');
  warnOfQueue(upstream, isForSessions, path, collector);
  if (concurrency !== 'off' && isForSessions)
    collector.warn(
      [...path, 'concurrency'],
      'has no effect: it follows the time to the first byte of answers, and its listeners are of mode l4',
      'give the endpoints maxConns',
    );
  else if (concurrency !== 'off' && users.some(({ mode }) => mode === 'l4'))
    collector.warn(
      [...path, 'concurrency'],
      'takes the time in which sessions connect for that of answers: it has listeners of both modes',
      'give the l4 listener an upstream of its own',
    );
}

function warnOfQueue(upstream: Upstream, isForSessions: boolean, path: Path, collector: WarningCollector): void {
  const { queue } = upstream;
  if (queue === 'off' || queue.length === QUEUE_LENGTH || canBeFull(upstream, !isForSessions)) return;
  collector.warn(
    [...path, 'queue', 'length'],
    'has no effect: no endpoint has a cap, so none is ever full',
    isForSessions ? 'give the endpoints maxConns' : 'give the endpoints maxConns, or write concurrency: {}',
  );
}

/** Warns of the routes of one listener. */
export function warnOfRouteResilience({ routes = [] }: L7Listener, path: Path, collector: WarningCollector): void {
  for (const [index, { timeouts, retry, hedge, priorityHeader, fallback }] of routes.entries()) {
    const own = [...path, 'routes', index];
    const { exchange, attempt = 0, queue = 0 } = timeouts;
    for (const [name, ms] of Object.entries({ attempt, queue })) {
      if (exchange === 0 || ms < exchange) continue;
      collector.warn(
        [...own, 'timeouts', name],
        `has no effect: the whole exchange may take ${formatDuration(exchange)}`,
        'lower it, or raise exchange',
      );
    }
    if (hedge !== undefined && hedge !== 'off' && retry.attempts === 1)
      collector.warn([...own, 'hedge'], 'has no effect: retry.attempts is 1', 'write retry: { attempts: 2 }');
    if (priorityHeader !== undefined)
      collector.warn(
        [...own, 'priorityHeader'],
        'is believed of every client',
        'let what stands in front of sluice set or remove it',
      );
    if (fallback !== 'off' && fallback.response !== undefined && fallback.response.status < 300)
      collector.warn(
        [...own, 'fallback', 'response', 'status'],
        `is ${fallback.response.status}: clients take the failure for a success`,
        'give a status of 500 or above where that matters',
      );
  }
}
