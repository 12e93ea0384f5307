/** The L4 data plane of one worker: its session engine and the pipeline that decides for it. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { KeyHasher } from '../balancing/key-hasher.js';
import { UpstreamRuntimes } from '../balancing/upstream-runtimes.js';
import type { L4ListenerPlan, Plan, UpstreamPlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import { seededRng } from '../core/rng.js';
import { systemTimers } from '../core/timers.js';
import type { AccessLines } from '../engine/access-lines.js';
import { SESSION_EVENT_STRIDE, type SessionEngine, type SessionEngineStats } from '../engine/session-engine.js';
import { AcceptingLog } from '../observability/accepting-log.js';
import type { AccessLog } from '../observability/access-log.js';
import { ClientBytes } from '../observability/client-bytes.js';
import { ClientHandshakes } from '../observability/client-handshakes.js';
import { FailureLog } from '../observability/failure-log.js';
import { EndpointHealthLog } from '../observability/health-log.js';
import { endpointWatchFor } from '../policies/endpoint-watch.js';
import { SessionLimits } from '../policies/session-limits.js';
import { Plane, WaitingRooms } from '../policies/waiting-rooms.js';
import type {
  DataPlane,
  DataPlaneOptions,
  DataPlaneStats,
  HandOffPlace,
  PlanChange,
  SessionListening,
  SessionListenings,
} from '../worker/data-plane.js';
import { listeningError } from './listening-error.js';
import { SessionAccessLog } from './session-access-log.js';
import { SessionEndpoints } from './session-endpoints.js';
import { SessionKeys } from './session-keys.js';
import { SessionListener, SessionUpstreams } from './session-listener.js';
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
  readonly #engine: SessionEngine;
  readonly #recorder: SessionRecorder;
  readonly #accessLog: AccessLog<AccessLines>;
  readonly #pipeline: SessionPipeline;
  readonly #upstreams: UpstreamRuntimes;
  readonly #endpoints: SessionEndpoints;
  readonly #limits: SessionLimits;
  readonly #clientBytes: ClientBytes;
  readonly #handshakes: ClientHandshakes;
  readonly #rooms: WaitingRooms<SessionRecord>;
  #plan: Plan;
  /** What this worker is to accept for itself, and, by number, what it does. */
  #sessionListenings: SessionListenings;
  readonly #listenings = new Map<number, SessionListening>();
  /** Those that are gone, until their sessions are cut. */
  readonly #leaving = new Map<SessionListener, NodeJS.Timeout>();
  /** What `start` begins with. */
  readonly #first: PlanChange;
  #isClosed = false;

  constructor(options: DataPlaneOptions) {
    const { plan, board, ledger, clock, logger, addon } = options;
    this.#first = options;
    this.#plan = plan;
    this.#sessionListenings = options.sessionListenings;
    this.#clientBytes = new ClientBytes(board.stripe);
    this.#handshakes = new ClientHandshakes(board.figures.handshakes);
    this.#handshakes.follow(listenersIn(plan));
    const nowMs = (): number => clock.nowMs();
    const events = new Int32Array(BATCH_EVENTS * SESSION_EVENT_STRIDE);
    const arena = new Uint8Array(ARENA_BYTES);
    this.#upstreams = new UpstreamRuntimes(plan.upstreams, {
      board,
      ledger,
      rng: seededRng(randomBytes(4).readUInt32LE()),
      observe: (upstream: UpstreamPlan) => endpointWatchFor(upstream, board, new EndpointHealthLog(upstream, logger)),
    });
    this.#limits = new SessionLimits(board, plan.listeners);
    this.#recorder = new SessionRecorder(board, new FailureLog(logger, nowMs), { events, arena });
    this.#accessLog = options.accessLog;
    this.#observe(plan);
    this.#pipeline = new SessionPipeline({
      listeners: listenersOf(plan, new SessionUpstreams(this.#upstreams.all), () => null),
      limits: this.#limits,
      keys: new SessionKeys(new KeyHasher(addon), (session) => this.#engine.clientCertificate(session)),
      recorder: this.#recorder,
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
    this.#endpoints = new SessionEndpoints(this.#engine);
    const { waiting } = this.#pipeline;
    const timing = { timers: systemTimers, soon: (run: () => void) => void setImmediate(run) };
    const upstreams = this.#upstreams.all;
    this.#rooms = new WaitingRooms({ board, plane: Plane.L4, upstreams, host: waiting, ...timing });
    waiting.open(this.#rooms, this.#engine);
  }

  async start(): Promise<void> {
    const { plan, addresses } = this.#first;
    this.#endpoints.apply(plan.upstreams, addresses);
    for (const { number } of listenersIn(plan)) this.#openListener(number);
    for (const { number } of listenersIn(plan)) this.#listen(number);
  }

  /** Everything within one turn: no session comes in between. */
  /** Who is told of the ends of sessions, by a plan. */
  #observe({ accessLog }: Pick<Plan, 'accessLog'>): void {
    this.#recorder.observe(accessLog === null ? [] : [new SessionAccessLog(this.#accessLog)]);
  }

  async apply({ plan, addresses, sessionListenings }: PlanChange): Promise<void> {
    const before = new Map(listenersIn(this.#plan).map(({ number, name }) => [number, name]));
    this.#plan = plan;
    this.#handshakes.follow(listenersIn(plan));
    this.#observe(plan);
    const upstreams = this.#upstreams.apply(plan.upstreams);
    this.#rooms.apply(upstreams);
    this.#limits.apply(plan.listeners);
    this.#endpoints.apply(plan.upstreams, addresses);
    const stays = ({ number, name }: L4ListenerPlan): boolean => before.get(number) === name;
    const formerOf = (listener: L4ListenerPlan): SessionListener | null =>
      stays(listener) ? this.#pipeline.listener(listener.number) : null;
    const listeners = listenersOf(plan, new SessionUpstreams(upstreams), formerOf);
    for (const listener of listenersIn(plan)) if (stays(listener)) before.delete(listener.number);
    for (const number of before.keys()) this.#leave(number, plan.shutdownTimeoutMs);
    this.#sessionListenings = sessionListenings;
    this.#pipeline.apply(listeners);
    const failures: unknown[] = [];
    for (const { number } of listeners) {
      this.#openListener(number);
      try {
        this.#listen(number);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #openListener(number: number): void {
    const listener = this.#pipeline.listener(number);
    invariant(listener, 'a listener of the plan is known');
    this.#engine.openListener(number, listener.settings());
  }

  /** Accepts where the plan says so, unless it does already. @throws ProxyError with why it cannot be: then it accepts where it did */
  #listen(number: number): void {
    const listening = this.#sessionListenings[number];
    if (listening === undefined || isDeepStrictEqual(listening, this.#listenings.get(number))) return;
    try {
      this.#engine.listen(number, listening.from, listening.options);
    } catch (error) {
      throw listeningError(error, this.#pipeline.listener(number)?.plan.name ?? '');
    }
    this.#listenings.set(number, listening);
  }

  /** The plan has this listener no more. @param graceMs after which its sessions are cut */
  #leave(number: number, graceMs: number): void {
    const listener = this.#pipeline.listener(number);
    invariant(listener, 'a listener of the plan before is known');
    this.#engine.closeListener(number);
    this.#listenings.delete(number);
    const timer = setTimeout(() => {
      this.#leaving.delete(listener);
      this.#pipeline.cutListener(listener, (session) => this.#engine.closeSession(session));
    }, graceMs);
    this.#leaving.set(listener, timer.unref());
  }

  drain(): void {
    this.#engine.stopListening();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    const isHandedOff = listenersIn(this.#plan).some(({ number }) => !(number in this.#sessionListenings));
    return isHandedOff ? [{ kind: 'mailbox', mode: 'l4', mailbox: this.#engine.mailbox }] : [];
  }

  openExchanges(): number {
    return openSessions(this.#engine.stats());
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    this.#endpoints.setAddresses(slot, addresses);
  }

  explain(): null {
    return null;
  }

  /** The native contexts of its listeners know by themselves. */
  certificatesChanged(): void {}

  /** A session is no request. */
  setChallenge(): void {}

  cut(slot: number, generation: number): void {
    this.#pipeline.cut(slot, generation, (session) => this.#engine.closeSession(session));
  }

  stats(): DataPlaneStats {
    const figures = this.#engine.stats();
    this.#clientBytes.count(figures);
    this.#handshakes.count(this.#engine);
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
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    this.#rooms.close();
    this.#clientBytes.count(this.#engine.stats());
    this.#handshakes.count(this.#engine);
    this.#engine.close();
  }
}

/** Those included that wait in the mailbox. */
function openSessions({ sessions, queued }: SessionEngineStats): number {
  return sessions + queued;
}

function listenersIn({ listeners }: Plan): L4ListenerPlan[] {
  return listeners.filter((listener) => listener.mode === 'l4');
}

/** @param formerOf the same listener under the plan before */
function listenersOf(
  plan: Plan,
  upstreams: SessionUpstreams,
  formerOf: (listener: L4ListenerPlan) => SessionListener | null,
): SessionListener[] {
  return listenersIn(plan).map((listener) => new SessionListener(listener, upstreams, formerOf(listener)));
}
