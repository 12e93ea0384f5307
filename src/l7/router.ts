/** Finds the route of a request: the most specific host first, then the longest path prefix. Pure; built once from a plan. */
import type { RoutePlan } from '../config/plan.js';

/** The routes that can apply to one host, longest path first. */
export type HostRoutes = readonly RoutePlan[];

/** Of a malformed Host. */
export const NO_TABLE = -1;

/** Hosts remembered with their routes; a flood of invented names must not grow this without bound. */
const HOST_MEMORY = 1024;
/** Longer ones are not remembered: no name has more than 253 characters, its last dot and a port. As HostRoutes::kMostHostBytes. */
const MOST_HOST_LENGTH = 260;

/** `host` or `host:port` of RFC 9110 7.2, with IPv6 in brackets: what a Host field may hold. */
const HOST_FIELD = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_~!$&'()*+,;=%.-]+)(?::[0-9]{0,5})?$/i;

/**
 * Routes of one listener. Specificity of hosts: exact, then the longest `*.suffix`, then `*`. A host's own routes come before
 * those of less specific hosts, so `/` of an exact host wins over `/api/` of `*`. A path prefix that does not end in `/`
 * matches whole segments: `/api` takes `/api` and `/api/x`, not `/apix`. Thread: worker.
 */
export class Router {
  /** Every set of routes that a host can have. */
  readonly tables: readonly HostRoutes[];
  readonly #exact = new Map<string, HostRoutes>();
  /** `.suffix` of each wildcard, longest first, with its routes. */
  readonly #wildcards: readonly (readonly [string, HostRoutes])[];
  readonly #any: HostRoutes;
  /** Host fields seen, as they came, with their answer; null for a malformed one. */
  readonly #memory = new Map<string, HostRoutes | null>();

  constructor(routes: readonly RoutePlan[]) {
    const byHost = new Map<string, RoutePlan[]>();
    for (const route of routes) {
      const host = route.host.toLowerCase();
      byHost.set(host, [...(byHost.get(host) ?? []), route]);
    }
    const anyRoutes = longestFirst(byHost.get('*') ?? []);
    const wildcards = [...byHost]
      .filter(([host]) => host.startsWith('*.'))
      .map(([host, own]) => [host.slice(1), longestFirst(own)] as const)
      .sort(([a], [b]) => b.length - a.length);
    this.#any = anyRoutes;
    this.#wildcards = wildcards.map(([suffix, own]) => {
      const wider = wildcards.filter(([other]) => other !== suffix && suffix.endsWith(other)).flatMap(([, its]) => its);
      return [suffix, [...own, ...wider, ...anyRoutes]] as const;
    });
    for (const [host, own] of byHost) {
      if (host !== '*' && !host.startsWith('*.')) this.#exact.set(host, [...longestFirst(own), ...this.#wild(host)]);
    }
    this.tables = [this.#any, ...this.#wildcards.map(([, own]) => own), ...this.#exact.values()];
  }

  /**
   * The routes that apply to a Host field, or null when it is malformed. HOT: bench micro/l7/router.
   *
   * @param hostField the field's value as it came, port included
   */
  routesOf(hostField: string): HostRoutes | null {
    const known = this.#memory.get(hostField);
    if (known !== undefined) return known;
    const routes = HOST_FIELD.test(hostField) ? this.#lookUp(nameOf(hostField)) : null;
    if (hostField.length > MOST_HOST_LENGTH) return routes;
    if (this.#memory.size >= HOST_MEMORY) this.#memory.clear();
    this.#memory.set(hostField, routes);
    return routes;
  }

  /**
   * Which of `tables` a request takes, for a front end that remembers it by the Host.
   *
   * @param hostField as in routesOf; '' for a request of HTTP/1.0 without one, which takes the routes of any host
   * @returns index into `tables`, or NO_TABLE
   */
  tableOf(hostField: string): number {
    const routes = hostField === '' ? this.#any : this.routesOf(hostField);
    return routes === null ? NO_TABLE : this.tables.indexOf(routes);
  }

  #lookUp(host: string): HostRoutes {
    return this.#exact.get(host) ?? this.#wild(host);
  }

  /** What a host without routes of its own gets. */
  #wild(host: string): HostRoutes {
    for (const [suffix, routes] of this.#wildcards) {
      if (host.length > suffix.length && host.endsWith(suffix)) return routes;
    }
    return this.#any;
  }
}

/** The first of `routes` whose prefix matches `path`, or undefined. HOT. */
export function routeFor(routes: HostRoutes, path: string): RoutePlan | undefined {
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i] as RoutePlan;
    if (matchesPrefix(route.path, path)) return route;
  }
  return undefined;
}

function matchesPrefix(prefix: string, path: string): boolean {
  if (prefix === '/') return true;
  if (!path.startsWith(prefix)) return false;
  if (path.length === prefix.length || prefix.charCodeAt(prefix.length - 1) === SLASH) return true;
  return path.charCodeAt(prefix.length) === SLASH;
}

const SLASH = 0x2f;

function longestFirst(routes: readonly RoutePlan[]): RoutePlan[] {
  return [...routes].sort((a, b) => b.path.length - a.path.length);
}

/** Host name without port, lower case, without the root's dot. */
function nameOf(hostField: string): string {
  const end = hostField.startsWith('[') ? hostField.indexOf(']') + 1 : hostField.indexOf(':');
  const name = (end > 0 ? hostField.slice(0, end) : hostField).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
