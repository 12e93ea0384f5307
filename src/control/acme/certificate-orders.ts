/**
 * Keeps the certificates that come by ACME: takes those that are stored, fetches those that are missing, renews them in time, and tries again
 * after failures. Orders run one after the other. Thread: primary.
 */
import type { ListenerPlan } from '../../config/plan.js';
import type { AcmePlan } from '../../config/tls-plan.js';
import type { Cancel, Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import type { ObtainedCertificate, ObtainedCertificates } from '../certificates/obtained.js';
import { AcmeStorage, validityOf } from './acme-storage.js';
import type { ChallengeAnswers, Obtain } from './authority.js';
import { AuthorityError } from './authority-transport.js';
import { pauseAfter, renewalAt } from './renewal-schedule.js';

/** What they work with. */
export interface CertificateOrdersParts {
  readonly obtain: Obtain;
  readonly certificates: ObtainedCertificates;
  /** For http-01. */
  readonly tokens: Pick<ChallengeAnswers, 'showToken' | 'hideToken'>;
  readonly timers: Timers;
  readonly wallClockMs: () => number;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  readonly logger: Logger;
}

/** One certificate of one plan, for all listeners that want the same. */
interface Order {
  readonly plan: AcmePlan;
  readonly storage: AcmeStorage;
  /** By name. */
  listeners: readonly string[];
  /** What they have; null: nothing yet. */
  certificate: ObtainedCertificate | null;
  failures: number;
  cancel: Cancel;
  isOver: boolean;
}

/** Timers of Node take 24 days at most. */
const LONGEST_SLEEP_MS = 24 * 3_600_000;

export class CertificateOrders {
  readonly #parts: CertificateOrdersParts;
  /** By what of the plan makes another certificate necessary. */
  #orders = new Map<string, Order>();
  #open: () => void = () => {};
  /** The order that runs, and those that wait for it; before the first one the workers have to accept. */
  #turn: Promise<void> = new Promise((resolve) => {
    this.#open = resolve;
  });

  constructor(parts: CertificateOrdersParts) {
    this.#parts = parts;
  }

  /**
   * Goes by the listeners of a plan: at once where certificates are stored, else as soon as they have come. What was under way goes on if it
   * is still wanted.
   *
   * @returns resolves when what is stored is in use. Never rejects
   */
  async apply(listeners: readonly ListenerPlan[]): Promise<void> {
    const wanted = new Map<string, { readonly plan: AcmePlan; readonly listeners: string[] }>();
    for (const { name, tls } of listeners) {
      if (tls === null || tls.acme === null) continue;
      const identity = JSON.stringify(tls.acme);
      const known = wanted.get(identity);
      if (known === undefined) wanted.set(identity, { plan: tls.acme, listeners: [name] });
      else known.listeners.push(name);
    }
    for (const [identity, order] of this.#orders) if (!wanted.has(identity)) end(order);
    const former = this.#orders;
    this.#orders = new Map();
    const begun: Promise<void>[] = [];
    for (const [identity, { plan, listeners: names }] of wanted) {
      const known = former.get(identity);
      const order = known ?? newOrder(plan, names);
      this.#orders.set(identity, order);
      if (known === undefined) begun.push(this.#takeStored(order));
      else this.#goOn(known, names);
    }
    await Promise.all(begun);
  }

  /** The workers accept: what an authority asks for can be answered. Idempotent. */
  open(): void {
    this.#open();
  }

  /** Nothing is begun any more. Idempotent. */
  close(): void {
    for (const order of this.#orders.values()) end(order);
    this.#orders.clear();
  }

  #goOn(order: Order, listeners: readonly string[]): void {
    const fresh = listeners.filter((name) => !order.listeners.includes(name));
    order.listeners = listeners;
    if (order.certificate !== null) this.#hand(order, order.certificate, fresh);
  }

  /** Fetches it behind what is under way. */
  #queue(order: Order): void {
    this.#turn = this.#turn.then(async () => {
      if (order.isOver) return;
      try {
        await this.#order(order);
      } catch (error) {
        if (!order.isOver) this.#failed(order, error);
      }
    });
  }

  async #takeStored(order: Order): Promise<void> {
    try {
      const stored = await order.storage.certificate(this.#parts.wallClockMs());
      if (order.isOver) return;
      if (stored === null) return this.#queue(order);
      this.#hand(order, stored, order.listeners);
      this.#sleepUntilRenewal(order, stored.chain);
    } catch (error) {
      if (!order.isOver) this.#failed(order, error);
    }
  }

  async #order(order: Order): Promise<void> {
    const { obtain, logger } = this.#parts;
    const { names, directory } = order.plan;
    logger.info(
      { event: 'acme-ordered', names, directory },
      `a certificate for ${names.join(', ')} is asked for at ${directory}`,
    );
    const certificate = await obtain(order.plan, order.storage, this.#answersFor(order));
    // What has come is kept, whoever still wants it.
    await order.storage.keep(certificate);
    if (order.isOver) return;
    order.failures = 0;
    this.#hand(order, certificate, order.listeners);
    const endsAt = new Date(validityOf(certificate.chain).endsAt).toISOString();
    logger.info({ event: 'acme-obtained', names, endsAt }, `a certificate for ${names.join(', ')} has come by ACME`);
    this.#sleepUntilRenewal(order, certificate.chain);
  }

  #hand(order: Order, certificate: ObtainedCertificate, listeners: readonly string[]): void {
    order.certificate = certificate;
    for (const listener of listeners) this.#parts.certificates.setObtained(listener, certificate);
  }

  #answersFor(order: Order): ChallengeAnswers {
    const { certificates, tokens } = this.#parts;
    const shown = order.listeners;
    return {
      showToken: (token, keyAuthorization) => tokens.showToken(token, keyAuthorization),
      hideToken: (token) => tokens.hideToken(token),
      showCertificate: (name, certificate) => {
        for (const listener of shown) certificates.setChallenge(listener, name, certificate);
      },
      hideCertificate: (name) => {
        for (const listener of shown) certificates.dropChallenge(listener, name);
      },
    };
  }

  #sleepUntilRenewal(order: Order, chain: string): void {
    const dueAt = renewalAt(validityOf(chain), order.plan.renewBeforeMs, this.#parts.rng());
    this.#sleep(order, dueAt);
  }

  #sleep(order: Order, dueAt: number): void {
    if (order.isOver) return;
    const leftMs = Math.max(dueAt - this.#parts.wallClockMs(), 0);
    order.cancel();
    // In short steps, by the wall clock: a machine that was asleep has missed its timers.
    order.cancel = this.#parts.timers.after(Math.min(leftMs, LONGEST_SLEEP_MS), () => {
      if (leftMs > LONGEST_SLEEP_MS) this.#sleep(order, dueAt);
      else this.#queue(order);
    });
  }

  #failed(order: Order, error: unknown): void {
    const { logger, rng, wallClockMs } = this.#parts;
    const { names, storage, directory } = order.plan;
    order.failures++;
    const pauseMs = pauseAfter(order.failures, error instanceof AuthorityError ? error.retryAfterMs : 0, rng());
    const reason = error instanceof Error ? error.message : String(error);
    logger.error(
      { event: 'acme-failed', names, directory, storage, reason, pauseMs },
      `no certificate for ${names.join(', ')} has come by ACME: ${reason}; tried again in ${Math.round(pauseMs / 1000)} s`,
    );
    this.#sleep(order, wallClockMs() + pauseMs);
  }
}

function newOrder(plan: AcmePlan, listeners: readonly string[]): Order {
  const storage = new AcmeStorage(plan);
  return { plan, storage, listeners, certificate: null, failures: 0, cancel: () => {}, isOver: false };
}

function end(order: Order): void {
  order.isOver = true;
  order.cancel();
}
