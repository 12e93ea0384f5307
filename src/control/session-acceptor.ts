/** Has the connections of one mode accepted for all workers, and each handed to the worker with the fewest open ones. */
import type { ListenerPlan } from '../config/plan.js';
import type { Acceptor, SessionAddon } from '../engine/session-engine.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import type { Logger } from '../observability/logger.js';
import type { HandOffPlace } from '../worker/data-plane.js';
import type { ConnectionHandOff } from './connection-hand-off.js';

/** What the acceptor is made of. */
export interface SessionAcceptorParts {
  readonly addon: Pick<SessionAddon, 'Acceptor'>;
  /** Of the listeners; those of mode l7 have the native front end. */
  readonly mode: ListenerPlan['mode'];
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
  /** Listening sockets by number of their listener; they stay the caller's. */
  readonly #descriptors = new Map<number, number>();
  /** By worker. */
  readonly #mailboxes = new Map<number, number>();

  constructor({ addon, mode, maxOpen, logger, nowMs }: SessionAcceptorParts) {
    this.#mode = mode;
    const log = new AcceptingLog(logger, nowMs);
    this.#acceptor = new addon.Acceptor({
      onShortage: (errno) => (errno === 0 ? log.resumed({}) : log.paused({ errno })),
      maxOpen,
    });
  }

  /** Accepts at these sockets and at no others. @param descriptors by number of the listener */
  listenAt(descriptors: ReadonlyMap<number, number>): void {
    this.leave([...this.#descriptors.keys()].filter((number) => !descriptors.has(number)));
    for (const [number, descriptor] of descriptors) {
      if (this.#descriptors.get(number) === descriptor) continue;
      this.#descriptors.set(number, descriptor);
      this.#acceptor.listen(number, descriptor); // and no more at the one that it had
    }
  }

  /** Accepts no more for these listeners, once what lies in their backlogs is handed over. Idempotent. */
  leave(listeners: readonly number[]): void {
    for (const number of listeners) if (this.#descriptors.delete(number)) this.#acceptor.closeListener(number);
  }

  add(worker: number, places: readonly HandOffPlace[]): void {
    const place = places.find((each) => each.kind === 'mailbox' && each.mode === this.#mode);
    const mailbox = place?.kind === 'mailbox' ? place.mailbox : undefined;
    // A worker without listeners of this mode keeps its mailbox: removed, it would be closed for those that the next plan may bring.
    if (mailbox === undefined || mailbox === this.#mailboxes.get(worker)) return;
    this.remove(worker);
    this.#mailboxes.set(worker, mailbox);
    this.#acceptor.addWorker(mailbox);
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
