/** Resolves the host names of endpoints with all their addresses, at the start and again and again, and tells what changed. */
import { isIP, isIPv6 } from 'node:net';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import { ProxyError } from '../core/proxy-error.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';
import type { AddressesBySlot } from '../worker/data-plane.js';

/** All addresses of a host name, both families, as literals; rejects when it has none. node:dns/promises lookup with `all`. */
export type Lookup = (hostName: string) => Promise<readonly string[]>;

/** Times of name resolution, in ms. */
export const RESOLUTION = {
  /** The start waits this long for all names together; one that needs longer is taken up when its answer comes. */
  startPatienceMs: 5_000,
  /** Pause before a resolved name is asked for again: the resolver library does not tell how long an answer is good for. */
  refreshMs: 30_000,
  /** First pause after a failure of a name that has no address yet; doubles. */
  firstRetryMs: 1_000,
  maxRetryMs: 30_000,
} as const;

/** What the resolver needs from outside. */
export interface NameResolverOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly lookup: Lookup;
  readonly timers: Timers;
  /** Called for each endpoint whose addresses differ from those known before; never with an empty list. */
  readonly publish: (endpoint: EndpointPlan, addresses: readonly string[]) => void;
  readonly logger: Logger;
}

/** One host name and the endpoints that share it. */
interface NamedHost {
  readonly hostName: string;
  endpoints: readonly EndpointPlan[];
  /** As last told; empty: not resolved yet. */
  known: readonly string[];
  retryMs: number;
  hasWarned: boolean;
}

/** Runs until `close`. Thread: primary. */
export class NameResolver {
  readonly #options: NameResolverOptions;
  #addresses = new Map<number, readonly string[]>();
  #hosts: readonly NamedHost[] = [];
  readonly #cancels = new Map<NamedHost, Cancel>();
  #isClosed = false;

  constructor(options: NameResolverOptions) {
    this.#options = options;
    this.#goBy(options.upstreams);
  }

  /** Resolves every name once; resolves when all have answered or the patience is over. Never rejects. */
  start(): Promise<void> {
    return this.#resolveFirst(this.#hosts);
  }

  /**
   * Takes the upstreams of another plan: addresses of endpoints that stay are kept, names that are new are resolved.
   *
   * @returns resolves when all new names have answered or the patience is over; never rejects
   */
  replace(upstreams: readonly UpstreamPlan[]): Promise<void> {
    return this.#resolveFirst(this.#goBy(upstreams));
  }

  /** Addresses known now, as the engine takes them; empty: not resolved. */
  addressesOf(slot: number): readonly string[] {
    return this.#addresses.get(slot) ?? [];
  }

  /** All addresses known now: what a worker is started with. */
  addresses(): AddressesBySlot {
    return Object.fromEntries(this.#addresses);
  }

  /** Asks no more; an answer under way has no effect. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  /** @returns hosts that are new */
  #goBy(upstreams: readonly UpstreamPlan[]): readonly NamedHost[] {
    const addresses = new Map<number, readonly string[]>();
    const byName = new Map<string, EndpointPlan[]>();
    for (const endpoint of upstreams.flatMap((upstream) => upstream.endpoints)) {
      const { target } = endpoint;
      if (target.kind === 'unix') {
        addresses.set(endpoint.slot, [`unix:${target.path}`]);
      } else if (isIP(target.host) !== 0) {
        addresses.set(endpoint.slot, [addressText(target.host, target.port)]);
      } else {
        const hostName = target.host.toLowerCase();
        byName.set(hostName, [...(byName.get(hostName) ?? []), endpoint]);
      }
    }
    const former = new Map(this.#hosts.map((host) => [host.hostName, host]));
    const addressesBefore = this.#addresses;
    const begun: NamedHost[] = [];
    this.#addresses = addresses;
    this.#hosts = [...byName].map(([hostName, endpoints]) => {
      const known = former.get(hostName);
      if (known !== undefined) {
        former.delete(hostName);
        const stayed = known.endpoints;
        known.endpoints = endpoints;
        for (const endpoint of endpoints) {
          const before = stayed.some((other) => isSamePlace(other, endpoint)) && addressesBefore.get(endpoint.slot);
          if (before) addresses.set(endpoint.slot, before);
          // Who joins a name that is known has its addresses at once.
          else if (known.known.length > 0) this.#publish(endpoint, known.known);
        }
        return known;
      }
      const host = { hostName, endpoints, known: [], retryMs: RESOLUTION.firstRetryMs, hasWarned: false };
      begun.push(host);
      return host;
    });
    for (const gone of former.values()) this.#forget(gone);
    return begun;
  }

  async #resolveFirst(hosts: readonly NamedHost[]): Promise<void> {
    if (hosts.length === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.timers.after(RESOLUTION.startPatienceMs, () => {
        for (const host of hosts) if (host.known.length === 0) this.#warn(host, 'no answer yet');
        resolve();
      });
      void Promise.all(hosts.map((host) => this.#resolve(host))).then(() => {
        cancel();
        resolve();
      });
    });
  }

  #forget(host: NamedHost): void {
    this.#cancels.get(host)?.();
    this.#cancels.delete(host);
  }

  /** Tells the addresses of an endpoint. */
  #publish(endpoint: EndpointPlan, found: readonly string[]): void {
    if (endpoint.target.kind !== 'tcp') return;
    const { port } = endpoint.target;
    const addresses = found.map((address) => addressText(address, port));
    this.#addresses.set(endpoint.slot, addresses);
    this.#options.publish(endpoint, addresses);
  }

  async #resolve(host: NamedHost): Promise<void> {
    let pauseMs: number = RESOLUTION.refreshMs;
    try {
      const found = [...new Set(await this.#options.lookup(host.hostName))];
      if (found.length === 0) throw new ProxyError('SLUICE_NAME_UNRESOLVED', { host: host.hostName });
      if (this.#isGone(host)) return;
      this.#take(host, found);
      host.retryMs = RESOLUTION.firstRetryMs;
    } catch (error) {
      if (this.#isGone(host)) return;
      // The last good addresses stay: a resolver that is down must not take endpoints away that still answer.
      this.#warn(host, reasonOf(error));
      if (host.known.length === 0) {
        pauseMs = host.retryMs;
        host.retryMs = Math.min(host.retryMs * 2, RESOLUTION.maxRetryMs);
      }
    }
    this.#cancels.set(
      host,
      this.#options.timers.after(pauseMs, () => void this.#resolve(host)),
    );
  }

  /** An answer to a question about it has no effect any more. */
  #isGone(host: NamedHost): boolean {
    return this.#isClosed || !this.#hosts.includes(host);
  }

  #take(host: NamedHost, found: readonly string[]): void {
    // Resolvers rotate their answers: only another set of addresses is a change, another order is not.
    const sorted = found.toSorted();
    const isSame =
      sorted.length === host.known.length && sorted.every((address, index) => address === host.known[index]);
    if (host.hasWarned) {
      host.hasWarned = false;
      this.#options.logger.info(
        { event: 'name-resolved', host: host.hostName, addresses: found },
        `${host.hostName} resolves now`,
      );
    }
    if (isSame) return;
    const wasKnown = host.known.length > 0;
    host.known = sorted;
    for (const endpoint of host.endpoints) {
      this.#publish(endpoint, found);
      if (!wasKnown) continue;
      const addresses = this.addressesOf(endpoint.slot);
      this.#options.logger.info(
        { event: 'addresses-changed', endpoint: endpoint.name, addresses },
        `endpoint ${endpoint.name} has new addresses: ${addresses.join(', ')}`,
      );
    }
  }

  /** Says once per outage that a name does not resolve. */
  #warn(host: NamedHost, reason: string): void {
    if (host.hasWarned) return;
    host.hasWarned = true;
    const facts = { code: 'SLUICE_NAME_UNRESOLVED', host: host.hostName, reason };
    const names = host.endpoints.map((endpoint) => endpoint.name).join(', ');
    this.#options.logger.warn(
      { event: 'name-unresolved', ...facts },
      host.known.length === 0
        ? `the host name ${host.hostName} has no address (${reason}): ${names} gets no requests until it has; it is asked for again`
        : `the host name ${host.hostName} cannot be resolved now (${reason}): ${names} keeps its last addresses`,
    );
  }
}

/** 'a.b.c.d:port' or '[v6]:port'. */
export function addressText(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

function isSamePlace(one: EndpointPlan, other: EndpointPlan): boolean {
  return one.slot === other.slot && one.generation === other.generation;
}
