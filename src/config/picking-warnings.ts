/** Warns of settings of picking that are accepted but will not do what their author may expect. */
import { isIP } from 'node:net';
import { servesRoutes, whyNoCertificates } from './certificate-key-checks.js';
import { ZONE_LABEL } from './compile-picking.js';
import { LATENCY_OF, LOAD_FACTOR, PANIC_THRESHOLD } from './defaults.js';
import { type BalancerName, HASHING_BALANCERS, KEEPS_WEIGHTS, type KeySourcePlan } from './picking-plan.js';
import type { Path } from './problem.js';
import { formatKeySource } from './schema/key-source.js';
import type { Listener } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';
import type { WarningCollector } from './warning-collector.js';

/** Balancers that look at latencies. */
const TIMED: ReadonlySet<BalancerName> = new Set(['least-time', 'peak-ewma', 'predictive']);

/** Warns of one upstream. @param users listeners with a route to it */
export function warnOfPicking(
  upstream: Upstream,
  path: Path,
  users: readonly Listener[],
  collector: WarningCollector,
): void {
  warnOfBalancer(upstream, path, collector);
  warnOfAffinity(upstream, path, collector);
  warnOfConstantHealth(upstream, path, collector);
  const isForSessions = users.some(({ mode }) => mode === 'l4');
  const isForSessionsOnly = isForSessions && users.every(({ mode }) => mode === 'l4');
  const { hashKey, affinity, weights, balance } = upstream;
  warnOfCertificateKeys(upstream, path, users, collector);
  const isOfSessions = hashKey.kind === 'client-ip' || hashKey.kind === 'client-certificate';
  if (isForSessions && takesKey(balance) && !isOfSessions)
    collector.warn(
      [...path, 'hashKey'],
      `is ${formatKeySource(hashKey)}, which sessions (mode l4) do not have`,
      'they are hashed by the address of their client',
    );
  if (isForSessionsOnly && affinity !== 'off' && affinity.cookie !== undefined)
    collector.warn(
      [...path, 'affinity', 'cookie'],
      'has no effect: its listeners are of mode l4, which has no requests',
      'write key: client-ip',
    );
  if (isForSessionsOnly && weights === 'reported')
    collector.warn(
      [...path, 'weights'],
      'has no effect: endpoints report in headers of responses, and its listeners are of mode l4',
      'write weights: performance, or ask an agent',
    );
}

function warnOfBalancer(upstream: Upstream, path: Path, collector: WarningCollector): void {
  const { balance, hashKey, loadFactor, latencyOf, slowStart, weights } = upstream;
  const unused = (key: string, why: string, hint: string): void => collector.warn([...path, key], why, hint);
  if (hashKey.kind !== 'client-ip' && !takesKey(balance))
    unused('hashKey', `has no effect with ${balance}`, 'it is for hash, ketama, maglev and rendezvous');
  if (loadFactor !== LOAD_FACTOR && !HASHING_BALANCERS.has(balance))
    unused('loadFactor', `has no effect with ${balance}`, 'it is for ip-hash, hash, ketama, maglev and rendezvous');
  if (latencyOf !== LATENCY_OF && !TIMED.has(balance) && weights !== 'performance')
    unused(
      'latencyOf',
      `has no effect with ${balance}`,
      'it is for least-time, peak-ewma, predictive and moving weights',
    );
  if (slowStart !== 'off' && KEEPS_WEIGHTS.has(balance))
    unused(
      'slowStart',
      `changes maxConns only, with ${balance}`,
      'weights that grow would move the keys of all endpoints',
    );
  if (typeof weights === 'string' && weights !== 'fixed') {
    if (KEEPS_WEIGHTS.has(balance))
      unused(
        'weights',
        `has no effect with ${balance}`,
        'weights that move would move the keys; an agent does move them',
      );
    else if (weights === 'performance' && TIMED.has(balance))
      unused(
        'weights',
        `counts latency a second time: ${balance} looks at it for each pick`,
        'write weights: fixed, or another balancer',
      );
  }
  if (balance === 'first' && upstream.endpoints.some(({ maxConns, backup }) => maxConns === 0 && !backup))
    unused(
      'balance',
      'is first, but an endpoint has no maxConns: those behind it get nothing while it is healthy',
      'give each endpoint maxConns',
    );
}

/** Of listeners that lead here some learn what clients' certificates say, and some do not. */
function warnOfCertificateKeys(
  { hashKey, affinity, balance }: Upstream,
  path: Path,
  users: readonly Listener[],
  collector: WarningCollector,
): void {
  const keys: readonly (readonly [place: Path, source: KeySourcePlan | undefined])[] = [
    [['hashKey'], takesKey(balance) ? hashKey : undefined],
    [['affinity', 'key'], affinity === 'off' ? undefined : affinity.key],
  ];
  for (const listener of users.filter(servesRoutes)) {
    const why = whyNoCertificates(listener);
    if (why === null) continue;
    for (const [place, source] of keys) {
      if (source?.kind !== 'client-certificate') continue;
      collector.warn(
        [...path, ...place],
        `is ${formatKeySource(source)}, but the listener ${listener.name} ${why}: its clients have no such key`,
        'they are spread over all endpoints; give that listener an upstream of its own where they should not be',
      );
    }
  }
}

/** Who never is unhealthy, never leaves and never comes back. */
function warnOfConstantHealth(upstream: Upstream, path: Path, collector: WarningCollector): void {
  const { healthCheck, outlier, weights, slowStart, panicThreshold, endpoints } = upstream;
  const isJudged =
    healthCheck !== 'off' ||
    (outlier !== 'off' && endpoints.length > 1) ||
    (typeof weights !== 'string' && weights.agent !== undefined);
  if (isJudged) return;
  const hint = 'add healthCheck or outlier, or remove it';
  const isNamed = endpoints.some(({ address }) => address.kind === 'tcp' && isIP(address.host) === 0);
  // A name that is resolved after the start brings its endpoint in.
  if (slowStart !== 'off' && !isNamed)
    collector.warn(
      [...path, 'slowStart'],
      'has no effect: without health checks and outlier detection no endpoint recovers',
      hint,
    );
  if (panicThreshold !== PANIC_THRESHOLD)
    collector.warn(
      [...path, 'panicThreshold'],
      'has no effect: without health checks and outlier detection no endpoint is unhealthy',
      hint,
    );
}

/** Warns of zones that decide nothing, over all upstreams. */
export function warnOfZones(
  upstreams: Readonly<Record<string, Upstream>>,
  zone: string | undefined,
  collector: WarningCollector,
): void {
  const zoned = Object.entries(upstreams).filter(([, { preferOwnZone }]) => preferOwnZone);
  if (zone !== undefined && zoned.length === 0)
    collector.warn(['zone'], 'is not used: no upstream has preferOwnZone', 'write preferOwnZone: true, or remove it');
  for (const [name, { endpoints }] of zoned) {
    const isOwn = endpoints.some(({ labels, backup }) => !backup && labels[ZONE_LABEL] === zone);
    if (isOwn) continue;
    collector.warn(
      ['upstreams', name, 'preferOwnZone'],
      `has no effect: no endpoint has the label zone: ${zone}`,
      'endpoints tell their zone by labels: { zone: NAME }',
    );
  }
}

function warnOfAffinity({ affinity }: Upstream, path: Path, collector: WarningCollector): void {
  if (affinity === 'off' || affinity.cookie === undefined || affinity.cookie.secret !== undefined) return;
  collector.warn(
    [...path, 'affinity', 'cookie'],
    'has no secret: a random one is taken at each start',
    'clients are spread anew when sluice starts anew; with several machines give all of them the same secret',
  );
}

/** Can the key be chosen? That of ip-hash is always the client's address. */
function takesKey(balance: BalancerName): boolean {
  return HASHING_BALANCERS.has(balance) && balance !== 'ip-hash';
}
