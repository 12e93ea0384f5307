/**
 * The attempts of requests for WebSockets. They go through `ws` and not through the engine, since uWebSockets.js hands over messages and
 * no bytes; what becomes of them is told to the pipeline like that of any attempt. Thread: worker.
 */
import type { IncomingMessage } from 'node:http';
import type { UpstreamRuntime } from '../../../balancing/upstream-runtime.js';
import type { ErrorCode } from '../../../core/error-catalog.js';
import { AttemptFact } from '../../../engine/attempt-profile.js';
import { tellFacts } from '../../endpoint-facts.js';
import { serverNameOf } from '../../endpoint-pools.js';
import { type AttemptStart, BEGUN, DELIVERED, type Ending, NO_POOL } from '../../exchange.js';
import type { Pipeline } from '../../pipeline.js';
import { BODYLESS, UNKNOWN_LENGTH } from '../../relayed-exchange.js';
import { ClientWebSocket, upgradeClient } from './client-web-socket.js';
import { EndpointWebSocket } from './endpoint-web-socket.js';
import type { WebSocketExchange, WebSocketSender } from './web-socket-exchange.js';
import { clientHeadOf, handshakeHeadOf } from './web-socket-head.js';
import { WebSocketRelay } from './web-socket-relay.js';

const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const NOTHING = new Uint8Array(0);
const US_PER_MS = 1_000;

/** One for each worker, shared by its listeners. */
export class WebSocketAttempts implements WebSocketSender {
  readonly #pipeline: Pipeline;
  readonly #pausesClients: boolean;
  /** By slot. */
  readonly #addresses = new Map<number, readonly string[]>();
  /** Those with an endpoint's side. */
  readonly #open = new Set<WebSocketExchange>();

  /** @param pausesClients LoadedUws.pausesWebSockets */
  constructor(pipeline: Pipeline, pausesClients: boolean) {
    this.#pipeline = pipeline;
    this.#pausesClients = pausesClients;
  }

  /** Sockets to endpoints, those that connect included. */
  get upstreamConnections(): number {
    return this.#open.size;
  }

  /** As DataPlane.setAddresses. */
  setAddresses(slot: number, addresses: readonly string[]): void {
    this.#addresses.set(slot, addresses);
  }

  /** As EndpointPlan.slot of a plan: what other slots had is forgotten, and no attempt begins there. Open WebSockets stay. */
  retain(slots: ReadonlySet<number>): void {
    for (const slot of this.#addresses.keys()) if (!slots.has(slot)) this.#addresses.delete(slot);
  }

  /** Ends every open WebSocket with a close frame. Those that open while the pipeline drains end at once. Idempotent. */
  drain(): void {
    for (const { relay } of [...this.#open]) relay?.drain();
  }

  /** Drops every WebSocket and every attempt. Idempotent. */
  close(): void {
    for (const { relay, endpointSide } of [...this.#open]) {
      if (relay === null) endpointSide?.cut();
      else relay.cut();
    }
  }

  // --- called by exchanges ------------------------------------------------------------------------------------------------

  begin(exchange: WebSocketExchange, slot: number): AttemptStart {
    exchange.handshakeHead ??= handshakeHeadOf(exchange.head);
    if (exchange.handshakeHead === null) return 'SLUICE_BAD_REQUEST';
    const addresses = this.#addresses.get(slot) ?? [];
    if (addresses.length === 0) return NO_POOL;
    const { plan } = exchange.upstream as UpstreamRuntime; // the pipeline has just picked from it
    if (exchange.exchangeTimeoutMs > 0)
      exchange.deadline ??= setTimeout(
        () => this.#failed(exchange, 'SLUICE_EXCHANGE_TIMEOUT', 0, false),
        exchange.timeLeftMs,
      );
    this.#open.add(exchange);
    exchange.attemptBeganAt = performance.now();
    const target = plan.endpoints.find((endpoint) => endpoint.slot === slot)?.target;
    const way = { addresses, tls: plan.tls, serverName: serverNameOf(plan, target) };
    exchange.endpointSide = new EndpointWebSocket(way, plan, exchange.handshakeHead, {
      handshakeFailed: (code, errno, isUnsent) => this.#failed(exchange, code, errno, isUnsent),
      handshakeRefused: (answer) => this.#relayRefusal(exchange, answer),
      handshakeDone: (answer, protocol) => this.#upgrade(exchange, answer, protocol),
    });
    return BEGUN;
  }

  release(exchange: WebSocketExchange): void {
    exchange.stopTimers();
    exchange.refusalAnswer = null;
    exchange.endpointSide?.cut();
    exchange.endpointSide = null;
    this.#open.delete(exchange);
  }

  // --- called by the client's side, until the 101 -------------------------------------------------------------------------

  /** A request for a WebSocket has no body. */
  requestBody(): void {}

  clientGone(exchange: WebSocketExchange): void {
    if (exchange.state === 'free' || exchange.state === 'broken') return;
    if (exchange.refusal !== null) clearImmediate(exchange.refusal);
    this.#pipeline.readClock();
    this.release(exchange);
    this.#pipeline.finished(exchange, 'SLUICE_CLIENT_GONE');
  }

  clientReady(exchange: WebSocketExchange): void {
    exchange.idleTimer?.refresh();
    exchange.refusalAnswer?.resume();
  }

  clientTookAll(exchange: WebSocketExchange): void {
    if (exchange.state === 'flushing') this.#pipeline.finished(exchange, DELIVERED);
  }

  // --- what endpoints do --------------------------------------------------------------------------------------------------

  #failed(exchange: WebSocketExchange, code: ErrorCode, errno: number, isUnsent: boolean): void {
    exchange.endpointSide?.cut();
    exchange.endpointSide = null;
    this.#pipeline.readClock();
    // A handshake is a GET without a body, held by its exchange until the 101.
    const facts =
      exchange.status !== 0
        ? AttemptFact.SENT | AttemptFact.ANSWERED
        : isUnsent
          ? AttemptFact.HELD
          : AttemptFact.HELD | AttemptFact.SENT;
    this.#pipeline.attemptFailed(exchange, code, facts, elapsedUs(exchange), errno);
  }

  /** The endpoint has switched protocols: so does the client's connection. */
  #upgrade(exchange: WebSocketExchange, answer: IncomingMessage, protocol: string): void {
    const { endpointSide, handshake, listener } = exchange;
    const { plan } = exchange.upstream as UpstreamRuntime; // since begin
    const response = exchange.takeResponse();
    if (endpointSide === null || handshake === null || response === null) return this.clientGone(exchange);
    exchange.stopTimers();
    exchange.connectUs = endpointSide.connectUs;
    this.#pipeline.readClock();
    this.#pipeline.headCame(exchange, SWITCHING_PROTOCOLS, elapsedUs(exchange));
    const head = exchange.switchingHead(tellFacts(this.#pipeline, exchange, clientHeadOf(answer, true)));
    const relay = new WebSocketRelay({
      endpoint: endpointSide,
      idleMs: listener.timeouts.tunnelIdleMs,
      endpointStallMs: plan.timeouts.idleMs,
      onEnd: (ending) => this.#relayEnded(exchange, ending),
    });
    exchange.relay = relay;
    const client = new ClientWebSocket(relay);
    relay.join(client);
    if (this.#pausesClients) client.throttleLike(response);
    upgradeClient(client, response, { ...handshake, head, protocol });
    if (this.#pipeline.isDraining) relay.drain();
  }

  #relayEnded(exchange: WebSocketExchange, ending: Ending): void {
    this.#pipeline.readClock();
    if (ending === 'SLUICE_ENDPOINT_RESET' || ending === 'SLUICE_BAD_RESPONSE')
      exchange.upstream?.settleReset(exchange, true, this.#pipeline.now);
    exchange.bytesFromClient = exchange.relay?.bytesFromClient ?? 0;
    exchange.bytesToClient = exchange.relay?.bytesToClient ?? 0;
    this.release(exchange);
    this.#pipeline.finished(exchange, ending);
  }

  /** The endpoint has answered with something else than 101: its answer goes to the client as it is. */
  #relayRefusal(exchange: WebSocketExchange, answer: IncomingMessage): void {
    const pipeline = this.#pipeline;
    exchange.connectUs = exchange.endpointSide?.connectUs ?? 0;
    pipeline.readClock();
    pipeline.headCame(exchange, answer.statusCode ?? 0, elapsedUs(exchange));
    const head = tellFacts(pipeline, exchange, clientHeadOf(answer, false));
    const totalBytes = lengthOf(answer);
    const isWhole = totalBytes === BODYLESS || totalBytes === 0;
    if (isWhole) this.#endpointDone(exchange);
    const mustClose = pipeline.isDraining || exchange.isListenerGone;
    const isTaken = exchange.sendHead(head, NOTHING, totalBytes, isWhole, mustClose);
    if (isWhole) return this.#finishIfFlushed(exchange);
    exchange.refusalAnswer = answer;
    exchange.idleTimer = setTimeout(
      () => this.#refusalFailed(exchange, answer, 'SLUICE_IDLE_TIMEOUT'),
      exchange.upstream?.plan.timeouts.idleMs,
    );
    answer.on('data', (chunk: Buffer) => {
      if (exchange.refusalAnswer !== answer) return;
      exchange.idleTimer?.refresh();
      exchange.bytesToClient += chunk.length;
      if (!exchange.sendBody(chunk, false)) answer.pause();
    });
    answer.on('end', () => {
      if (exchange.refusalAnswer !== answer) return;
      pipeline.readClock();
      this.#endpointDone(exchange);
      exchange.sendBody(NOTHING, true);
      this.#finishIfFlushed(exchange);
    });
    answer.on('error', () => this.#refusalFailed(exchange, answer, 'SLUICE_RESPONSE_TRUNCATED'));
    if (!isTaken) answer.pause();
  }

  #refusalFailed(exchange: WebSocketExchange, answer: IncomingMessage, code: ErrorCode): void {
    if (exchange.refusalAnswer !== answer) return;
    // A client that takes nothing keeps the endpoint waiting: then its silence says nothing.
    if (code === 'SLUICE_IDLE_TIMEOUT' && answer.isPaused()) exchange.idleTimer?.refresh();
    else this.#failed(exchange, code, 0, false);
  }

  /** The endpoint's answer is whole. `ws` keeps no connections for a next request. */
  #endpointDone(exchange: WebSocketExchange): void {
    this.release(exchange);
    this.#pipeline.endpointDone(exchange);
  }

  #finishIfFlushed(exchange: WebSocketExchange): void {
    if (exchange.isFlushed) this.#pipeline.finished(exchange, DELIVERED);
  }
}

/** Since the attempt began. */
function elapsedUs(exchange: WebSocketExchange): number {
  return Math.round((performance.now() - exchange.attemptBeganAt) * US_PER_MS);
}

/** Of the body of an answer to a GET. */
function lengthOf({ statusCode, headers }: IncomingMessage): number {
  if (statusCode === NO_CONTENT || statusCode === NOT_MODIFIED) return BODYLESS;
  const length = headers['content-length'];
  return length === undefined || headers['transfer-encoding'] !== undefined ? UNKNOWN_LENGTH : Number(length);
}
