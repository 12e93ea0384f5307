/** Takes the addresses of all listeners before any worker listens, so that a taken port is one clear sentence and not N; and changes them. */
import { isDeepStrictEqual } from 'node:util';
import type { BindPlan, ListenerPlan, Plan } from '../config/plan.js';
import { wholeSeconds } from '../core/whole-seconds.js';
import type { Addon } from '../engine/addon.js';
import type { ListeningAddress, ListeningOptions, SessionAddon } from '../engine/session-engine.js';
import type { SessionListening, SessionListenings } from '../worker/data-plane.js';
import { isOfUws } from './hand-offs.js';
import { bindFailure, bindText, listenerPlace, StartFailure } from './start-failure.js';

/** Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn, which is 4096 since Linux 5.4. */
const BACKLOG = 4096;

/** What the addresses need of the addon. */
export type ListeningAddon = Pick<Addon, 'reserveAddress'> & Pick<SessionAddon, 'openListeningSocket'>;

/** A setting of a listener, both by their names in the file. */
export interface FrozenSetting {
  readonly listener: string;
  readonly setting: 'accept' | 'deferAccept' | 'keepAlive' | 'limits.headBytes' | 'socketMode';
}

/** The addresses of one plan: taken, but not counted on before commit(). */
export interface AddressEdition {
  /** The plan with the real port of every listener. */
  readonly plan: Plan;
  /** Of the listeners at which each worker accepts for itself, by number; those of uWebSockets.js are not told here. */
  readonly sessionListenings: SessionListenings;
  /** Listening sockets of the others, by number of their listener: the acceptor accepts there for all workers. */
  readonly descriptors: ReadonlyMap<number, number>;
  /** Settings of listeners whose socket stays as it was opened: they take effect with the next start. */
  readonly frozen: readonly FrozenSetting[];
  /** The plan counts. @returns closes what no listener has any more; nobody may accept there then */
  commit(): () => void;
  /** Closes what was opened for it. */
  withdraw(): void;
}

/** An address that this process holds. */
interface HeldAddress {
  /** `shared`: reserved only, workers listen there by SO_REUSEPORT. `own`: the primary listens. */
  readonly kind: 'shared' | 'own';
  /** As the plan said, port 0 included. */
  readonly wanted: BindPlan;
  /** Of an own one, with which it was opened. */
  readonly options: ListeningOptions;
  readonly port: number;
  /** Of an own one. */
  readonly descriptor: number;
  close(): void;
}

type Held = ReadonlyMap<number, HeldAddress>;

/**
 * Those of uWebSockets.js, and others with `accept: reuseport`, are reserved: workers then share them by SO_REUSEPORT. On the rest, of L4 and
 * of the native front end, the primary listens: it keeps the socket, so that what waits in the backlog survives a worker, and accepts
 * itself, or, for a sole worker, lets that one accept. A UNIX socket cannot be shared by SO_REUSEPORT.
 *
 * From one plan to the next an address goes with the number of its listener, or to whoever has the address now: a listener that is renamed, or
 * two that swap ports, lose no connection. Thread: primary.
 */
export class ListenerAddresses {
  readonly #addon: ListeningAddon;
  /** By number of the listener. */
  #held: Held = new Map();

  constructor(addon: ListeningAddon) {
    this.#addon = addon;
  }

  /**
   * Takes the addresses of a plan, those that are held already and new ones. One at a time: commit or withdraw it before the next.
   *
   * @throws StartFailure SLUICE_ADDRESS_IN_USE, SLUICE_ADDRESS_DENIED, SLUICE_ADDRESS_UNAVAILABLE; nothing more is taken then than before
   */
  edit(plan: Plan): AddressEdition {
    const before = this.#held;
    const opened: HeldAddress[] = [];
    const withdraw = (): void => {
      for (const address of opened.splice(0)) address.close();
    };
    try {
      const found = this.#stayingOf(plan);
      for (const listener of plan.listeners) {
        if (found.has(listener.number)) continue;
        const address = this.#open(listener, plan.workers);
        opened.push(address);
        found.set(listener.number, address);
      }
      return {
        ...placesOf(plan, found),
        commit: () => {
          this.#held = found;
          const kept = new Set(found.values());
          const gone = [...before.values()].filter((address) => !kept.has(address));
          return () => {
            for (const address of gone.splice(0)) address.close();
          };
        },
        withdraw,
      };
    } catch (error) {
      withdraw();
      throw error;
    }
  }

  /** Gives all addresses back and closes the listening sockets; who accepts there must have stopped by then. Idempotent. */
  close(): void {
    for (const address of this.#held.values()) address.close();
    this.#held = new Map();
  }

  /** Addresses that are held already, by number of the listener that has them in this plan. */
  #stayingOf({ listeners, workers }: Plan): Map<number, HeldAddress> {
    const found = new Map<number, HeldAddress>();
    for (const { number, bind } of listeners) {
      const own = this.#held.get(number);
      if (own !== undefined && isSamePlace(own.wanted, bind)) found.set(number, own);
    }
    for (const { number, bind } of listeners) {
      if (found.has(number)) continue;
      const taken = new Set(found.values());
      const free = [...this.#held.values()].find((each) => !taken.has(each) && hasPlace(each, bind));
      if (free !== undefined) found.set(number, free);
    }
    for (const listener of listeners) {
      const address = found.get(listener.number);
      if (address !== undefined && address.kind !== kindOf(listener, workers)) throw heldOtherwise(listener);
    }
    return found;
  }

  #open(listener: ListenerPlan, workers: number): HeldAddress {
    const { bind: wanted } = listener;
    const kind = kindOf(listener, workers);
    const options = listeningOptions(listener, kind === 'shared');
    try {
      if (kind === 'shared' && wanted.kind === 'tcp') {
        const address = this.#addon.reserveAddress(wanted.host, wanted.port);
        return { kind, wanted, options, port: address.port, descriptor: -1, close: () => address.close() };
      }
      const socket = this.#addon.openListeningSocket(addressOf(wanted), options);
      const { port, descriptor } = socket;
      return { kind: 'own', wanted, options, port, descriptor, close: () => socket.close() };
    } catch (error) {
      const failure = bindFailure(listenerPlace(listener), error);
      throw failure.code === 'SLUICE_ADDRESS_IN_USE' ? (this.#ownConflict(wanted) ?? failure) : failure;
    }
  }

  /** The port is sluice's own, at another address of this machine. null: it is not. */
  #ownConflict(wanted: BindPlan): StartFailure | null {
    if (wanted.kind !== 'tcp') return null;
    const own = [...this.#held.values()].find(({ wanted: has, port }) => has.kind === 'tcp' && port === wanted.port);
    if (own === undefined || own.wanted.kind !== 'tcp') return null;
    const has = bindText({ ...own.wanted, port: own.port });
    return new StartFailure(
      'SLUICE_ADDRESS_IN_USE',
      `${bindText(wanted)} cannot be had while sluice itself listens on ${has}, which closes only when the new address is there: restart sluice, or go by another port first`,
    );
  }
}

/** What each listener of the plan accepts on. Pure. */
function placesOf(
  plan: Plan,
  held: Held,
): Pick<AddressEdition, 'plan' | 'sessionListenings' | 'descriptors' | 'frozen'> {
  const sessionListenings: Record<number, SessionListening> = {};
  const descriptors = new Map<number, number>();
  const frozen: FrozenSetting[] = [];
  const listeners = plan.listeners.map((listener): ListenerPlan => {
    const address = held.get(listener.number);
    if (address === undefined) return listener;
    const { number } = listener;
    const bound = boundAt(listener, address.port);
    if (address.kind === 'shared') {
      const from = addressOf(bound.bind);
      if (!isOfUws(listener)) sessionListenings[number] = { from, options: listeningOptions(listener, true) };
      return bound;
    }
    const { descriptor, options } = address;
    if (plan.workers === 1) sessionListenings[number] = { from: { descriptor }, options };
    else descriptors.set(number, descriptor);
    for (const setting of frozenOf(address, listener)) frozen.push({ listener: listener.name, setting });
    return bound;
  });
  return { plan: { ...plan, listeners }, sessionListenings, descriptors, frozen };
}

/** What the socket of a listener has otherwise than the plan. Pure. */
function frozenOf({ options, wanted }: HeldAddress, listener: ListenerPlan): FrozenSetting['setting'][] {
  const { bind } = listener;
  const now = listeningOptions(listener, false);
  return [
    ...(options.deferAcceptS === now.deferAcceptS ? [] : (['deferAccept'] as const)),
    ...(isDeepStrictEqual(options.keepAlive, now.keepAlive) ? [] : (['keepAlive'] as const)),
    ...(bind.kind === 'unix' && wanted.kind === 'unix' && bind.mode !== wanted.mode ? (['socketMode'] as const) : []),
  ];
}

/** Who listens at the addresses of a listener. Pure. */
function kindOf(listener: ListenerPlan, workers: number): HeldAddress['kind'] {
  const isShared = isOfUws(listener) || (workers > 1 && listener.accept === 'reuseport');
  return isShared && listener.bind.kind === 'tcp' ? 'shared' : 'own';
}

/** The same address as it stands in the file, whatever the mode of a UNIX socket's file. */
function isSamePlace(one: BindPlan, other: BindPlan): boolean {
  if (one.kind === 'unix') return other.kind === 'unix' && one.path === other.path;
  return other.kind === 'tcp' && one.host === other.host && one.port === other.port;
}

/** Is it held for exactly this address? Port 0 is any that is free, and so never one that is held. */
function hasPlace({ wanted, port }: HeldAddress, bind: BindPlan): boolean {
  if (bind.kind === 'tcp' && bind.port === 0) return false;
  return isSamePlace(wanted.kind === 'tcp' ? { ...wanted, port } : wanted, bind);
}

function heldOtherwise(listener: ListenerPlan): StartFailure {
  return new StartFailure(
    'SLUICE_ADDRESS_IN_USE',
    `listener ${listener.name} cannot accept on ${bindText(listener.bind)} in another way than sluice does there now (frontend, or accept): restart sluice, or choose another address`,
  );
}

function boundAt(listener: ListenerPlan, port: number): ListenerPlan {
  return listener.bind.kind === 'unix' ? listener : { ...listener, bind: { ...listener.bind, port } };
}

function addressOf(bind: BindPlan): ListeningAddress {
  return bind.kind === 'unix' ? { path: bind.path, mode: bind.mode } : { host: bind.host, port: bind.port };
}

function listeningOptions({ deferAcceptMs, keepAlive }: ListenerPlan, isShared: boolean): ListeningOptions {
  return {
    backlog: BACKLOG,
    deferAcceptS: wholeSeconds(deferAcceptMs),
    keepAlive: {
      idleS: wholeSeconds(keepAlive.idleMs),
      intervalS: wholeSeconds(keepAlive.intervalMs),
      probes: keepAlive.probes,
    },
    isShared,
  };
}
