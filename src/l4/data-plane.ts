/** The L4 data plane of one worker: its session engine and the pipeline that decides for it. */
import { randomBytes } from 'node:crypto';
import { KeyHasher } from '../balancing/key-hasher.js';
import { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { ProxyProtocolName, UpstreamPlan } from '../config/plan.js';
import { seededRng } from '../core/rng.js';
import { systemTimers } from '../core/timers.js';
import { wholeSeconds } from '../core/whole-seconds.js';
import {
  SESSION_EVENT_STRIDE,
  type SessionEndpointSettings,
  type SessionEngine,
  type SessionEngineStats,
} from '../engine/session-engine.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import { ClientBytes } from '../observability/client-bytes.js';
import { FailureLog } from '../observability/failure-log.js';
import { EndpointHealthLog } from '../observability/health-log.js';
import { endpointWatchFor } from '../policies/endpoint-watch.js';
import { SessionLimits } from '../policies/session-limits.js';
import { Plane, WaitingRooms } from '../policies/waiting-rooms.js';
import type { DataPlane, DataPlaneOptions, DataPlaneStats, HandOffPlace } from '../worker/data-plane.js';
import { SessionListener } from './session-listener.js';
import { SessionPipeline } from './session-pipeline.js';
import type { SessionRecord } from './session-record.js';
import { SessionRecorder } from './session-recorder.js';

/** Events in one batch; a fuller turn is delivered in several. */
const BATCH_EVENTS = 256;
/** Names of one batch: a server name has at most 255 bytes, a list of protocols some dozens. */
const ARENA_BYTES = 128 * 1024;

/** Makes the data plane; nothing is open before `start`. Thread: worker. */
export function startL4DataPlane(options: DataPlaneOptions): DataPlane {
  return new L4DataPlane(options);
}

class L4DataPlane implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #engine: SessionEngine;
  readonly #pipeline: SessionPipeline;
  /** By the index in the plan; null for a listener of another mode. */
  readonly #listeners: readonly (SessionListener | null)[];
  /** Slots that the engine knows. */
  readonly #slots = new Set<number>();
  readonly #clientBytes: ClientBytes;
  readonly #rooms: WaitingRooms<SessionRecord>;
  #isClosed = false;

  constructor(options: DataPlaneOptions) {
    const { plan, board, ledger, clock, logger, addon } = options;
    this.#options = options;
    this.#clientBytes = new ClientBytes(board.stripe);
    this.#listeners = plan.listeners.map((listener, index) =>
      listener.mode === 'l4' ? new SessionListener(index, listener) : null,
    );
    const nowMs = (): number => clock.nowMs();
    const events = new Int32Array(BATCH_EVENTS * SESSION_EVENT_STRIDE);
    const arena = new Uint8Array(ARENA_BYTES);
    const parts = {
      board,
      ledger,
      rng: seededRng(randomBytes(4).readUInt32LE()),
      observe: (upstream: UpstreamPlan) => endpointWatchFor(upstream, board, new EndpointHealthLog(upstream, logger)),
    };
    const upstreams = plan.upstreams.map((upstream) => new UpstreamRuntime(upstream, parts));
    this.#pipeline = new SessionPipeline({
      listeners: this.#listeners,
      upstreams,
      limits: new SessionLimits(board, plan.listeners),
      hasher: new KeyHasher(addon),
      recorder: new SessionRecorder(board.stripe, new FailureLog(logger, nowMs), events),
      clock,
      events,
      arena,
    });
    const log = new AcceptingLog(logger, nowMs);
    this.#engine = new addon.SessionEngine({
      events,
      arena,
      onBatch: (count) => this.#pipeline.onBatch(count),
      onShortage: (errno) => (errno === 0 ? log.resumed({}) : log.paused({ errno })),
      maxSessions: options.maxSessions,
    });
    const { waiting } = this.#pipeline;
    const timing = { timers: systemTimers, soon: (run: () => void) => void setImmediate(run) };
    this.#rooms = new WaitingRooms({ board, plane: Plane.L4, upstreams, host: waiting, ...timing });
    waiting.open(this.#rooms, this.#engine);
  }

  async start(): Promise<void> {
    const { addresses, sessionListenings } = this.#options;
    for (const [slot, known] of Object.entries(addresses)) this.setAddresses(Number(slot), known);
    for (const listener of this.#listeners) {
      if (listener === null) continue;
      this.#engine.openListener(listener.index, listener.settings());
    }
    for (const [index, { from, options }] of Object.entries(sessionListenings)) {
      if (this.#listeners[Number(index)] !== null) this.#engine.listen(Number(index), from, options);
    }
  }

  drain(): void {
    this.#engine.stopListening();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    const { sessionListenings } = this.#options;
    const isHandedOff = this.#listeners.some((listener) => listener !== null && !(listener.index in sessionListenings));
    return isHandedOff ? [{ kind: 'mailbox', mode: 'l4', mailbox: this.#engine.mailbox }] : [];
  }

  openExchanges(): number {
    return openSessions(this.#engine.stats());
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    if (this.#slots.has(slot)) return this.#engine.setAddresses(slot, addresses);
    const upstream = this.#options.plan.upstreams.find(({ endpoints }) =>
      endpoints.some((endpoint) => endpoint.slot === slot),
    );
    if (upstream === undefined) return;
    this.#slots.add(slot);
    this.#engine.openEndpoint(slot, addresses, endpointSettings(upstream));
  }

  apply(): Promise<void> {
    return Promise.reject(new Error('this data plane cannot change its plan yet'));
  }

  reopenFiles(): void {}

  explain(): null {
    return null;
  }

  cut(slot: number, generation: number): void {
    this.#pipeline.cut(slot, generation, (session) => this.#engine.closeSession(session));
  }

  stats(): DataPlaneStats {
    const figures = this.#engine.stats();
    this.#clientBytes.count(figures);
    return {
      openConnections: openSessions(figures),
      openExchanges: 0,
      exchanges: 0,
      upstreamConnections: figures.endpointConnections,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rooms.close();
    this.#clientBytes.count(this.#engine.stats());
    this.#engine.close();
  }
}

/** Those included that wait in the mailbox. */
function openSessions({ sessions, queued }: SessionEngineStats): number {
  return sessions + queued;
}

function endpointSettings({ timeouts, proxyProtocol, keepAlive }: UpstreamPlan): SessionEndpointSettings {
  return {
    connectTimeoutMs: timeouts.connectMs,
    proxyHeader: PROXY_HEADERS[proxyProtocol],
    keepAlive: {
      idleS: wholeSeconds(keepAlive.idleMs),
      intervalS: wholeSeconds(keepAlive.intervalMs),
      probes: keepAlive.probes,
    },
  };
}

const PROXY_HEADERS: Readonly<Record<ProxyProtocolName, 0 | 1 | 2>> = { off: 0, v1: 1, v2: 2 };
