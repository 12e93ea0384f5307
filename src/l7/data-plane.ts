/** The L7 data plane of one worker: its engine, its pipeline and a front end for each L7 listener. */
import { randomBytes } from 'node:crypto';
import { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { UpstreamPlan } from '../config/plan.js';
import { seededRng } from '../core/rng.js';
import { type Engine, EVENT_STRIDE, type PoolSettings } from '../engine/engine.js';
import { FailureLog } from '../observability/failure-log.js';
import type { DataPlane, DataPlaneOptions, DataPlaneStats, HandOffPlace } from '../worker/data-plane.js';
import { AcceptGate } from './accept-gate.js';
import { ExchangeRecorder } from './exchange-recorder.js';
import { loadUws, removeUwsMark } from './frontends/uws/load-uws.js';
import { UwsFrontEnd } from './frontends/uws/uws-front-end.js';
import { Pipeline } from './pipeline.js';
import { RequestIds } from './request-id.js';
import { ResponseRelay } from './response-relay.js';

/** Events in one batch; a fuller turn is delivered in several. */
const BATCH_EVENTS = 256;
/** Heads and bodies of one batch. Several receive windows of the engine fit, so that one large body does not end a batch. */
const ARENA_BYTES = 1024 * 1024;

/** Makes the data plane; nothing is open before `start`. Thread: worker. @throws ProxyError SLUICE_UWS_MISSING */
export function startL7DataPlane(options: DataPlaneOptions): DataPlane {
  return new L7DataPlane(options);
}

class L7DataPlane implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #engine: Engine;
  readonly #pipeline: Pipeline;
  readonly #relay: ResponseRelay;
  readonly #frontEnds: readonly UwsFrontEnd[];
  readonly #gate: AcceptGate;
  #isDraining = false;
  /** Slots whose connection pool is open. */
  readonly #pools = new Set<number>();

  constructor(options: DataPlaneOptions) {
    const { plan, board, ledger, clock, logger, addon } = options;
    this.#options = options;
    const events = new Int32Array(BATCH_EVENTS * EVENT_STRIDE);
    const arena = new Uint8Array(ARENA_BYTES);
    this.#engine = new addon.Engine({ events, arena, onBatch: (count) => this.#relay.onBatch(count) });
    const parts = { board, ledger, rng: seededRng(randomBytes(4).readUInt32LE()) };
    this.#pipeline = new Pipeline({
      upstreams: plan.upstreams.map((upstream) => new UpstreamRuntime(upstream, parts)),
      clock,
      onFileLimit: () => this.#gate.look(),
      recorder: new ExchangeRecorder(board.stripe, new FailureLog(logger, clock.nowMs)),
    });
    this.#relay = new ResponseRelay({ pipeline: this.#pipeline, engine: this.#engine, events, arena });
    const loaded = loadUws();
    const requestIds = new RequestIds(randomBytes(12).toString('hex'));
    this.#frontEnds = plan.listeners
      .filter((listener) => listener.mode === 'l7')
      .map(
        (listener) => new UwsFrontEnd({ listener, loaded, relay: this.#relay, requestIds, viaName: options.viaName }),
      );
    removeUwsMark(loaded.uws);
    this.#gate = new AcceptGate(addon, logger, clock.nowMs, options.workerIndex === 0);
  }

  async start(): Promise<void> {
    for (const [slot, addresses] of Object.entries(this.#options.addresses)) this.setAddresses(Number(slot), addresses);
    for (const frontEnd of this.#frontEnds) frontEnd.listen();
    this.#gate.start();
  }

  drain(): void {
    this.#isDraining = true;
    this.#gate.stop();
    this.#pipeline.drain();
    for (const frontEnd of this.#frontEnds) frontEnd.stopListening();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    return this.#frontEnds.flatMap((frontEnd) => frontEnd.handOffPlace ?? []);
  }

  openExchanges(): number {
    const { openExchanges } = this.#pipeline;
    // While draining, what uWebSockets.js still has to send counts, too: closing would cut it off.
    return this.#isDraining && openExchanges === 0 ? this.#options.addon.countForeignWriters() : openExchanges;
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    if (this.#pools.has(slot)) return this.#engine.setAddresses(slot, addresses);
    const upstream = this.#options.plan.upstreams.find(({ endpoints }) =>
      endpoints.some((endpoint) => endpoint.slot === slot),
    );
    if (upstream === undefined) return;
    this.#pools.add(slot);
    this.#engine.openPool(slot, addresses, poolSettings(upstream));
  }

  stats(): DataPlaneStats {
    const { connections } = this.#engine.stats();
    const openExchanges = this.#pipeline.openExchanges;
    return {
      openConnections: this.#openConnections() ?? openExchanges,
      openExchanges,
      exchanges: this.#pipeline.exchangesBegun,
      upstreamConnections: connections,
    };
  }

  /** null: uWebSockets.js 20.30 does not tell how many clients are connected. */
  #openConnections(): number | null {
    let sum = 0;
    for (const { openConnections } of this.#frontEnds) {
      if (openConnections === null) return null;
      sum += openConnections;
    }
    return sum;
  }

  close(): void {
    this.#gate.stop();
    for (const frontEnd of this.#frontEnds) frontEnd.close();
    this.#engine.close();
    this.#options.addon.silenceForeignHandles();
  }
}

function poolSettings({ timeouts, pool, responseLimits }: UpstreamPlan): PoolSettings {
  return {
    connectTimeoutMs: timeouts.connectMs,
    firstByteTimeoutMs: timeouts.firstByteMs,
    idleTimeoutMs: timeouts.idleMs,
    keepAliveIdleMs: pool.keepAliveIdleMs,
    maxIdle: pool.maxIdle,
    maxConnections: pool.maxConnections,
    responseHeadBytes: responseLimits.headBytes,
    responseHeaders: responseLimits.headers,
  };
}
