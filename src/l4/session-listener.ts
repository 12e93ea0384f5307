/** An L4 listener in one worker, under one plan: what is made of the plan once. */
import type { KeyWish } from '../balancing/key-source.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { L4ListenerPlan, RelayName, UpstreamPlan } from '../config/plan.js';
import type { ListenerTlsPlan } from '../config/tls-plan.js';
import { TrustedPeers } from '../core/peer-address.js';
import { Relay, type SessionListenerSettings } from '../engine/session-engine.js';
import { KeyHomes } from '../policies/affinity.js';
import { SniRouter } from './sni-router.js';

/** Where clients of an upstream belong to, and by what key. */
export interface SessionHomes {
  readonly of: KeyHomes;
  readonly wish: KeyWish;
}

/** The upstreams of a plan, by their indices in it. */
export class SessionUpstreams {
  /** null: clients of this upstream belong to nobody. */
  readonly homes: readonly (SessionHomes | null)[];

  constructor(readonly runtimes: readonly UpstreamRuntime[]) {
    this.homes = runtimes.map(({ plan }) => homesOfClients(plan));
  }
}

/** Thread: worker. */
export class SessionListener {
  readonly router: SniRouter;
  readonly trustedPeers: TrustedPeers;
  /** The same object under all plans that have this listener; another one for a later listener of the same number. */
  readonly identity: object;

  /**
   * @param upstreams of the same plan
   * @param former    the same listener under the plan before; null: it is new
   */
  constructor(
    readonly plan: L4ListenerPlan,
    readonly upstreams: SessionUpstreams,
    former: SessionListener | null,
  ) {
    this.identity = former?.identity ?? {};
    this.router = new SniRouter(plan.routes);
    this.trustedPeers = new TrustedPeers(plan.trustedProxies);
  }

  /** As engine, limits and board know it. */
  get number(): number {
    return this.plan.number;
  }

  /** What the engine has to know. */
  settings(): SessionListenerSettings {
    const { plan } = this;
    return {
      relay: RELAYS[plan.relay],
      halfClose: plan.halfClose,
      sessionIdleTimeoutMs: plan.timeouts.sessionIdleMs,
      lingerTimeoutMs: plan.timeouts.lingerMs,
      prefaceTimeoutMs: plan.timeouts.prefaceMs,
      readsProxyHeader: plan.proxyProtocol,
      readsClientHello: this.router.readsClientHello,
      tls: plan.tls === null ? null : handshakesOf(plan.tls),
    };
  }
}

function handshakesOf(tls: ListenerTlsPlan): SessionListenerSettings['tls'] {
  const { context, handshakeTimeoutMs, handshakes, handshakesPerClient } = tls;
  return { context, handshakeTimeoutMs, handshakes, handshakesPerClient };
}

/** null: clients belong to nobody, or by what only requests have. */
function homesOfClients(plan: UpstreamPlan): SessionHomes | null {
  const { affinity } = plan;
  if (affinity?.kind !== 'key') return null;
  const { key: source } = affinity;
  if (source.kind !== 'client-ip' && source.kind !== 'client-certificate') return null;
  return { of: new KeyHomes(plan), wish: { source, isCrc: false } };
}

const RELAYS: Readonly<Record<RelayName, number>> = {
  adaptive: Relay.ADAPTIVE,
  copy: Relay.COPY,
  splice: Relay.SPLICE,
};
