/** The primary thread: starts everything in order, keeps it running, and ends it. docs/architecture.md walks through the same steps. */
import { randomBytes } from 'node:crypto';
import type { AdminPlan } from '../config/observing-plan.js';
import type { Plan } from '../config/plan.js';
import type { Config } from '../config/schema/config.js';
import type { Cancel } from '../core/timers.js';
import type { Addon } from '../engine/addon.js';
import type { LogSink } from '../observability/log-sink.js';
import type { Timeline } from '../observability/timeline.js';
import { type AdminApi, startAdminApi } from './admin/admin-api.js';
import type { AdminSource } from './admin/admin-source.js';
import { certificateView } from './admin/certificate-view.js';
import { pageFile } from './admin/page.js';
import { adminViews, listenerView, readinessOf } from './admin/views.js';
import { CertificateWatches } from './certificates/certificate-watches.js';
import { fileLimitWarning } from './file-limit.js';
import { LiveSource } from './live-source.js';
import { Metrics } from './metrics/metrics.js';
import { PlanFollowers, type PlanFollowersOptions } from './plan-followers.js';
import type { ReloadResult, ReloadSource } from './reload-result.js';
import { type ReadConfig, Reloader } from './reloader.js';
import { nextPhase, type RunEffect, type RunEvent, type RunPhase, type StopSignal } from './run-phase.js';
import type { SpanExport } from './span-export.js';
import { bindText, placeText, type StartFailure } from './start-failure.js';
import { Supervisor } from './supervisor.js';
import { SUPERVISION, type SupervisionSettings } from './worker-life.js';
import { workerSpawner } from './worker-thread.js';

/** Threads that have not ended by then, although ended by force, are left to the end of the process. */
const THREADS_PATIENCE_MS = 2_000;

/** What the primary is started with. */
export interface PrimaryOptions extends PlanFollowersOptions {
  /** What `plan` was compiled from. */
  readonly config: Config;
  readonly addon: PlanFollowersOptions['addon'] & Pick<Addon, 'raiseFileLimit'>;
  /** Module that a worker thread starts with: dist/worker/entry.js. */
  readonly workerEntry: URL;
  readonly version: string;
  /** Where whole lines of workers go: the gate that the logger's own lines pass as well. */
  readonly sink: Pick<LogSink, 'write' | 'droppedLines'>;
  /** Hears all of these lines. */
  readonly timeline: Timeline;
  /** Reads the configuration again; null: there is no file. */
  readonly read: (() => ReadConfig) | null;
  /** Called when another configuration counts. */
  readonly configured: (config: Config) => void;
  readonly supervision?: SupervisionSettings;
  readonly spans: Pick<SpanExport, 'take' | 'close'>;
}

/** The primary: `prepare`, then `start`, then `finished`. All methods: thread primary. */
export class Primary {
  /** Resolves with the exit code when everything is over. Never rejects. */
  readonly finished: Promise<number>;
  /** Resolves when every worker accepts; never, if the process ends before. */
  readonly ready: Promise<void>;
  /** What the proxy does, second by second. */
  readonly live: LiveSource;
  /** What GET /metrics answers. */
  readonly metrics: Metrics;
  readonly #options: PrimaryOptions;
  readonly #followers: PlanFollowers;
  readonly #supervisor: Supervisor;
  readonly #reloader: Reloader;
  readonly #views: AdminSource;
  readonly #certificates: CertificateWatches;
  #admin: AdminApi | null = null;
  /** By number of the listener: where the log says that it accepts. */
  #announced: ReadonlyMap<number, string> = new Map();
  #phase: RunPhase = { kind: 'starting' };
  #cancelTimeout: Cancel = () => {};
  #finish: (exitCode: number) => void = () => {};
  #announce: () => void = () => {};

  private constructor(options: PrimaryOptions, followers: PlanFollowers) {
    const { board, clock, timers, logger } = options;
    const { keepers, resolver, handOffs, openLimits } = followers;
    this.#options = options;
    this.#followers = followers;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.ready = new Promise((resolve) => {
      this.#announce = resolve;
    });
    const { workers } = this.plan;
    // Unlike that of any other process, so that finding it in a request's Via means a loop (semantics.md 9.2).
    const viaName = `sluice-${randomBytes(4).toString('hex')}`;
    this.#supervisor = new Supervisor({
      workers,
      spawn: workerSpawner(
        options.workerEntry,
        (workerIndex) => ({
          ...followers.forWorkers,
          workerIndex,
          board: board.buffer,
          figures: board.figures.memoryOf(workerIndex),
          maxSessions: Math.ceil(openLimits.sessions / workers),
          maxConnections: Math.ceil(openLimits.connections / workers),
          viaName,
        }),
        options.spans,
      ),
      stripes: board,
      handOff: handOffs,
      challenges: followers.challenges,
      clock,
      timers,
      settings: options.supervision ?? SUPERVISION,
      // A thread that is ended by force stops in the middle of a handler, and uWebSockets.js ends the process for the next one.
      endsStuck: () => handOffs.uwsHeadBytes === null,
      logger,
      writeLine: (line) => options.sink.write(line),
      onReady: () => this.#apply({ kind: 'all-accept' }),
      onFailed: (failure) => this.#failed(failure),
      onEnded: () => this.#apply({ kind: 'all-ended' }),
    });
    followers.connect(this.#supervisor);
    this.#certificates = new CertificateWatches({
      keeper: followers.certificates,
      timers,
      logger,
      republish: () => void this.reload('file'),
    });
    const isOver = (): boolean => this.#phase.kind === 'draining' || this.#phase.kind === 'over';
    this.#reloader = new Reloader({
      read: options.read,
      config: options.config,
      planSwitch: followers.planSwitch(this.#supervisor, isOver),
      refreshCertificates: () => this.#certificates.refresh(),
      epoch: () => this.plan.epoch,
      ready: this.ready,
      isOver,
      taken: (config) => {
        options.configured(config);
        this.#certificates.follow(config.watch);
        this.#announceListeners();
      },
      logger,
    });
    const certificates = () => this.#certificates.inUse;
    const startedAt = clock.nowMs();
    const seen = {
      plan: () => this.plan,
      board,
      clock,
      workers: () => this.#supervisor.status(),
      facts: keepers,
    };
    this.live = new LiveSource({
      ...seen,
      version: options.version,
      timers,
      startedAt,
      readiness: () => readinessOf(this.#phase, this.#supervisor.status()),
      wallClockMs: Date.now,
    });
    this.metrics = new Metrics({
      ...seen,
      timeline: options.timeline,
      sink: options.sink,
      live: this.live,
      certificates,
    });
    this.#views = adminViews({
      version: options.version,
      plan: () => this.plan,
      board,
      clock,
      startedAt,
      phase: () => this.#phase,
      workers: () => this.#supervisor.status(),
      addressesOf: (slot) => resolver.addressesOf(slot),
      facts: keepers,
      change: (...change) => keepers.operator.change(...change),
      wallClockMs: Date.now,
      passedOn: {
        live: this.live,
        timeline: options.timeline,
        metrics: async (accept) => this.metrics.render(accept),
        reload: () => this.reload('api'),
        onReloaded: (listener) => this.#reloader.onReloaded(listener),
        config: () => this.#reloader.config,
        certificates: () => certificates().map(certificateView),
        explain: (request) => this.#supervisor.explain(request),
      },
    });
  }

  /**
   * Raises the file limit and reserves the addresses of all listeners. From here on `stop` works.
   *
   * @throws StartFailure when an address cannot be had, ProxyError SLUICE_UWS_MISSING; nothing stays open then
   */
  static prepare(options: PrimaryOptions): Primary {
    const { plan, addon, logger } = options;
    const limit = addon.raiseFileLimit();
    const warning = fileLimitWarning(plan, limit);
    if (warning !== undefined) logger.warn({ event: 'file-limit-low' }, warning);
    return new Primary(options, new PlanFollowers(options, limit.soft));
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
      this.#followers.closeAddresses();
      throw error;
    }
    await this.#followers.start();
    // A signal may have ended it in the meantime.
    if (this.#phase.kind !== 'starting') return this.#admin?.close();
    this.#followers.keepers.start();
    this.live.start();
    this.#certificates.follow(this.#options.config.watch);
    this.#supervisor.start();
  }

  /** The plan that counts, with the real port of every listener. */
  get plan(): Plan {
    return this.#followers.running.plan;
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

  /** Reads the configuration again and has it count. */
  reload(by: ReloadSource): Promise<ReloadResult> {
    return this.#reloader.reload(by);
  }

  /** Has every worker open anew the files that it writes, for logrotate. */
  reopenFiles(): void {
    this.#supervisor.broadcast({ kind: 'reopen' });
  }

  /** Closes everything; resolves when the threads are gone, or are not to be waited for any longer. Idempotent. */
  async abandon(): Promise<void> {
    this.#cancelTimeout();
    this.live.close();
    this.#certificates.close();
    this.#options.timeline.close();
    this.#admin?.close();
    // A thread that is in the addon while the process exits can crash it.
    const threadsGone = Promise.all([this.#supervisor.terminate(), this.#followers.close()]);
    this.#followers.closeAddresses(); // whoever accepts on its sockets has stopped by now
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
        this.#followers.rest();
        this.#supervisor.drain();
        this.#followers.closeAddresses(); // whoever accepts on its sockets has stopped by now
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
    this.#announceListeners();
    this.#followers.orders.open();
    if (this.#admin !== null) {
      const { host, port } = this.#admin;
      logger.info({ event: 'admin-listening', host, port }, `the admin API answers on http://${placeText(host, port)}`);
    }
    const { workers } = this.plan;
    logger.info({ event: 'ready', workers, pid: process.pid }, `ready with ${counted(workers, 'worker')}`);
    this.#announce();
  }

  /** Tells of listeners that accept now and did not before, or elsewhere. */
  #announceListeners(): void {
    const before = this.#announced;
    this.#announced = new Map(this.plan.listeners.map(({ number, bind }) => [number, bindText(bind)]));
    for (const listener of this.plan.listeners) {
      const place = bindText(listener.bind);
      if (before.get(listener.number) === place) continue;
      const { name, ...facts } = listenerView(listener);
      const how = listener.mode === 'l7' ? listener.frontend : listener.relay;
      this.#options.logger.info(
        { event: 'listening', listener: name, ...facts },
        `listener ${name} accepts on ${place} (${listener.mode}, ${how})`,
      );
    }
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

function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}
