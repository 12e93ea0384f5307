/** Finds the route of a session by what its ClientHello offers: the most specific server name first, then ALPN. Built once from a plan. */
import type { L4RoutePlan } from '../config/plan.js';

/** No route matches. */
export const NO_ROUTE = -1;

/** Routes that can apply to one server name, in the order in which they are tried. */
type NameRoutes = readonly L4RoutePlan[];

/**
 * Routes of one listener. Specificity of names: exact, then the longest `*.suffix`, then `*`, as for the hosts of L7 routes. Among
 * routes of one name those that ask for ALPN come before one that does not, else the order of the configuration counts. Where the
 * routes of a name all ask for ALPN in vain, those of less specific names are tried. Thread: worker.
 */
export class SniRouter {
  /** false: every session takes the same route, whatever its ClientHello says. */
  readonly readsClientHello: boolean;
  readonly #exact = new Map<string, NameRoutes>();
  /** `.suffix` of each wildcard, longest first, with its routes. */
  readonly #wildcards: readonly (readonly [string, NameRoutes])[];
  readonly #any: NameRoutes;

  constructor(routes: readonly L4RoutePlan[]) {
    this.readsClientHello = routes.some(({ sni, alpn }) => sni !== '*' || alpn.length > 0);
    const byName = new Map<string, L4RoutePlan[]>();
    for (const route of routes) byName.set(route.sni, [...(byName.get(route.sni) ?? []), route]);
    const anyRoutes = alpnFirst(byName.get('*') ?? []);
    const wildcards = [...byName]
      .filter(([name]) => name.startsWith('*.'))
      .map(([name, own]) => [name.slice(1), alpnFirst(own)] as const)
      .sort(([a], [b]) => b.length - a.length);
    this.#any = anyRoutes;
    this.#wildcards = wildcards.map(([suffix, own]) => {
      const wider = wildcards.filter(([other]) => other !== suffix && suffix.endsWith(other)).flatMap(([, its]) => its);
      return [suffix, [...own, ...wider, ...anyRoutes]] as const;
    });
    for (const [name, own] of byName) {
      if (name !== '*' && !name.startsWith('*.')) this.#exact.set(name, [...alpnFirst(own), ...this.#wild(name)]);
    }
  }

  /**
   * The upstream of a session. HOT: allocates a string for each session with a server name.
   *
   * @param arena      where the names of a batch lie
   * @param offset     of the server name; the protocols lie behind it, a length byte before each
   * @param sniLength  0: no name
   * @param alpnLength 0: no protocols
   * @returns index into Plan.upstreams, or NO_ROUTE
   */
  upstreamOf(arena: Buffer, offset: number, sniLength: number, alpnLength: number): number {
    const alpnAt = offset + sniLength;
    const name = sniLength === 0 ? '' : arena.toString('latin1', offset, alpnAt);
    const routes = name === '' ? this.#any : (this.#exact.get(name) ?? this.#wild(name));
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i] as L4RoutePlan;
      if (route.alpn.length === 0 || offersOneOf(route.alpn, arena, alpnAt, alpnLength)) return route.upstream;
    }
    return NO_ROUTE;
  }

  /** What a name without routes of its own gets. */
  #wild(name: string): NameRoutes {
    for (const [suffix, routes] of this.#wildcards) {
      if (name.length > suffix.length && name.endsWith(suffix)) return routes;
    }
    return this.#any;
  }
}

/** @param at where the list of protocols begins in `arena` */
function offersOneOf(wanted: readonly string[], arena: Buffer, at: number, length: number): boolean {
  const end = at + length;
  for (let next = at; next < end; ) {
    const protocolEnd = next + 1 + (arena[next] as number);
    if (protocolEnd > end) return false;
    if (wanted.includes(arena.toString('latin1', next + 1, protocolEnd))) return true;
    next = protocolEnd;
  }
  return false;
}

function alpnFirst(routes: readonly L4RoutePlan[]): NameRoutes {
  return [...routes.filter(({ alpn }) => alpn.length > 0), ...routes.filter(({ alpn }) => alpn.length === 0)];
}
