/** The engine's connection pools of the endpoints of a plan, and what becomes of them with the next plan. */
import type { EndpointPlan, Plan, UpstreamPlan } from '../config/plan.js';
import { EndpointProtocol, type Engine, NO_TLS, type PoolSettings } from '../engine/engine.js';
import type { AddressesBySlot } from '../worker/data-plane.js';

/** A pool that is open. */
interface OpenPool {
  readonly generation: number;
  /** As JSON. */
  settings: string;
}

/** An endpoint of the plan that counts. */
interface PooledEndpoint {
  readonly generation: number;
  readonly upstream: UpstreamPlan;
  readonly target: EndpointPlan['target'];
}

/** Thread: worker; one for each engine. */
export class EndpointPools {
  readonly #engine: Pick<Engine, 'openPool' | 'setPool' | 'setAddresses' | 'closePool'>;
  /** By slot. */
  readonly #open = new Map<number, OpenPool>();
  #endpoints: ReadonlyMap<number, PooledEndpoint> = new Map();

  constructor(engine: Pick<Engine, 'openPool' | 'setPool' | 'setAddresses' | 'closePool'>) {
    this.#engine = engine;
  }

  /**
   * Goes by a plan. Endpoints that are gone get no more connections: what is in flight there finishes on those that it has. Those that stay
   * keep theirs, idle ones included, and have the settings of now.
   *
   * @param addresses of the endpoints that are known; the others come by `setAddresses`
   */
  apply({ upstreams }: Pick<Plan, 'upstreams'>, addresses: AddressesBySlot): void {
    const endpoints = new Map<number, PooledEndpoint>();
    for (const upstream of upstreams)
      for (const { slot, generation, target } of upstream.endpoints)
        endpoints.set(slot, { generation, upstream, target });
    this.#endpoints = endpoints;
    for (const [slot, { generation }] of this.#open) {
      // Another generation: the slot is another endpoint's now, whose connections those are not.
      if (endpoints.get(slot)?.generation === generation) continue;
      this.#open.delete(slot);
      this.#engine.closePool(slot);
    }
    for (const [slot, endpoint] of endpoints) {
      const known = addresses[slot];
      if (known !== undefined) this.setAddresses(slot, known);
      this.#change(slot, endpoint);
    }
  }

  /** @returns false: no endpoint of the plan has the slot, and nothing has happened */
  setAddresses(slot: number, addresses: readonly string[]): boolean {
    const endpoint = this.#endpoints.get(slot);
    if (endpoint === undefined) return false;
    if (this.#open.has(slot)) {
      this.#engine.setAddresses(slot, addresses);
      return true;
    }
    const { generation } = endpoint;
    const settings = poolSettings(endpoint);
    this.#engine.openPool(slot, addresses, settings);
    this.#open.set(slot, { generation, settings: JSON.stringify(settings) });
    return true;
  }

  #change(slot: number, endpoint: PooledEndpoint): void {
    const open = this.#open.get(slot);
    if (open === undefined) return;
    const settings = poolSettings(endpoint);
    const text = JSON.stringify(settings);
    if (open.settings === text) return;
    open.settings = text;
    this.#engine.setPool(slot, settings);
  }
}

const PROTOCOLS = { h1: EndpointProtocol.HTTP1, h2: EndpointProtocol.HTTP2, auto: EndpointProtocol.AUTO } as const;

function poolSettings({ upstream, target }: PooledEndpoint): PoolSettings {
  const { timeouts, pool, responseLimits, weights, tls, protocol, http2 } = upstream;
  return {
    connectTimeoutMs: timeouts.connectMs,
    firstByteTimeoutMs: timeouts.firstByteMs,
    idleTimeoutMs: timeouts.idleMs,
    keepAliveIdleMs: pool.keepAliveIdleMs,
    maxIdle: pool.maxIdle,
    maxConnections: pool.maxConnections,
    responseHeadBytes: responseLimits.headBytes,
    responseHeaders: responseLimits.headers,
    takesReports: weights.kind === 'reported',
    tlsContext: tls?.context ?? NO_TLS,
    // Without TLS there is nothing that an endpoint could choose with.
    protocol: PROTOCOLS[protocol === 'auto' && tls === null ? 'h1' : protocol],
    serverName: serverNameOf(upstream, target),
    http2,
  };
}

/**
 * Name that TLS asks for and verifies: the configured one, else the host of the endpoint's address; a UNIX socket has no name of its own.
 * Pure.
 *
 * @param target undefined: the plan has the endpoint no more
 */
export function serverNameOf({ tls }: Pick<UpstreamPlan, 'tls'>, target: EndpointPlan['target'] | undefined): string {
  return tls?.serverName ?? (target?.kind === 'tcp' ? target.host : 'localhost');
}
