/** What the pipeline decides on events of a scripted session engine, and what it leaves on the board and in the log. */

import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { KeyHasher } from '../../../src/balancing/key-hasher.js';
import { UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import type { L4ListenerPlan, UpstreamPlan } from '../../../src/config/plan.js';
import { seededRng } from '../../../src/core/rng.js';
import {
  ConnectFailure,
  FIRST_SESSION_NUMBER,
  REFUSE,
  SESSION_EVENT_STRIDE,
  SessionEnd,
  SessionEventType,
  SessionField,
  SessionFlag,
} from '../../../src/engine/session-engine.js';
import { SessionKeys } from '../../../src/l4/session-keys.js';
import { SessionListener, SessionUpstreams } from '../../../src/l4/session-listener.js';
import { SessionPipeline } from '../../../src/l4/session-pipeline.js';
import { SessionRecorder } from '../../../src/l4/session-recorder.js';
import { FailureLog } from '../../../src/observability/failure-log.js';
import { SessionLimits } from '../../../src/policies/session-limits.js';
import { FakeTime } from '../control/fake-time.js';
import { captureLog } from '../control/log-capture.js';
import { PLAIN_RESILIENCE, sessionListenerPlan } from '../control/plans.js';
import {
  boardOf,
  connected,
  connectFailed,
  ended,
  fillBatch,
  opened,
  peer,
  type ScriptedEvent,
} from './scripted-engine.js';

function pipelineOf(
  endpoints = 2,
  parts: { listener?: Partial<L4ListenerPlan>; upstream?: Partial<UpstreamPlan> } = {},
) {
  const { board, worker, upstream, slots } = boardOf(endpoints, parts.upstream);
  const plan = sessionListenerPlan('db', parts.listener);
  const events = new Int32Array(16 * SESSION_EVENT_STRIDE);
  const arena = new Uint8Array(4096);
  const time = new FakeTime();
  const log = captureLog();
  const ledger = new EndpointLedger(worker, FIRST_SESSION_NUMBER + 64);
  const runtime = new UpstreamRuntime(upstream, { board: worker, ledger, rng: seededRng(1) });
  const hashed: string[] = [];
  const hasher = new KeyHasher({
    hashText: (text, words) => {
      hashed.push(text);
      words.set([text.length, 0]);
    },
    crc32Text: (text) => text.length,
  });
  const pipeline = new SessionPipeline({
    listeners: [new SessionListener(plan, new SessionUpstreams([runtime]), null)],
    limits: new SessionLimits(worker, [plan]),
    recorder: new SessionRecorder(worker, new FailureLog(log.logger, () => time.nowMs()), { events, arena }),
    keys: new SessionKeys(hasher, () => null),
    clock: time,
    events,
    arena,
  });
  /** Hands over a batch. @returns the decisions */
  const batch = (...scripted: ScriptedEvent[]): number[] => {
    fillBatch(events, arena, scripted);
    pipeline.onBatch(scripted.length);
    return scripted.map((_, index) => events[index * SESSION_EVENT_STRIDE + SessionField.decision] as number);
  };
  return {
    batch,
    slots,
    board,
    time,
    log,
    ledger,
    /** Keys of clients that were hashed. */
    hashed,
    believes: () => events[SessionField.believe],
    inflight: () => slots.map((slot) => board.load.inflight(slot)),
    failures: () => slots.map((slot) => board.endpointFigures(slot).failures),
    latencies: () => slots.map((slot) => board.load.latencyUs(slot)),
    counted: () => Object.fromEntries(Object.entries(board.totals().failures).filter(([, count]) => count > 0)),
  };
}

describe('a client that belongs to an endpoint', () => {
  const byClient = { affinity: { kind: 'key', key: { kind: 'client-ip' } } } as const;

  it('comes back to it while that takes work, and to another one when it drains', () => {
    const { batch, board, slots } = pipelineOf(3, { upstream: byClient });
    const homes = [1, 1, 1, 1].map((last, session) => batch(opened(session, peer(last)))[0]);
    expect(new Set(homes).size).toBe(1);
    const home = homes[0] as number;
    board.control.setDraining(home, true);
    const [other] = batch(opened(9, peer(1)));
    expect(slots).toContain(other);
    expect(other).not.toBe(home);
  });

  it('goes on with another endpoint when its own does not answer', () => {
    const { batch } = pipelineOf(2, { upstream: byClient });
    const [home] = batch(opened(0));
    const [other] = batch(connectFailed(0, ConnectFailure.REFUSED));
    expect(other).not.toBe(home);
    expect(batch(opened(1))).toEqual([home]);
  });
});

describe('a session', () => {
  it('holds its endpoint from its pick to its end, and leaves nothing behind', () => {
    const { batch, slots, inflight, latencies, board, log, ledger, counted } = pipelineOf(2);
    const [decision] = batch(opened(5));
    expect(slots).toContain(decision);
    expect([inflight().reduce((a, b) => a + b), board.totals().sessions]).toEqual([1, 1]);
    batch(connected(5, 700));
    expect(latencies().filter((us) => us !== 0)).toEqual([700]);
    batch(ended(5, SessionEnd.CLEAN));
    expect([inflight(), board.totals().sessions, ledger.open]).toEqual([[0, 0], 0, 0]);
    expect([board.totals().traffic.sessions, counted(), log.events()]).toEqual([1, {}, []]);
  });

  it('is one of many in a batch, and its number may come again', () => {
    const { batch, inflight, board } = pipelineOf(2);
    batch(opened(0), opened(1), opened(2), opened(3));
    expect(inflight()).toEqual([2, 2]);
    batch(connected(0), ended(1, SessionEnd.CLIENT_RESET, { flags: 0 }), { type: SessionEventType.NONE }, connected(2));
    batch(opened(1), ended(0, SessionEnd.CLEAN), connected(3));
    expect([inflight().reduce((a, b) => a + b), board.totals().sessions]).toEqual([3, 3]);
  });

  it('crashes the worker when the engine breaks the contract', () => {
    const { batch } = pipelineOf();
    expect(() => batch(connected(1))).toThrow(/is connecting/);
    expect(() => batch(ended(1, SessionEnd.CLEAN))).toThrow(/has been opened/);
    batch(opened(1));
    expect(() => batch(opened(1))).toThrow(/opens once/);
    expect(() => batch(ended(1, 99))).toThrow(/known end/);
    expect(() => batch(opened(2, { listener: 1 }))).toThrow(/an L4 listener of a plan/);
  });
});

describe('a failed connect', () => {
  it('is followed by another endpoint, and counts against the one that failed', () => {
    const { batch, slots, inflight, failures, log, board } = pipelineOf(2);
    const [first] = batch(opened(3));
    const [second] = batch(connectFailed(3, ConnectFailure.REFUSED, 111));
    expect([first, second].sort()).toEqual([...slots].sort());
    const failedAt = slots.indexOf(first as number);
    expect([failures()[failedAt], inflight()[failedAt], inflight()[1 - failedAt]]).toEqual([1, 0, 1]);
    expect(log.records).toMatchObject([
      {
        level: 'warn',
        event: 'attempt-failed',
        code: 'SLUICE_CONNECT_REFUSED',
        listener: 'db',
        upstream: 'api',
        endpoint: `127.0.0.1:${9001 + failedAt}`,
        client: '192.0.2.1',
        attempt: 1,
        errno: 111,
      },
    ]);
    batch(connected(3), ended(3, SessionEnd.CLEAN));
    expect([inflight(), board.totals().sessions, board.totals().traffic.retries]).toEqual([[0, 0], 0, 1]);
  });

  it('ends in a refusal with its own code when no endpoint is left', () => {
    const { batch, inflight, counted, log } = pipelineOf(2);
    batch(opened(3));
    batch(connectFailed(3, ConnectFailure.REFUSED));
    expect(batch(connectFailed(3, ConnectFailure.TIMEOUT))).toEqual([REFUSE]);
    batch(ended(3, SessionEnd.REFUSED, { flags: 0, durationMs: 12 }));
    expect([inflight(), counted()]).toEqual([[0, 0], { SLUICE_CONNECT_TIMEOUT: 1 }]);
    expect(log.records.at(-1)).toMatchObject({
      event: 'session-failed',
      code: 'SLUICE_CONNECT_TIMEOUT',
      attempts: 2,
      durationMs: 12,
    });
    expect(log.records.at(-1)).not.toHaveProperty('endpoint');
  });

  it('is repeated no more often than retry.connectAttempts says', () => {
    const { batch } = pipelineOf(4, {
      upstream: { retry: { ...PLAIN_RESILIENCE.retry, attempts: 9, connectAttempts: 2 } },
    });
    batch(opened(1));
    expect(batch(connectFailed(1, ConnectFailure.REFUSED))).not.toEqual([REFUSE]);
    expect(batch(connectFailed(1, ConnectFailure.REFUSED))).toEqual([REFUSE]);
  });

  it('for want of addresses blames nobody, is not logged, and is no attempt of those allowed', () => {
    const { batch, failures, log, counted } = pipelineOf(3, {
      upstream: { retry: { ...PLAIN_RESILIENCE.retry, attempts: 1, connectAttempts: 1 } },
    });
    batch(opened(1));
    expect(batch(connectFailed(1, ConnectFailure.NO_ADDRESS))).not.toEqual([REFUSE]);
    expect(batch(connectFailed(1, ConnectFailure.NO_ADDRESS))).not.toEqual([REFUSE]);
    expect(batch(connectFailed(1, ConnectFailure.NO_ADDRESS))).toEqual([REFUSE]);
    batch(ended(1, SessionEnd.REFUSED, { flags: 0 }));
    expect([failures(), counted()]).toEqual([[0, 0, 0], { SLUICE_NO_ENDPOINT: 1 }]);
    expect(log.events()).toEqual(['session-failed']);
  });

  it('for want of descriptors is not tried elsewhere, and blames no endpoint', () => {
    const { batch, failures, counted } = pipelineOf(2);
    batch(opened(1));
    expect(batch(connectFailed(1, ConnectFailure.FILE_LIMIT, 24))).toEqual([REFUSE]);
    batch(ended(1, SessionEnd.REFUSED, { flags: 0 }));
    expect([failures(), counted()]).toEqual([[0, 0], { SLUICE_FILE_LIMIT: 1 }]);
  });
});

describe('the end of a session', () => {
  it.each([
    [SessionEnd.CLIENT_RESET, 'SLUICE_CLIENT_GONE', 'debug'],
    [SessionEnd.ENDPOINT_RESET, 'SLUICE_ENDPOINT_RESET', 'warn'],
    [SessionEnd.IDLE_TIMEOUT, 'SLUICE_SESSION_IDLE', 'debug'],
    [SessionEnd.LINGER_TIMEOUT, 'SLUICE_SESSION_LINGER', 'debug'],
    [SessionEnd.CLOSED, 'SLUICE_SESSION_CUT', 'warn'],
  ])('%i is %s, told with all that is known at level %s', (reason, code, level) => {
    const { batch, log, counted, inflight } = pipelineOf(1);
    batch(opened(1), connected(1));
    batch(
      ended(1, reason, {
        errno: 104,
        fromClientLow: -1,
        fromClientHigh: 1,
        toClientLow: 10,
        durationMs: 1234,
      }),
    );
    expect(log.records).toMatchObject([
      {
        level,
        event: 'session-failed',
        code,
        listener: 'db',
        upstream: 'api',
        endpoint: '127.0.0.1:9001',
        client: '192.0.2.1',
        attempts: 1,
        bytesFromClient: 2 ** 33 - 1,
        bytesToClient: 10,
        durationMs: 1234,
        errno: 104,
      },
    ]);
    expect([counted(), inflight()]).toEqual([{ [code]: 1 }, [0]]);
  });

  it('by a reset of the endpoint counts as its failure, and as slowness only before its first byte', () => {
    const { batch, failures, latencies } = pipelineOf(1);
    batch(opened(1), connected(1, 800), ended(1, SessionEnd.ENDPOINT_RESET, { toClientHigh: 1 }));
    expect([failures(), latencies()]).toEqual([[1], [800]]);
    batch(opened(1), connected(1, 800), ended(1, SessionEnd.ENDPOINT_RESET));
    expect(failures()).toEqual([2]);
    expect(latencies()[0]).toBeGreaterThan(800);
  });

  it('by a reset of an endpoint that had finished is no failure: it only reads no more', () => {
    const { batch, failures, latencies, inflight, counted, log } = pipelineOf(1);
    const flags = SessionFlag.WAS_CONNECTED | SessionFlag.ENDPOINT_FINISHED;
    batch(opened(1), connected(1, 800), ended(1, SessionEnd.ENDPOINT_RESET, { flags, errno: 104 }));
    expect([failures(), latencies(), inflight(), counted(), log.events()]).toEqual([[0], [800], [0], {}, []]);
  });

  it('by the client before it was connected blames nobody', () => {
    const { batch, failures, inflight, counted } = pipelineOf(1);
    batch(opened(1));
    batch(ended(1, SessionEnd.CLIENT_RESET, { flags: 0 }));
    expect([failures(), inflight(), counted()]).toEqual([[0], [0], { SLUICE_CLIENT_GONE: 1 }]);
  });
});

describe('an endpoint that drains', () => {
  it('keeps its sessions and gets none, neither at first nor when another one fails', () => {
    const { batch, slots, inflight, board } = pipelineOf(2, { upstream: { balance: 'least-conn' } });
    const [draining, other] = batch(opened(0), opened(1), connected(0), connected(1)) as [number, number];
    const open = (): number[] => [draining, other].map((slot) => inflight()[slots.indexOf(slot)] as number);
    expect(open()).toEqual([1, 1]);
    board.control.setDraining(draining, true);
    expect(batch(opened(2), opened(3))).toEqual([other, other]);
    expect(open()).toEqual([1, 3]);
    expect(batch(connectFailed(2, ConnectFailure.REFUSED))).toEqual([REFUSE]);
    expect(board.totals().sessions).toBe(4); // the refused one has yet to end
    batch(ended(0, SessionEnd.CLEAN));
    expect(open()).toEqual([0, 2]);
    board.control.setDraining(draining, false);
    expect(batch(opened(0))).toEqual([draining]);
  });
});

describe('a connection that never becomes a session', () => {
  it.each([
    [SessionEnd.BAD_PROXY_HEADER, 'SLUICE_BAD_PROXY_HEADER'],
    [SessionEnd.PREFACE_TIMEOUT, 'SLUICE_PREFACE_TIMEOUT'],
    [SessionEnd.BAD_CLIENT_HELLO, 'SLUICE_BAD_CLIENT_HELLO'],
    [SessionEnd.CLIENT_RESET, 'SLUICE_CLIENT_GONE'],
  ])('by %i is counted as %s and told with its peer', (reason, code) => {
    const { batch, log, counted, board } = pipelineOf(1);
    batch(ended(1, reason, { flags: SessionFlag.NEVER_OPENED, ...peer(9), durationMs: 5_000 }));
    expect(log.records).toMatchObject([
      { level: 'debug', event: 'session-failed', code, listener: 'db', peer: '192.0.2.9', durationMs: 5_000 },
    ]);
    expect([counted(), board.totals().sessions, board.totals().traffic.sessions]).toEqual([{ [code]: 1 }, 0, 0]);
  });
});

describe('routing', () => {
  const routes = [{ sni: 'a.example.com', alpn: ['h2'], upstream: 0 }];

  it('refuses what matches no route, without touching an endpoint', () => {
    const { batch, inflight, counted, board } = pipelineOf(1, { listener: { routes } });
    const decisions = batch(
      opened(1, { sni: 'b.example.com', alpn: ['h2'] }),
      opened(2, { sni: 'a.example.com', alpn: ['http/1.1'] }),
      opened(3, { sni: 'a.example.com', alpn: ['http/1.1', 'h2'] }),
      opened(4),
    );
    expect([decisions[0], decisions[1], decisions[3]]).toEqual([REFUSE, REFUSE, REFUSE]);
    expect([decisions[2] === REFUSE, inflight()]).toEqual([false, [1]]);
    for (const session of [1, 2, 4]) batch(ended(session, SessionEnd.REFUSED, { flags: 0 }));
    expect([counted(), board.totals().sessions]).toEqual([{ SLUICE_NO_ROUTE: 3 }, 1]);
  });

  it('refuses when no endpoint may be picked', () => {
    const { batch, counted } = pipelineOf(0);
    expect(batch(opened(1))).toEqual([REFUSE]);
    batch(ended(1, SessionEnd.REFUSED, { flags: 0 }));
    expect(counted()).toEqual({ SLUICE_NO_ENDPOINT: 1 });
  });
});

describe('limits', () => {
  it('count a session until its end, whoever refuses it', () => {
    const { batch, counted } = pipelineOf(1, {
      listener: { limits: { sessions: 2, sessionsPerClient: 1, newSessionsPerClient: null } },
    });
    expect(batch(opened(1), opened(2), opened(3, peer(2)), opened(4, peer(3))).map((it) => it === REFUSE)).toEqual([
      false,
      true,
      false,
      true,
    ]);
    batch(ended(2, SessionEnd.REFUSED, { flags: 0 }), ended(4, SessionEnd.REFUSED, { flags: 0 }));
    expect(counted()).toEqual({ SLUICE_CLIENT_SESSION_LIMIT: 1, SLUICE_SESSION_LIMIT: 1 });
    batch(ended(1, SessionEnd.CLIENT_RESET));
    expect(batch(opened(1))).not.toEqual([REFUSE]);
  });

  it('of the rate look at the clock', async () => {
    const { batch, time } = pipelineOf(1, {
      listener: { limits: { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: { perSecond: 10, burst: 1 } } },
    });
    expect(batch(opened(1), opened(2)).map((it) => it === REFUSE)).toEqual([false, true]);
    await time.pass(100);
    expect(batch(opened(3))).not.toEqual([REFUSE]);
  });
});

describe('a claimed address', () => {
  const listener = { proxyProtocol: true, trustedProxies: ['192.0.2.0/28'] };
  const claim = { flags: SessionFlag.PROXIED, claimed2: 0xffff, claimed3: 0x0a000001, claimedPort: 4711 };

  it.each([
    ['a trusted peer', peer(1), claim, 1, '10.0.0.1'],
    ['a peer that is not trusted', peer(200), claim, 0, '192.0.2.200'],
    ['a trusted peer that claims none', peer(1), {}, 0, '192.0.2.1'],
    ['a UNIX socket', { peer2: 0, peer3: 0 }, claim, 1, '10.0.0.1'],
  ])('of %s', (_name, from, claimed, believe, client) => {
    const { batch, log, believes } = pipelineOf(1, { listener });
    batch(opened(1, { ...from, ...claimed }));
    expect(believes()).toBe(believe);
    batch(ended(1, SessionEnd.CLIENT_RESET));
    expect(log.records).toMatchObject([{ client }]);
  });
});
