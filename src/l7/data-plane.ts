/** The L7 data plane of one worker: its engine, its pipeline and the front ends of its listeners. */
import { randomBytes } from 'node:crypto';
import { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { L7ListenerPlan, Plan, RoutePlan, UpstreamPlan } from '../config/plan.js';
import { seededRng } from '../core/rng.js';
import { systemTimers } from '../core/timers.js';
import { type Engine, EVENT_STRIDE, type PoolSettings } from '../engine/engine.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import { FailureLog } from '../observability/failure-log.js';
import { EndpointHealthLog, RouteBreakerLog } from '../observability/health-log.js';
import type { Logger } from '../observability/logger.js';
import type { SpanQueue } from '../observability/span-queue.js';
import { endpointWatchFor } from '../policies/endpoint-watch.js';
import { RouteBreaker } from '../policies/route-breaker.js';
import { SessionLimits } from '../policies/session-limits.js';
import { Plane, WaitingRooms } from '../policies/waiting-rooms.js';
import type { DataPlane, DataPlaneOptions, DataPlaneStats, HandOffPlace } from '../worker/data-plane.js';
import type { ExplainRequest, Explanation } from '../worker/explaining.js';
import { AttemptProfiles } from './attempt-profiles.js';
import type { Exchange } from './exchange.js';
import { ExchangeAccessLog } from './exchange-access-log.js';
import { ExchangeRecorder } from './exchange-recorder.js';
import { ExchangeTracing } from './exchange-tracing.js';
import { NativeFrontEnd } from './frontends/native/native-front-end.js';
import { NativeListener } from './frontends/native/native-listener.js';
import type { UwsFrontEnds } from './frontends/uws/uws-front-ends.js';
import { Pipeline } from './pipeline.js';
import { explainRequest } from './request-explainer.js';
import { ResponseRelay } from './response-relay.js';

/** Events in one batch; a fuller turn is delivered in several. */
const BATCH_EVENTS = 256;
/** Heads and bodies of one batch. Several receive windows of the engine fit, so that one large body does not end a batch. */
const ARENA_BYTES = 1024 * 1024;
/** Of the random part of a request's id: 24 hex digits. */
const REQUEST_ID_BYTES = 12;

/** Makes the data plane; nothing is open before `start`, which rejects with SLUICE_UWS_MISSING. Thread: worker. */
export function startL7DataPlane(options: DataPlaneOptions): DataPlane {
  return new L7DataPlane(options);
}

class L7DataPlane implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #engine: Engine;
  /** By the indices of the plan. */
  readonly #upstreams: readonly UpstreamRuntime[];
  readonly #recorder: ExchangeRecorder;
  readonly #pipeline: Pipeline;
  /** null: no listener has it. */
  readonly #native: NativeFrontEnd | null;
  readonly #relay: ResponseRelay;
  readonly #rooms: WaitingRooms<Exchange>;
  /** Made by `start`. null: no listener has it, and neither uWebSockets.js nor `ws` is even loaded. */
  #uws: UwsFrontEnds | null = null;
  #isDraining = false;
  /** Slots whose connection pool is open. */
  readonly #pools = new Set<number>();

  constructor(options: DataPlaneOptions) {
    const { plan, board, ledger, clock, logger, addon } = options;
    this.#options = options;
    const nowMs = (): number => clock.nowMs();
    const events = new Int32Array(BATCH_EVENTS * EVENT_STRIDE);
    const arena = new Uint8Array(ARENA_BYTES);
    const failures = new FailureLog(logger, nowMs);
    const rng = seededRng(randomBytes(4).readUInt32LE());
    const parts = {
      board,
      ledger,
      rng,
      observe: (upstream: UpstreamPlan) => endpointWatchFor(upstream, board, new EndpointHealthLog(upstream, logger)),
    };
    const upstreams = plan.upstreams.map((upstream) => new UpstreamRuntime(upstream, parts));
    this.#upstreams = upstreams;
    // Only exchanges of uWebSockets.js have events of the engine's own.
    const engine = new addon.Engine({ events, arena, onBatch: (count) => this.#relay.onBatch(count) });
    this.#engine = engine;
    const profiles = new AttemptProfiles({
      plan,
      open: (profile, settings) => engine.openProfile(profile, settings),
      breakerOf: (route, listener) => breakerOf(route, listener, board, logger),
    });
    this.#recorder = new ExchangeRecorder(board, failures);
    this.#observe(plan);
    this.#pipeline = new Pipeline({
      upstreams,
      profiles,
      board,
      clock,
      timers: systemTimers,
      rng,
      onFileLimit: () => this.#uws?.noteFileLimit(),
      onBudgetSpent: (upstream, refused) => tellBudgetSpent(upstream, refused, logger),
      recorder: this.#recorder,
    });
    this.#rooms = new WaitingRooms({
      board,
      plane: Plane.L7,
      upstreams,
      host: this.#pipeline.waitingHost,
      timers: systemTimers,
      soon: (run) => void setImmediate(run),
    });
    this.#pipeline.openRooms(this.#rooms);
    this.#relay = new ResponseRelay({ pipeline: this.#pipeline, engine: this.#engine, events, arena });
    this.#native = this.#makeNative(failures, nowMs);
  }

  /** Who is told of the ends of exchanges, by a plan. */
  #observe({ accessLog, tracing }: Pick<Plan, 'accessLog' | 'tracing'>): void {
    const { accessLog: log, spans } = this.#options;
    this.#recorder.observe([
      ...(tracing === null ? [] : [tracingOf(tracing.share, spans)]),
      ...(accessLog === null ? [] : [new ExchangeAccessLog(log)]),
    ]);
  }

  #makeNative(failures: FailureLog, nowMs: () => number): NativeFrontEnd | null {
    const { plan, board, logger, addon, maxConnections, viaName } = this.#options;
    const listeners = plan.listeners.map((listener, index) =>
      listener.mode === 'l7' && listener.frontend === 'native' ? new NativeListener(index, listener) : null,
    );
    if (listeners.every((listener) => listener === null)) return null;
    const log = new AcceptingLog(logger, nowMs);
    return new NativeFrontEnd({
      addon,
      listeners,
      engine: this.#engine,
      pipeline: this.#pipeline,
      limits: new SessionLimits(board, plan.listeners),
      stripe: board.stripe,
      failures,
      accessLog: this.#options.accessLog,
      viaName,
      requestIdPrefix: randomBytes(REQUEST_ID_BYTES).toString('hex'),
      maxConnections,
      onShortage: (errno) => (errno === 0 ? log.resumed({}) : log.paused({ errno })),
    });
  }

  async #makeUws(): Promise<UwsFrontEnds | null> {
    const { plan, logger, addon, viaName, workerIndex, clock } = this.#options;
    const listeners = plan.listeners.filter((listener) => listener.mode === 'l7').filter(isForUws);
    if (listeners.length === 0) return null;
    const requestIdPrefix = randomBytes(REQUEST_ID_BYTES).toString('hex');
    const { UwsFrontEnds: Made } = await import('./frontends/uws/uws-front-ends.js');
    return new Made({
      listeners,
      relay: this.#relay,
      pipeline: this.#pipeline,
      addon,
      viaName,
      requestIdPrefix,
      logger,
      nowMs: () => clock.nowMs(),
      workerIndex,
    });
  }

  async start(): Promise<void> {
    const { addresses, sessionListenings } = this.#options;
    this.#uws = await this.#makeUws();
    for (const [slot, known] of Object.entries(addresses)) this.setAddresses(Number(slot), known);
    this.#native?.listen(sessionListenings);
    this.#uws?.listen();
  }

  drain(): void {
    this.#isDraining = true;
    this.#pipeline.drain();
    this.#native?.drain();
    this.#uws?.drain();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    const ofNative = this.#native?.handOffPlaces(this.#options.sessionListenings) ?? [];
    return [...ofNative, ...(this.#uws?.handOffPlaces() ?? [])];
  }

  openExchanges(): number {
    const openWork = this.#pipeline.openExchanges + (this.#native?.queuedConnections() ?? 0);
    // While draining, what uWebSockets.js still has to send counts, too: closing would cut it off.
    return this.#isDraining && openWork === 0 ? (this.#uws?.countWriters() ?? 0) : openWork;
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    this.#uws?.setAddresses(slot, addresses);
    if (this.#pools.has(slot)) return this.#engine.setAddresses(slot, addresses);
    const upstream = this.#options.plan.upstreams.find(({ endpoints }) =>
      endpoints.some((endpoint) => endpoint.slot === slot),
    );
    if (upstream === undefined) return;
    this.#pools.add(slot);
    this.#engine.openPool(slot, addresses, poolSettings(upstream));
  }

  apply(): Promise<void> {
    return Promise.reject(new Error('this data plane cannot change its plan yet'));
  }

  reopenFiles(): void {}

  explain(request: ExplainRequest): Explanation | null {
    const { plan, board, addon, clock } = this.#options;
    const upstreams = this.#upstreams;
    return explainRequest(request, { plan, upstreams, board, hashes: addon, now: clock.nowTick() });
  }

  cut(slot: number, generation: number): void {
    this.#native?.cut(slot, generation);
    this.#relay.cut(slot, generation);
  }

  stats(): DataPlaneStats {
    this.#native?.countBytes();
    const { openExchanges } = this.#pipeline;
    // Where uWebSockets.js does not tell, as many as have an exchange.
    const ofUws =
      this.#uws === null ? 0 : (this.#uws.openConnections() ?? openExchanges - (this.#native?.openExchanges ?? 0));
    return {
      openConnections: (this.#native?.openConnections() ?? 0) + ofUws,
      openExchanges,
      exchanges: this.#pipeline.exchangesBegun,
      upstreamConnections:
        this.#engine.stats().connections + (this.#native?.tunnels() ?? 0) + (this.#uws?.upstreamConnections ?? 0),
    };
  }

  /** Front ends before the engine, which they send through. */
  close(): void {
    this.#rooms.close();
    this.#pipeline.close();
    this.#native?.close();
    this.#uws?.close();
    this.#engine.close();
    this.#uws?.silence();
  }
}

function tracingOf(share: number, spans: SpanQueue): ExchangeTracing {
  return new ExchangeTracing({
    share,
    spans,
    random: Math.random,
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    wallClockMs: () => performance.timeOrigin + performance.now(),
  });
}

function isForUws(listener: L7ListenerPlan): boolean {
  return listener.frontend === 'uws';
}

/** The breaker of a route that has one. */
function breakerOf(
  { host, path, breaker }: RoutePlan,
  { name }: L7ListenerPlan,
  board: WorkerBoard,
  logger: Logger,
): RouteBreaker | null {
  if (breaker === null) return null;
  return new RouteBreaker(breaker, board, new RouteBreakerLog(name, `${host}${path}`, breaker.probes, logger));
}

function tellBudgetSpent({ name }: UpstreamPlan, refused: number, logger: Logger): void {
  logger.warn(
    { event: 'retry-budget-spent', upstream: name, refused },
    `retries of upstream ${name} have used up their budget: failures are passed on`,
  );
}

function poolSettings({ timeouts, pool, responseLimits, weights }: UpstreamPlan): PoolSettings {
  return {
    connectTimeoutMs: timeouts.connectMs,
    firstByteTimeoutMs: timeouts.firstByteMs,
    idleTimeoutMs: timeouts.idleMs,
    keepAliveIdleMs: pool.keepAliveIdleMs,
    maxIdle: pool.maxIdle,
    maxConnections: pool.maxConnections,
    responseHeadBytes: responseLimits.headBytes,
    responseHeaders: responseLimits.headers,
    takesReports: weights.kind === 'reported',
  };
}
