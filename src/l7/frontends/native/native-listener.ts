/** An L7 listener of the native front end in one worker: one plan of it, and what is made of that once. */
import type { L7ListenerPlan, ListenerPlan, RoutePlan } from '../../../config/plan.js';
import type { ListenerTlsPlan } from '../../../config/tls-plan.js';
import { TrustedPeers } from '../../../core/peer-address.js';
import type { FrontEndListenerSettings, FrontEndTlsSettings } from '../../../engine/front-end.js';
import { NO_TABLE, Router, routeFor } from '../../router.js';

/** Thread: worker. */
export class NativeListener {
  readonly router: Router;
  readonly trustedPeers: TrustedPeers;

  constructor(readonly plan: L7ListenerPlan) {
    this.router = new Router(plan.routes);
    this.trustedPeers = new TrustedPeers(plan.trustedProxies);
  }

  /** What front end and limits know it by. */
  get number(): number {
    return this.plan.number;
  }

  /** What the front end has to know. Routes have their places in the plan's list, tables of hosts those of the router. */
  settings(): FrontEndListenerSettings {
    const { timeouts, limits, proxyProtocol, routes, hsts, tls, http2 } = this.plan;
    return {
      scheme: 'http',
      headBytes: limits.headBytes,
      targetBytes: limits.targetBytes,
      headers: limits.headers,
      bodyBytes: limits.bodyBytes === Number.POSITIVE_INFINITY ? UNLIMITED : limits.bodyBytes,
      requestHeadTimeoutMs: timeouts.requestHeadMs,
      bodyIdleTimeoutMs: timeouts.bodyIdleMs,
      minBodyRate: limits.minBodyRate,
      keepAliveTimeoutMs: timeouts.keepAliveMs,
      requestsPerConnection: limits.requestsPerConnection,
      writeStallTimeoutMs: timeouts.writeStallMs,
      tunnelIdleTimeoutMs: timeouts.tunnelIdleMs,
      prefaceTimeoutMs: timeouts.prefaceMs,
      readsProxyHeader: proxyProtocol,
      http2,
      hsts,
      tls: tls === null ? null : tlsSettingsOf(tls),
      hostTables: this.router.tables.map((table) => ({
        paths: table.map(({ path }) => path),
        routes: table.map((route) => routes.indexOf(route)),
      })),
    };
  }

  /** The route with this number in settings(); undefined for NO_ROUTE. HOT. */
  route(number: number): RoutePlan | undefined {
    return number < 0 ? undefined : this.plan.routes[number];
  }

  /**
   * The route of a request whose Host the front end does not know yet.
   *
   * @param table of Router.tableOf, or NO_TABLE
   */
  routeIn(table: number, path: string): RoutePlan | undefined {
    const routes = table === NO_TABLE ? undefined : this.router.tables[table];
    return routes === undefined ? undefined : routeFor(routes, path);
  }
}

/** As FrontEndListenerSettings has it. */
const UNLIMITED = 0;

function tlsSettingsOf(tls: ListenerTlsPlan): FrontEndTlsSettings {
  const headers = tls.clientAuth?.headers;
  return {
    context: tls.context,
    handshakeTimeoutMs: tls.handshakeTimeoutMs,
    handshakes: tls.handshakes,
    handshakesPerClient: tls.handshakesPerClient,
    subjectField: headers?.subject ?? '',
    fingerprintField: headers?.fingerprint ?? '',
  };
}

/** Does the native front end speak to the clients of this listener? */
export function isForNative(listener: ListenerPlan): listener is L7ListenerPlan {
  return listener.mode === 'l7' && listener.frontend === 'native';
}
