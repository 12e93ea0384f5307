/**
 * The client's side of a WebSocket over uWebSockets.js. Its socket throws when it is touched after its end, so all goes through here:
 * what comes too late is dropped. Thread: worker.
 *
 * uWebSockets.js has no way to stop reading from a WebSocket. Its responses have one, and in 20.30 the same native functions work on a
 * WebSocket, whose object has the same socket inside (test/integration/l7/web-socket-pace.test.ts holds that). Their habits come along:
 * a stopped socket is not written to either, a write that comes back short starts both again, and `resume` sets the 10 s timeout of
 * responses, which the client's next byte takes away.
 */
import type { UwsRequest, UwsResponse, UwsUpgradeContext, UwsWebSocket, UwsWebSocketBehavior } from './load-uws.js';
import { CLIENT_HELD_BYTES, CloseCode, GATHERED_BYTES } from './web-socket-limits.js';

/** Who is told what a client does. */
export interface ClientWebSocketEvents {
  /** @param message valid during the call only */
  clientMessage(message: ArrayBuffer, isBinary: boolean): void;
  /** The pong has been sent already. @param payload valid during the call only */
  clientPing(payload: ArrayBuffer): void;
  /** @param payload valid during the call only */
  clientPong(payload: ArrayBuffer): void;
  /** The client has taken some of what was held. */
  clientDrained(): void;
  /** The client has ended the WebSocket, not this side. @param code NO_STATUS, ABNORMAL, or what its close frame says */
  clientClosed(code: number, reason: Buffer): void;
}

/** What uWebSockets.js keeps with a socket. */
interface SocketData {
  readonly side: ClientWebSocket;
}

/** What `send` of uWebSockets.js answers when it has not even buffered the message. */
const DROPPED = 2;
/** `end` writes a close frame without a code for it. */
const NO_CODE = 0;
/** After `resume`, and until the client sends something, its timeout begins anew this often: it is of 10 s, in steps of 4 s. */
const REARM_MS = 3_000;

/** Stops and resumes a socket: functions of uWebSockets.js's responses. */
type Throttle = Pick<UwsResponse, 'pause' | 'resume'>;

export class ClientWebSocket {
  #socket: UwsWebSocket | null = null;
  #throttle: Throttle | null = null;
  #isPaused = false;
  #rearmTimer: NodeJS.Timeout | null = null;

  constructor(readonly events: ClientWebSocketEvents) {}

  /** Lets `pause` work. @param response what is about to be upgraded */
  throttleLike({ pause, resume }: UwsResponse): void {
    this.#throttle = { pause, resume };
  }

  /** uWebSockets.js has made the socket. */
  opened(socket: UwsWebSocket): void {
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /** Bytes that the client has not taken. */
  get heldBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  /** @param message is copied or sent before it returns. @returns false: it is lost, more is held than may be */
  send(message: Uint8Array, isBinary: boolean): boolean {
    return this.#socket?.send(message, isBinary, false) !== DROPPED;
  }

  ping(payload: Uint8Array): void {
    this.#socket?.ping(payload);
  }

  /**
   * Stops reading, if this binary can, and if nothing is held for the client: it would not be sent either. What has been read already
   * still comes. May be called again and again, since a write may have started reading.
   */
  pause(): void {
    if (this.#socket === null || this.#throttle === null || this.heldBytes > 0) return;
    this.#isPaused = true;
    this.#stopRearming();
    this.#throttle.pause.call(this.#socket);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Reads again. Idempotent. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // What is held has come back from a short write, and with it the socket is polled again for both.
    if (this.#socket === null || this.heldBytes > 0) return;
    this.#throttle?.resume.call(this.#socket);
    this.#rearmTimer ??= setInterval(() => this.#rearm(), REARM_MS);
  }

  /** Something has come from the client, so that uWebSockets.js has no timeout for it any more. HOT. */
  heard(): void {
    if (this.#rearmTimer !== null) this.#stopRearming();
  }

  #rearm(): void {
    if (this.#socket === null) return this.#stopRearming();
    if (this.heldBytes > 0) return;
    this.#throttle?.pause.call(this.#socket);
    this.#throttle?.resume.call(this.#socket);
  }

  #stopRearming(): void {
    if (this.#rearmTimer !== null) clearInterval(this.#rearmTimer);
    this.#rearmTimer = null;
  }

  /** Sends a close frame behind what is held, and ends. Idempotent. @param code NO_STATUS: the frame has none */
  close(code: number, reason: Uint8Array): void {
    // A socket that is not polled would not see the end of the connection.
    this.resume();
    const socket = this.#takeSocket();
    socket?.end(code === CloseCode.NO_STATUS ? NO_CODE : code, reason);
  }

  /** Drops the connection without a close frame, and what is held. Idempotent. */
  cut(): void {
    this.#takeSocket()?.close();
  }

  /** uWebSockets.js has ended the socket, be it in `close` or `cut`. */
  ended(code: number, reason: ArrayBuffer): void {
    if (this.#takeSocket() !== null) this.events.clientClosed(code, Buffer.from(reason.slice(0)));
  }

  #takeSocket(): UwsWebSocket | null {
    this.#stopRearming();
    const socket = this.#socket;
    this.#socket = null;
    return socket;
  }
}

/** What a client's request for a WebSocket is answered with. */
export interface UpgradeAnswer {
  /** Status line and fields of the 101 besides those of the handshake. */
  readonly head: Uint8Array | string;
  /** The client's Sec-WebSocket-Key. */
  readonly key: string;
  /** The subprotocol that the endpoint has chosen; '' for none. */
  readonly protocol: string;
  readonly context: UwsUpgradeContext;
}

/** Turns a held response into a WebSocket. Must not be called after the response's abort handler. */
export function upgradeClient(side: ClientWebSocket, response: UwsResponse, handshake: UpgradeAnswer): void {
  const { head, key, protocol, context } = handshake;
  response.cork(() => {
    response.writeStatus(head);
    // Extensions are not offered on: permessage-deflate would have to be undone and done again on each message.
    response.upgrade({ side } satisfies SocketData, key, protocol, '', context);
  });
}

/** How uWebSockets.js treats the WebSockets of a listener. @param upgrade as in UwsWebSocketBehavior */
export function clientWebSocketBehavior(
  upgrade: (response: UwsResponse, request: UwsRequest, context: UwsUpgradeContext) => void,
): UwsWebSocketBehavior {
  return {
    maxPayloadLength: GATHERED_BYTES,
    // The relay has a timer of its own: this one takes 8 to 960 s only, in steps of 4 s.
    idleTimeout: 0,
    maxBackpressure: CLIENT_HELD_BYTES,
    sendPingsAutomatically: false,
    upgrade,
    open: (socket) => sideOf(socket).opened(socket),
    message: (socket, message, isBinary) => sideOf(socket).events.clientMessage(message, isBinary),
    drain: (socket) => sideOf(socket).events.clientDrained(),
    ping: (socket, payload) => sideOf(socket).events.clientPing(payload),
    pong: (socket, payload) => sideOf(socket).events.clientPong(payload),
    close: (socket, code, reason) => sideOf(socket).ended(code, reason),
  };
}

function sideOf(socket: UwsWebSocket): ClientWebSocket {
  return (socket.getUserData() as SocketData).side; // made by upgradeClient, the only one that upgrades
}
