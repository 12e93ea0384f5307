/** Checks what no single value shows: names and addresses that are taken twice, references to nothing, upstreams that cannot serve. */
import {
  type BindAddress,
  bindAddressesOverlap,
  endpointIdentity,
  formatBindAddress,
  isLoopback,
  parseBindAddress,
  parseEndpointAddress,
} from './address.js';
import { ADMIN_ADDRESS, HEALTH_INTERVAL_MS, HEALTH_TIMEOUT_MS, ROUTE_HOST, ROUTE_PATH } from './defaults.js';
import { formatDuration, parseDuration } from './duration.js';
import { isSection } from './flags.js';
import type { Locator } from './locator.js';
import { nearestName } from './nearest-name.js';
import { listText, type Path, type Problem, pathText, valueText } from './problem.js';
import { NAME_FORM, NAME_PATTERN } from './schema/name.js';

/**
 * Most endpoints of one configuration: the board's tables have a fixed number of slots, and endpoints that left keep theirs
 * until their last exchange has ended.
 */
export const ENDPOINTS_MAX = 1024;

/**
 * Checks the merged plain values, whether or not the schema accepts them: values that it refuses are skipped here, so that
 * each problem is reported once and all of them together. Never throws. Pure.
 */
export function crossCheck(values: unknown, locator: Locator): Problem[] {
  if (!isSection(values)) return [];
  const check = new CrossCheck(locator);
  const upstreams = isSection(values.upstreams) ? values.upstreams : null;
  const listeners = listOf(values.listeners);
  check.listeners(listeners, values.admin);
  for (const [index, listener] of listeners.entries()) {
    if (isSection(listener)) check.routes(listOf(listener.routes), ['listeners', index, 'routes'], upstreams);
  }
  check.admin(values.admin);
  if (upstreams !== null) check.upstreams(upstreams);
  return check.problems;
}

class CrossCheck {
  readonly problems: Problem[] = [];
  readonly #locator: Locator;

  constructor(locator: Locator) {
    this.#locator = locator;
  }

  listeners(listeners: readonly unknown[], admin: unknown): void {
    const names = new Map<string, Path>();
    const bound: { readonly path: Path; readonly address: BindAddress }[] = [];
    for (const [index, listener] of listeners.entries()) {
      if (!isSection(listener)) continue;
      const path = ['listeners', index];
      if (typeof listener.name === 'string')
        this.#claim(
          names,
          listener.name,
          [...path, 'name'],
          'is the name of another listener',
          'give each listener a name of its own',
        );
      const address = bindAddressOf(listener.bind);
      if (address === null) continue;
      this.#checkOverlap(bound, address, [...path, 'bind'], listener.bind);
      bound.push({ path: [...path, 'bind'], address });
    }
    const adminAddress = admin === 'off' ? null : bindAddressOf(adminBind(admin));
    if (adminAddress !== null) this.#checkOverlap(bound, adminAddress, ['admin', 'bind'], adminBind(admin));
  }

  #checkOverlap(
    bound: readonly { path: Path; address: BindAddress }[],
    address: BindAddress,
    path: Path,
    written: unknown,
  ): void {
    const other = bound.find((one) => bindAddressesOverlap(one.address, address));
    if (other === undefined) return;
    const sentence = `is ${valueText(written)}, which overlaps with ${formatBindAddress(other.address)} of ${this.#placeOf(other.path)}`;
    this.#report(path, written, sentence, 'listen on different ports');
  }

  admin(admin: unknown): void {
    const address = admin === 'off' ? null : bindAddressOf(adminBind(admin));
    if (address === null || isLoopback(address.host)) return;
    const hint = `the admin API has no token in this version; listen on 127.0.0.1:${address.port} and reach it through a tunnel, or write off`;
    this.#report(
      ['admin', 'bind'],
      adminBind(admin),
      `is ${valueText(adminBind(admin))}, but must be a loopback address such as 127.0.0.1:9900 or [::1]:9900`,
      hint,
    );
  }

  routes(routes: readonly unknown[], path: Path, upstreams: Readonly<Record<string, unknown>> | null): void {
    const matches = new Map<string, Path>();
    const names = upstreams === null ? [] : Object.keys(upstreams);
    for (const [index, route] of routes.entries()) {
      if (!isSection(route)) continue;
      const match = isSection(route.match) ? route.match : {};
      const host = match.host ?? ROUTE_HOST;
      const prefix = match.path ?? ROUTE_PATH;
      if (typeof host === 'string' && typeof prefix === 'string') {
        const sentence = `matches host ${host} and path ${prefix}, which is what another route matches`;
        this.#claim(
          matches,
          `${host.toLowerCase()} ${prefix}`,
          [...path, index],
          sentence,
          'remove one of the two: it would never be taken',
        );
      }
      const { upstream } = route;
      if (
        typeof upstream !== 'string' ||
        !NAME_PATTERN.test(upstream) ||
        names.length === 0 ||
        names.includes(upstream)
      )
        continue;
      const nearest = nearestName(upstream, names);
      const hint = nearest === null ? `the upstreams are ${listText(names)}` : `did you mean ${nearest}?`;
      this.#report(
        [...path, index, 'upstream'],
        upstream,
        `is ${valueText(upstream)}, but there is no upstream of that name`,
        hint,
      );
    }
  }

  upstreams(upstreams: Readonly<Record<string, unknown>>): void {
    const names = Object.keys(upstreams);
    if (names.length === 0 && this.#locator.hasFile) {
      this.#report(
        ['upstreams'],
        upstreams,
        'is empty, but must hold at least one upstream',
        'e.g. api: { endpoints: [ { address: "127.0.0.1:9001" } ] }',
      );
    }
    let total = 0;
    for (const [name, upstream] of Object.entries(upstreams)) {
      const path = ['upstreams', name];
      // zod passes this one key over; every other malformed name is its finding.
      if (name === '__proto__') this.#report(path, null, `is not a possible name: it must be ${NAME_FORM}`, null);
      if (!isSection(upstream)) continue;
      const endpoints = listOf(upstream.endpoints);
      total += endpoints.length;
      this.#endpoints(endpoints, [...path, 'endpoints']);
      if (isSection(upstream.healthCheck)) this.#healthCheck(upstream.healthCheck, [...path, 'healthCheck']);
    }
    if (total > ENDPOINTS_MAX) {
      this.#report(
        ['upstreams'],
        upstreams,
        `holds ${total} endpoints over all upstreams, but this version takes at most ${ENDPOINTS_MAX}`,
        null,
      );
    }
  }

  #endpoints(endpoints: readonly unknown[], path: Path): void {
    const identities = new Map<string, Path>();
    for (const [index, endpoint] of endpoints.entries()) {
      const address =
        isSection(endpoint) && typeof endpoint.address === 'string' ? parseEndpointAddress(endpoint.address) : null;
      if (address?.ok !== true) continue;
      this.#claim(
        identities,
        endpointIdentity(address.value),
        [...path, index, 'address'],
        'is the address of another endpoint of this upstream',
        'give an endpoint more traffic with weight, not by naming it twice',
      );
    }
    const sections = endpoints.filter(isSection);
    if (sections.length === 0 || sections.length < endpoints.length) return;
    if (sections.every((endpoint) => endpoint.backup === true)) {
      this.#report(
        path,
        endpoints,
        'holds backups only',
        'a backup stands in for endpoints that are not: take backup from at least one',
      );
    } else if (
      sections.every((endpoint) => endpoint.weight === 0 || endpoint.backup === true) &&
      sections.some((endpoint) => endpoint.weight === 0)
    ) {
      this.#report(
        path,
        endpoints,
        'holds no endpoint with a weight above 0, backups aside',
        'an endpoint of weight 0 is never picked: give at least one a weight',
      );
    }
  }

  #healthCheck(check: Readonly<Record<string, unknown>>, path: Path): void {
    const isTcp = check.kind === 'tcp';
    if (isTcp && check.path !== undefined)
      this.#report([...path, 'path'], check.path, 'does not belong to a TCP check', 'remove path, or write kind: http');
    if (!isTcp && (check.kind === undefined || check.kind === 'http') && check.path === undefined) {
      this.#report(
        [...path, 'path'],
        undefined,
        'is missing: it must be the path of the probe, such as /health',
        'for a TCP check write kind: tcp',
      );
    }
    const intervalMs = durationOf(check.interval, HEALTH_INTERVAL_MS);
    const timeoutMs = durationOf(check.timeout, HEALTH_TIMEOUT_MS);
    if (intervalMs === null || timeoutMs === null || timeoutMs <= intervalMs) return;
    const culprit = check.timeout === undefined ? 'interval' : 'timeout';
    const sentence = `makes the timeout (${formatDuration(timeoutMs)}) longer than the interval (${formatDuration(intervalMs)})`;
    this.#report([...path, culprit], check[culprit], sentence, 'a probe must end before the next begins');
  }

  /** Reports the second and every later place that wants what `key` stands for. */
  #claim(taken: Map<string, Path>, key: string, path: Path, sentence: string, hint: string): void {
    const first = taken.get(key);
    if (first === undefined) taken.set(key, path);
    else this.#report(path, undefined, `${sentence} (${this.#placeOf(first)})`, hint);
  }

  /** "listeners[0].bind, line 4" */
  #placeOf(path: Path): string {
    const source = this.#locator.sourceOf(path);
    return source.kind === 'file' ? `${pathText(path)}, line ${source.line}` : pathText(path);
  }

  #report(path: Path, value: unknown, sentence: string, hint: string | null): void {
    this.problems.push({
      source: this.#locator.sourceOf(path),
      path: pathText(path),
      found: value === undefined ? null : valueText(value),
      sentence,
      hint,
    });
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Where the admin API is to listen, as it is written or by default; undefined where the section is malformed. */
function adminBind(admin: unknown): unknown {
  if (admin === undefined) return ADMIN_ADDRESS;
  return isSection(admin) ? (admin.bind ?? ADMIN_ADDRESS) : undefined;
}

function bindAddressOf(value: unknown): BindAddress | null {
  const parsed = typeof value === 'string' ? parseBindAddress(value) : null;
  return parsed?.ok === true ? parsed.value : null;
}

/** @returns null for a malformed duration, which the schema reports */
function durationOf(value: unknown, defaultMs: number): number | null {
  if (value === undefined) return defaultMs;
  const parsed = typeof value === 'string' ? parseDuration(value) : null;
  return parsed?.ok === true ? parsed.value : null;
}
