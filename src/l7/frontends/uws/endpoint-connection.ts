/** Connects to an endpoint through Node's sockets, trying its addresses in turn, over TLS where the upstream has it, for what the engine does not speak. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { UpstreamTlsPlan } from '../../../config/tls-plan.js';
import type { ErrorCode } from '../../../core/error-catalog.js';
import { tlsFailureOf } from '../../../engine/tls-failure.js';
import { beginTls } from './endpoint-tls.js';

/** Why there is no connection. `errno` as the kernel gives it, 0 for none; with SLUICE_ENDPOINT_TLS what `tlsReason` takes. */
export interface ConnectFailure {
  readonly code: ErrorCode;
  readonly errno: number;
}

/** Where to connect, and how. */
export interface EndpointWay {
  /** As the engine's openPool takes them, at least one. */
  readonly addresses: readonly string[];
  /** null: plain. */
  readonly tls: UpstreamTlsPlan | null;
  /** Asked for and verified, with `tls`. */
  readonly serverName: string;
}

/** How the attempt ended; exactly one of the two is called, unless it was closed before. */
export interface ConnectEvents {
  /** The socket is the callee's from now on. */
  connected(socket: Socket): void;
  connectFailed(failure: ConnectFailure): void;
}

/** The errors of a socket that say that this process, or the system, has no more descriptors. */
const FILE_LIMITS = new Set(['EMFILE', 'ENFILE']);

/** One attempt to connect. Thread: worker. */
export class EndpointConnection {
  readonly #way: EndpointWay;
  readonly #events: ConnectEvents;
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #socket: Socket | null = null;

  /** @param timeoutMs over all addresses, and the handshake */
  constructor(way: EndpointWay, timeoutMs: number, events: ConnectEvents) {
    this.#way = way;
    this.#events = events;
    this.#timer = setTimeout(() => this.#fail({ code: 'SLUICE_CONNECT_TIMEOUT', errno: 0 }), timeoutMs);
    this.#tryNext({ code: 'SLUICE_CONNECT_REFUSED', errno: 0 });
  }

  /** Gives the attempt up. Idempotent; nothing happens to a socket that was handed over. */
  close(): void {
    clearTimeout(this.#timer);
    this.#next = this.#way.addresses.length;
    this.#socket?.destroy();
    this.#socket = null;
  }

  /** @param failure of the address before */
  #tryNext(failure: ConnectFailure): void {
    const address = this.#way.addresses[this.#next++];
    if (address === undefined) return this.#fail(failure);
    const socket = connect({ ...connectOptionsOf(address), noDelay: true });
    this.#socket = socket;
    const onError = (error: NodeJS.ErrnoException): void => {
      if (this.#socket !== socket) return;
      socket.destroy();
      this.#tryNext(failureOf(error));
    };
    socket.on('error', onError);
    socket.once('connect', () => {
      if (this.#socket !== socket) return;
      if (this.#way.tls === null) this.#handOver(socket);
      else this.#shakeHands(socket, this.#way.tls);
    });
  }

  /** As the engine does, no other address is tried where TLS fails. */
  #shakeHands(below: Socket, tls: UpstreamTlsPlan): void {
    const socket = beginTls(below, tls, this.#way.serverName);
    if (socket === null) return this.#fail({ code: 'SLUICE_ENDPOINT_TLS', errno: 0 });
    this.#socket = socket;
    const fail = (error: Error): void => {
      if (this.#socket === socket) this.#fail({ code: 'SLUICE_ENDPOINT_TLS', errno: tlsFailureOf(error) });
    };
    socket.on('error', fail);
    socket.once('close', () => fail(new Error('closed')));
    socket.once('secureConnect', () => {
      if (this.#socket === socket) this.#handOver(socket);
    });
  }

  #handOver(socket: Socket): void {
    clearTimeout(this.#timer);
    this.#socket = null;
    this.#events.connected(socket);
  }

  #fail(failure: ConnectFailure): void {
    this.close();
    this.#events.connectFailed(failure);
  }
}

/** @param address 'a.b.c.d:port', '[v6]:port', 'unix:/path' or 'unix:@name' */
export function connectOptionsOf(address: string): NetConnectOpts {
  if (address.startsWith(UNIX)) {
    const path = address.slice(UNIX.length);
    return { path: path.startsWith('@') ? `\0${path.slice(1)}` : path };
  }
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(address.slice(colon + 1)) };
}

const UNIX = 'unix:';

function failureOf(error: NodeJS.ErrnoException): ConnectFailure {
  const errno = Math.abs(error.errno ?? 0);
  if (error.code !== undefined && FILE_LIMITS.has(error.code)) return { code: 'SLUICE_FILE_LIMIT', errno };
  return { code: error.code === 'ETIMEDOUT' ? 'SLUICE_CONNECT_TIMEOUT' : 'SLUICE_CONNECT_REFUSED', errno };
}
