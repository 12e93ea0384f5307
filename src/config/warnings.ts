/** Warns of what is accepted but will not do what its author may expect. */
import { warnOfL4Listener, warnOfL7Listener, warnOfPort } from './listener-warnings.js';
import type { Locator } from './locator.js';
import type { Machine } from './machine.js';
import { warnOfZones } from './picking-warnings.js';
import type { Warning } from './problem.js';
import type { Config } from './schema/config.js';
import { upstreamsOf } from './schema/listener.js';
import { warnOfListenerTls, warnOfUpstreamTls } from './tls-warnings.js';
import { warnOfUpstream } from './upstream-warnings.js';
import { WarningCollector } from './warning-collector.js';

/** Collects the warnings of a valid configuration. Pure. */
export function warningsOf(config: Config, values: unknown, locator: Locator, machine: Machine): Warning[] {
  const collector = new WarningCollector(values, locator);
  for (const [index, listener] of config.listeners.entries()) {
    const path = ['listeners', index];
    if (listener.mode === 'l7') warnOfL7Listener(listener, path, machine, collector);
    else warnOfL4Listener(listener, path, machine, collector);
    warnOfListenerTls(listener, path, config.listeners, collector);
  }
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    const path = ['upstreams', name];
    const users = config.listeners.filter((listener) => upstreamsOf(listener).includes(name));
    if (users.length === 0) collector.warn(path, 'is not used: no route names it', 'add a route, or remove it');
    warnOfUpstream(upstream, path, users, collector);
    warnOfUpstreamTls(upstream, path, users, collector);
  }
  warnOfZones(config.upstreams, config.zone, collector);
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
