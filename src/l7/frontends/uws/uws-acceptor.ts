/**
 * Accepts for all workers in the primary and hands each connection to the next worker's app, where the loaded uWebSockets.js can
 * (20.56 and later). Thread: primary.
 */
import type { L7ListenerPlan } from '../../../config/plan.js';
import { invariant } from '../../../core/invariant.js';
import { ProxyError } from '../../../core/proxy-error.js';
import type { HandOffPlace } from '../../../worker/data-plane.js';
import type { AcceptGate } from '../../accept-gate.js';
import type { Uws, UwsApp, UwsAppDescriptor, UwsListenSocket } from './load-uws.js';

/** listen()'s option for an address that the primary has reserved: the reservation shares it by SO_REUSEPORT. */
const SHARED_PORT = 0;

interface Acceptor {
  plan: L7ListenerPlan;
  readonly app: UwsApp;
  /** By worker. */
  readonly workers: Map<number, UwsAppDescriptor>;
  socket: UwsListenSocket | null;
}

/** What the acceptor is made of. */
export interface UwsAcceptorParts {
  /** Of a binary with hasChildApps. */
  readonly uws: Uws;
  /** Of this thread. */
  readonly gate: AcceptGate;
}

/** One for a process (control's UwsHandOff). Listens while there is at least one worker to hand connections to. */
export class UwsAcceptor {
  readonly #uws: Uws;
  readonly #gate: AcceptGate;
  /** By name of the listener. */
  readonly #acceptors = new Map<string, Acceptor>();
  /** By worker: descriptors by name of the listener. */
  readonly #places = new Map<number, ReadonlyMap<string, UwsAppDescriptor>>();
  #isStopped = false;

  constructor(parts: UwsAcceptorParts) {
    this.#uws = parts.uws;
    this.#gate = parts.gate;
    this.#gate.start();
  }

  /**
   * Accepts for these listeners, with their real ports, and for no others.
   *
   * @throws ProxyError SLUICE_ADDRESS_IN_USE
   */
  listenAt(listeners: readonly L7ListenerPlan[]): void {
    for (const [name, acceptor] of this.#acceptors) {
      const plan = listeners.find((each) => each.name === name);
      if (plan !== undefined && isSameAddress(plan, acceptor.plan)) acceptor.plan = plan;
      else this.#leave(acceptor);
    }
    for (const plan of listeners) {
      if (this.#acceptors.has(plan.name)) continue;
      const acceptor: Acceptor = { plan, app: this.#uws.App(), workers: new Map(), socket: null };
      this.#acceptors.set(plan.name, acceptor);
      for (const [worker, descriptors] of this.#places) this.#setPlace(acceptor, worker, descriptors.get(plan.name));
    }
  }

  /** A worker takes connections at these places from now on, and at no others. @throws ProxyError SLUICE_ADDRESS_IN_USE */
  add(worker: number, places: readonly HandOffPlace[]): void {
    const apps = places.flatMap((place) =>
      place.kind === 'app' ? [[place.listener, place.descriptor as UwsAppDescriptor] as const] : [],
    );
    const descriptors = new Map(apps);
    this.#places.set(worker, descriptors);
    for (const [name, acceptor] of this.#acceptors) this.#setPlace(acceptor, worker, descriptors.get(name));
  }

  /** A worker is about to end: its apps get nothing more. Must come before its thread is gone. Idempotent. */
  remove(worker: number): void {
    this.#places.delete(worker);
    for (const acceptor of this.#acceptors.values()) this.#setPlace(acceptor, worker, undefined);
  }

  /** Stops accepting for good. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#gate.stop();
    for (const acceptor of this.#acceptors.values()) this.#listenOrStop(acceptor);
  }

  #setPlace(acceptor: Acceptor, worker: number, descriptor: UwsAppDescriptor | undefined): void {
    const before = acceptor.workers.get(worker);
    if (before === descriptor) return;
    if (descriptor === undefined) {
      acceptor.workers.delete(worker);
    } else {
      acceptor.app.addChildAppDescriptor?.(descriptor);
      acceptor.workers.set(worker, descriptor);
    }
    // Nobody is left: stop listening first, since an acceptor without workers would answer by itself.
    this.#listenOrStop(acceptor);
    if (before !== undefined) acceptor.app.removeChildAppDescriptor?.(before);
  }

  #leave(acceptor: Acceptor): void {
    this.#acceptors.delete(acceptor.plan.name);
    for (const worker of [...acceptor.workers.keys()]) this.#setPlace(acceptor, worker, undefined);
  }

  #listenOrStop(acceptor: Acceptor): void {
    const shouldListen = acceptor.workers.size > 0 && !this.#isStopped;
    if (shouldListen && acceptor.socket === null) {
      const { name, bind } = acceptor.plan;
      invariant(bind.kind === 'tcp', 'the configuration has refused a UNIX socket');
      const { host, port } = bind;
      acceptor.app.listen(host, port, SHARED_PORT, (socket) => {
        if (socket === false) throw new ProxyError('SLUICE_ADDRESS_IN_USE', { listener: name, host, port });
        acceptor.socket = socket;
      });
    } else if (!shouldListen && acceptor.socket !== null) {
      this.#uws.us_listen_socket_close(acceptor.socket);
      acceptor.socket = null;
    }
  }
}

function isSameAddress({ bind: one }: L7ListenerPlan, { bind: other }: L7ListenerPlan): boolean {
  return one.kind === 'tcp' && other.kind === 'tcp' && one.host === other.host && one.port === other.port;
}
