/** What the keeper holds for a plan, and the plan with the numbers of its contexts. */
import type { Plan, UpstreamPlan } from '../../config/plan.js';
import type { UpstreamTlsPlan } from '../../config/tls-plan.js';
import type { TlsClient, TlsClientSettings } from '../../engine/tls.js';
import type { ListenerContext } from './listener-context.js';
import type { KnownCertificate } from './material.js';
import type { TicketKeys } from './ticket-keys.js';

/** A listener with TLS. */
export interface HeldListener {
  readonly context: ListenerContext;
  /** Keys that are made here; null: they come from a file, or there are none. */
  readonly made: TicketKeys | null;
  /** From a file. */
  readonly fileKeys: readonly Uint8Array[] | null;
}

/** An upstream with TLS. */
export interface HeldUpstream {
  readonly client: TlsClient;
  readonly upstream: UpstreamPlan;
  readonly tls: UpstreamTlsPlan;
  readonly settings: TlsClientSettings;
  readonly certificate: KnownCertificate | null;
}

/** @param listeners by number @param upstreams by record. Pure. */
export function withContexts(
  plan: Plan,
  listeners: ReadonlyMap<number, HeldListener>,
  upstreams: ReadonlyMap<number, HeldUpstream>,
): Plan {
  return {
    ...plan,
    listeners: plan.listeners.map((listener) => {
      const held = listeners.get(listener.number);
      if (held === undefined || listener.tls === null) return listener;
      return { ...listener, tls: { ...listener.tls, context: held.context.number } };
    }),
    upstreams: plan.upstreams.map((upstream) => {
      const held = upstreams.get(upstream.record);
      if (held === undefined || upstream.tls === null) return upstream;
      return { ...upstream, tls: { ...upstream.tls, context: held.client.number } };
    }),
  };
}
