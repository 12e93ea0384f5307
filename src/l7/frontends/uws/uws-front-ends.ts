/** All that a worker has of uWebSockets.js: the loaded library, a front end for each of its listeners, and the gate before them. */
import { KeyHasher } from '../../../balancing/key-hasher.js';
import type { L7ListenerPlan, ListenerPlan, Plan, RoutePlan } from '../../../config/plan.js';
import { ProxyError } from '../../../core/proxy-error.js';
import type { Addon } from '../../../engine/addon.js';
import type { Logger } from '../../../observability/logger.js';
import type { HandOffPlace } from '../../../worker/data-plane.js';
import { AcceptGate } from '../../accept-gate.js';
import type { Pipeline } from '../../pipeline.js';
import { RequestIds } from '../../request-id.js';
import type { ResponseRelay } from '../../response-relay.js';
import { LeavingFrontEnds } from './leaving-front-ends.js';
import { loadUws, removeUwsMark } from './load-uws.js';
import { UwsExchanges } from './uws-exchanges.js';
import { UwsFrontEnd, type UwsFrontEndParts } from './uws-front-end.js';
import { WebSocketAttempts } from './web-socket-attempts.js';

/** What the front ends need of their worker. */
export interface UwsFrontEndsParts {
  /** Those with this front end, at least one. */
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
  readonly #parts: UwsFrontEndParts;
  /** By number of the listener. */
  readonly #frontEnds = new Map<number, UwsFrontEnd>();
  readonly #leaving: LeavingFrontEnds;
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
    const exchanges = new UwsExchanges(relay, webSockets);
    this.#parts = { loaded, relay, exchanges, requestIds, hasher, viaName, logger };
    this.#leaving = new LeavingFrontEnds(() => this.countWriters());
    // It would print the names of certificates between the lines of the log.
    addon.muteStandardOutputStream();
    for (const listener of listeners) this.#frontEnds.set(listener.number, new UwsFrontEnd(listener, this.#parts));
    removeUwsMark(loaded.uws);
    this.#gate = new AcceptGate(addon, logger, nowMs, workerIndex === 0);
  }

  /** @throws ProxyError SLUICE_ADDRESS_IN_USE */
  listen(): void {
    for (const frontEnd of this.#frontEnds.values()) frontEnd.listen();
    this.#gate.start();
  }

  /**
   * Goes by another plan, whose listeners of other front ends it leaves alone. To be called in the same turn as the pipeline's own change
   * of plan, since routes are told by the objects of the plan. Requests that are under way finish by the plan that they began with, open
   * connections and WebSockets stay, and what comes on them goes by the new plan.
   *
   * New listeners accept when it returns. A listener with another address listens there first, and then no more at the former one.
   * Those that are gone accept nothing; every answer ends its connection; WebSockets have the plan's shutdownTimeoutMs to end by
   * themselves; idle connections are closed when nothing else is open there. Endpoints that are gone get no WebSockets any more, those
   * that they have stay; addresses of new ones come by `setAddresses`.
   *
   * @throws ProxyError SLUICE_ADDRESS_IN_USE for the first address that cannot be had; the rest is done all the same, and the listener
   * that had another one before keeps it until the next plan
   */
  apply(plan: Plan): void {
    const listeners = plan.listeners.filter(isForUws);
    const numbers = new Set(listeners.map(({ number }) => number));
    for (const [number, frontEnd] of this.#frontEnds) {
      if (numbers.has(number)) continue;
      this.#frontEnds.delete(number);
      this.#leaving.add(frontEnd, plan.shutdownTimeoutMs);
    }
    const failures: ProxyError[] = [];
    for (const listener of listeners) {
      try {
        this.#frontEndOf(listener).listen();
      } catch (error) {
        if (!(error instanceof ProxyError)) throw error;
        failures.push(error);
      }
    }
    this.#webSockets.retain(new Set(plan.upstreams.flatMap(({ endpoints }) => endpoints.map(({ slot }) => slot))));
    if (failures[0] !== undefined) throw failures[0];
  }

  /** The one that there is, with its new plan, or a new one. */
  #frontEndOf(listener: L7ListenerPlan): UwsFrontEnd {
    const known = this.#frontEnds.get(listener.number);
    if (known !== undefined) {
      known.change(listener);
      return known;
    }
    const made = new UwsFrontEnd(listener, this.#parts);
    this.#frontEnds.set(listener.number, made);
    return made;
  }

  /** Of listeners that are gone: requests may still begin with them. */
  get leavingRoutes(): readonly RoutePlan[] {
    return this.#leaving.all.flatMap(({ routes }) => routes);
  }

  /** As DataPlane.certificatesChanged. */
  certificatesChanged(listener: number): void {
    this.#frontEnds.get(listener)?.certificatesChanged();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    return [...this.#frontEnds.values()].flatMap((frontEnd) => frontEnd.handOffPlace ?? []);
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
    for (const frontEnd of this.#frontEnds.values()) frontEnd.stopListening();
    this.#webSockets.drain();
  }

  /** Client connections open now; null: the loaded binary (20.30) does not tell. */
  openConnections(): number | null {
    let sum = 0;
    for (const { openConnections } of [...this.#frontEnds.values(), ...this.#leaving.all]) {
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
    for (const frontEnd of this.#frontEnds.values()) frontEnd.close();
    this.#leaving.close();
    this.#webSockets.close();
  }

  /** The last call of all, behind the engine's close: the library calls nobody any more. Idempotent. */
  silence(): void {
    this.#addon.silenceForeignHandles();
  }
}

/** Does uWebSockets.js speak to the clients of this listener? */
export function isForUws(listener: ListenerPlan): listener is L7ListenerPlan {
  return listener.mode === 'l7' && listener.frontend === 'uws';
}
