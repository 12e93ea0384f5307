/** The primary thread: starts everything in order, keeps it running, and ends it. docs/architecture.md walks through the same steps. */
import { randomBytes } from 'node:crypto';
import type { Board } from '../board/board.js';
import type { AdminPlan } from '../config/observing-plan.js';
import type { L7ListenerPlan, ListenerPlan, Plan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Addon } from '../engine/addon.js';
import type { SessionAddon } from '../engine/session-engine.js';
import type { LogSink } from '../observability/log-sink.js';
import type { Logger } from '../observability/logger.js';
import type { Timeline } from '../observability/timeline.js';
import { type AdminApi, startAdminApi } from './admin/admin-api.js';
import type { AdminSource } from './admin/admin-source.js';
import { pageFile } from './admin/page.js';
import { unplugged } from './admin/unplugged.js';
import { adminViews, listenerView, readinessOf } from './admin/views.js';
import { EndpointKeepers } from './endpoint-keepers.js';
import { fileLimitWarning, type OpenLimits, openLimitsOf } from './file-limit.js';
import { combineHandOffs } from './hand-offs.js';
import { tableBuilder } from './hash-table-builder.js';
import { HashTables } from './hash-tables.js';
import { type ListeningAddon, type Reservation, reserveListeners } from './listener-reservation.js';
import { LiveSource } from './live-source.js';
import { Metrics } from './metrics/metrics.js';
import { type Lookup, NameResolver } from './name-resolution.js';
import { nextPhase, type RunEffect, type RunEvent, type RunPhase, type StopSignal } from './run-phase.js';
import { SessionAcceptor } from './session-acceptor.js';
import type { SpanExport } from './span-export.js';
import { bindText, placeText, type StartFailure } from './start-failure.js';
import { type ConnectionHandOff, Supervisor } from './supervisor.js';
import { SUPERVISION, type SupervisionSettings } from './worker-life.js';
import { workerSpawner } from './worker-thread.js';

/** Threads that have not ended by then, although ended by force, are left to the end of the process. */
const THREADS_PATIENCE_MS = 2_000;

/** What the primary is started with. */
export interface PrimaryOptions {
  readonly plan: Plan;
  readonly board: Board;
  readonly addon: ListeningAddon & Pick<Addon, 'raiseFileLimit'> & Pick<SessionAddon, 'Acceptor'>;
  /** Module that a worker thread starts with: dist/worker/entry.js. */
  readonly workerEntry: URL;
  /** Makes what accepts the requests of all workers, for uws listeners with their real ports; absent: they accept for themselves. */
  readonly makeHandOff?: ((listeners: readonly L7ListenerPlan[]) => ConnectionHandOff) | undefined;
  readonly version: string;
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  readonly logger: Logger;
  /** Where whole lines of workers go: the gate that the logger's own lines pass as well. */
  readonly sink: Pick<LogSink, 'write' | 'droppedLines'>;
  /** Hears all of these lines. */
  readonly timeline: Timeline;
  readonly supervision?: SupervisionSettings;
  readonly spans: Pick<SpanExport, 'take' | 'close'>;
}

/** The primary: `prepare`, then `start`, then `finished`. All methods: thread primary. */
export class Primary {
  /** The plan with the real port of every listener. */
  readonly plan: Plan;
  /** Resolves with the exit code when everything is over. Never rejects. */
  readonly finished: Promise<number>;
  /** Resolves when every worker accepts; never, if the process ends before. */
  readonly ready: Promise<void>;
  /** What the proxy does, second by second. */
  readonly live: LiveSource;
  /** What GET /metrics answers. */
  readonly metrics: Metrics;
  readonly #options: PrimaryOptions;
  readonly #reservation: Reservation;
  readonly #resolver: NameResolver;
  readonly #keepers: EndpointKeepers;
  readonly #hashTables: HashTables;
  readonly #supervisor: Supervisor;
  readonly #views: AdminSource;
  #admin: AdminApi | null = null;
  #phase: RunPhase = { kind: 'starting' };
  #cancelTimeout: Cancel = () => {};
  #finish: (exitCode: number) => void = () => {};
  #announce: () => void = () => {};

  private constructor(options: PrimaryOptions, reservation: Reservation, openLimits: OpenLimits) {
    const { board, clock, timers, rng, logger } = options;
    this.#options = options;
    this.#reservation = reservation;
    this.plan = reservation.plan;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.ready = new Promise((resolve) => {
      this.#announce = resolve;
    });
    const { upstreams } = this.plan;
    this.#resolver = new NameResolver({
      upstreams,
      lookup: options.lookup,
      timers,
      logger,
      publish: ({ slot }, addresses) => {
        // The addresses go ahead of the flag: a worker that picks the endpoint before its message has come has at the most
        // no connection pool for it, and tries another endpoint.
        this.#supervisor.broadcast({ kind: 'addresses', slot, addresses });
        board.control.setResolved(slot, true);
        this.#keepers.checker.addressesChanged(slot);
      },
    });
    this.#keepers = new EndpointKeepers({
      upstreams,
      board,
      clock,
      timers,
      rng,
      logger,
      addressesOf: (slot) => this.#resolver.addressesOf(slot),
      cut: ({ slot, generation }) => this.#supervisor.broadcast({ kind: 'cut', slot, generation }),
    });
    this.#hashTables = new HashTables({ upstreams, board, builder: tableBuilder(), timers, logger });
    // Unlike that of any other process, so that finding it in a request's Via means a loop (semantics.md 9.2).
    const viaName = `sluice-${randomBytes(4).toString('hex')}`;
    this.#supervisor = new Supervisor({
      workers: this.plan.workers,
      spawn: workerSpawner(
        options.workerEntry,
        (workerIndex) => ({
          workerIndex,
          plan: this.plan,
          board: board.buffer,
          figures: board.figures.memoryOf(workerIndex),
          addresses: this.#resolver.addresses(),
          sessionListenings: reservation.sessionListenings,
          maxSessions: Math.ceil(openLimits.sessions / this.plan.workers),
          maxConnections: Math.ceil(openLimits.connections / this.plan.workers),
          viaName,
        }),
        options.spans,
      ),
      stripes: board,
      handOff: this.#makeHandOff(openLimits),
      clock,
      timers,
      settings: options.supervision ?? SUPERVISION,
      // A thread that is ended by force stops in the middle of a handler, and uWebSockets.js ends the process for the next one.
      endsStuck: !this.plan.listeners.some(isOfUws),
      logger,
      writeLine: (line) => options.sink.write(line),
      onReady: () => this.#apply({ kind: 'all-accept' }),
      onFailed: (failure) => this.#failed(failure),
      onEnded: () => this.#apply({ kind: 'all-ended' }),
    });
    const startedAt = clock.nowMs();
    const seen = {
      plan: () => this.plan,
      board,
      clock,
      workers: () => this.#supervisor.status(),
      facts: this.#keepers,
    };
    this.live = new LiveSource({
      ...seen,
      version: options.version,
      timers,
      startedAt,
      readiness: () => readinessOf(this.#phase, this.#supervisor.status()),
      wallClockMs: Date.now,
    });
    this.metrics = new Metrics({ ...seen, timeline: options.timeline, sink: options.sink, live: this.live });
    this.#views = adminViews({
      version: options.version,
      plan: () => this.plan,
      board,
      clock,
      startedAt,
      phase: () => this.#phase,
      workers: () => this.#supervisor.status(),
      addressesOf: (slot) => this.#resolver.addressesOf(slot),
      facts: this.#keepers,
      change: (...change) => this.#keepers.operator.change(...change),
      wallClockMs: Date.now,
      passedOn: {
        live: this.live,
        timeline: options.timeline,
        ...unplugged,
        metrics: async (accept) => this.metrics.render(accept),
      },
    });
  }

  /**
   * Raises the file limit and reserves the addresses of all listeners. From here on `stop` works.
   *
   * @throws StartFailure when an address cannot be had; nothing stays open then
   */
  static prepare(options: PrimaryOptions): Primary {
    const { plan, addon, logger } = options;
    const limit = addon.raiseFileLimit();
    const warning = fileLimitWarning(plan, limit);
    if (warning !== undefined) logger.warn({ event: 'file-limit-low' }, warning);
    return new Primary(options, reserveListeners(plan, addon), openLimitsOf(plan, limit.soft));
  }

  /**
   * Opens the admin API, resolves names, starts workers and health checks. Call once. Returns as soon as the workers are
   * being started; `ready` tells when they accept, `finished` when they cannot.
   *
   * @throws StartFailure when the admin API's address cannot be had; nothing stays open then
   */
  async start(): Promise<void> {
    const { admin } = this.plan;
    try {
      if (admin !== null) this.#admin = await this.#startAdmin(admin);
    } catch (error) {
      void this.#supervisor.terminate();
      this.#reservation.close();
      throw error;
    }
    await Promise.all([this.#resolver.start(), this.#hashTables.start()]);
    // A signal may have ended it in the meantime.
    if (this.#phase.kind !== 'starting') return this.#admin?.close();
    this.#keepers.start();
    this.live.start();
    this.#supervisor.start();
  }

  /** Where the admin API listens; null: nowhere. */
  get adminAddress(): { readonly host: string; readonly port: number } | null {
    return this.#admin;
  }

  /** What happened lately. */
  get timeline(): Timeline {
    return this.#options.timeline;
  }

  /** The same figures that the admin API shows. */
  get views(): AdminSource {
    return this.#views;
  }

  /** The first signal drains, the second ends at once. */
  stop(signal: StopSignal): void {
    this.#options.logger.info(
      { event: 'signal', signal },
      this.#phase.kind === 'draining'
        ? `${signal} again: ending at once`
        : `${signal}: taking no new connections, finishing ${this.#openWork().text} within ${this.plan.shutdownTimeoutMs / 1000} s`,
    );
    this.#apply({ kind: 'signal', signal });
  }

  /** Reloading comes with a later version: says so and goes on. */
  refuseReload(): void {
    this.#options.logger.warn(
      { event: 'reload-failed', problems: ['this version cannot reload'] },
      'SIGHUP: this version cannot reload its configuration; everything goes on as it was. Restart sluice to use a changed file',
    );
  }

  /** Closes everything; resolves when the threads are gone, or are not to be waited for any longer. Idempotent. */
  async abandon(): Promise<void> {
    this.#cancelTimeout();
    this.live.close();
    this.#options.timeline.close();
    this.#keepers.close();
    this.#resolver.close();
    this.#admin?.close();
    // A thread that is in the addon while the process exits can crash it.
    const threadsGone = Promise.all([this.#supervisor.terminate(), this.#hashTables.close()]);
    this.#reservation.close(); // whoever accepts on its sockets has stopped by now
    await new Promise<void>((resolve) => {
      const cancel = this.#options.timers.after(THREADS_PATIENCE_MS, resolve);
      void threadsGone.then(() => {
        cancel();
        resolve();
      });
    });
    await this.#options.spans.close();
  }

  #startAdmin(admin: AdminPlan): Promise<AdminApi> {
    const { timers, clock } = this.#options;
    return startAdminApi({
      host: admin.host,
      port: admin.port,
      access: () => this.plan.admin ?? admin,
      source: this.#views,
      page: pageFile,
      timers,
      nowMs: () => clock.nowMs(),
    });
  }

  #makeHandOff({ sessions, connections }: OpenLimits): ConnectionHandOff | undefined {
    const { makeHandOff } = this.#options;
    const uwsListeners = this.plan.listeners.filter(isOfUws);
    return combineHandOffs([
      ...(makeHandOff === undefined || uwsListeners.length === 0 ? [] : [makeHandOff(uwsListeners)]),
      ...this.#acceptorOf('l4', sessions),
      ...this.#acceptorOf('l7', connections),
    ]);
  }

  /** What accepts here for the listeners of a mode; none where the workers accept for themselves. */
  #acceptorOf(mode: ListenerPlan['mode'], maxOpen: number): readonly SessionAcceptor[] {
    const { addon, logger, clock } = this.#options;
    const own = [...this.#reservation.descriptors].filter(([index]) => this.plan.listeners[index]?.mode === mode);
    if (own.length === 0) return [];
    const descriptors = new Map(own);
    return [new SessionAcceptor({ addon, mode, descriptors, maxOpen, logger, nowMs: () => clock.nowMs() })];
  }

  /** What would be cut off now. */
  #openWork(): { readonly exchanges: number; readonly sessions: number; readonly text: string } {
    const { exchanges, sessions } = this.#options.board.totals();
    const modes = new Set(this.plan.listeners.map(({ mode }) => mode));
    const parts = [
      ...(modes.has('l7') ? [counted(exchanges, 'exchange')] : []),
      ...(modes.has('l4') ? [counted(sessions, 'session')] : []),
    ];
    return { exchanges, sessions, text: parts.join(' and ') };
  }

  #failed(failure: StartFailure): void {
    this.#options.logger.fatal({ event: 'start-failed', code: failure.code }, failure.message);
    this.#apply({ kind: 'failed', exitCode: failure.exitCode });
  }

  #apply(event: RunEvent): void {
    const { phase, effects } = nextPhase(this.#phase, event);
    this.#phase = phase;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: RunEffect): void {
    switch (effect) {
      case 'announce-ready':
        this.#announceReady();
        return;
      case 'drain':
        // The order: the timeout first, because a drain without workers ends at once and cancels it.
        this.#cancelTimeout = this.#options.timers.after(this.plan.shutdownTimeoutMs, () =>
          this.#apply({ kind: 'timeout' }),
        );
        this.#keepers.rest();
        void this.#hashTables.close();
        this.#supervisor.drain();
        this.#reservation.close(); // whoever accepts on its sockets has stopped by now
        return;
      case 'warn-cut': {
        const { exchanges, sessions, text } = this.#openWork();
        this.#options.logger.warn(
          { event: 'shutdown-timeout', exchanges, sessions },
          `the shutdown timeout of ${this.plan.shutdownTimeoutMs / 1000} s is over: ${text} are cut`,
        );
        return;
      }
      case 'end':
        this.#end();
        return;
    }
  }

  #announceReady(): void {
    const { logger } = this.#options;
    for (const listener of this.plan.listeners) {
      const { name, ...facts } = listenerView(listener);
      const how = listener.mode === 'l7' ? listener.frontend : listener.relay;
      logger.info(
        { event: 'listening', listener: name, ...facts },
        `listener ${name} accepts on ${bindText(listener.bind)} (${listener.mode}, ${how})`,
      );
    }
    if (this.#admin !== null) {
      const { host, port } = this.#admin;
      logger.info({ event: 'admin-listening', host, port }, `the admin API answers on http://${placeText(host, port)}`);
    }
    const { workers } = this.plan;
    logger.info({ event: 'ready', workers, pid: process.pid }, `ready with ${counted(workers, 'worker')}`);
    this.#announce();
  }

  #end(): void {
    if (this.#phase.kind !== 'over') return;
    const { exitCode } = this.#phase;
    void this.abandon().then(() => {
      this.#options.logger.info({ event: 'ended', exitCode }, `ended with exit code ${exitCode}`);
      this.#finish(exitCode);
    });
  }
}

/** Does uWebSockets.js accept its connections? */
function isOfUws(listener: ListenerPlan): listener is L7ListenerPlan {
  return listener.mode === 'l7' && listener.frontend === 'uws';
}

function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}
