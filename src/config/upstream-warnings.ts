/** Warns of settings of upstreams that are accepted but will not do what their author may expect. */
import {
  ATTEMPT_TIMEOUT_MS,
  CONNECT_ATTEMPTS,
  ENDPOINT_PROXY_PROTOCOL,
  FIRST_BYTE_TIMEOUT_MS,
  NODE_KEEP_ALIVE_MS,
  POOL_MAX_CONNECTIONS,
  POOL_MAX_IDLE,
  RESPONSE_HEAD_BYTES,
  RESPONSE_HEADERS,
  RETRY_ATTEMPTS,
  RETRY_BODY_BYTES,
  RETRY_MOST_RETRY_AFTER_MS,
  RETRY_ON,
  UPSTREAM_IDLE_TIMEOUT_MS,
  UPSTREAM_KEEP_ALIVE_IDLE_MS,
} from './defaults.js';
import { formatDuration } from './duration.js';
import { warnOfPicking } from './picking-warnings.js';
import type { Path } from './problem.js';
import { warnOfResilience } from './resilience-warnings.js';
import { isDefaultKeepAlive } from './schema/keep-alive.js';
import type { Listener } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';
import { exchangeProtocolSettings } from './tls-warnings.js';
import type { WarningCollector } from './warning-collector.js';

/** Warns of one upstream. @param users listeners with a route to it */
export function warnOfUpstream(
  upstream: Upstream,
  path: Path,
  users: readonly Listener[],
  collector: WarningCollector,
): void {
  const { endpoints } = upstream;
  if (endpoints.length === 1) {
    collector.warn(
      [...path, 'endpoints', 0],
      'is the only endpoint of its upstream',
      'nothing is balanced, and nothing stands in when it fails',
    );
  }
  warnOfPicking(upstream, path, users, collector);
  warnOfResilience(upstream, path, users, collector);
  const isForL7 = users.some(({ mode }) => mode === 'l7') || users.length === 0;
  const isForL4 = users.some(({ mode }) => mode === 'l4') || users.length === 0;
  if (isForL7) warnOfExchanges(upstream, path, collector);
  else warnOfUnused(l7Settings(upstream), 'its listeners are of mode l4, which has no requests', path, collector);
  if (isForL4) warnOfSessions(upstream, path, collector);
  else warnOfUnused(l4Settings(upstream), 'its listeners are of mode l7, which has no sessions', path, collector);
  if (upstream.proxyProtocol !== ENDPOINT_PROXY_PROTOCOL && isForL7 && isForL4 && users.length > 0) {
    const names = users.flatMap(({ mode, name }) => (mode === 'l7' ? [name] : [])).join(', ');
    collector.warn(
      [...path, 'proxyProtocol'],
      `has no effect for requests of the l7 listener ${names}: they reach the endpoints without a PROXY header`,
      'endpoints that expect one refuse them: give the l7 listener an upstream of its own',
    );
  }
}

function warnOfExchanges({ endpoints, pool, retry }: Upstream, path: Path, collector: WarningCollector): void {
  const attempts = [...path, 'retry', 'attempts'];
  if (endpoints.length > 1 && retry.attempts > endpoints.length && collector.isWritten(attempts)) {
    collector.warn(
      attempts,
      `is ${retry.attempts}, but there are ${endpoints.length} endpoints`,
      'an exchange tries each endpoint once',
    );
  }
  if (pool.keepAliveIdle >= NODE_KEEP_ALIVE_MS) {
    const nodeDefault = formatDuration(NODE_KEEP_ALIVE_MS);
    collector.warn(
      [...path, 'pool', 'keepAliveIdle'],
      `keeps idle connections for ${formatDuration(pool.keepAliveIdle)}, and endpoints on Node close theirs after ${nodeDefault}`,
      `stay below the keep-alive timeout of every endpoint, or requests race its close; below ${nodeDefault} is safe`,
    );
  }
}

function warnOfSessions({ endpoints, retry }: Upstream, path: Path, collector: WarningCollector): void {
  if (endpoints.length < 2 || retry.connectAttempts <= endpoints.length) return;
  if (retry.connectAttempts === CONNECT_ATTEMPTS) return;
  collector.warn(
    [...path, 'retry', 'connectAttempts'],
    `is ${retry.connectAttempts}, but there are ${endpoints.length} endpoints`,
    'a session tries each endpoint once',
  );
}

/** A setting below the upstream, and whether its value is another than the default: a printed configuration has all of them. */
type Setting = readonly [path: Path, isChosen: boolean];

function l7Settings({ timeouts, retry, hedge, pool, responseLimits, protocol, http2 }: Upstream): readonly Setting[] {
  return [
    [['timeouts', 'firstByte'], timeouts.firstByte !== FIRST_BYTE_TIMEOUT_MS],
    [['timeouts', 'idle'], timeouts.idle !== UPSTREAM_IDLE_TIMEOUT_MS],
    [['timeouts', 'attempt'], timeouts.attempt !== ATTEMPT_TIMEOUT_MS],
    [['retry', 'attempts'], retry.attempts !== RETRY_ATTEMPTS],
    [['retry', 'on'], retry.on.join() !== RETRY_ON.join()],
    [['retry', 'statuses'], retry.statuses.length > 0],
    [['retry', 'nonIdempotent'], retry.nonIdempotent],
    [['retry', 'bodyBytes'], retry.bodyBytes !== RETRY_BODY_BYTES],
    [['retry', 'maxRetryAfter'], retry.maxRetryAfter !== RETRY_MOST_RETRY_AFTER_MS],
    [['hedge'], hedge !== 'off'],
    [['pool', 'maxIdle'], pool.maxIdle !== POOL_MAX_IDLE],
    [['pool', 'maxConnections'], pool.maxConnections !== POOL_MAX_CONNECTIONS],
    [['pool', 'keepAliveIdle'], pool.keepAliveIdle !== UPSTREAM_KEEP_ALIVE_IDLE_MS],
    [['responseLimits', 'headBytes'], responseLimits.headBytes !== RESPONSE_HEAD_BYTES],
    [['responseLimits', 'headers'], responseLimits.headers !== RESPONSE_HEADERS],
    ...exchangeProtocolSettings({ protocol, http2 }),
  ];
}

function l4Settings({ retry, proxyProtocol, keepAlive }: Upstream): readonly Setting[] {
  return [
    [['retry', 'connectAttempts'], retry.connectAttempts !== CONNECT_ATTEMPTS],
    [['proxyProtocol'], proxyProtocol !== ENDPOINT_PROXY_PROTOCOL],
    [['keepAlive'], !isDefaultKeepAlive(keepAlive)],
  ];
}

function warnOfUnused(settings: readonly Setting[], why: string, path: Path, collector: WarningCollector): void {
  for (const [own, isChosen] of settings) {
    if (isChosen) collector.warn([...path, ...own], `has no effect: ${why}`, 'remove it');
  }
}
