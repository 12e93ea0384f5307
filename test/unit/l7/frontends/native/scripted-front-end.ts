/** A native front end that reports what the test says, and keeps what it was told: the contract of src/engine/front-end.ts. */

import { EndpointLedger } from '../../../../../src/balancing/endpoint-ledger.js';
import { UpstreamRuntime } from '../../../../../src/balancing/upstream-runtime.js';
import type { L7ListenerPlan, UpstreamPlan } from '../../../../../src/config/plan.js';
import { HANDSHAKE_ENDS } from '../../../../../src/core/handshake-ends.js';
import { seededRng } from '../../../../../src/core/rng.js';
import { type AccessLines, NOTHING_LOGGED } from '../../../../../src/engine/access-lines.js';
import { type Engine, MAX_EXCHANGES } from '../../../../../src/engine/engine.js';
import type {
  FrontEnd,
  FrontEndListenerSettings,
  FrontEndOptions,
  FrontEndStats,
} from '../../../../../src/engine/front-end.js';
import {
  ClientEnd,
  FIRST_FRONT_END_EXCHANGE,
  FRONT_END_EVENT_STRIDE,
  FrontEndEventType,
  FrontEndField,
  FrontEndFlag,
  Method,
} from '../../../../../src/engine/front-end-event.js';
import type { ClientCertificate } from '../../../../../src/engine/tls.js';
import { AttemptProfiles } from '../../../../../src/l7/attempt-profiles.js';
import { ExchangeRecorder } from '../../../../../src/l7/exchange-recorder.js';
import { NativeFrontEnd } from '../../../../../src/l7/frontends/native/native-front-end.js';
import { ListenerAnswers } from '../../../../../src/l7/listener-answers.js';
import { Pipeline } from '../../../../../src/l7/pipeline.js';
import { FailureLog } from '../../../../../src/observability/failure-log.js';
import { SessionLimits } from '../../../../../src/policies/session-limits.js';
import { FakeTime } from '../../../control/fake-time.js';
import { captureLog } from '../../../control/log-capture.js';
import { listenerPlan } from '../../../control/plans.js';
import { boardOf } from '../../../l4/scripted-engine.js';

/** Number of the exchange that tests speak of as `n`. */
export const exchange = (n: number): number => FIRST_FRONT_END_EXCHANGE + n;

/** One event, in the words of the contract; what is left out is 0. */
export type ScriptedEvent = Partial<Record<Exclude<keyof typeof FrontEndField, 'type'>, number>> & {
  readonly type: number;
  readonly host?: string;
  readonly target?: string;
  readonly retryAfter?: string;
  readonly report?: string;
};

/** 192.0.2.`last`. */
export const peer = (last: number): Partial<ScriptedEvent> => ({ peer2: 0xffff, peer3: 0xc0_00_02_00 | last });
export const claimed = (last: number): Partial<ScriptedEvent> => ({
  flags: FrontEndFlag.PROXIED,
  claimed2: 0xffff,
  claimed3: 0xc0_00_02_00 | last,
});

export const opened = (number: number, more: Partial<ScriptedEvent> = {}): ScriptedEvent => ({
  type: FrontEndEventType.OPENED,
  number,
  ...peer(1),
  ...more,
});
export const closed = (number: number, reason: number = ClientEnd.IDLE, more = {}): ScriptedEvent => ({
  type: FrontEndEventType.CLOSED,
  number,
  reason,
  ...more,
});
export const request = (n: number, more: Partial<ScriptedEvent> = {}): ScriptedEvent => ({
  type: FrontEndEventType.REQUEST,
  number: exchange(n),
  method: Method.GET,
  maxForwards: -1,
  ...more,
});
export const progress = (n: number, flags: number, more: Partial<ScriptedEvent> = {}): ScriptedEvent => ({
  type: FrontEndEventType.PROGRESS,
  number: exchange(n),
  flags,
  ...more,
});
export const { FIRST_BYTE, ENDPOINT_DONE, FINISHED, RETRYABLE, HEAD_SEEN } = FrontEndFlag;
/** A whole response in one event. */
export const served = (n: number, status = 200, elapsedUs = 500): ScriptedEvent =>
  progress(n, FIRST_BYTE | ENDPOINT_DONE | FINISHED, { status, elapsedUs, reason: ClientEnd.DELIVERED });
export const finished = (n: number, reason: number = ClientEnd.DELIVERED, status = 0): ScriptedEvent =>
  progress(n, FINISHED, { reason, status });
export const attemptFailed = (n: number, reason: number, flags: number = RETRYABLE, errno = 0): ScriptedEvent => ({
  type: FrontEndEventType.ATTEMPT_FAILED,
  number: exchange(n),
  reason,
  flags,
  errno,
  elapsedUs: 900,
});
export const responseAsked = (n: number, status: number, flags = 0): ScriptedEvent => ({
  type: FrontEndEventType.RESPONSE_ASKED,
  number: exchange(n),
  status,
  flags: FrontEndFlag.RETRYABLE | FrontEndFlag.SENT | FrontEndFlag.ANSWERED | flags,
  elapsedUs: 700,
});
export const faulted = (n: number, fault: number): ScriptedEvent => ({
  type: FrontEndEventType.FAULT,
  number: exchange(n),
  fault,
});

/** Writes events and texts as the front end does. */
export function fillBatch({ events, arena }: FrontEndOptions, batch: readonly ScriptedEvent[]): void {
  let offset = 5; // texts need not begin at 0
  const put = (text: string): number => {
    arena.set(Buffer.from(text, 'latin1'), offset);
    offset += text.length;
    return offset - text.length;
  };
  batch.forEach((event, index) => {
    const base = index * FRONT_END_EVENT_STRIDE;
    events.fill(0, base, base + FRONT_END_EVENT_STRIDE);
    const { host = '', target = '', retryAfter = '', report = '', ...words } = event;
    for (const [name, value] of Object.entries(words))
      events[base + FrontEndField[name as keyof typeof FrontEndField]] = value as number;
    if (event.type === FrontEndEventType.PROGRESS) {
      events[base + FrontEndField.retryAfterOffset] = put(retryAfter);
      events[base + FrontEndField.retryAfterLength] = retryAfter.length;
      events[base + FrontEndField.reportOffset] = put(report);
      events[base + FrontEndField.reportLength] = report.length;
    }
    if (event.type !== FrontEndEventType.REQUEST) return;
    events[base + FrontEndField.hostOffset] = put(host);
    events[base + FrontEndField.hostLength] = host.length;
    events[base + FrontEndField.targetOffset] = put(target);
    events[base + FrontEndField.targetLength] = target.length;
    events[base + FrontEndField.pathLength] = target.split('?')[0]!.length;
  });
}

export class ScriptedFrontEnd implements FrontEnd {
  readonly calls: string[] = [];
  readonly bodies: string[] = [];
  readonly listeners = new Map<number, FrontEndListenerSettings>();
  readonly mailbox = 9;
  figures: FrontEndStats = {
    connections: 0,
    idleConnections: 0,
    queued: 0,
    exchanges: 0,
    tunnels: 0,
    heldBytes: 0,
    accepted: 0,
    requests: 0,
    dropped: 0,
    bytesFromClients: 0,
    bytesToClients: 0,
    handshakes: 0,
    http2Connections: 0,
  };
  /** What `describe` says. */
  description = 'GET\n/path?secret=1\nexample.org\n00ff';

  constructor(readonly options: FrontEndOptions) {}

  openListener(listener: number, settings: FrontEndListenerSettings): void {
    this.calls.push(`listener ${listener}`);
    this.listeners.set(listener, settings);
  }
  listen = (listener: number, from: object): void => void this.calls.push(`listen ${listener} ${JSON.stringify(from)}`);
  closeListener = (listener: number): void => void this.calls.push(`close listener ${listener}`);
  cutListener = (listener: number): void => void this.calls.push(`cut listener ${listener}`);
  stopListening = (): void => void this.calls.push('stop listening');
  drain = (): void => void this.calls.push('drain');
  /** What decide, pass and hedge return. */
  isOpen = true;
  decide = (number: number, slot: number, timeoutMs: number, profile: number): boolean => {
    this.calls.push(`decide ${number - FIRST_FRONT_END_EXCHANGE} ${slot} ${timeoutMs} ms, profile ${profile}`);
    return this.isOpen;
  };
  pass = (number: number): boolean => {
    this.calls.push(`pass ${number - FIRST_FRONT_END_EXCHANGE}`);
    return this.isOpen;
  };
  hedge = (number: number, slot: number, profile: number, timeoutMs: number): boolean => {
    this.calls.push(`hedge ${number - FIRST_FRONT_END_EXCHANGE} ${slot} ${timeoutMs} ms, profile ${profile}`);
    return this.isOpen;
  };
  releaseHedge = (number: number): void => void this.calls.push(`release hedge ${number - FIRST_FRONT_END_EXCHANGE}`);
  answer(number: number, head: string, body: string, mustClose: boolean): void {
    this.calls.push(`answer ${number - FIRST_FRONT_END_EXCHANGE} ${head.slice(0, 3)}${mustClose ? ' close' : ''}`);
    this.bodies.push(body);
  }
  breakOff = (number: number): void => void this.calls.push(`break off ${number - FIRST_FRONT_END_EXCHANGE}`);
  header = (): null => null;
  setHeader = (): void => {};
  openKey = (kind: number, name: string, isCrc: boolean): number =>
    this.calls.push(`key ${kind} ${name}${isCrc ? ' crc' : ''}`) - 1;
  /** What hashKey answers, and the words that it writes. */
  keyAnswer = 0;
  keyHash: readonly [number, number] = [0, 0];
  hashKey = (number: number): number => {
    this.calls.push(`hash ${number - FIRST_FRONT_END_EXCHANGE}`);
    this.options.keyWords?.set(this.keyHash);
    return this.keyAnswer;
  };
  keyText = (): null => null;
  addResponseField = (number: number, name: string, value: string | null): void =>
    void this.calls.push(`add ${number - FIRST_FRONT_END_EXCHANGE} ${name}: ${value}`);
  describe = (): string => this.description;
  logTo = (lines: AccessLines | null): void => void this.calls.push(lines === null ? 'log nowhere' : 'log');
  writeAccessLine = (): number => NOTHING_LOGGED;
  forwardedFor = (): string => '';
  /** What the client of each exchange has shown. */
  certificate: ClientCertificate | null = null;
  clientCertificate = (): ClientCertificate | null => this.certificate;
  /** Totals of listeners, by HANDSHAKE_ENDS. */
  readonly ends = new Map<number, readonly number[]>();
  handshakes = (listener: number): readonly number[] => this.ends.get(listener) ?? HANDSHAKE_ENDS.map(() => 0);
  /** Totals of listeners: begun and refused. */
  readonly streams = new Map<number, readonly number[]>();
  http2Streams = (listener: number): readonly number[] => this.streams.get(listener) ?? [0, 0];
  stats = (): FrontEndStats => this.figures;
  close = (): void => void this.calls.push('close');
}

/** Hashes that a test can tell: the text's length. */
export const LENGTH_HASHES = {
  hashText: (text: string, words: Int32Array): void => words.set([text.length, 0]),
  crc32Text: (text: string): number => text.length,
};

/** A listener of the native front end. */
export const nativeListenerPlan = (parts: Partial<L7ListenerPlan> = {}): L7ListenerPlan => ({
  ...listenerPlan('web', '127.0.0.1', 80),
  frontend: 'native',
  ...parts,
});

/** The front end and the pipeline around a scripted engine side, over a real board. */
export function frontEndOf(
  endpoints = 2,
  parts: { listener?: Partial<L7ListenerPlan>; upstream?: Partial<UpstreamPlan>; rngSeed?: number } = {},
) {
  const { board, worker, upstream, slots } = boardOf(endpoints, parts.upstream);
  const plan = nativeListenerPlan(parts.listener);
  const time = new FakeTime();
  const log = captureLog();
  const ledger = new EndpointLedger(worker, 2 * MAX_EXCHANGES);
  const failures = new FailureLog(log.logger, () => time.nowMs());
  const fileLimits: number[] = [];
  const rng = seededRng(parts.rngSeed ?? 1);
  const pipeline = new Pipeline({
    profiles: new AttemptProfiles({
      open: () => {},
      breakerOf: () => null,
    }),
    board: worker,
    recorder: new ExchangeRecorder(worker, failures),
    clock: time,
    timers: time,
    rng: seededRng(1),
    onBudgetSpent: () => {},
    listenerAnswers: new ListenerAnswers(),
    onFileLimit: () => void fileLimits.push(1),
  });
  let made: ScriptedFrontEnd | undefined;
  class Double extends ScriptedFrontEnd {
    constructor(options: FrontEndOptions) {
      super(options);
      made = this;
    }
  }
  const frontEnd = new NativeFrontEnd({
    addon: { FrontEnd: Double, ...LENGTH_HASHES },
    engine: {} as Engine,
    pipeline,
    limits: new SessionLimits(worker, [plan]),
    stripe: worker.stripe,
    figures: worker.figures,
    timers: time,
    failures,
    accessLog: { onLines: () => {} },
    viaName: 'sluice',
    requestIdPrefix: '0'.repeat(24),
    maxConnections: 100,
    onShortage: () => {},
  });
  const native = made!;
  const upstreams = [new UpstreamRuntime(upstream, { board: worker, ledger, rng })];
  pipeline.apply({ listeners: [plan], upstreams, rooms: null, exchanges: [], leaving: [] });
  frontEnd.apply({ listeners: [plan], shutdownTimeoutMs: 30_000 }, {});
  // What a test does is told from here on.
  native.calls.length = 0;
  const at = (index: number, field: keyof typeof FrontEndField): number =>
    native.options.events[index * FRONT_END_EVENT_STRIDE + FrontEndField[field]]!;
  return {
    frontEnd,
    native,
    pipeline,
    board,
    worker,
    slots,
    time,
    log,
    ledger,
    fileLimits,
    at,
    /** Hands over a batch. @returns the decisions */
    batch: (...scripted: ScriptedEvent[]): number[] => {
      fillBatch(native.options, scripted);
      native.options.onBatch(scripted.length);
      return scripted.map((_, index) => at(index, 'decision'));
    },
    inflight: () => slots.map((slot) => board.load.inflight(slot)),
    latencies: () => slots.map((slot) => board.load.latencyUs(slot)),
    endpointFailures: () => slots.map((slot) => board.endpointFigures(slot).failures),
    counted: () => Object.fromEntries(Object.entries(board.totals().failures).filter(([, count]) => count > 0)),
    /** Nothing is held or counted as open any more. */
    leftovers: () => ({
      inflight: slots.reduce((sum, slot) => sum + board.load.inflight(slot), 0),
      ledger: ledger.open,
      pipeline: pipeline.openExchanges,
      frontEnd: frontEnd.openExchanges,
      board: board.totals().exchanges,
    }),
  };
}

export const NOTHING_LEFT = { inflight: 0, ledger: 0, pipeline: 0, frontEnd: 0, board: 0 };
