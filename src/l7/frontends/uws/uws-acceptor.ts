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
  readonly plan: L7ListenerPlan;
  readonly app: UwsApp;
  /** By worker. */
  readonly workers: Map<number, UwsAppDescriptor>;
  socket: UwsListenSocket | null;
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
  readonly #listeners: readonly L7ListenerPlan[];
  readonly #gate: AcceptGate;
  readonly #acceptors = new Map<string, Acceptor>();
  #isStopped = false;

  constructor(parts: UwsAcceptorParts) {
    this.#uws = parts.uws;
    this.#listeners = parts.listeners;
    this.#gate = parts.gate;
    this.#gate.start();
  }

  /** A worker is ready to take connections. @throws ProxyError SLUICE_ADDRESS_IN_USE */
  add(worker: number, places: readonly HandOffPlace[]): void {
    for (const place of places) {
      if (place.kind !== 'app') continue;
      const { listener, descriptor } = place;
      const plan = this.#listeners.find(({ name }) => name === listener);
      invariant(plan, `a worker hands in apps of listeners of the plan, not ${listener}`);
      const acceptor = this.#acceptorOf(plan);
      acceptor.app.addChildAppDescriptor?.(descriptor as UwsAppDescriptor);
      acceptor.workers.set(worker, descriptor as UwsAppDescriptor);
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
    const acceptor: Acceptor = { plan, app: this.#uws.App(), workers: new Map(), socket: null };
    this.#acceptors.set(plan.name, acceptor);
    return acceptor;
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
