/** An L4 listener in one worker: its plan, and what is made of it once. */
import type { L4ListenerPlan, RelayName } from '../config/plan.js';
import { TrustedPeers } from '../core/peer-address.js';
import { Relay, type SessionListenerSettings } from '../engine/session-engine.js';
import { SniRouter } from './sni-router.js';

/** Thread: worker. */
export class SessionListener {
  readonly router: SniRouter;
  readonly trustedPeers: TrustedPeers;

  /** @param index of the listener in the plan */
  constructor(
    readonly index: number,
    readonly plan: L4ListenerPlan,
  ) {
    this.router = new SniRouter(plan.routes);
    this.trustedPeers = new TrustedPeers(plan.trustedProxies);
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
    };
  }
}

const RELAYS: Readonly<Record<RelayName, number>> = {
  adaptive: Relay.ADAPTIVE,
  copy: Relay.COPY,
  splice: Relay.SPLICE,
};
