/** Connects to an endpoint through Node's sockets, trying its addresses in turn, for protocols that the engine does not speak. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { ErrorCode } from '../../../core/error-catalog.js';

/** Why there is no connection. `errno` as the kernel gives it, 0 for none. */
export interface ConnectFailure {
  readonly code: ErrorCode;
  readonly errno: number;
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
  readonly #addresses: readonly string[];
  readonly #events: ConnectEvents;
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #socket: Socket | null = null;

  /**
   * @param addresses as the engine's openPool takes them, at least one
   * @param timeoutMs over all addresses
   */
  constructor(addresses: readonly string[], timeoutMs: number, events: ConnectEvents) {
    this.#addresses = addresses;
    this.#events = events;
    this.#timer = setTimeout(() => this.#fail({ code: 'SLUICE_CONNECT_TIMEOUT', errno: 0 }), timeoutMs);
    this.#tryNext({ code: 'SLUICE_CONNECT_REFUSED', errno: 0 });
  }

  /** Gives the attempt up. Idempotent; nothing happens to a socket that was handed over. */
  close(): void {
    clearTimeout(this.#timer);
    this.#next = this.#addresses.length;
    this.#socket?.destroy();
    this.#socket = null;
  }

  /** @param failure of the address before */
  #tryNext(failure: ConnectFailure): void {
    const address = this.#addresses[this.#next++];
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
      clearTimeout(this.#timer);
      this.#socket = null;
      this.#events.connected(socket);
    });
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
