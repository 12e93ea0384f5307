/**
 * The uWebSockets.js front end of one listener in one worker. Turns its requests into exchanges and closes the gaps of
 * its parser where a handler can (docs/frontend-uws.md lists those it cannot).
 */
import { isDeepStrictEqual } from 'node:util';
import type { KeyHasher } from '../../../balancing/key-hasher.js';
import type { L7ListenerPlan, RoutePlan } from '../../../config/plan.js';
import { CHUNKED_BODY, NO_BODY } from '../../../engine/engine.js';
import type { Logger } from '../../../observability/logger.js';
import type { HandOffPlace } from '../../../worker/data-plane.js';
import { PeerTable } from '../../client-address.js';
import { errorResponse } from '../../error-response.js';
import type { RequestIds } from '../../request-id.js';
import type { ResponseRelay } from '../../response-relay.js';
import { Router } from '../../router.js';
import { TextRequestKeys } from '../../text-request-keys.js';
import { FormerHomes } from './former-homes.js';
import type { LoadedUws, UwsRequest, UwsResponse, UwsUpgradeContext } from './load-uws.js';
import { UnusableCertificates } from './uws-certificates.js';
import type { UwsExchange } from './uws-exchange.js';
import type { UwsExchanges } from './uws-exchanges.js';
import { type UwsHandlers, UwsHome } from './uws-home.js';

/** What bytes that are not UTF-8 have become by the time we see them; passing that on would change the request. */
const REPLACEMENT = '\ufffd';

/** What a front end needs of its worker. */
export interface UwsFrontEndParts {
  readonly loaded: LoadedUws;
  readonly relay: ResponseRelay;
  readonly exchanges: UwsExchanges;
  readonly requestIds: RequestIds;
  readonly hasher: KeyHasher;
  readonly logger: Logger;
  /** This process's name in Via. */
  readonly viaName: string;
}

/** Thread: worker. */
export class UwsFrontEnd implements UwsHandlers {
  readonly #parts: UwsFrontEndParts;
  /** Where connections come in. */
  #home: UwsHome;
  readonly #formers: FormerHomes;
  // Of the plan that new requests go by.
  #listener: L7ListenerPlan;
  #router: Router;
  #peers: PeerTable;
  #keys: TextRequestKeys;
  /** The plan has this listener no more. */
  #isGone = false;
  #handOffPlace: HandOffPlace | null = null;
  #openConnections = 0;

  constructor(listener: L7ListenerPlan, parts: UwsFrontEndParts) {
    this.#parts = parts;
    this.#listener = listener;
    this.#router = new Router(listener.routes);
    this.#peers = new PeerTable(listener.trustedProxies);
    this.#keys = new TextRequestKeys(parts.hasher, listener.trustedProxies);
    this.#formers = new FormerHomes((home) => parts.exchanges.openOf(home).length > 0);
    // Without certificates it accepts, and no handshake succeeds, until they can be used.
    this.#home = this.#makeHome(listener) ?? this.#open(withoutCertificates(listener));
  }

  /**
   * New requests go by another plan of this listener, also those of connections that are open. Within the turn in which the pipeline
   * goes by that plan: routes are told by the plan's own objects.
   */
  change(listener: L7ListenerPlan): void {
    const former = this.#listener;
    if (listener === former) return;
    if (!isDeepStrictEqual(listener.trustedProxies, former.trustedProxies)) {
      this.#peers = new PeerTable(listener.trustedProxies);
      this.#keys = new TextRequestKeys(this.#parts.hasher, listener.trustedProxies);
    }
    this.#listener = listener;
    this.#router = new Router(listener.routes);
    if (!isDeepStrictEqual(listener.tls, former.tls)) this.#renew();
  }

  /** Files of its certificates have changed: new connections get them. @throws ProxyError SLUICE_ADDRESS_IN_USE, and nothing has changed */
  certificatesChanged(): void {
    if (this.#listener.tls !== null && !this.#isGone) this.#renew();
  }

  /**
   * Another app takes the place of the one that there is: what an app gives to its connections cannot be changed while it has any. It
   * listens beside the former one before that stops, so that somebody accepts at any time.
   */
  #renew(): void {
    const former = this.#home;
    const home = this.#makeHome(this.#listener);
    if (home === null) return;
    if (former.isListening) {
      try {
        home.listen(this.#listener);
      } catch (error) {
        home.close();
        throw error;
      }
    }
    this.#home = home;
    this.#handOffPlace = null;
    this.#formers.add(former);
  }

  /** @returns null: the certificates cannot be used, which has been told */
  #makeHome(listener: L7ListenerPlan): UwsHome | null {
    try {
      return this.#open(listener);
    } catch (error) {
      if (!(error instanceof UnusableCertificates)) throw error;
      const { message: reason } = error;
      this.#parts.logger.error(
        { event: 'certificates-failed', listener: listener.name, reason },
        `the certificates of listener ${listener.name} cannot be used: ${reason}`,
      );
      return null;
    }
  }

  #open(listener: L7ListenerPlan): UwsHome {
    return new UwsHome(this.#parts.loaded, listener, this.#parts.viaName, this);
  }

  get #homes(): readonly UwsHome[] {
    return [this.#home, ...this.#formers.all];
  }

  /** With which its requests begin. */
  get routes(): readonly RoutePlan[] {
    return this.#listener.routes;
  }

  get #openHere(): readonly UwsExchange[] {
    return this.#homes.flatMap((home) => this.#parts.exchanges.openOf(home));
  }

  /** Exchanges and WebSockets that are not over. Cold. */
  get openExchanges(): number {
    return this.#openHere.length;
  }

  /** The plan has this listener no more: accepts nothing, and every answer from now on ends its connection. Idempotent. */
  leave(): void {
    this.#isGone = true;
    this.#handOffPlace = null;
    this.stopListening();
    for (const exchange of this.#openHere) exchange.isListenerGone = true;
  }

  /** Ends its WebSockets with a close frame. */
  endWebSockets(): void {
    for (const exchange of this.#openHere) exchange.endTunnel();
  }

  /** Client connections open now; null where the loaded binary cannot tell. */
  get openConnections(): number | null {
    return this.#parts.loaded.hasFilter ? this.#openConnections : null;
  }

  /** As UwsHandlers. */
  connection(change: number): void {
    this.#openConnections += Math.sign(change);
  }

  /** Where the primary hands connections to, once listening; null where this front end accepts for itself. */
  get handOffPlace(): HandOffPlace | null {
    return this.#handOffPlace;
  }

  /**
   * Takes connections from now on: from the primary where the loaded binary can and `accept` says so, else from a port shared with the
   * other workers, as always with TLS. Where it listens already at another address, it leaves that when it has the new one. Idempotent.
   *
   * @throws ProxyError SLUICE_ADDRESS_IN_USE when the address cannot be had
   */
  listen(): void {
    const { loaded } = this.#parts;
    const { name, accept, tls } = this.#listener;
    if (loaded.hasChildApps && accept === 'primary' && tls === null) {
      this.#handOffPlace ??= { kind: 'app', listener: name, descriptor: Number(this.#home.app.getDescriptor?.()) };
      return;
    }
    this.#handOffPlace = null;
    this.#home.listen(this.#listener);
  }

  /** Stops accepting; open connections stay. Idempotent. */
  stopListening(): void {
    this.#home.stopListening();
  }

  /** Closes every connection at once. Idempotent. */
  close(): void {
    this.#home.close();
    this.#formers.close();
  }

  /** HOT: everything a request costs in JavaScript before the engine has it. */
  request(home: UwsHome, response: UwsResponse, request: UwsRequest): void {
    const exchange = this.#parts.exchanges.take(this.#listener);
    if (exchange === null) return refuseForWantOfExchanges(response);
    this.#take(exchange, home, response, request);
  }

  webSocket(home: UwsHome, response: UwsResponse, request: UwsRequest, context: UwsUpgradeContext): void {
    const exchange = this.#parts.exchanges.takeWebSocket(this.#listener);
    if (exchange === null) return refuseForWantOfExchanges(response);
    exchange.handshake = { key: request.getHeader('sec-websocket-key'), context };
    this.#take(exchange, home, response, request);
  }

  /** Reads a request into its exchange, and hands it on to be decided. HOT. */
  #take(exchange: UwsExchange, home: UwsHome, response: UwsResponse, request: UwsRequest): void {
    const { relay } = this.#parts;
    const { head } = home;
    home.requests++;
    // First of all: uWebSockets.js ends the process when a handler leaves a request without this.
    exchange.attach(response);
    exchange.owner = home;
    exchange.isListenerGone = this.#isGone;
    const peer = this.#peers.peerOf(new Uint8Array(response.getRemoteAddress()));
    exchange.client = peer.address;
    head.begin(peer);
    request.forEach(home.takeField);
    const nominated = head.nominations();
    if (nominated !== 'none' && nominated !== 'refused') {
      head.beginWithout(nominated);
      request.forEach(home.takeField);
    }
    if (head.requestId === '') head.requestId = this.#parts.requestIds.next();
    exchange.requestId = head.requestId;
    exchange.method = request.getCaseSensitiveMethod();
    const path = request.getUrl();
    exchange.path = path;

    const problem = nominated === 'refused' ? 'SLUICE_BAD_REQUEST' : head.problem();
    exchange.bodyBytes = head.bodyBytes;
    exchange.clientCloses = head.connection.length === CLOSE_LENGTH;
    if (problem !== undefined) return relay.refuse(exchange, problem);
    if (head.bodyBytes !== NO_BODY) exchange.expectBody();

    const routes = this.#router.routesOf(head.host);
    if (routes === null) return relay.refuse(exchange, 'SLUICE_BAD_HOST');
    const query = request.getQuery();
    const text = head.finish(exchange.method, query === undefined ? path : `${path}?${query}`);
    if (text.includes(REPLACEMENT)) return relay.refuse(exchange, 'SLUICE_BAD_REQUEST');
    exchange.head = text;
    exchange.isBodyComplete = head.bodyBytes === NO_BODY;
    // uWebSockets.js 20.30 reads a chunk size behind a blank as 0, and what follows as the next request.
    exchange.isLastOfConnection = head.bodyBytes === CHUNKED_BODY || head.clientCloses;
    exchange.key.bodyBytes = keyedBytesOf(head.bodyBytes);
    this.#keys.begin(request, peer);
    if (peer.isTrusted) exchange.client = this.#keys.client() ?? peer.address;
    exchange.requestKeys = this.#keys;
    relay.begin(exchange, routes, head);
    exchange.requestKeys = null;
    this.#keys.end();
  }
}

/** As PickKey.bodyBytes. */
function keyedBytesOf(bodyBytes: number): number {
  if (bodyBytes === NO_BODY) return 0;
  return bodyBytes === CHUNKED_BODY ? UNKNOWN_BYTES : bodyBytes;
}

const UNKNOWN_BYTES = -1;

/** uWebSockets.js closes behind the answer by itself when the Connection field is as long as `close`, and then says nothing of it. */
const CLOSE_LENGTH = 5;
/** @returns the listener as it is before ACME has brought a certificate */
function withoutCertificates(listener: L7ListenerPlan): L7ListenerPlan {
  const { tls } = listener;
  return tls === null ? listener : { ...listener, tls: { ...tls, certificates: [], acme: null } };
}

/** More requests are open in this worker than can be told apart: the one case without an exchange. */
function refuseForWantOfExchanges(response: UwsResponse): void {
  const { head, body } = errorResponse('SLUICE_EXCHANGE_LIMIT', '');
  response.writeStatus(head).end(body, true);
}
