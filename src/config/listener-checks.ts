/** Checks listeners against each other and their routes against the upstreams, whatever their mode. */
import {
  type BindAddress,
  formatListenAddress,
  type ListenAddress,
  listenAddressesOverlap,
  parseBindAddress,
  parseListenAddress,
} from './address.js';
import { ADMIN_ADDRESS, ROUTE_HOST, ROUTE_PATH } from './defaults.js';
import { type Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import { checkL4Listener } from './l4-listener-checks.js';
import { checkL7Listener } from './l7-listener-checks.js';
import { nearestName } from './nearest-name.js';
import { checkTargets } from './picking-checks.js';
import { listText, type Path, valueText } from './problem.js';
import { checkRouteResilience } from './resilience-checks.js';
import { modeOf } from './schema/mode.js';
import { NAME_PATTERN } from './schema/name.js';
import { checkListenerTls } from './tls-checks.js';

/** Upstreams of the file by name; null where the section is malformed. */
type Upstreams = Readonly<Record<string, unknown>> | null;

/** Checks all listeners of the plain values, and the admin API's address, which is one more. Never throws. Pure. */
export function checkListeners(
  listeners: readonly unknown[],
  admin: unknown,
  upstreams: Upstreams,
  findings: Findings,
): void {
  const names = new Map<string, Path>();
  const bound: { readonly path: Path; readonly address: ListenAddress }[] = [];
  for (const [index, listener] of listeners.entries()) {
    if (!isSection(listener)) continue;
    const path = ['listeners', index];
    if (typeof listener.name === 'string')
      findings.claim(
        names,
        listener.name,
        [...path, 'name'],
        'is the name of another listener',
        'give each listener a name of its own',
      );
    const address = listenAddressOf(listener);
    if (address !== null) {
      checkOverlap(bound, address, [...path, 'bind'], listener.bind, findings);
      bound.push({ path: [...path, 'bind'], address });
    }
    checkRoutes(listener, path, upstreams, findings);
    const mode = modeOf(listener);
    if (mode === 'l4') checkL4Listener(listener, address, path, findings);
    if (mode === 'l7') checkL7Listener(listener, address, path, findings);
    checkListenerTls(listener, path, findings);
  }
  const adminAddress = admin === 'off' ? null : bindAddressOf(adminBind(admin));
  if (adminAddress !== null)
    checkOverlap(bound, { kind: 'tcp', ...adminAddress }, ['admin', 'bind'], adminBind(admin), findings);
}

/** Where the admin API is to listen, as it is written or by default; undefined where the section is malformed. */
export function adminBind(admin: unknown): unknown {
  if (admin === undefined) return ADMIN_ADDRESS;
  return isSection(admin) ? (admin.bind ?? ADMIN_ADDRESS) : undefined;
}

/** @returns null for a malformed address, which the schema reports */
export function bindAddressOf(value: unknown): BindAddress | null {
  const parsed = typeof value === 'string' ? parseBindAddress(value) : null;
  return parsed?.ok === true ? parsed.value : null;
}

function listenAddressOf(listener: Readonly<Record<string, unknown>>): ListenAddress | null {
  const parsed = typeof listener.bind === 'string' ? parseListenAddress(listener.bind) : null;
  return parsed?.ok === true ? parsed.value : null;
}

function checkOverlap(
  bound: readonly { path: Path; address: ListenAddress }[],
  address: ListenAddress,
  path: Path,
  written: unknown,
  findings: Findings,
): void {
  const other = bound.find((one) => listenAddressesOverlap(one.address, address));
  if (other === undefined) return;
  const sentence = `is ${valueText(written)}, which overlaps with ${formatListenAddress(other.address)} of ${findings.placeOf(other.path)}`;
  findings.report(path, written, sentence, `listen on different ${address.kind === 'tcp' ? 'ports' : 'paths'}`);
}

function checkRoutes(
  listener: Readonly<Record<string, unknown>>,
  path: Path,
  upstreams: Upstreams,
  findings: Findings,
): void {
  const matches = new Map<string, Path>();
  for (const [index, route] of listOf(listener.routes).entries()) {
    if (!isSection(route)) continue;
    const own = [...path, 'routes', index];
    if (modeOf(listener) === 'l7') {
      claimRequests(route, own, matches, findings);
      checkTargets(route, own, upstreams, findings);
      checkRouteResilience(route, own, findings);
      if (isSection(route.fallback))
        checkReference(route.fallback.upstream, [...own, 'fallback', 'upstream'], upstreams, findings);
      for (const [target, { upstream }] of listOf(route.split).filter(isSection).entries())
        checkReference(upstream, [...own, 'split', target, 'upstream'], upstreams, findings);
    }
    checkReference(route.upstream, [...own, 'upstream'], upstreams, findings);
  }
  if (modeOf(listener) === 'l4') checkReference(listener.upstream, [...path, 'upstream'], upstreams, findings);
}

function claimRequests(
  route: Readonly<Record<string, unknown>>,
  path: Path,
  matches: Map<string, Path>,
  findings: Findings,
): void {
  const match = isSection(route.match) ? route.match : {};
  const host = match.host ?? ROUTE_HOST;
  const prefix = match.path ?? ROUTE_PATH;
  if (typeof host !== 'string' || typeof prefix !== 'string') return;
  findings.claim(
    matches,
    `${host.toLowerCase()} ${prefix}`,
    path,
    `matches host ${host} and path ${prefix}, which is what another route matches`,
    'remove one of the two: it would never be taken',
  );
}

/** @param upstream the name that is written; a malformed one is the schema's finding */
function checkReference(upstream: unknown, path: Path, upstreams: Upstreams, findings: Findings): void {
  const names = upstreams === null ? [] : Object.keys(upstreams);
  if (typeof upstream !== 'string' || !NAME_PATTERN.test(upstream)) return;
  if (names.length === 0 || names.includes(upstream)) return;
  const nearest = nearestName(upstream, names);
  const hint = nearest === null ? `the upstreams are ${listText(names)}` : `did you mean ${nearest}?`;
  findings.report(path, upstream, `is ${valueText(upstream)}, but there is no upstream of that name`, hint);
}
