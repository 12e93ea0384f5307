/** Everything in the primary that goes by the plan: made for the first one, changed with each that follows, ended together. */
import { randomBytes } from 'node:crypto';
import type { Board } from '../board/board.js';
import type { EndpointPlan, Plan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { Timers } from '../core/timers.js';
import type { SessionAddon } from '../engine/session-engine.js';
import type { TlsAddon } from '../engine/tls.js';
import type { Logger } from '../observability/logger.js';
import type { ToWorker, WorkerSeed } from '../worker/messages.js';
import { obtainByAcme } from './acme/authority.js';
import { CertificateOrders } from './acme/certificate-orders.js';
import { ChallengeTokens } from './acme/challenge-tokens.js';
import type { PlanBook } from './board-plan.js';
import { CertificateKeeper } from './certificates/certificate-keeper.js';
import type { CertificateReader } from './certificates/certificate-reader.js';
import { Departures } from './departures.js';
import { EndpointKeepers } from './endpoint-keepers.js';
import { type OpenLimits, openLimitsOf } from './file-limit.js';
import { HandOffs, type HandOffsParts, isOfUws } from './hand-offs.js';
import { tableBuilder } from './hash-table-builder.js';
import { HashTables } from './hash-tables.js';
import { type AddressEdition, ListenerAddresses, type ListeningAddon } from './listener-addresses.js';
import { type Lookup, NameResolver } from './name-resolution.js';
import { PlanSwitch, type RunningPlan } from './plan-switch.js';
import type { Supervisor } from './supervisor.js';

/** What they need from outside. */
export interface PlanFollowersOptions {
  readonly plan: Plan;
  readonly plans: PlanBook;
  readonly board: Board;
  readonly addon: ListeningAddon & Pick<SessionAddon, 'Acceptor'> & Pick<TlsAddon, 'TlsServer' | 'TlsClient'>;
  /** Knows where certificates are read from. */
  readonly certificateReader: CertificateReader;
  readonly makeUws: HandOffsParts['makeUws'];
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  readonly logger: Logger;
}

/** Thread: primary. */
export class PlanFollowers {
  readonly keepers: EndpointKeepers;
  readonly resolver: NameResolver;
  readonly handOffs: HandOffs;
  readonly openLimits: OpenLimits;
  readonly certificates: CertificateKeeper;
  readonly challenges: ChallengeTokens;
  /** Of certificates that come by ACME. */
  readonly orders: CertificateOrders;
  readonly #options: PlanFollowersOptions;
  readonly #addresses: ListenerAddresses;
  readonly #hashTables: HashTables;
  readonly #departures: Departures;
  #running: RunningPlan;
  #send: (message: ToWorker) => void = () => {};

  /**
   * Reads the certificates, and takes the addresses of all listeners.
   *
   * @param softLimit of open files
   * @throws StartFailure when a certificate cannot be used or an address cannot be had, ProxyError SLUICE_UWS_MISSING; nothing stays open then
   */
  constructor(options: PlanFollowersOptions, softLimit: number) {
    const { board, plans, plan, addon, clock, timers, rng, logger } = options;
    const { upstreams } = plan;
    this.#options = options;
    this.openLimits = openLimitsOf(plan, softLimit);
    this.#addresses = new ListenerAddresses(addon);
    this.handOffs = new HandOffs({
      addon,
      makeUws: options.makeUws,
      limits: this.openLimits,
      logger,
      nowMs: () => clock.nowMs(),
    });
    this.certificates = new CertificateKeeper({
      addon,
      reader: options.certificateReader.another(),
      timers,
      randomBytes,
      logger,
    });
    this.challenges = new ChallengeTokens(timers);
    this.orders = new CertificateOrders({
      obtain: obtainByAcme,
      certificates: this.certificates,
      tokens: this.challenges,
      timers,
      wallClockMs: Date.now,
      rng,
      logger,
    });
    const places = this.#takePlaces(plan);
    this.handOffs.listenAt(places.plan.listeners, places.descriptors);
    this.#running = { plan: places.plan, sessionListenings: places.sessionListenings };
    this.resolver = new NameResolver({
      upstreams,
      lookup: options.lookup,
      timers,
      logger,
      publish: (endpoint, addresses) => this.#publishAddresses(endpoint, addresses),
    });
    this.keepers = new EndpointKeepers({
      upstreams,
      board,
      clock,
      timers,
      rng,
      logger,
      addressesOf: (slot) => this.resolver.addressesOf(slot),
      cut: ({ slot, generation }) => this.#send({ kind: 'cut', slot, generation }),
    });
    this.#hashTables = new HashTables({ upstreams, board, builder: tableBuilder(), timers, logger });
    this.#departures = new Departures({ board, plans, clock, timers });
  }

  #takePlaces(plan: Plan): AddressEdition {
    const dressed = this.certificates.edit(plan);
    let places: AddressEdition | null = null;
    try {
      places = this.#addresses.edit(dressed.plan);
      this.handOffs.prepare(places.plan.listeners, places.descriptors);
    } catch (error) {
      places?.withdraw();
      dressed.withdraw();
      throw error;
    }
    places.commit();
    dressed.commit();
    return places;
  }

  get running(): RunningPlan {
    return this.#running;
  }

  /** What workers that start now are to go by. */
  get forWorkers(): Pick<WorkerSeed, 'plan' | 'sessionListenings' | 'addresses' | 'challenges'> {
    return { ...this.#running, addresses: this.resolver.addresses(), challenges: this.challenges.all };
  }

  /** Resolves names and builds tables. Resolves when that is done, or has taken too long to be waited for. Never rejects. */
  async start(): Promise<void> {
    const { listeners } = this.#running.plan;
    await Promise.all([this.resolver.start(), this.#hashTables.start(), this.orders.apply(listeners)]);
  }

  /** Who is told of what changes. */
  connect(supervisor: Pick<Supervisor, 'broadcast'>): void {
    this.#send = (message) => void supervisor.broadcast(message);
    this.challenges.connect((message) => supervisor.broadcast(message));
    // uWebSockets.js reads files, in each worker for itself.
    this.certificates.onChanged((name) => {
      const changed = this.#running.plan.listeners.find((listener) => listener.name === name);
      if (changed !== undefined && isOfUws(changed)) this.#send({ kind: 'certificates', listener: changed.number });
    });
  }

  /** What changes them all. @param isOver the process drains */
  planSwitch(supervisor: Pick<Supervisor, 'publish'>, isOver: () => boolean): PlanSwitch {
    const { board, plans, timers } = this.#options;
    return new PlanSwitch(
      {
        board,
        plans,
        timers,
        addresses: this.#addresses,
        certificates: this.certificates,
        handOffs: this.handOffs,
        resolver: this.resolver,
        keepers: this.keepers,
        hashTables: this.#hashTables,
        departures: this.#departures,
        supervisor,
        isOver,
        take: (running) => {
          this.#running = running;
          void this.orders.apply(running.plan.listeners);
        },
      },
      this.#running,
    );
  }

  /** The process drains: endpoints stay as they are. Idempotent. */
  rest(): void {
    this.keepers.rest();
    this.orders.close();
    this.#departures.close();
    void this.#hashTables.close();
  }

  /** Gives the addresses of listeners back; whoever accepts on their sockets has stopped by then. Idempotent. */
  closeAddresses(): void {
    this.#addresses.close();
  }

  /** Resolves when no thread of theirs is left. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.orders.close();
    this.keepers.close();
    this.resolver.close();
    this.#departures.close();
    await this.#hashTables.close();
    this.certificates.close();
  }

  #publishAddresses(endpoint: EndpointPlan, addresses: readonly string[]): void {
    const { slot } = endpoint;
    const { upstreams } = this.#running.plan;
    // Of an endpoint that workers do not know yet they get them with its plan. To others the addresses go ahead of the flag: a worker that
    // picks the endpoint before its message has come has at the most no connection pool for it, and tries another endpoint.
    if (upstreams.some(({ endpoints }) => endpoints.includes(endpoint))) {
      this.#send({ kind: 'addresses', slot, addresses });
    }
    this.#options.board.control.setResolved(slot, true);
    this.keepers.checker.addressesChanged(slot);
  }
}
