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
  /** Where that socket listens. */
  place: string;
}

/** What the acceptor is made of. */
export interface UwsAcceptorParts {
  /** Of a binary with hasChildApps. */
  readonly uws: Uws;
  /** With their real ports. */
  readonly listeners: readonly L7ListenerPlan[];
  /** Of this thread. */
  readonly gate: AcceptGate;
}

/** One for a process (control's ConnectionHandOff). Listens while there is at least one worker to hand connections to. */
export class UwsAcceptor {
  readonly #uws: Uws;
  #listeners: readonly L7ListenerPlan[];
  readonly #gate: AcceptGate;
  readonly #acceptors = new Map<string, Acceptor>();
  #isStopped = false;

  constructor(parts: UwsAcceptorParts) {
    this.#uws = parts.uws;
    this.#listeners = parts.listeners;
    this.#gate = parts.gate;
    this.#gate.start();
  }

  /**
   * Goes by another plan: a listener with another address listens there first, and then no more at the former one; one that is gone
   * stops. New ones listen when the first worker offers an app for them. Before any worker is told of the plan.
   *
   * @param listeners with their real ports; those that were there before are known by their names
   * @throws ProxyError SLUICE_ADDRESS_IN_USE for the first address that cannot be had; the rest is done all the same
   */
  apply(listeners: readonly L7ListenerPlan[]): void {
    this.#listeners = listeners;
    const failures: unknown[] = [];
    for (const [name, acceptor] of this.#acceptors) {
      const plan = listeners.find((listener) => listener.name === name);
      try {
        if (plan === undefined) this.#drop(acceptor);
        else this.#move(acceptor, plan);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** A worker is ready to take connections, or has more to offer. Idempotent. @throws ProxyError SLUICE_ADDRESS_IN_USE */
  add(worker: number, places: readonly HandOffPlace[]): void {
    for (const place of places) {
      if (place.kind !== 'app') continue;
      const { listener, descriptor } = place;
      const plan = this.#listeners.find(({ name }) => name === listener);
      invariant(plan, `a worker hands in apps of listeners of the plan, not ${listener}`);
      const acceptor = this.#acceptorOf(plan);
      const known = acceptor.workers.get(worker);
      if (known === descriptor) continue;
      acceptor.app.addChildAppDescriptor?.(descriptor as UwsAppDescriptor);
      acceptor.workers.set(worker, descriptor as UwsAppDescriptor);
      // Of a listener of that name that was gone for a while.
      if (known !== undefined) acceptor.app.removeChildAppDescriptor?.(known);
      this.#listenOrStop(acceptor);
    }
  }

  /** A worker is about to end: its apps get nothing more. Must come before its thread is gone. Idempotent. */
  remove(worker: number): void {
    for (const acceptor of this.#acceptors.values()) {
      const descriptor = acceptor.workers.get(worker);
      if (descriptor === undefined) continue;
      acceptor.workers.delete(worker);
      // Nobody is left: stop listening first, since an acceptor without workers would answer by itself.
      this.#listenOrStop(acceptor);
      acceptor.app.removeChildAppDescriptor?.(descriptor);
    }
  }

  /** Stops accepting for good. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#gate.stop();
    for (const acceptor of this.#acceptors.values()) this.#listenOrStop(acceptor);
  }

  #acceptorOf(plan: L7ListenerPlan): Acceptor {
    const known = this.#acceptors.get(plan.name);
    if (known !== undefined) return known;
    const acceptor: Acceptor = { plan, app: this.#uws.App(), workers: new Map(), socket: null, place: '' };
    this.#acceptors.set(plan.name, acceptor);
    return acceptor;
  }

  #drop(acceptor: Acceptor): void {
    this.#acceptors.delete(acceptor.plan.name);
    // Nobody is left, in this order: an acceptor without workers would answer by itself.
    const descriptors = [...acceptor.workers.values()];
    acceptor.workers.clear();
    this.#listenOrStop(acceptor);
    for (const descriptor of descriptors) acceptor.app.removeChildAppDescriptor?.(descriptor);
  }

  #move(acceptor: Acceptor, plan: L7ListenerPlan): void {
    acceptor.plan = plan;
    if (acceptor.socket === null || acceptor.place === placeOf(plan)) return;
    const former = acceptor.socket;
    this.#listen(acceptor);
    this.#uws.us_listen_socket_close(former);
  }

  #listenOrStop(acceptor: Acceptor): void {
    const shouldListen = acceptor.workers.size > 0 && !this.#isStopped;
    if (shouldListen && acceptor.socket === null) {
      this.#listen(acceptor);
    } else if (!shouldListen && acceptor.socket !== null) {
      this.#uws.us_listen_socket_close(acceptor.socket);
      acceptor.socket = null;
    }
  }

  #listen(acceptor: Acceptor): void {
    const { name, bind } = acceptor.plan;
    invariant(bind.kind === 'tcp', 'the configuration has refused a UNIX socket');
    const { host, port } = bind;
    acceptor.app.listen(host, port, SHARED_PORT, (socket) => {
      if (socket === false) throw new ProxyError('SLUICE_ADDRESS_IN_USE', { listener: name, host, port });
      acceptor.socket = socket;
      acceptor.place = placeOf(acceptor.plan);
    });
  }
}

function placeOf({ bind }: L7ListenerPlan): string {
  return bind.kind === 'tcp' ? `${bind.host} ${bind.port}` : bind.path;
}
