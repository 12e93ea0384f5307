/** A pipeline over a real board, and exchanges whose front end does what the test says and keeps what it was told. */
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { UpstreamRuntimes } from '../../../src/balancing/upstream-runtimes.js';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { L7ListenerPlan, RoutePlan, UpstreamPlan } from '../../../src/config/plan.js';
import { seededRng } from '../../../src/core/rng.js';
import type { AttemptProfile } from '../../../src/engine/attempt-profile.js';
import { AttemptFact } from '../../../src/engine/attempt-profile.js';
import { HEDGE_OFFSET, MAX_EXCHANGES } from '../../../src/engine/engine.js';
import { AttemptProfiles } from '../../../src/l7/attempt-profiles.js';
import type { LocalResponse } from '../../../src/l7/error-response.js';
import { type AttemptStart, BEGUN, Exchange } from '../../../src/l7/exchange.js';
import { ExchangeRecorder } from '../../../src/l7/exchange-recorder.js';
import { ListenerAnswers } from '../../../src/l7/listener-answers.js';
import { Pipeline } from '../../../src/l7/pipeline.js';
import type { RequestDescription, RequestUrl } from '../../../src/l7/request-url.js';
import { FailureLog } from '../../../src/observability/failure-log.js';
import type { BreakerEvents } from '../../../src/policies/circuit-breaker.js';
import { type EndpointEvents, endpointWatchFor } from '../../../src/policies/endpoint-watch.js';
import { RouteBreaker } from '../../../src/policies/route-breaker.js';
import { Plane, WaitingRooms } from '../../../src/policies/waiting-rooms.js';
import { FakeTime } from '../control/fake-time.js';
import { captureLog } from '../control/log-capture.js';
import { endpointPlan, listenerPlan, upstreamPlan, WHOLE_UPSTREAM } from '../control/plans.js';

export const { HELD, SENT, REUSED, ANSWERED } = AttemptFact;

/** Calls name endpoints: 'a0' is the first of the first upstream, 'b1' the second of the second. */
export class ScriptedExchange extends Exchange {
  readonly calls: string[] = [];
  readonly responses: LocalResponse[] = [];
  asks: RequestUrl = { host: 'a.test', target: '/path' };
  fields: Readonly<Record<string, string>> = {};
  /** What becomes of the next attempts; BEGUN when empty. */
  starts: AttemptStart[] = [];
  canHedge = true;
  profiles: number[] = [];
  nameOf: (slot: number) => string = String;

  override describe(): RequestDescription {
    return { method: this.method, path: '/path', requestId: 'r1' };
  }
  override url = (): RequestUrl => this.asks;
  override setHeader(name: string, value: string | null): void {
    const { [name]: _, ...others } = this.fields;
    this.fields = value === null ? others : { ...others, [name]: value };
  }
  override tellLog = (): void => {};
  override hashKey = (): boolean => false;
  override keyText = (): null => null;
  override header(name: string): string | null {
    return this.fields[name] ?? null;
  }
  override beginAttempt(slot: number, profile: number): AttemptStart {
    return this.#begun('begin', slot, profile);
  }
  override tryAgain(slot: number, profile: number): AttemptStart {
    return this.#begun('again', slot, profile);
  }
  override hedge(slot: number): boolean {
    if (this.canHedge) this.calls.push(`hedge ${this.nameOf(slot)}`);
    return this.canHedge;
  }
  override putOff = (): void => void this.calls.push('put off');
  override passOn = (): void => void this.calls.push('pass on');
  override releaseHedge = (): void => void this.calls.push('release hedge');
  override release = (): void => {};
  override addResponseField = (name: string, value: string | null): void =>
    void this.calls.push(`field ${name}: ${value}`);
  override sendLocal(response: LocalResponse): boolean {
    this.calls.push(`answer ${response.status}`);
    this.responses.push(response);
    return true;
  }
  override get isConnectionSpent(): boolean {
    return false;
  }
  override breakOff(): boolean {
    this.calls.push('break off');
    return true;
  }
  override recycle(): void {
    this.reset();
  }

  #begun(how: string, slot: number, profile: number): AttemptStart {
    const start = this.starts.shift() ?? BEGUN;
    this.calls.push(`${how} ${this.nameOf(slot)}${start === BEGUN ? '' : ` ${start}`}`);
    this.profiles.push(profile);
    return start;
  }
}

/** What a test changes of the plain plan. */
export interface ScriptedParts {
  /** Of the upstream `a`. */
  readonly endpoints?: number;
  /** Of the upstream `b`; 1. */
  readonly seconds?: number;
  readonly upstream?: Partial<UpstreamPlan>;
  readonly second?: Partial<UpstreamPlan>;
  readonly route?: Partial<RoutePlan>;
  readonly explains?: boolean;
  /** Of every endpoint of `a`; 0: none. */
  readonly cap?: number;
}

export function pipelineOf(parts: ScriptedParts = {}) {
  const count = parts.endpoints ?? 3;
  const board = createBoard(
    {
      endpointSlots: 64,
      upstreams: 2,
      turns: 2,
      hashTables: 0,
      hashTableWords: 0,
      queueEntries: 8,
      queues: 2,
      routeBreakers: 1,
      routes: 1,
      workers: 2,
      listeners: 1,
      clientEntries: 16,
    },
    [1, 2],
  );
  const worker = attachBoard(board.buffer, 0, board.figures.memoryOf(0));
  const cap = parts.cap ?? 0;
  const endpointsOf = (upstream: number, size: number, each: number) =>
    Array.from({ length: size }, (_, index) => ({
      ...endpointPlan('127.0.0.1', 9001 + 100 * upstream + index, 0),
      ...board.assign(upstream, { weight: 1, cap: each, isBackup: false, isResolved: true }),
      maxConns: each,
    }));
  const upstreams: UpstreamPlan[] = [
    { ...upstreamPlan(endpointsOf(0, count, cap)), ...parts.upstream },
    {
      ...upstreamPlan(endpointsOf(1, parts.seconds ?? 1, 0)),
      name: 'other',
      index: 1,
      record: 1,
      turn: 1,
      ...parts.second,
    },
  ];
  const route: RoutePlan = {
    host: '*',
    path: '/',
    upstream: 0,
    ...WHOLE_UPSTREAM,
    exchangeTimeoutMs: 0,
    ...parts.route,
  };
  const listener = { ...listenerPlan('web', '127.0.0.1', 80), routes: [route], explains: parts.explains ?? false };
  const time = new FakeTime(5_000_000);
  const log = captureLog();
  const ledger = new EndpointLedger(worker, HEDGE_OFFSET + MAX_EXCHANGES);
  const opened = new Map<number, AttemptProfile>();
  const rng = seededRng(3);
  const silent = new Proxy({}, { get: () => () => {} }) as EndpointEvents & BreakerEvents;
  const observe = (upstream: UpstreamPlan) => endpointWatchFor(upstream, worker, silent);
  const runtimes = new UpstreamRuntimes(upstreams, { board: worker, ledger, rng, observe });
  const spent: string[] = [];
  const listenerAnswers = new ListenerAnswers();
  const pipeline = new Pipeline({
    profiles: new AttemptProfiles({
      open: (number, profile) => void opened.set(number, profile),
      breakerOf: ({ breaker }) => (breaker === null ? null : new RouteBreaker(breaker, worker, silent)),
    }),
    board: worker,
    recorder: new ExchangeRecorder(worker, new FailureLog(log.logger, () => time.nowMs())),
    clock: time,
    timers: time,
    rng,
    listenerAnswers,
    onFileLimit: () => {},
    onBudgetSpent: ({ name }, refused) => void spent.push(`${name} ${refused}`),
  });
  const rooms = new WaitingRooms({
    board: worker,
    plane: Plane.L7,
    upstreams: runtimes.all,
    host: pipeline.waitingHost,
    timers: time,
    soon: (run) => void time.after(0, run),
  });
  const made: ScriptedExchange[] = [];
  /** What is said of upstreams and listeners when a plan changes. */
  const lead = (listeners: readonly L7ListenerPlan[], leaving: readonly RoutePlan[] = []) =>
    pipeline.apply({ listeners, upstreams: runtimes.all, rooms, exchanges: made, leaving });
  lead([listener]);
  const nameOf = (slot: number): string => {
    const upstream = upstreams.findIndex(({ endpoints }) => endpoints.some((endpoint) => endpoint.slot === slot));
    if (upstream < 0) return `new ${slot}`;
    return `${'ab'[upstream]}${upstreams[upstream]!.endpoints.findIndex((endpoint) => endpoint.slot === slot)}`;
  };
  let current: { route: RoutePlan; listener: L7ListenerPlan; upstreams: UpstreamPlan[] } = {
    route,
    listener,
    upstreams,
  };
  /** Another plan counts: upstreams by name, and the route anew. */
  const change = (next: { upstreams?: UpstreamPlan[]; route?: Partial<RoutePlan> }) => {
    const nextRoute = { ...current.route, ...next.route };
    current = {
      route: nextRoute,
      listener: { ...listener, routes: [nextRoute] },
      upstreams: next.upstreams ?? structuredClone(current.upstreams),
    };
    rooms.apply(runtimes.apply(current.upstreams));
    lead([current.listener]);
  };
  /** Of a new object, or of one that is used again. */
  const begin = (
    method = 'GET',
    fields: Readonly<Record<string, string>> = {},
    used?: ScriptedExchange,
    asks?: RequestUrl,
  ) => {
    const exchange = used ?? new ScriptedExchange(made.length, current.listener);
    if (asks !== undefined) exchange.asks = asks;
    if (used === undefined) made.push(exchange);
    exchange.nameOf = nameOf;
    exchange.method = method;
    exchange.fields = fields;
    pipeline.readClock();
    pipeline.begin(exchange, current.route, {
      hasLoop: false,
      maxForwards: -1,
      headBytes: 0,
      fields: 0,
      bodyBytes: -1,
    });
    return exchange;
  };
  /** The listener of requests to come is another one. */
  const relist = (listener: Partial<L7ListenerPlan>): void => {
    current = { ...current, listener: { ...current.listener, ...listener } };
    lead([current.listener]);
  };
  return {
    pipeline,
    begin,
    relist,
    listenerAnswers,
    change,
    runtimes,
    plans: upstreams,
    route,
    slotOf: (name: string): number => upstreams['ab'.indexOf(name[0]!)]!.endpoints[Number(name.slice(1))]!.slot,
    board,
    worker,
    time,
    log,
    opened,
    spent,
    rooms,
    /** An attempt fails. */
    fail: (exchange: Exchange, code: Parameters<Pipeline['attemptFailed']>[1], facts: number = HELD | SENT): void => {
      pipeline.readClock();
      pipeline.attemptFailed(exchange, code, facts, 900, 0);
    },
    failHedge: (
      exchange: Exchange,
      code: Parameters<Pipeline['hedgeFailed']>[1],
      facts: number = HELD | SENT,
    ): void => {
      pipeline.readClock();
      pipeline.hedgeFailed(exchange, code, facts, 900, 0);
    },
    ask: (exchange: Exchange, status: number, retryAfter = '', isHedge = false): void => {
      pipeline.readClock();
      pipeline.responseAsked(exchange, status, 700, retryAfter, isHedge);
    },
    /** A whole response has been delivered. */
    serve: (exchange: Exchange, status = 200, isHedge = false, elapsedUs = 500): void => {
      pipeline.readClock();
      pipeline.headCame(exchange, status, elapsedUs, isHedge);
      pipeline.endpointDone(exchange);
      pipeline.finished(exchange, 'DELIVERED');
    },
    inflight: (upstream = 0) => upstreams[upstream]!.endpoints.map(({ slot }) => board.load.inflight(slot)),
    failures: () => upstreams[0]!.endpoints.map(({ slot }) => board.endpointFigures(slot).failures),
    counted: () => Object.fromEntries(Object.entries(board.totals().failures).filter(([, number]) => number > 0)),
    leftovers: () => ({
      inflight: upstreams
        .flatMap(({ endpoints }) => endpoints)
        .reduce((sum, { slot }) => sum + board.load.inflight(slot), 0),
      ledger: ledger.open,
      pipeline: pipeline.openExchanges,
      waiting: rooms.size,
    }),
  };
}

export const NOTHING_LEFT = { inflight: 0, ledger: 0, pipeline: 0, waiting: 0 };

/** Retries that say what the test is about. */
export const retry = (parts: Partial<UpstreamPlan['retry']>): Partial<UpstreamPlan> => ({
  retry: { ...upstreamPlan([]).retry, ...parts },
});
