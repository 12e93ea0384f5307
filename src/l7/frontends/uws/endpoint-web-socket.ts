/** The endpoint's side of a WebSocket, through `ws`: connects, shakes hands, and tells what the endpoint answers and sends. */
import { randomFillSync } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { UpstreamPlan } from '../../../config/plan.js';
import type { ErrorCode } from '../../../core/error-catalog.js';
import { isTlsRefusal, tlsFailureOf } from '../../../engine/tls-failure.js';
import { type ConnectFailure, EndpointConnection, type EndpointWay } from './endpoint-connection.js';
import { type HandshakeHead, valuesOf } from './web-socket-head.js';
import { CLOSE_TIMEOUT_MS, CloseCode, MESSAGE_BYTES } from './web-socket-limits.js';

/** How a handshake ended; one of the three is called, unless the side was cut before. */
export interface HandshakeEvents {
  /**
   * @param isUnsent nothing of the request has reached an endpoint
   * @param errno 0 for none
   */
  handshakeFailed(code: ErrorCode, errno: number, isUnsent: boolean): void;
  /** The endpoint has answered with something else than 101. The answer's body is the callee's to read. */
  handshakeRefused(answer: IncomingMessage): void;
  /** @param protocol the subprotocol it has chosen; '' for none */
  handshakeDone(answer: IncomingMessage, protocol: string): void;
}

/** Who is told what an endpoint does once the handshake is done. */
export interface EndpointWebSocketEvents {
  endpointMessage(message: Buffer, isBinary: boolean): void;
  endpointPing(payload: Buffer): void;
  /** The kernel has taken a message for the endpoint. */
  endpointDrained(): void;
  /** The endpoint has broken the protocol, or sent too much. It has been told; its side still has to end. */
  endpointFaulty(code: number): void;
  /** The endpoint's side is over. @param code NO_STATUS, ABNORMAL, or what its close frame says */
  endpointClosed(code: number, reason: Buffer): void;
}

/** `ws` asks for a URL; where the request goes and what it says is decided by the options. */
const ANY_URL = 'ws://endpoint.invalid/';
/** Errors of `ws` about messages that are longer than it takes. */
const TOO_LARGE_ERRORS = new Set(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH']);

/** One attempt, and what becomes of it. Thread: worker. */
export class EndpointWebSocket {
  readonly #plan: UpstreamPlan;
  readonly #head: HandshakeHead;
  readonly #handshake: HandshakeEvents;
  readonly #connection: EndpointConnection;
  #events: EndpointWebSocketEvents | null = null;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;
  readonly #beganAtMs = performance.now();
  /** How long the connection took; 0: it is not there yet. */
  connectUs = 0;
  readonly #onSent = (error?: Error | null): void => {
    if (!(error instanceof Error) && !this.#isOver) this.#events?.endpointDrained();
  };

  /** Begins to connect. */
  constructor(way: EndpointWay, plan: UpstreamPlan, head: HandshakeHead, handshake: HandshakeEvents) {
    this.#plan = plan;
    this.#head = head;
    this.#handshake = handshake;
    this.#connection = new EndpointConnection(way, plan.timeouts.connectMs, {
      connected: (socket) => {
        this.connectUs = Math.floor((performance.now() - this.#beganAtMs) * 1_000);
        this.#shakeHands(socket);
      },
      connectFailed: ({ code, errno }: ConnectFailure) => this.#fail(code, errno, true),
    });
  }

  /** From now on `events` is told. To be called in `handshakeDone`. */
  relayTo(events: EndpointWebSocketEvents): void {
    this.#events = events;
  }

  /** Bytes that the endpoint has not taken. */
  get heldBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** @param message is copied before it returns */
  send(message: ArrayBuffer, isBinary: boolean): void {
    if (this.#isOpen) this.#socket?.send(message, { binary: isBinary }, this.#onSent);
  }

  ping(payload: ArrayBuffer): void {
    if (this.#isOpen) this.#socket?.ping(payload);
  }

  pong(payload: ArrayBuffer): void {
    if (this.#isOpen) this.#socket?.pong(payload);
  }

  /** Reads nothing more; what has been read already still comes. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Sends a close frame behind what is held; `endpointClosed` follows, in time. @param code NO_STATUS: the frame has none */
  close(code: number, reason: Buffer): void {
    if (!this.#isOpen) return;
    if (code === CloseCode.NO_STATUS) this.#socket?.close();
    else this.#socket?.close(code, reason);
    // A paused side would never see the endpoint's own close frame.
    this.#socket?.resume();
  }

  /** Drops the connection, whatever state it is in; nothing is told any more. Idempotent. */
  cut(): void {
    this.#isOver = true;
    this.#clearTimer();
    this.#connection.close();
    this.#socket?.terminate();
  }

  get #isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #shakeHands(connection: Socket): void {
    const { timeouts, responseLimits } = this.#plan;
    this.#timer = setTimeout(() => this.#fail('SLUICE_FIRST_BYTE_TIMEOUT', 0, false), timeouts.firstByteMs);
    const options = {
      createConnection: () => connection,
      headers: this.#head.fields,
      maxHeaderSize: responseLimits.headBytes,
      perMessageDeflate: false,
      maxPayload: MESSAGE_BYTES,
      // The client's own pong goes to the endpoint, so that its pings tell of the client.
      autoPong: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
      generateMask,
      // A URL cannot spell every target that a client may send; this is the request as it is about to be sent.
      finishRequest: (request: ClientRequest) => {
        request.path = this.#head.target;
        request.end();
      },
    };
    const socket = new WebSocket(ANY_URL, [], options);
    this.#socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    socket.on('unexpected-response', (_request, answer) => this.#onRefusal(answer));
    socket.on('upgrade', (answer) => this.#onUpgrade(socket, answer));
  }

  #onRefusal(answer: IncomingMessage): void {
    if (this.#isOver) return;
    this.#clearTimer();
    if (this.#hasTooManyFields(answer)) return this.#fail('SLUICE_RESPONSE_HEAD_TOO_LARGE', 0, false);
    // How the answer's body goes on is told by the answer.
    this.#isOver = true;
    this.#handshake.handshakeRefused(answer);
  }

  /** Before `ws` looks at the answer. */
  #onUpgrade(socket: WebSocket, answer: IncomingMessage): void {
    if (this.#isOver) return;
    if (this.#hasTooManyFields(answer)) return this.#fail('SLUICE_RESPONSE_HEAD_TOO_LARGE', 0, false);
    const [protocol = '', ...more] = valuesOf(answer.rawHeaders, 'sec-websocket-protocol');
    const isOffered = protocol === '' || this.#head.protocols.includes(protocol);
    if (!isOffered || more.length > 0) return this.#fail('SLUICE_BAD_RESPONSE', 0, false);
    // `ws` insists on a choice where protocols are offered; whether none will do is the client's to say.
    delete answer.headers['sec-websocket-protocol'];
    socket.on('open', () => this.#onOpen(socket, answer, protocol));
  }

  #onOpen(socket: WebSocket, answer: IncomingMessage, protocol: string): void {
    this.#clearTimer();
    socket.on('message', (message: Buffer, isBinary) => this.#events?.endpointMessage(message, isBinary));
    socket.on('ping', (payload) => this.#events?.endpointPing(payload));
    socket.on('close', (code, reason) => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#events?.endpointClosed(code, reason);
    });
    this.#handshake.handshakeDone(answer, protocol);
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    const { code = '' } = error;
    // While the WebSocket is open, an error of the protocol; the end of the connection itself is told by 'close'.
    if (this.#events !== null)
      return this.#events.endpointFaulty(TOO_LARGE_ERRORS.has(code) ? CloseCode.TOO_LARGE : CloseCode.BAD_GATEWAY);
    if (code === 'HPE_HEADER_OVERFLOW') return this.#fail('SLUICE_RESPONSE_HEAD_TOO_LARGE', 0, false);
    // In TLS 1.3 endpoints refuse a client's certificate when its own side of the handshake is done; they have acted on nothing then.
    const failure = tlsFailureOf(error);
    if (isTlsRefusal(failure)) return this.#fail('SLUICE_ENDPOINT_TLS', failure, true);
    const isMalformed = code === '' || code.startsWith('HPE_');
    this.#fail(isMalformed ? 'SLUICE_BAD_RESPONSE' : 'SLUICE_ENDPOINT_RESET', Math.abs(error.errno ?? 0), false);
  }

  #hasTooManyFields({ rawHeaders }: IncomingMessage): boolean {
    return rawHeaders.length / 2 > this.#plan.responseLimits.headers;
  }

  #fail(code: ErrorCode, errno: number, isUnsent: boolean): void {
    this.cut();
    this.#handshake.handshakeFailed(code, errno, isUnsent);
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Never all zeros: `ws` would then send the message's own bytes later, and they are valid during the call only. */
function generateMask(mask: Buffer): void {
  do randomFillSync(mask);
  while (mask.readUInt32BE(0) === 0);
}
