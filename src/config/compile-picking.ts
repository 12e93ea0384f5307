/** Compiles how upstreams pick, and where the requests of a route may go: subsets, levels, weights, splits. */
import { invariant } from '../core/invariant.js';
import { AFFINITY_COOKIE_PREFIX } from './defaults.js';
import {
  type AffinityPlan,
  type BalancerName,
  NO_HASH_TABLE,
  NO_SUBSET,
  type PickingPlan,
  type SplitPlan,
  type SubsetPlan,
  type TargetPlan,
  type WeightsPlan,
} from './picking-plan.js';
import type { RoutePlan } from './plan.js';
import { type PlanRecords, recordIdentity } from './plan-records.js';
import type { Config } from './schema/config.js';
import type { Route } from './schema/l7-route.js';
import type { EndpointSettings, Upstream } from './schema/upstream.js';

/** Labels that an endpoint must have, by name. */
type Labels = Readonly<Record<string, string>>;

/** The label that tells an endpoint's zone. */
export const ZONE_LABEL = 'zone';

/** Balancers with a table on the board. */
const WITH_TABLE: ReadonlySet<BalancerName> = new Set(['ketama', 'maglev']);

/** What is numbered over all upstreams: cursors, tables, and the subsets that routes ask for. Pure but for the records that it takes. */
export class PickingNumbers {
  readonly #upstreams: readonly string[];
  readonly #turns: ReadonlyMap<string, number>;
  readonly #tables: ReadonlyMap<string, number>;
  readonly #subsets: ReadonlyMap<string, readonly { readonly labels: Labels; readonly turn: number }[]>;

  constructor(config: Config, records: PlanRecords) {
    this.#upstreams = Object.keys(config.upstreams);
    this.#turns = new Map(this.#upstreams.map((name) => [name, records.recordOf('turn', recordIdentity(name))]));
    const hashing = Object.entries(config.upstreams).filter(([, { balance }]) => WITH_TABLE.has(balance));
    this.#tables = new Map(
      // Another balancer reads its table another way: it has one of its own.
      hashing.map(([name, { balance }]) => [name, records.recordOf('hash table', recordIdentity(name, balance))]),
    );
    const subsets = new Map<string, { labels: Labels; turn: number }[]>();
    for (const { upstream, subset } of config.listeners.flatMap((listener) =>
      listener.mode === 'l7' ? (listener.routes ?? []).flatMap(targetsOf) : [],
    )) {
      const known = subsets.get(upstream) ?? [];
      if (subset === undefined || known.some(({ labels }) => areSame(labels, subset))) continue;
      const turn = records.recordOf('turn', recordIdentity(upstream, ...Object.entries(subset).sort().flat()));
      subsets.set(upstream, [...known, { labels: subset, turn }]);
    }
    this.#subsets = subsets;
  }

  /** Cursor, table and subsets of an upstream. */
  of(name: string, upstream: Upstream): Pick<PickingPlan, 'turn' | 'hashTable' | 'subsets'> {
    const turn = this.#turns.get(name);
    invariant(turn !== undefined, `the upstream ${name} is in the configuration`);
    return {
      turn,
      hashTable: this.#tables.get(name) ?? NO_HASH_TABLE,
      subsets: (this.#subsets.get(name) ?? []).map(
        ({ labels, turn }): SubsetPlan => ({ labels: { ...labels }, endpoints: endpointsWith(upstream, labels), turn }),
      ),
    };
  }

  /** Where a target points to. */
  target({ upstream, subset, weight }: Target): TargetPlan {
    const index = this.#upstreams.indexOf(upstream);
    invariant(index >= 0, `the route's upstream ${upstream} exists`);
    const subsets = this.#subsets.get(upstream) ?? [];
    const isWhole = subset === undefined;
    return {
      upstream: index,
      subset: isWhole ? NO_SUBSET : subsets.findIndex(({ labels }) => areSame(labels, subset)),
      weight,
    };
  }
}

/** Where a route's requests may go, by the names of the file. */
interface Target {
  readonly upstream: string;
  readonly subset: Labels | undefined;
  readonly weight: number;
}

/** The targets of a route, one or several. Pure. */
export function targetsOf({ upstream, subset, split }: Route): readonly Target[] {
  if (split !== undefined) return split.map((target) => ({ ...target, subset: target.subset }));
  invariant(upstream !== undefined, 'a route without split has an upstream');
  return [{ upstream, subset, weight: 1 }];
}

/** Indices of the endpoints that have all of these labels. Pure. */
export function endpointsWith({ endpoints }: Pick<Upstream, 'endpoints'>, labels: Labels): readonly number[] {
  const wanted = Object.entries(labels);
  return endpoints.flatMap((endpoint, index) =>
    wanted.every(([name, value]) => endpoint.labels[name] === value) ? [index] : [],
  );
}

/** Where a route leads. Pure. */
export function compileTargets(
  route: Route,
  numbers: PickingNumbers,
): Pick<RoutePlan, 'upstream' | 'subset' | 'split'> {
  const targets = targetsOf(route).map((target) => numbers.target(target));
  const [first] = targets;
  invariant(first, 'a route has a target');
  const split: SplitPlan | null = route.split === undefined ? null : { key: route.splitKey, targets };
  return { upstream: first.upstream, subset: first.subset, split };
}

/** How an upstream picks. @param secret for cookies without one of their own. Pure. */
export function compilePicking(name: string, upstream: Upstream, numbers: PickingNumbers, secret: string): PickingPlan {
  const { slowStart } = upstream;
  return {
    balance: upstream.balance,
    hashKey: upstream.hashKey,
    loadFactor: upstream.loadFactor,
    latencyOf: upstream.latencyOf,
    affinity: compileAffinity(name, upstream.affinity, secret),
    slowStart:
      slowStart === 'off'
        ? null
        : { windowMs: slowStart.window, aggression: slowStart.aggression, leastShare: slowStart.minWeight },
    panicShare: upstream.panicThreshold,
    weights: compileWeights(upstream.weights),
    ...numbers.of(name, upstream),
  };
}

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None', unset: null } as const;

function compileAffinity(upstream: string, affinity: Upstream['affinity'], secret: string): AffinityPlan | null {
  if (affinity === 'off') return null;
  const { cookie, key } = affinity;
  if (cookie === undefined) {
    invariant(key !== undefined, 'affinity is by cookie or by key');
    return { kind: 'key', key };
  }
  return {
    kind: 'cookie',
    name: cookie.name ?? `${AFFINITY_COOKIE_PREFIX}${upstream}`,
    path: cookie.path,
    domain: cookie.domain ?? null,
    maxAgeS: cookie.maxAge / 1_000,
    isSecure: cookie.secure,
    isHttpOnly: cookie.httpOnly,
    sameSite: SAME_SITE[cookie.sameSite],
    secret: cookie.secret ?? secret,
  };
}

function compileWeights(weights: Upstream['weights']): WeightsPlan {
  if (typeof weights === 'string') return { kind: weights };
  const { agent } = weights;
  if (agent === undefined) return { kind: 'fixed' };
  return { kind: 'agent', port: agent.port, intervalMs: agent.interval, timeoutMs: agent.timeout };
}

/** Weight that an endpoint is configured with: its own, times its label where the upstream says so. Pure. */
export function weightOf({ weights }: Pick<Upstream, 'weights'>, { weight, labels }: EndpointSettings): number {
  const label = typeof weights === 'string' ? undefined : weights.label;
  return label === undefined ? weight : weight * Number(labels[label]);
}

/**
 * The levels of an upstream's endpoints: by priority, and within one by zone where the upstream prefers its own. Backups stand behind
 * all levels and count as level 0. Pure.
 *
 * @param zone of this process
 */
export function levelsOf({ endpoints, preferOwnZone }: Upstream, zone: string | undefined): readonly number[] {
  const rankOf = ({ priority, labels }: EndpointSettings): number =>
    2 * priority + (preferOwnZone && labels[ZONE_LABEL] !== zone ? 1 : 0);
  const ranks = [...new Set(endpoints.filter(({ backup }) => !backup).map(rankOf))].sort((a, b) => a - b);
  return endpoints.map((endpoint) => (endpoint.backup ? 0 : ranks.indexOf(rankOf(endpoint))));
}

function areSame(one: Labels, other: Labels): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
