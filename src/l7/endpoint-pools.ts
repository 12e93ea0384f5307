/** The engine's connection pools of the endpoints of a plan, and what becomes of them with the next plan. */
import type { Plan, UpstreamPlan } from '../config/plan.js';
import type { Engine, PoolSettings } from '../engine/engine.js';
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
      for (const { slot, generation } of upstream.endpoints) endpoints.set(slot, { generation, upstream });
    this.#endpoints = endpoints;
    for (const [slot, { generation }] of this.#open) {
      // Another generation: the slot is another endpoint's now, whose connections those are not.
      if (endpoints.get(slot)?.generation === generation) continue;
      this.#open.delete(slot);
      this.#engine.closePool(slot);
    }
    for (const [slot, { upstream }] of endpoints) {
      const known = addresses[slot];
      if (known !== undefined) this.setAddresses(slot, known);
      this.#change(slot, upstream);
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
    const { generation, upstream } = endpoint;
    const settings = poolSettings(upstream);
    this.#engine.openPool(slot, addresses, settings);
    this.#open.set(slot, { generation, settings: JSON.stringify(settings) });
    return true;
  }

  #change(slot: number, upstream: UpstreamPlan): void {
    const open = this.#open.get(slot);
    if (open === undefined) return;
    const settings = poolSettings(upstream);
    const text = JSON.stringify(settings);
    if (open.settings === text) return;
    open.settings = text;
    this.#engine.setPool(slot, settings);
  }
}

function poolSettings({ timeouts, pool, responseLimits, weights }: UpstreamPlan): PoolSettings {
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
  };
}
