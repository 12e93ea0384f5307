/** The L7 data plane of one worker: its engine, its pipeline and the front ends of its listeners. */
import { randomBytes } from 'node:crypto';
import { UpstreamRuntimes } from '../balancing/upstream-runtimes.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { L7ListenerPlan, ListenerPlan, Plan, RoutePlan, UpstreamPlan } from '../config/plan.js';
import { ProxyError } from '../core/proxy-error.js';
import { seededRng } from '../core/rng.js';
import { systemTimers } from '../core/timers.js';
import { type Engine, EVENT_STRIDE } from '../engine/engine.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import { FailureLog } from '../observability/failure-log.js';
import { EndpointHealthLog, RouteBreakerLog } from '../observability/health-log.js';
import type { Logger } from '../observability/logger.js';
import type { SpanQueue } from '../observability/span-queue.js';
import { endpointWatchFor } from '../policies/endpoint-watch.js';
import { RouteBreaker } from '../policies/route-breaker.js';
import { SessionLimits } from '../policies/session-limits.js';
import { Plane, WaitingRooms } from '../policies/waiting-rooms.js';
import type {
  AddressesBySlot,
  DataPlane,
  DataPlaneOptions,
  DataPlaneStats,
  HandOffPlace,
  PlanChange,
} from '../worker/data-plane.js';
import type { ExplainRequest, Explanation } from '../worker/explaining.js';
import { AttemptProfiles } from './attempt-profiles.js';
import { EndpointPools } from './endpoint-pools.js';
import type { Exchange } from './exchange.js';
import { ExchangeAccessLog } from './exchange-access-log.js';
import { ExchangeRecorder } from './exchange-recorder.js';
import { ExchangeTracing } from './exchange-tracing.js';
import { NativeFrontEnd } from './frontends/native/native-front-end.js';
import { isForNative } from './frontends/native/native-listener.js';
import type { UwsFrontEnds } from './frontends/uws/uws-front-ends.js';
import { ListenerAnswers } from './listener-answers.js';
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
  readonly #pools: EndpointPools;
  readonly #upstreams: UpstreamRuntimes;
  readonly #limits: SessionLimits;
  readonly #recorder: ExchangeRecorder;
  readonly #failures: FailureLog;
  readonly #listenerAnswers = new ListenerAnswers();
  readonly #pipeline: Pipeline;
  readonly #relay: ResponseRelay;
  readonly #rooms: WaitingRooms<Exchange>;
  /** The plan that counts, as it came. */
  #change: PlanChange;
  /** Made with the first listener that has it, as `#uws`; then it stays. */
  #native: NativeFrontEnd | null = null;
  /** null: no listener has had it, and neither uWebSockets.js nor `ws` is even loaded. */
  #uws: UwsFrontEnds | null = null;
  #isDraining = false;
  #isClosed = false;

  constructor(options: DataPlaneOptions) {
    const { plan, addresses, sessionListenings, board, ledger, clock, logger, addon } = options;
    this.#options = options;
    this.#change = { plan, addresses, sessionListenings };
    const nowMs = (): number => clock.nowMs();
    const events = new Int32Array(BATCH_EVENTS * EVENT_STRIDE);
    const arena = new Uint8Array(ARENA_BYTES);
    this.#failures = new FailureLog(logger, nowMs);
    const rng = seededRng(randomBytes(4).readUInt32LE());
    this.#upstreams = new UpstreamRuntimes(plan.upstreams, {
      board,
      ledger,
      rng,
      observe: (upstream: UpstreamPlan) => endpointWatchFor(upstream, board, new EndpointHealthLog(upstream, logger)),
    });
    // Only exchanges of uWebSockets.js have events of the engine's own.
    const engine = new addon.Engine({ events, arena, onBatch: (count) => this.#relay.onBatch(count) });
    this.#engine = engine;
    this.#pools = new EndpointPools(engine);
    this.#limits = new SessionLimits(board, plan.listeners);
    this.#recorder = new ExchangeRecorder(board, this.#failures);
    this.#observe(plan);
    this.#pipeline = new Pipeline({
      profiles: new AttemptProfiles({
        open: (profile, settings) => engine.openProfile(profile, settings),
        breakerOf: (route, listener) => breakerOf(route, listener, board, logger),
      }),
      board,
      clock,
      timers: systemTimers,
      rng,
      listenerAnswers: this.#listenerAnswers,
      onFileLimit: () => this.#uws?.noteFileLimit(),
      onBudgetSpent: (upstream, refused) => tellBudgetSpent(upstream, refused, logger),
      recorder: this.#recorder,
    });
    this.#rooms = new WaitingRooms({
      board,
      plane: Plane.L7,
      upstreams: this.#upstreams.all,
      host: this.#pipeline.waitingHost,
      timers: systemTimers,
      soon: (run) => void setImmediate(run),
    });
    this.#relay = new ResponseRelay({ pipeline: this.#pipeline, engine: this.#engine, events, arena });
    this.#leadRequests(plan, []);
    if (plan.listeners.some(isForNative)) this.#native = this.#makeNative();
  }

  /** Who is told of the ends of exchanges, by a plan. */
  #observe({ accessLog, tracing }: Pick<Plan, 'accessLog' | 'tracing'>): void {
    const { accessLog: log, spans } = this.#options;
    this.#recorder.observe([
      ...(tracing === null ? [] : [tracingOf(tracing.share, spans)]),
      ...(accessLog === null ? [] : [new ExchangeAccessLog(log)]),
    ]);
  }

  #makeNative(): NativeFrontEnd {
    const { clock, board, logger, addon, maxConnections, viaName } = this.#options;
    const log = new AcceptingLog(logger, () => clock.nowMs());
    return new NativeFrontEnd({
      addon,
      engine: this.#engine,
      pipeline: this.#pipeline,
      limits: this.#limits,
      stripe: board.stripe,
      figures: board.figures,
      timers: systemTimers,
      failures: this.#failures,
      accessLog: this.#options.accessLog,
      viaName,
      requestIdPrefix: randomBytes(REQUEST_ID_BYTES).toString('hex'),
      maxConnections,
      onShortage: (errno) => (errno === 0 ? log.resumed({}) : log.paused({ errno })),
    });
  }

  async #makeUws(): Promise<UwsFrontEnds> {
    const { logger, addon, viaName, workerIndex, clock } = this.#options;
    const requestIdPrefix = randomBytes(REQUEST_ID_BYTES).toString('hex');
    const { UwsFrontEnds: Made } = await import('./frontends/uws/uws-front-ends.js');
    return new Made({
      listeners: this.#change.plan.listeners.filter(isForUws),
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
    const { plan, addresses, sessionListenings } = this.#change;
    if (plan.listeners.some(isForUws)) this.#uws = await this.#makeUws();
    this.#openPools(plan, addresses);
    this.#native?.apply(plan, sessionListenings);
    this.#uws?.listen();
  }

  async apply(change: PlanChange): Promise<void> {
    // It takes nothing new any more, and what it has finishes by the plan that it has.
    if (this.#isDraining || this.#isClosed) return;
    const { plan, addresses, sessionListenings } = change;
    const former = this.#change.plan;
    this.#change = change;
    this.#rooms.apply(this.#upstreams.apply(plan.upstreams));
    this.#leadRequests(plan, this.#leavingRoutes(former, plan));
    this.#openPools(plan, addresses);
    this.#limits.apply(plan.listeners);
    this.#observe(plan);
    if (plan.listeners.some(isForNative)) this.#native ??= this.#makeNative();
    // Front ends of before in the turn of the pipeline: they tell it of routes by the objects of a plan.
    const failures: unknown[] = [];
    for (const frontEnd of [this.#native, this.#uws]) {
      try {
        frontEnd?.apply(plan, sessionListenings);
      } catch (error) {
        failures.push(error);
      }
    }
    if (this.#uws === null && plan.listeners.some(isForUws))
      await this.#addUws().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures.find((error) => !(error instanceof ProxyError)) ?? failures[0];
  }

  /** The first listener of uWebSockets.js has come with a later plan. @throws ProxyError */
  async #addUws(): Promise<void> {
    const uws = await this.#makeUws();
    if (this.#isClosed) return uws.close();
    this.#uws = uws;
    for (const [slot, known] of Object.entries(this.#change.addresses)) uws.setAddresses(Number(slot), known);
    uws.listen();
    if (this.#isDraining) uws.drain();
  }

  /** New requests, and next attempts of those under way, go by this plan. */
  #leadRequests({ listeners }: Plan, leaving: readonly RoutePlan[]): void {
    this.#pipeline.apply({
      listeners,
      upstreams: this.#upstreams.all,
      rooms: this.#rooms,
      exchanges: [...this.#relay.exchanges, ...(this.#native?.exchanges ?? [])],
      leaving,
    });
  }

  /** Of listeners that are gone by now: their connections stay until they have nothing more to do. */
  #leavingRoutes(former: Plan, plan: Plan): readonly RoutePlan[] {
    const numbers = new Set(plan.listeners.map(({ number }) => number));
    const now = former.listeners.flatMap((listener) =>
      listener.mode === 'l7' && !numbers.has(listener.number) ? listener.routes : [],
    );
    return [...now, ...(this.#native?.leavingRoutes ?? []), ...(this.#uws?.leavingRoutes ?? [])];
  }

  #openPools(plan: Plan, addresses: AddressesBySlot): void {
    this.#pools.apply(plan, addresses);
    for (const [slot, known] of Object.entries(addresses)) this.#uws?.setAddresses(Number(slot), known);
  }

  drain(): void {
    this.#isDraining = true;
    this.#pipeline.drain();
    this.#native?.drain();
    this.#uws?.drain();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    const ofNative = this.#native?.handOffPlaces() ?? [];
    return [...ofNative, ...(this.#uws?.handOffPlaces() ?? [])];
  }

  openExchanges(): number {
    const openWork = this.#pipeline.openExchanges + (this.#native?.queuedConnections() ?? 0);
    // While draining, what uWebSockets.js still has to send counts, too: closing would cut it off.
    return this.#isDraining && openWork === 0 ? (this.#uws?.countWriters() ?? 0) : openWork;
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    if (this.#pools.setAddresses(slot, addresses)) this.#uws?.setAddresses(slot, addresses);
  }

  explain(request: ExplainRequest): Explanation | null {
    const { board, addon, clock } = this.#options;
    const { plan } = this.#change;
    const upstreams = this.#upstreams.all;
    return explainRequest(request, { plan, upstreams, board, hashes: addon, now: clock.nowTick() });
  }

  certificatesChanged(listener: number): void {
    this.#uws?.certificatesChanged(listener);
  }

  setChallenge(token: string, keyAuthorization: string | null): void {
    this.#listenerAnswers.setChallenge(token, keyAuthorization);
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
    this.#isClosed = true;
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

function isForUws(listener: ListenerPlan): listener is L7ListenerPlan {
  return listener.mode === 'l7' && listener.frontend === 'uws';
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
