/** The exchange that a WebSocket is to the pipeline and the balancers: from its request to the end of both of its sides. */
import type { IncomingMessage } from 'node:http';
import type { L7ListenerPlan } from '../../../config/plan.js';
import type { Engine } from '../../../engine/engine.js';
import type { AttemptStart } from '../../exchange.js';
import type { EndpointWebSocket } from './endpoint-web-socket.js';
import type { UwsUpgradeContext } from './load-uws.js';
import { type ClientEvents, UwsExchange } from './uws-exchange.js';
import type { HandshakeHead } from './web-socket-head.js';
import type { WebSocketRelay } from './web-socket-relay.js';

/** What of the client's request is needed to answer it with 101. */
export interface ClientHandshake {
  /** Sec-WebSocket-Key: 24 characters. */
  readonly key: string;
  readonly context: UwsUpgradeContext;
}

/** What makes the attempts of exchanges for WebSockets, and is told what their clients do. */
export interface WebSocketSender extends ClientEvents {
  /** As Exchange.beginAttempt. */
  begin(exchange: WebSocketExchange, slot: number): AttemptStart;
  /** As Exchange.release. Idempotent. */
  release(exchange: WebSocketExchange): void;
}

/** Until the 101, and for an endpoint's refusal, its client's side is that of any request. Thread: worker. */
export class WebSocketExchange extends UwsExchange {
  // Filled in by the front end.
  handshake: ClientHandshake | null = null;

  // What WebSocketAttempts has made.
  handshakeHead: HandshakeHead | null = null;
  endpointSide: EndpointWebSocket | null = null;
  /** The endpoint's refusal, while it is relayed. */
  refusalAnswer: IncomingMessage | null = null;
  relay: WebSocketRelay | null = null;
  /** When the attempt began; ms of performance.now(). */
  attemptBeganAt = 0;
  /** The deadline of the handshake, from its route. */
  deadline: NodeJS.Timeout | null = null;
  /** The endpoint's refusal must go on before it ends. */
  idleTimer: NodeJS.Timeout | null = null;

  readonly #sender: WebSocketSender;

  /** @param home as in UwsExchange */
  constructor(
    id: number,
    listener: L7ListenerPlan,
    engine: Engine,
    sender: WebSocketSender,
    home: WebSocketExchange[],
  ) {
    super(id, listener, engine, sender, home);
    this.#sender = sender;
  }

  override beginAttempt(slot: number): AttemptStart {
    return this.#sender.begin(this, slot);
  }

  override tryAgain(slot: number): AttemptStart {
    return this.#sender.begin(this, slot);
  }

  /** A handshake is held by this object as long as there is one, and nobody asks about its answers. */
  override putOff(): void {}
  override passOn(): void {}

  /** A WebSocket is opened once. */
  override hedge(): boolean {
    return false;
  }

  override releaseHedge(): void {}

  override endTunnel(): void {
    this.relay?.drain();
  }

  override cutTunnel(): boolean {
    const { relay } = this;
    relay?.cut(); // may free this object
    return relay !== null;
  }

  override release(): void {
    this.#sender.release(this);
  }

  /** The head of the 101 as the client gets it. */
  switchingHead(head: Uint8Array): Uint8Array | string {
    return this.completed(head);
  }

  /** Ends both timers. Idempotent. */
  stopTimers(): void {
    if (this.deadline !== null) clearTimeout(this.deadline);
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    this.deadline = null;
    this.idleTimer = null;
  }

  override recycle(): void {
    this.release();
    this.handshake = null;
    this.handshakeHead = null;
    this.relay = null;
    super.recycle();
  }
}
