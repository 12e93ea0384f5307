/** What is different between two configurations, in numbers: for the log and for who asked for the reload. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/schema/config.js';
import type { ChangeCounts, ReloadResult } from './reload-result.js';

/** How many listeners, upstreams and endpoints are new, different or gone. */
export type ConfigDifference = Pick<
  Extract<ReloadResult, { readonly ok: true }>,
  'listeners' | 'upstreams' | 'endpoints'
>;

/** Nothing. */
export const NO_CHANGES: ChangeCounts = { added: 0, changed: 0, removed: 0 };

/** Listeners and upstreams are who they are by name, endpoints by upstream and address. */
export function differenceOf(before: Config, after: Config): ConfigDifference {
  return {
    listeners: countsOf(listenersOf(before), listenersOf(after)),
    upstreams: countsOf(new Map(Object.entries(before.upstreams)), new Map(Object.entries(after.upstreams))),
    endpoints: countsOf(endpointsOf(before), endpointsOf(after)),
  };
}

/** Do both say the same? Comments and the order of keys say nothing. */
export function isSameConfig(before: Config, after: Config): boolean {
  return isDeepStrictEqual(before, after);
}

type Named = ReadonlyMap<string, unknown>;

function listenersOf({ listeners }: Config): Named {
  return new Map(listeners.map((listener) => [listener.name, listener]));
}

function endpointsOf({ upstreams }: Config): Named {
  return new Map(
    Object.entries(upstreams).flatMap(([upstream, { endpoints }]) =>
      endpoints.map((endpoint) => [`${upstream}/${endpoint.address.text}`, endpoint] as const),
    ),
  );
}

function countsOf(before: Named, after: Named): ChangeCounts {
  const stayed = [...after].filter(([name]) => before.has(name));
  return {
    added: after.size - stayed.length,
    changed: stayed.filter(([name, value]) => !isDeepStrictEqual(value, before.get(name))).length,
    removed: before.size - stayed.length,
  };
}
