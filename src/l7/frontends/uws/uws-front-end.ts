/**
 * The uWebSockets.js front end: one app for one listener in one worker. Turns its requests into exchanges and closes the gaps of
 * its parser where a handler can (docs/frontend-uws.md lists those it cannot).
 */
import { isDeepStrictEqual } from 'node:util';
import type { KeyHasher } from '../../../balancing/key-hasher.js';
import type { L7ListenerPlan, RoutePlan } from '../../../config/plan.js';
import { invariant } from '../../../core/invariant.js';
import { ProxyError } from '../../../core/proxy-error.js';
import { CHUNKED_BODY, NO_BODY } from '../../../engine/engine.js';
import type { HandOffPlace } from '../../../worker/data-plane.js';
import { PeerTable } from '../../client-address.js';
import { errorResponse } from '../../error-response.js';
import { RequestHead } from '../../request-head.js';
import type { RequestIds } from '../../request-id.js';
import type { ResponseRelay } from '../../response-relay.js';
import { Router } from '../../router.js';
import { TextRequestKeys } from '../../text-request-keys.js';
import { clientWebSocketBehavior } from './client-web-socket.js';
import type { LoadedUws, UwsApp, UwsListenSocket, UwsRequest, UwsResponse, UwsUpgradeContext } from './load-uws.js';
import type { UwsExchange } from './uws-exchange.js';
import type { UwsExchanges } from './uws-exchanges.js';
import { wantsWebSocket } from './web-socket-head.js';

/** What bytes that are not UTF-8 have become by the time we see them; passing that on would change the request. */
const REPLACEMENT = '\ufffd';

/** What a front end needs of its worker. */
export interface UwsFrontEndParts {
  readonly loaded: LoadedUws;
  readonly relay: ResponseRelay;
  readonly exchanges: UwsExchanges;
  readonly requestIds: RequestIds;
  readonly hasher: KeyHasher;
  /** This process's name in Via. */
  readonly viaName: string;
}

/** Thread: worker. */
export class UwsFrontEnd {
  readonly #parts: UwsFrontEndParts;
  readonly #app: UwsApp;
  readonly #head: RequestHead;
  // Of the plan that new requests go by.
  #listener: L7ListenerPlan;
  #router: Router;
  #peers: PeerTable;
  #keys: TextRequestKeys;
  /** The plan has this listener no more. */
  #isGone = false;
  #listenSocket: UwsListenSocket | null = null;
  /** Where that socket listens. */
  #place = '';
  #handOffPlace: HandOffPlace | null = null;
  #openConnections = 0;
  readonly #countConnection = (_response: UwsResponse, change: number): void => {
    this.#openConnections += Math.sign(change);
  };
  readonly #takeField = (name: string, value: string): void => this.#head.field(name, value);

  constructor(listener: L7ListenerPlan, parts: UwsFrontEndParts) {
    this.#parts = parts;
    this.#listener = listener;
    this.#router = new Router(listener.routes);
    this.#peers = new PeerTable(listener.trustedProxies);
    this.#keys = new TextRequestKeys(parts.hasher, listener.trustedProxies);
    this.#head = new RequestHead({ scheme: 'http', viaName: parts.viaName });
    this.#app = parts.loaded.uws.App();
    this.#app.ws(
      '/*',
      clientWebSocketBehavior((response, request, context) => {
        if (wantsWebSocket(request)) this.#handleWebSocket(response, request, context);
        else this.#handle(response, request);
      }),
    );
    this.#app.any('/*', (response, request) => this.#handle(response, request));
    this.#app.filter?.(this.#countConnection);
  }

  /**
   * New requests go by another plan of this listener, also those of connections that are open. Within the turn in which the pipeline
   * goes by that plan: routes are told by the plan's own objects.
   */
  change(listener: L7ListenerPlan): void {
    if (listener === this.#listener) return;
    if (!isDeepStrictEqual(listener.trustedProxies, this.#listener.trustedProxies)) {
      this.#peers = new PeerTable(listener.trustedProxies);
      this.#keys = new TextRequestKeys(this.#parts.hasher, listener.trustedProxies);
    }
    this.#listener = listener;
    this.#router = new Router(listener.routes);
  }

  /** With which its requests begin. */
  get routes(): readonly RoutePlan[] {
    return this.#listener.routes;
  }

  /** Exchanges and WebSockets that are not over. Cold. */
  get openExchanges(): number {
    return this.#parts.exchanges.openOf(this).length;
  }

  /** The plan has this listener no more: accepts nothing, and every answer from now on ends its connection. Idempotent. */
  leave(): void {
    this.#isGone = true;
    this.#handOffPlace = null;
    this.stopListening();
    for (const exchange of this.#parts.exchanges.openOf(this)) exchange.isListenerGone = true;
  }

  /** Ends its WebSockets with a close frame. */
  endWebSockets(): void {
    for (const exchange of this.#parts.exchanges.openOf(this)) exchange.endTunnel();
  }

  /** Client connections open now; null where the loaded binary cannot tell. */
  get openConnections(): number | null {
    return this.#parts.loaded.hasFilter ? this.#openConnections : null;
  }

  /** Where the primary hands connections to, once listening; null where this front end accepts for itself. */
  get handOffPlace(): HandOffPlace | null {
    return this.#handOffPlace;
  }

  /**
   * Takes connections from now on: from the primary where the loaded binary can and `accept` says so, else from a port shared with the
   * other workers. Where it listens already at another address, it leaves that when it has the new one. Idempotent.
   *
   * @throws ProxyError SLUICE_ADDRESS_IN_USE when the address cannot be had
   */
  listen(): void {
    const { loaded } = this.#parts;
    const { bind, name, accept } = this.#listener;
    invariant(bind.kind === 'tcp', 'the configuration has refused a UNIX socket');
    const { host, port } = bind;
    if (loaded.hasChildApps && accept === 'primary') {
      this.#handOffPlace ??= { kind: 'app', listener: name, descriptor: Number(this.#app.getDescriptor?.()) };
      return;
    }
    const place = `${host} ${port}`;
    if (this.#listenSocket !== null && this.#place === place) return;
    let opened: UwsListenSocket | null = null;
    this.#app.listen(host, port, SHARED_PORT, (socket) => {
      if (socket === false) throw new ProxyError('SLUICE_ADDRESS_IN_USE', { listener: name, host, port });
      opened = socket;
    });
    invariant(opened !== null, 'uWebSockets.js reports the outcome of listen before it returns');
    this.stopListening();
    this.#listenSocket = opened;
    this.#place = place;
  }

  /** Stops accepting; open connections stay. Idempotent. */
  stopListening(): void {
    if (this.#listenSocket === null) return;
    this.#parts.loaded.uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  /** Closes every connection at once. Idempotent. */
  close(): void {
    this.stopListening();
    this.#app.close();
  }

  /** HOT: everything a request costs in JavaScript before the engine has it. */
  #handle(response: UwsResponse, request: UwsRequest): void {
    const exchange = this.#parts.exchanges.take(this.#listener);
    if (exchange === null) return refuseForWantOfExchanges(response);
    this.#take(exchange, response, request);
  }

  #handleWebSocket(response: UwsResponse, request: UwsRequest, context: UwsUpgradeContext): void {
    const exchange = this.#parts.exchanges.takeWebSocket(this.#listener);
    if (exchange === null) return refuseForWantOfExchanges(response);
    exchange.handshake = { key: request.getHeader('sec-websocket-key'), context };
    this.#take(exchange, response, request);
  }

  /** Reads a request into its exchange, and hands it on to be decided. HOT. */
  #take(exchange: UwsExchange, response: UwsResponse, request: UwsRequest): void {
    const { relay } = this.#parts;
    const head = this.#head;
    // First of all: uWebSockets.js ends the process when a handler leaves a request without this.
    exchange.attach(response);
    exchange.owner = this;
    exchange.isListenerGone = this.#isGone;
    const peer = this.#peers.peerOf(new Uint8Array(response.getRemoteAddress()));
    exchange.client = peer.address;
    head.begin(peer);
    request.forEach(this.#takeField);
    const nominated = head.nominations();
    if (nominated !== 'none' && nominated !== 'refused') {
      head.beginWithout(nominated);
      request.forEach(this.#takeField);
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
/** listen()'s option for a port that several threads listen on. */
const SHARED_PORT = 0;

/** More requests are open in this worker than can be told apart: the one case without an exchange. */
function refuseForWantOfExchanges(response: UwsResponse): void {
  const { head, body } = errorResponse('SLUICE_EXCHANGE_LIMIT', '');
  response.writeStatus(head).end(body, true);
}
