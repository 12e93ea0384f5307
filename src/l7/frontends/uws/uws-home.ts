/** One app of uWebSockets.js with its connections: a listener has one, and former ones for as long as they have connections. Thread: worker. */
import type { L7ListenerPlan } from '../../../config/plan.js';
import { invariant } from '../../../core/invariant.js';
import { ProxyError } from '../../../core/proxy-error.js';
import { RequestHead } from '../../request-head.js';
import { clientWebSocketBehavior } from './client-web-socket.js';
import type { LoadedUws, UwsApp, UwsListenSocket, UwsRequest, UwsResponse, UwsUpgradeContext } from './load-uws.js';
import { secureApp } from './uws-certificates.js';
import { wantsWebSocket } from './web-socket-head.js';

/** Who answers the requests of an app. */
export interface UwsHandlers {
  request(home: UwsHome, response: UwsResponse, request: UwsRequest): void;
  webSocket(home: UwsHome, response: UwsResponse, request: UwsRequest, context: UwsUpgradeContext): void;
  /** @param change above 0: one has come, below: one has gone */
  connection(change: number): void;
}

/** listen()'s option for a port that several threads, and several apps of one, listen on. */
const SHARED_PORT = 0;

export class UwsHome {
  readonly app: UwsApp;
  /** Reads the heads of its requests. */
  readonly head: RequestHead;
  readonly takeField = (name: string, value: string): void => this.head.field(name, value);
  /** That came here. */
  requests = 0;
  readonly #loaded: LoadedUws;
  #listenSocket: UwsListenSocket | null = null;
  /** Where that socket listens. */
  #place = '';

  /** @param viaName this process's name in Via @throws UnusableCertificates */
  constructor(loaded: LoadedUws, { tls }: L7ListenerPlan, viaName: string, handlers: UwsHandlers) {
    this.#loaded = loaded;
    this.head = new RequestHead({ scheme: tls === null ? 'http' : 'https', viaName });
    const behavior = clientWebSocketBehavior((response, request, context) => {
      if (wantsWebSocket(request)) handlers.webSocket(this, response, request, context);
      else handlers.request(this, response, request);
    });
    const attach = (app: UwsApp): void => {
      app.ws('/*', behavior);
      app.any('/*', (response, request) => handlers.request(this, response, request));
    };
    if (tls === null) {
      this.app = loaded.uws.App();
      attach(this.app);
    } else {
      this.app = secureApp(loaded.uws, tls, attach);
    }
    this.app.filter?.((_response, change) => handlers.connection(change));
  }

  /** Idempotent; at another address it listens before it leaves the former one. @throws ProxyError SLUICE_ADDRESS_IN_USE */
  listen({ bind, name }: L7ListenerPlan): void {
    invariant(bind.kind === 'tcp', 'the configuration has refused a UNIX socket');
    const { host, port } = bind;
    const place = `${host} ${port}`;
    if (this.#listenSocket !== null && this.#place === place) return;
    let opened: UwsListenSocket | null = null;
    this.app.listen(host, port, SHARED_PORT, (socket) => {
      if (socket === false) throw new ProxyError('SLUICE_ADDRESS_IN_USE', { listener: name, host, port });
      opened = socket;
    });
    invariant(opened !== null, 'uWebSockets.js reports the outcome of listen before it returns');
    this.stopListening();
    this.#listenSocket = opened;
    this.#place = place;
  }

  get isListening(): boolean {
    return this.#listenSocket !== null;
  }

  /** Stops accepting; open connections stay. Idempotent. */
  stopListening(): void {
    if (this.#listenSocket === null) return;
    this.#loaded.uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  /** Closes every connection at once. Idempotent. */
  close(): void {
    this.stopListening();
    this.app.close();
  }
}
