/** All that a worker has of uWebSockets.js: the loaded library, a front end for each of its listeners, and the gate before them. */
import { KeyHasher } from '../../../balancing/key-hasher.js';
import type { L7ListenerPlan } from '../../../config/plan.js';
import type { Addon } from '../../../engine/addon.js';
import type { Logger } from '../../../observability/logger.js';
import type { HandOffPlace } from '../../../worker/data-plane.js';
import { AcceptGate } from '../../accept-gate.js';
import type { Pipeline } from '../../pipeline.js';
import { RequestIds } from '../../request-id.js';
import type { ResponseRelay } from '../../response-relay.js';
import { loadUws, removeUwsMark } from './load-uws.js';
import { UwsFrontEnd } from './uws-front-end.js';
import { WebSocketAttempts } from './web-socket-attempts.js';

/** What the front ends need of their worker. */
export interface UwsFrontEndsParts {
  readonly listeners: readonly L7ListenerPlan[];
  readonly relay: ResponseRelay;
  readonly pipeline: Pipeline;
  readonly addon: Addon;
  /** This process's name in Via. */
  readonly viaName: string;
  /** 24 hex digits from a good source of randomness, other ones in each worker. */
  readonly requestIdPrefix: string;
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly workerIndex: number;
}

/** Made only where a listener has `frontend: uws`: nothing of the library is loaded otherwise. Thread: worker. */
export class UwsFrontEnds {
  readonly #addon: Addon;
  readonly #frontEnds: readonly UwsFrontEnd[];
  readonly #webSockets: WebSocketAttempts;
  readonly #gate: AcceptGate;

  /** @throws ProxyError SLUICE_UWS_MISSING */
  constructor(parts: UwsFrontEndsParts) {
    const { listeners, relay, pipeline, viaName, addon, logger, nowMs, workerIndex } = parts;
    this.#addon = addon;
    const loaded = loadUws();
    const requestIds = new RequestIds(parts.requestIdPrefix);
    const hasher = new KeyHasher(addon);
    const webSockets = new WebSocketAttempts(pipeline, loaded.pausesWebSockets);
    this.#webSockets = webSockets;
    this.#frontEnds = listeners.map(
      (listener) => new UwsFrontEnd({ listener, loaded, relay, webSockets, requestIds, hasher, viaName }),
    );
    removeUwsMark(loaded.uws);
    this.#gate = new AcceptGate(addon, logger, nowMs, workerIndex === 0);
  }

  /** @throws ProxyError SLUICE_ADDRESS_IN_USE */
  listen(): void {
    for (const frontEnd of this.#frontEnds) frontEnd.listen();
    this.#gate.start();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    return this.#frontEnds.flatMap((frontEnd) => frontEnd.handOffPlace ?? []);
  }

  /** An attempt failed for want of descriptors: looks at once whether clients have to wait. */
  noteFileLimit(): void {
    this.#gate.look();
  }

  /** As DataPlane.setAddresses: for WebSockets, whose connections to endpoints are not the engine's. */
  setAddresses(slot: number, addresses: readonly string[]): void {
    this.#webSockets.setAddresses(slot, addresses);
  }

  /** Sockets to endpoints that are not the engine's. */
  get upstreamConnections(): number {
    return this.#webSockets.upstreamConnections;
  }

  /** Stops accepting; open connections stay, but WebSockets are closed. After the pipeline's drain. Idempotent. */
  drain(): void {
    this.#gate.stop();
    for (const frontEnd of this.#frontEnds) frontEnd.stopListening();
    this.#webSockets.drain();
  }

  /** Client connections open now; null: the loaded binary (20.30) does not tell. */
  openConnections(): number | null {
    let sum = 0;
    for (const { openConnections } of this.#frontEnds) {
      if (openConnections === null) return null;
      sum += openConnections;
    }
    return sum;
  }

  /** Connections that the library still has bytes for. Walks all handles of the thread: for one that drains. */
  countWriters(): number {
    return this.#addon.countForeignWriters();
  }

  /** Closes every connection at once. Idempotent. */
  close(): void {
    this.#gate.stop();
    for (const frontEnd of this.#frontEnds) frontEnd.close();
    this.#webSockets.close();
  }

  /** The last call of all, behind the engine's close: the library calls nobody any more. Idempotent. */
  silence(): void {
    this.#addon.silenceForeignHandles();
  }
}
