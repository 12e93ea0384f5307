/** Joins the two sides of an open WebSocket: messages, pings and closes both ways, back-pressure, and the times after which it ends. */
import type { ErrorCode } from '../../../core/error-catalog.js';
import { DELIVERED, type Ending } from '../../exchange.js';
import type { ClientWebSocket, ClientWebSocketEvents } from './client-web-socket.js';
import type { EndpointWebSocket, EndpointWebSocketEvents } from './endpoint-web-socket.js';
import {
  CLIENT_HIGH_WATER,
  CLIENT_LOW_WATER,
  CLIENT_STALL_MS,
  CloseCode,
  ENDPOINT_HELD_BYTES,
  ENDPOINT_HIGH_WATER,
  ENDPOINT_LOW_WATER,
  MESSAGE_BYTES,
} from './web-socket-limits.js';

/**
 * open: both sides take messages · closing: what comes is dropped, one side still has to end, or the client to take what is held ·
 * over: both sides have ended.
 */
type RelayState = 'open' | 'closing' | 'over';

/** How the client's side is to end once the client has taken what is held for it. */
interface DueClose {
  readonly code: number;
  readonly reason: Buffer;
}

/** What a relay is made of. */
export interface WebSocketRelayParts {
  readonly endpoint: EndpointWebSocket;
  /** Longest time in which nothing comes from either side. */
  readonly idleMs: number;
  /** Longest time in which an endpoint takes nothing while the client is stopped for it. */
  readonly endpointStallMs: number;
  /** Both sides have ended; called once. */
  readonly onEnd: (ending: Ending) => void;
}

const NO_REASON = Buffer.alloc(0);

/** Thread: worker. */
export class WebSocketRelay implements ClientWebSocketEvents, EndpointWebSocketEvents {
  readonly #endpoint: EndpointWebSocket;
  readonly #onEnd: (ending: Ending) => void;
  readonly #idleTimer: NodeJS.Timeout;
  readonly #endpointStallMs: number;
  /** Runs while the client is stopped. */
  #endpointStallTimer: NodeJS.Timeout | null = null;
  /** Runs while something is held for the client. */
  #stallTimer: NodeJS.Timeout | null = null;
  #client: ClientWebSocket | null = null;
  #state: RelayState = 'open';
  #ending: Ending = DELIVERED;
  #isEndpointPaused = false;
  #isEndpointOver = false;
  #dueClose: DueClose | null = null;

  /** Of messages, as they came. */
  bytesFromClient = 0;
  bytesToClient = 0;

  constructor({ endpoint, idleMs, endpointStallMs, onEnd }: WebSocketRelayParts) {
    this.#endpoint = endpoint;
    this.#onEnd = onEnd;
    this.#endpointStallMs = endpointStallMs;
    this.#idleTimer = setTimeout(() => this.#end('SLUICE_TUNNEL_IDLE', CloseCode.GOING_AWAY), idleMs);
    endpoint.relayTo(this);
  }

  /** The client's side is there: to be called before the turn that made this relay is over. */
  join(client: ClientWebSocket): void {
    this.#client = client;
  }

  // --- from the client ----------------------------------------------------------------------------------------------------

  /** HOT. */
  clientMessage(message: ArrayBuffer, isBinary: boolean): void {
    if (!this.#hears()) return;
    if (message.byteLength > MESSAGE_BYTES) return this.#end('SLUICE_MESSAGE_TOO_LARGE', CloseCode.TOO_LARGE);
    if (!this.#isEndpointTaking()) return;
    this.bytesFromClient += message.byteLength;
    this.#endpoint.send(message, isBinary);
    this.#lookAtEndpoint();
  }

  clientPing(payload: ArrayBuffer): void {
    if (this.#hears() && this.#isEndpointTaking()) this.#endpoint.ping(payload);
  }

  clientPong(payload: ArrayBuffer): void {
    if (this.#hears() && this.#isEndpointTaking()) this.#endpoint.pong(payload);
  }

  clientDrained(): void {
    this.#idleTimer.refresh();
    this.#stallTimer?.refresh();
    this.#lookAtClient();
    if (this.#state === 'open') this.#lookAtEndpoint();
  }

  clientClosed(code: number, reason: Buffer): void {
    const isMissingSome = this.#state === 'open' || this.#dueClose !== null;
    this.#dueClose = null;
    this.#stopStallTimer();
    if (code === CloseCode.ABNORMAL) {
      if (isMissingSome && this.#ending === DELIVERED) this.#ending = 'SLUICE_CLIENT_GONE';
      this.#cutEndpoint();
    } else if (this.#state === 'open') {
      this.#endpoint.close(code, reason);
    }
    this.#state = 'closing';
    this.#finishIfOver();
  }

  // --- from the endpoint --------------------------------------------------------------------------------------------------

  /** HOT. */
  endpointMessage(message: Buffer, isBinary: boolean): void {
    if (this.#state !== 'open' || this.#client === null) return;
    this.#idleTimer.refresh();
    // Its bound leaves room for all that can come once the endpoint is paused: what is dropped would be missing without a word.
    if (!this.#client.send(message, isBinary)) return this.#cutClient();
    this.bytesToClient += message.length;
    this.#lookAtClient();
  }

  endpointPing(payload: Buffer): void {
    if (this.#state !== 'open' || this.#client === null) return;
    this.#idleTimer.refresh();
    this.#client.ping(payload);
    this.#lookAtClient();
  }

  endpointDrained(): void {
    if (this.#endpointStallTimer === null || this.#state !== 'open') return;
    this.#endpointStallTimer.refresh();
    this.#lookAtEndpoint();
  }

  endpointFaulty(code: number): void {
    if (this.#state !== 'open') return;
    this.#ending = 'SLUICE_BAD_RESPONSE';
    this.#state = 'closing';
    this.#closeClientBehindHeld({ code, reason: NO_REASON });
  }

  endpointClosed(code: number, reason: Buffer): void {
    this.#isEndpointOver = true;
    if (this.#state === 'open') {
      if (code === CloseCode.ABNORMAL) this.#ending = 'SLUICE_ENDPOINT_RESET';
      this.#state = 'closing';
      this.#closeClientBehindHeld({ code, reason });
    }
    this.#finishIfOver();
  }

  // --- from the proxy -----------------------------------------------------------------------------------------------------

  /** The proxy shuts down: both sides get a close frame. Idempotent. */
  drain(): void {
    this.#end(DELIVERED, CloseCode.GOING_AWAY);
  }

  /** Drops both sides at once. Idempotent. */
  cut(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'open') this.#ending = 'SLUICE_SESSION_CUT';
    this.#state = 'closing';
    this.#dueClose = null;
    this.#client?.cut();
    this.#cutEndpoint();
    this.#finishIfOver();
  }

  /** Ends both sides with the same close code. */
  #end(ending: Ending, code: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#ending = ending;
    this.#endpoint.close(code, NO_REASON);
    this.#closeClientBehindHeld({ code, reason: NO_REASON });
  }

  /** Something has come from the client. @returns whether it is still wanted */
  #hears(): boolean {
    this.#client?.heard();
    if (this.#state !== 'open') return false;
    this.#idleTimer.refresh();
    return true;
  }

  /** What is held for the endpoint has changed: stops the client, or lets it go on. */
  #lookAtEndpoint(): void {
    const { heldBytes } = this.#endpoint;
    if (heldBytes > ENDPOINT_HIGH_WATER) {
      this.#client?.pause();
      this.#endpointStallTimer ??= setTimeout(
        () => this.#fail('SLUICE_TUNNEL_OVERFLOW', CloseCode.TRY_AGAIN_LATER),
        this.#endpointStallMs,
      );
    } else if (heldBytes <= ENDPOINT_LOW_WATER) {
      this.#stopEndpointStallTimer();
      this.#client?.resume();
    }
  }

  #stopEndpointStallTimer(): void {
    if (this.#endpointStallTimer !== null) clearTimeout(this.#endpointStallTimer);
    this.#endpointStallTimer = null;
  }

  /** Whether the endpoint may be sent more; if not, that was the end. */
  #isEndpointTaking(): boolean {
    if (this.#endpoint.heldBytes <= ENDPOINT_HELD_BYTES) return true;
    this.#fail('SLUICE_TUNNEL_OVERFLOW', CloseCode.TRY_AGAIN_LATER);
    return false;
  }

  /** The endpoint takes nothing, so that a close frame would not reach it either. */
  #fail(code: ErrorCode, closeCode: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#ending = code;
    this.#cutEndpoint();
    this.#closeClientBehindHeld({ code: closeCode, reason: NO_REASON });
  }

  /** What is held for the client has changed: stops the endpoint, lets it go on, or does what was put off. */
  #lookAtClient(): void {
    const heldBytes = this.#client?.heldBytes ?? 0;
    if (heldBytes > 0) this.#startStallTimer();
    else this.#stopStallTimer();
    if (heldBytes > CLIENT_HIGH_WATER && !this.#isEndpointPaused) {
      this.#isEndpointPaused = true;
      this.#endpoint.pause();
    } else if (heldBytes <= CLIENT_LOW_WATER && this.#isEndpointPaused) {
      this.#isEndpointPaused = false;
      this.#endpoint.resume();
    }
    if (heldBytes === 0 && this.#dueClose !== null) this.#closeClient(this.#dueClose);
  }

  /** uWebSockets.js gives a client four seconds for what is held once its side has ended: it gets what is held first. */
  #closeClientBehindHeld(due: DueClose): void {
    if (this.#client === null || !this.#client.isOpen) return this.#finishIfOver();
    if (this.#client.heldBytes === 0) return this.#closeClient(due);
    this.#dueClose = due;
    this.#startStallTimer();
  }

  #closeClient({ code, reason }: DueClose): void {
    this.#dueClose = null;
    this.#stopStallTimer();
    if (code === CloseCode.ABNORMAL) this.#client?.cut();
    else this.#client?.close(code, reason);
    this.#finishIfOver();
  }

  /** The client has taken nothing for too long, or cannot be given what it was sent. */
  #cutClient(): void {
    if (this.#state === 'open') this.#ending = 'SLUICE_CLIENT_STALLED';
    this.#state = 'closing';
    this.#dueClose = null;
    this.#stopStallTimer();
    this.#client?.cut();
    this.#cutEndpoint();
    this.#finishIfOver();
  }

  #cutEndpoint(): void {
    this.#isEndpointOver = true;
    this.#stopEndpointStallTimer();
    this.#endpoint.cut();
  }

  #startStallTimer(): void {
    this.#stallTimer ??= setTimeout(() => this.#cutClient(), CLIENT_STALL_MS);
  }

  #stopStallTimer(): void {
    if (this.#stallTimer !== null) clearTimeout(this.#stallTimer);
    this.#stallTimer = null;
  }

  #finishIfOver(): void {
    if (this.#state === 'over' || !this.#isEndpointOver || this.#client?.isOpen === true) return;
    this.#state = 'over';
    clearTimeout(this.#idleTimer);
    this.#stopStallTimer();
    this.#stopEndpointStallTimer();
    this.#onEnd(this.#ending);
  }
}
