/** Has the connections of one mode accepted for all workers, and each handed to the worker with the fewest open ones. */
import type { ListenerPlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import type { Acceptor, SessionAddon } from '../engine/session-engine.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import type { Logger } from '../observability/logger.js';
import type { HandOffPlace } from '../worker/data-plane.js';
import type { ConnectionHandOff } from './supervisor.js';

/** What the acceptor is made of. */
export interface SessionAcceptorParts {
  readonly addon: Pick<SessionAddon, 'Acceptor'>;
  /** Of the listeners; those of mode l7 have the native front end. */
  readonly mode: ListenerPlan['mode'];
  /** Listening sockets by the index of their listener in the plan; they stay the caller's. */
  readonly descriptors: ReadonlyMap<number, number>;
  /** Most connections that may be open at a time in all workers together. */
  readonly maxOpen: number;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/**
 * The primary's side of the native acceptor, which accepts in a thread of its own and goes on while the primary is busy. One for each mode:
 * what is open is counted and bounded for each alone. Connections wait in the backlog while there is no worker. Thread: primary.
 */
export class SessionAcceptor implements ConnectionHandOff {
  readonly #mode: ListenerPlan['mode'];
  readonly #acceptor: Acceptor;
  /** By worker. */
  readonly #mailboxes = new Map<number, number>();

  constructor({ addon, mode, descriptors, maxOpen, logger, nowMs }: SessionAcceptorParts) {
    this.#mode = mode;
    const log = new AcceptingLog(logger, nowMs);
    this.#acceptor = new addon.Acceptor({
      onShortage: (errno) => (errno === 0 ? log.resumed({}) : log.paused({ errno })),
      maxOpen,
    });
    for (const [listener, descriptor] of descriptors) this.#acceptor.listen(listener, descriptor);
  }

  add(worker: number, places: readonly HandOffPlace[]): void {
    for (const place of places) {
      if (place.kind !== 'mailbox' || place.mode !== this.#mode) continue;
      invariant(
        !this.#mailboxes.has(worker),
        'a worker has one mailbox for each mode, and its former one is taken out first',
      );
      this.#mailboxes.set(worker, place.mailbox);
      this.#acceptor.addWorker(place.mailbox);
    }
  }

  remove(worker: number): void {
    const mailbox = this.#mailboxes.get(worker);
    if (mailbox === undefined) return;
    this.#mailboxes.delete(worker);
    this.#acceptor.removeWorker(mailbox);
  }

  stop(): void {
    this.#acceptor.close();
  }
}
