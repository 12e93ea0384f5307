/** Sessions that wait for a place at an endpoint, with a scripted engine and time moved by hand. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { KeyHasher } from '../../../src/balancing/key-hasher.js';
import { UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import { seededRng } from '../../../src/core/rng.js';
import {
  ConnectFailure,
  FIRST_SESSION_NUMBER,
  LATER,
  REFUSE,
  SESSION_EVENT_STRIDE,
  SessionEnd,
  SessionField,
} from '../../../src/engine/session-engine.js';
import { SessionKeys } from '../../../src/l4/session-keys.js';
import { SessionListener, SessionUpstreams } from '../../../src/l4/session-listener.js';
import { SessionPipeline } from '../../../src/l4/session-pipeline.js';
import { SessionRecorder } from '../../../src/l4/session-recorder.js';
import { FailureLog } from '../../../src/observability/failure-log.js';
import { SessionLimits } from '../../../src/policies/session-limits.js';
import { Plane, WaitingRooms } from '../../../src/policies/waiting-rooms.js';
import { FakeTime } from '../control/fake-time.js';
import { captureLog } from '../control/log-capture.js';
import { PLAIN_RESILIENCE, sessionListenerPlan } from '../control/plans.js';
import { boardOf, connected, connectFailed, ended, fillBatch, opened, type ScriptedEvent } from './scripted-engine.js';

/** Endpoints with a cap of 1 each, and a queue for `length` sessions that wait for a second. */
function waitingPipeline(endpoints: number, length = 4) {
  const parts = {
    queue: { length, record: 0, firstEntry: 0 },
    timeouts: { ...PLAIN_RESILIENCE.timeouts, queueMs: 1_000 },
  };
  const { board, worker, upstream, slots } = boardOf(endpoints, parts);
  for (const slot of slots) board.control.setCap(slot, 1);
  const plan = sessionListenerPlan('db');
  const events = new Int32Array(16 * SESSION_EVENT_STRIDE);
  const arena = new Uint8Array(4096);
  const time = new FakeTime();
  const ledger = new EndpointLedger(worker, FIRST_SESSION_NUMBER + 64);
  const upstreams = [new UpstreamRuntime(upstream, { board: worker, ledger, rng: seededRng(1) })];
  const pipeline = new SessionPipeline({
    listeners: [new SessionListener(plan, new SessionUpstreams(upstreams), null)],
    limits: new SessionLimits(worker, [plan]),
    recorder: new SessionRecorder(worker, new FailureLog(captureLog().logger, () => time.nowMs()), { events, arena }),
    keys: new SessionKeys(new KeyHasher({ hashText: () => {}, crc32Text: () => 0 }), () => null),
    clock: time,
    events,
    arena,
  });
  const decided: [number, number][] = [];
  const soon: (() => void)[] = [];
  const rooms = new WaitingRooms({
    board: worker,
    plane: Plane.L4,
    upstreams,
    host: pipeline.waiting,
    timers: time,
    soon: (run) => soon.push(run),
  });
  pipeline.waiting.open(rooms, { decide: (session, slot) => void decided.push([session, slot]) });
  const batch = (...scripted: ScriptedEvent[]): number[] => {
    fillBatch(events, arena, scripted);
    pipeline.onBatch(scripted.length);
    const decisions = scripted.map((_, at) => events[at * SESSION_EVENT_STRIDE + SessionField.decision] as number);
    for (const run of soon.splice(0)) run();
    return decisions;
  };
  const counted = () => Object.fromEntries(Object.entries(board.totals().failures).filter(([, count]) => count > 0));
  return { batch, board, slots, time, rooms, decided, counted, pipeline };
}

describe('a session without a place', () => {
  it('waits, and connects when an earlier one has ended', () => {
    const { batch, slots, decided, rooms } = waitingPipeline(1);
    expect(batch(opened(0), opened(1), opened(2))).toEqual([slots[0], LATER, LATER]);
    batch(connected(0), ended(0, SessionEnd.CLEAN));
    expect([decided, rooms.size]).toEqual([[[1, slots[0]]], 1]);
    batch(connected(1), ended(1, SessionEnd.CLEAN));
    expect([decided[1], rooms.size]).toEqual([[2, slots[0]], 0]);
  });

  it('is refused when its time is over', async () => {
    const { batch, slots, decided, time, counted } = waitingPipeline(1);
    expect(batch(opened(0), opened(1))).toEqual([slots[0], LATER]);
    await time.pass(999);
    expect(decided).toEqual([]);
    await time.pass(1);
    expect(decided).toEqual([[1, REFUSE]]);
    batch(ended(1, SessionEnd.REFUSED, { flags: 0 }));
    expect(counted()).toEqual({ SLUICE_QUEUE_TIMEOUT: 1 });
  });

  it('leaves the line with its client', () => {
    const { batch, slots, decided, rooms } = waitingPipeline(1);
    batch(opened(0), opened(1), opened(2));
    batch(ended(1, SessionEnd.CLIENT_RESET, { flags: 0 }));
    expect(rooms.size).toBe(1);
    batch(connected(0), ended(0, SessionEnd.CLEAN));
    expect(decided).toEqual([[2, slots[0]]]);
  });

  it('is refused at once where as many wait as may', () => {
    const { batch, slots, counted } = waitingPipeline(1, 1);
    expect(batch(opened(0), opened(1), opened(2))).toEqual([slots[0], LATER, REFUSE]);
    batch(ended(2, SessionEnd.REFUSED, { flags: 0 }));
    expect(counted()).toEqual({ SLUICE_QUEUE_FULL: 1 });
  });

  it('waits for another endpoint when the one that it had did not answer', () => {
    const { batch, slots, decided } = waitingPipeline(2);
    const [first, second] = batch(opened(0), opened(1));
    expect(new Set([first, second])).toEqual(new Set(slots));
    expect(batch(connectFailed(0, ConnectFailure.REFUSED))).toEqual([LATER]);
    batch(connected(1), ended(1, SessionEnd.CLEAN));
    expect(decided).toEqual([[0, second]]);
  });

  it('gets the place of an endpoint that comes back', async () => {
    const { batch, board, slots, decided, time } = waitingPipeline(2);
    board.control.setDraining(slots[1] as number, true);
    expect(batch(opened(0), opened(1))).toEqual([slots[0], LATER]);
    board.control.setDraining(slots[1] as number, false);
    await time.pass(50);
    expect(decided).toEqual([[1, slots[1]]]);
  });
});

describe('sessions of an endpoint whose time to drain is over', () => {
  it('are closed, and count as drained', () => {
    const { batch, slots, pipeline, counted, board } = waitingPipeline(2);
    const [first] = batch(opened(0), opened(1));
    batch(connected(0), connected(1));
    const closed: number[] = [];
    const { generation } = board.control.state(first as number);
    pipeline.cut(first as number, generation + 1, (session) => closed.push(session));
    expect(closed).toEqual([]);
    pipeline.cut(first as number, generation, (session) => closed.push(session));
    expect([closed, slots.length]).toEqual([[0], 2]);
    batch(ended(0, SessionEnd.CLOSED));
    expect(counted()).toEqual({ SLUICE_ENDPOINT_DRAINED: 1 });
  });
});
