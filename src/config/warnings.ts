/** Warns of what is accepted but will not do what its author may expect. */

import { NODE_KEEP_ALIVE_MS } from './defaults.js';
import { formatDuration } from './duration.js';
import type { Locator } from './locator.js';
import type { Machine } from './machine.js';
import { type Path, pathText, valueText, type Warning } from './problem.js';
import type { Config } from './schema/config.js';
import { valueAt } from './schema/explain-issue.js';
import type { L7Listener } from './schema/l7-listener.js';
import { routesOf } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';

/** Largest head and most header lines that the uWebSockets.js binary takes from any client (measured with 20.30). */
const UWS_HEAD_BYTES = 4096;
const UWS_HEADERS = 48;

/** Collects the warnings of a valid configuration. Pure. */
export function warningsOf(config: Config, values: unknown, locator: Locator, machine: Machine): Warning[] {
  const collector = new Collector(values, locator);
  for (const [index, listener] of config.listeners.entries())
    if (listener.mode === 'l7') warnOfListener(listener, ['listeners', index], machine, collector);
  const used = new Set(config.listeners.flatMap((listener) => routesOf(listener).map((route) => route.upstream)));
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    const path = ['upstreams', name];
    if (!used.has(name)) collector.warn(path, 'is not used: no route names it', 'add a route, or remove it');
    warnOfUpstream(upstream, path, collector);
  }
  if (config.workers > machine.processors) {
    const processors = machine.processors === 1 ? '1 processor' : `${machine.processors} processors`;
    collector.warn(
      ['workers'],
      `is ${config.workers}, but this process may use ${processors}`,
      'more workers than processors take turns and add latency; auto chooses well',
    );
  }
  if (config.admin !== 'off') warnOfPort(config.admin.bind.port, ['admin', 'bind'], machine, collector);
  return collector.warnings;
}

class Collector {
  readonly warnings: Warning[] = [];
  readonly #values: unknown;
  readonly #locator: Locator;

  constructor(values: unknown, locator: Locator) {
    this.#values = values;
    this.#locator = locator;
  }

  /** Did the user write this value (and not a default)? */
  isWritten(path: Path): boolean {
    return valueAt(this.#values, path) !== undefined;
  }

  warn(path: Path, sentence: string, hint: string): void {
    const value = valueAt(this.#values, path);
    this.warnings.push({
      source: this.#locator.sourceOf(path),
      path: pathText(path),
      found: value === undefined ? null : valueText(value),
      sentence,
      hint,
    });
  }
}

function warnOfListener(listener: L7Listener, path: Path, machine: Machine, collector: Collector): void {
  for (const key of ['requestHead', 'bodyIdle', 'keepAlive', 'tunnelIdle'] as const) {
    const own = [...path, 'timeouts', key];
    if (!collector.isWritten(own)) continue;
    const why =
      key === 'tunnelIdle' ? 'it does not carry upgraded connections' : 'uWebSockets.js has a fixed time of about 10 s';
    collector.warn(
      own,
      `has no effect with the uws front end: ${why}`,
      'remove it, or keep it for the native front end of a later version',
    );
  }
  if (listener.limits.headBytes > UWS_HEAD_BYTES && collector.isWritten([...path, 'limits', 'headBytes'])) {
    collector.warn(
      [...path, 'limits', 'headBytes'],
      'is more than the uws front end takes',
      `uWebSockets.js closes connections whose head is over ${UWS_HEAD_BYTES} bytes and comes in several reads`,
    );
  }
  if (listener.limits.headers > UWS_HEADERS && collector.isWritten([...path, 'limits', 'headers'])) {
    collector.warn(
      [...path, 'limits', 'headers'],
      'is more than the uws front end takes',
      `uWebSockets.js takes ${UWS_HEADERS} header lines and closes the connection on more`,
    );
  }
  if (listener.accept === 'primary' && collector.isWritten([...path, 'accept'])) {
    collector.warn(
      [...path, 'accept'],
      'has no effect with the uws front end of this version: its workers share the port',
      'write reuseport, which says what happens',
    );
  }
  for (const [index, range] of listener.trustedProxies.entries()) {
    if (range.endsWith('/0'))
      collector.warn(
        [...path, 'trustedProxies', index],
        'believes the forwarded headers of every client',
        'name the addresses of your proxies only',
      );
  }
  warnOfPort(listener.bind.port, [...path, 'bind'], machine, collector);
}

function warnOfPort(port: number, path: Path, machine: Machine, collector: Collector): void {
  if (port === 0 || port >= machine.firstOpenPort) return;
  collector.warn(
    path,
    `uses port ${port}, which needs a privilege that this process does not have`,
    `use a port from ${machine.firstOpenPort} on, or give the process CAP_NET_BIND_SERVICE`,
  );
}

function warnOfUpstream(upstream: Upstream, path: Path, collector: Collector): void {
  const { endpoints, pool, retry } = upstream;
  if (endpoints.length === 1) {
    collector.warn(
      [...path, 'endpoints', 0],
      'is the only endpoint of its upstream',
      'nothing is balanced, and nothing stands in when it fails',
    );
  } else if (retry.attempts > endpoints.length && collector.isWritten([...path, 'retry', 'attempts'])) {
    collector.warn(
      [...path, 'retry', 'attempts'],
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
