/** Everything in the primary that accepts connections for all workers, as the listeners of the plan need it: made when the first one does. */
import type { L7ListenerPlan, ListenerPlan } from '../config/plan.js';
import type { SessionAddon } from '../engine/session-engine.js';
import type { Logger } from '../observability/logger.js';
import type { HandOffPlace } from '../worker/data-plane.js';
import type { ConnectionHandOff, UwsHandOff } from './connection-hand-off.js';
import type { OpenLimits } from './file-limit.js';
import { SessionAcceptor } from './session-acceptor.js';

/** What the hand-offs are made of. */
export interface HandOffsParts {
  readonly addon: Pick<SessionAddon, 'Acceptor'>;
  /**
   * Makes the one for listeners of uWebSockets.js, which it is given; undefined: the workers accept for themselves.
   * @throws ProxyError SLUICE_UWS_MISSING
   */
  readonly makeUws: (listeners: readonly L7ListenerPlan[]) => UwsHandOff | undefined;
  readonly limits: OpenLimits;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Thread: primary. */
export class HandOffs implements ConnectionHandOff {
  readonly #parts: HandOffsParts;
  readonly #acceptors = new Map<ListenerPlan['mode'], SessionAcceptor>();
  #uws: UwsHandOff | undefined;
  #uwsHeadBytes: number | null = null;
  /** By worker. */
  readonly #places = new Map<number, readonly HandOffPlace[]>();
  #isStopped = false;

  constructor(parts: HandOffsParts) {
    this.#parts = parts;
  }

  /** Largest head that uWebSockets.js was loaded for, which it goes by until the process ends; null: it was not loaded. */
  get uwsHeadBytes(): number | null {
    return this.#uwsHeadBytes;
  }

  /**
   * Makes what these listeners need and nothing has needed before; nothing is accepted by this.
   *
   * @param descriptors as listenAt()
   * @throws ProxyError SLUICE_UWS_MISSING; what was there stays
   */
  prepare(listeners: readonly ListenerPlan[], descriptors: ReadonlyMap<number, number>): void {
    const uwsListeners = listeners.filter(isOfUws);
    if (uwsListeners.length > 0 && this.#uwsHeadBytes === null) {
      this.#uws = this.#parts.makeUws(uwsListeners);
      this.#uwsHeadBytes = Math.max(...uwsListeners.map(({ limits }) => limits.headBytes));
      if (this.#uws !== undefined) this.#take(this.#uws);
    }
    for (const mode of ['l4', 'l7'] as const) {
      const isNeeded = listeners.some((listener) => listener.mode === mode && descriptors.has(listener.number));
      if (!isNeeded || this.#acceptors.has(mode)) continue;
      const { addon, limits, logger, nowMs } = this.#parts;
      const maxOpen = mode === 'l4' ? limits.sessions : limits.connections;
      const acceptor = new SessionAcceptor({ addon, mode, maxOpen, logger, nowMs });
      this.#acceptors.set(mode, acceptor);
      this.#take(acceptor);
    }
  }

  /** Listeners that the next plan has no more: nothing is accepted for them from now on. */
  leave(gone: readonly ListenerPlan[], stay: readonly ListenerPlan[]): void {
    for (const acceptor of this.#acceptors.values()) acceptor.leave(gone.map(({ number }) => number));
    this.#uws?.listenAt(stay.filter(isOfUws));
  }

  /**
   * Accepts for these listeners and for no others; after prepare().
   *
   * @param descriptors listening sockets by number of the listener, where the primary accepts
   */
  listenAt(listeners: readonly ListenerPlan[], descriptors: ReadonlyMap<number, number>): void {
    if (this.#isStopped) return;
    for (const [mode, acceptor] of this.#acceptors) {
      const own = listeners.filter((listener) => listener.mode === mode).map(({ number }) => number);
      acceptor.listenAt(new Map([...descriptors].filter(([number]) => own.includes(number))));
    }
    this.#uws?.listenAt(listeners.filter(isOfUws));
  }

  add(worker: number, places: readonly HandOffPlace[]): void {
    this.#places.set(worker, places);
    for (const handOff of this.#all()) handOff.add(worker, places);
  }

  remove(worker: number): void {
    this.#places.delete(worker);
    for (const handOff of this.#all()) handOff.remove(worker);
  }

  stop(): void {
    this.#isStopped = true;
    for (const handOff of this.#all()) handOff.stop();
  }

  #all(): readonly ConnectionHandOff[] {
    return [...this.#acceptors.values(), ...(this.#uws === undefined ? [] : [this.#uws])];
  }

  /** One that is new gets to know the workers that are there. */
  #take(handOff: ConnectionHandOff): void {
    for (const [worker, places] of this.#places) handOff.add(worker, places);
    if (this.#isStopped) handOff.stop();
  }
}

/** Does uWebSockets.js accept its connections? Pure. */
export function isOfUws(listener: ListenerPlan): listener is L7ListenerPlan {
  return listener.mode === 'l7' && listener.frontend === 'uws';
}
