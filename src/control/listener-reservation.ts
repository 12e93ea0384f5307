/** Takes the addresses of all listeners before any worker starts, so that a taken port is one clear sentence and not N. */
import type { BindPlan, ListenerPlan, Plan } from '../config/plan.js';
import { wholeSeconds } from '../core/whole-seconds.js';
import type { Addon } from '../engine/addon.js';
import type { ListeningAddress, ListeningOptions, SessionAddon } from '../engine/session-engine.js';
import type { SessionListening, SessionListenings } from '../worker/data-plane.js';
import { bindFailure, listenerPlace } from './start-failure.js';

/** Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn, which is 4096 since Linux 5.4. */
const BACKLOG = 4096;

/** The addresses, taken. */
export interface Reservation {
  /** The plan with the real port of every listener. */
  readonly plan: Plan;
  /** Of the listeners at which each worker accepts for itself; those of uWebSockets.js are not told here. */
  readonly sessionListenings: SessionListenings;
  /** Listening sockets of the others, by the index of their listener in the plan: the acceptor accepts there for all workers. */
  readonly descriptors: ReadonlyMap<number, number>;
  /** Gives the addresses back and closes the listening sockets; the acceptor must be closed by then. Idempotent. */
  close(): void;
}

/** What the reservation needs of the addon. */
export type ListeningAddon = Pick<Addon, 'reserveAddress'> & Pick<SessionAddon, 'openListeningSocket'>;

/**
 * Takes every listener's address. Those of uWebSockets.js, and others with `accept: reuseport`, are reserved: workers then share them by
 * SO_REUSEPORT. On the rest, of L4 and of the native front end, the primary listens: it keeps the socket, so that what waits in the
 * backlog survives a worker, and accepts itself, or, for a sole worker, lets that one accept. A UNIX socket cannot be shared by
 * SO_REUSEPORT. Thread: primary.
 *
 * @throws StartFailure SLUICE_ADDRESS_IN_USE, SLUICE_ADDRESS_DENIED, SLUICE_ADDRESS_UNAVAILABLE; nothing stays taken then
 */
export function reserveListeners(plan: Plan, addon: ListeningAddon): Reservation {
  const held: { close(): void }[] = [];
  const close = (): void => {
    for (const address of held.splice(0)) address.close();
  };
  const listeners: ListenerPlan[] = [];
  const sessionListenings: Record<number, SessionListening> = {};
  const descriptors = new Map<number, number>();
  plan.listeners.forEach((listener, index) => {
    try {
      const isUws = listener.mode === 'l7' && listener.frontend === 'uws';
      const isShared = isUws || (plan.workers > 1 && listener.accept === 'reuseport');
      if (isShared && listener.bind.kind === 'tcp') {
        const { host, port } = listener.bind;
        const address = addon.reserveAddress(host, port);
        held.push(address);
        const bound = boundAt(listener, address.port);
        listeners.push(bound);
        if (!isUws)
          sessionListenings[index] = { from: addressOf(bound.bind), options: listeningOptions(listener, true) };
      } else {
        const options = listeningOptions(listener, false);
        const socket = addon.openListeningSocket(addressOf(listener.bind), options);
        held.push(socket);
        listeners.push(boundAt(listener, socket.port));
        if (plan.workers === 1) sessionListenings[index] = { from: { descriptor: socket.descriptor }, options };
        else descriptors.set(index, socket.descriptor);
      }
    } catch (error) {
      close();
      throw bindFailure(listenerPlace(listener), error);
    }
  });
  return { plan: { ...plan, listeners }, sessionListenings, descriptors, close };
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
