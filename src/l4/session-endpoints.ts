/** The endpoints that the session engine of one worker knows, from one plan to the next. */
import { isDeepStrictEqual } from 'node:util';
import type { EndpointPlan, ProxyProtocolName, UpstreamPlan } from '../config/plan.js';
import { wholeSeconds } from '../core/whole-seconds.js';
import type { SessionEndpointSettings, SessionEngine } from '../engine/session-engine.js';
import type { AddressesBySlot } from '../worker/data-plane.js';

/** What of the engine knows endpoints. */
export type EndpointOpener = Pick<SessionEngine, 'openEndpoint' | 'setAddresses' | 'closeEndpoint'>;

/** What an endpoint of the plan is to the engine. */
interface PlannedEndpoint {
  readonly generation: number;
  readonly settings: SessionEndpointSettings;
}

/** Thread: worker. */
export class SessionEndpoints {
  readonly #engine: EndpointOpener;
  /** By slot: those of the plan. */
  #planned: ReadonlyMap<number, PlannedEndpoint> = new Map();
  /** By slot: those that the engine knows. */
  readonly #open = new Set<number>();

  constructor(engine: EndpointOpener) {
    this.#engine = engine;
  }

  /**
   * Goes by another plan: what is gone gets no more connections, what is new or has other settings is opened. Sessions stay.
   *
   * @param addresses of all endpoints of the plan
   */
  apply(upstreams: readonly UpstreamPlan[], addresses: AddressesBySlot): void {
    const before = this.#planned;
    const planned = new Map<number, PlannedEndpoint>();
    for (const upstream of upstreams) {
      for (const endpoint of upstream.endpoints) {
        const { slot, generation } = endpoint;
        planned.set(slot, { generation, settings: endpointSettings(upstream, endpoint) });
      }
    }
    this.#planned = planned;
    for (const [slot, { generation }] of before) {
      // A slot that somebody else has got may have no addresses yet: it must not lead to the former endpoint.
      if (planned.get(slot)?.generation !== generation) this.#close(slot);
    }
    for (const [slot, endpoint] of planned) {
      const known = addresses[slot];
      if (known === undefined) continue;
      if (this.#open.has(slot) && !isDeepStrictEqual(endpoint.settings, before.get(slot)?.settings)) this.#close(slot);
      this.setAddresses(slot, known);
    }
  }

  /** As DataPlane.setAddresses. What is not of the plan is left alone. */
  setAddresses(slot: number, addresses: readonly string[]): void {
    if (this.#open.has(slot)) return this.#engine.setAddresses(slot, addresses);
    const endpoint = this.#planned.get(slot);
    if (endpoint === undefined) return;
    this.#open.add(slot);
    this.#engine.openEndpoint(slot, addresses, endpoint.settings);
  }

  #close(slot: number): void {
    if (this.#open.delete(slot)) this.#engine.closeEndpoint(slot);
  }
}

function endpointSettings(
  { timeouts, proxyProtocol, keepAlive, tls }: UpstreamPlan,
  { name, target }: EndpointPlan,
): SessionEndpointSettings {
  const host = target.kind === 'tcp' ? target.host : '';
  return {
    connectTimeoutMs: timeouts.connectMs,
    proxyHeader: PROXY_HEADERS[proxyProtocol],
    keepAlive: {
      idleS: wholeSeconds(keepAlive.idleMs),
      intervalS: wholeSeconds(keepAlive.intervalMs),
      probes: keepAlive.probes,
    },
    tls: tls === null ? null : { context: tls.context, serverName: tls.serverName ?? host, sessionKey: name },
  };
}

const PROXY_HEADERS: Readonly<Record<ProxyProtocolName, 0 | 1 | 2>> = { off: 0, v1: 1, v2: 2 };
