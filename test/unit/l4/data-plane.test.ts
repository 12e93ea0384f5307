/** The L4 data plane around a scripted session engine. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import type { L4ListenerPlan, UpstreamPlan } from '../../../src/config/plan.js';
import {
  FIRST_SESSION_NUMBER,
  REFUSE,
  Relay,
  type SessionEngineOptions,
  SessionField,
} from '../../../src/engine/session-engine.js';
import { startL4DataPlane } from '../../../src/l4/data-plane.js';
import type { DataPlaneOptions, SessionListenings } from '../../../src/worker/data-plane.js';
import { FakeTime } from '../control/fake-time.js';
import { captureLog } from '../control/log-capture.js';
import { listenerPlan, plan, sessionListenerPlan } from '../control/plans.js';
import { boardOf, fillBatch, opened, ScriptedEngine } from './scripted-engine.js';

function dataPlaneOf(
  parts: {
    listener?: Partial<L4ListenerPlan>;
    upstream?: Partial<UpstreamPlan>;
    sessionListenings?: SessionListenings;
  } = {},
) {
  const { board, worker, upstream, slots } = boardOf(2, parts.upstream, 2);
  const log = captureLog();
  let engine: ScriptedEngine | undefined;
  class SessionEngine extends ScriptedEngine {
    constructor(options: SessionEngineOptions) {
      super(options);
      engine = this;
    }
  }
  const listeners = [listenerPlan('web', '127.0.0.1', 80), sessionListenerPlan('db', parts.listener)];
  const options = {
    plan: plan({ listeners, upstreams: [upstream] }),
    workerIndex: 0,
    board: worker,
    ledger: new EndpointLedger(worker, FIRST_SESSION_NUMBER + 64),
    addresses: { [slots[0]!]: ['10.0.0.1:80'] },
    sessionListenings: parts.sessionListenings ?? {},
    maxSessions: 100,
    addon: { SessionEngine },
    clock: new FakeTime(),
    viaName: 'sluice',
    logger: log.logger,
  } as unknown as DataPlaneOptions;
  const dataPlane = startL4DataPlane(options);
  return { dataPlane, engine: engine!, board, slots, log };
}

describe('L4 data plane', () => {
  it('tells the engine of its own listeners, by their index in the plan, and of endpoints with addresses', async () => {
    const { dataPlane, engine, slots } = dataPlaneOf();
    expect(engine.calls).toEqual([]);
    await dataPlane.start();
    expect(engine.calls).toEqual([`endpoint ${slots[0]} 10.0.0.1:80`, 'listener 1']);
    dataPlane.setAddresses(slots[0]!, ['10.0.0.2:80']);
    dataPlane.setAddresses(slots[1]!, ['10.0.0.3:80', 'unix:/x']);
    dataPlane.setAddresses(999, ['10.0.0.4:80']);
    expect(engine.calls.slice(2)).toEqual([
      `addresses ${slots[0]} 10.0.0.2:80`,
      `endpoint ${slots[1]} 10.0.0.3:80 unix:/x`,
    ]);
  });

  it('translates settings of listener and upstream', async () => {
    const { dataPlane, engine, slots } = dataPlaneOf({
      listener: {
        relay: 'splice',
        halfClose: false,
        proxyProtocol: true,
        routes: [{ sni: 'a', alpn: [], upstream: 0 }],
      },
      upstream: { proxyProtocol: 'v2', keepAlive: { idleMs: 0, intervalMs: 1_500, probes: 4 } },
    });
    await dataPlane.start();
    expect(engine.listeners.get(1)).toEqual({
      relay: Relay.SPLICE,
      halfClose: false,
      sessionIdleTimeoutMs: 600_000,
      lingerTimeoutMs: 60_000,
      prefaceTimeoutMs: 5_000,
      readsProxyHeader: true,
      readsClientHello: true,
    });
    expect(engine.endpoints.get(slots[0]!)).toEqual({
      connectTimeoutMs: 1_000,
      proxyHeader: 2,
      keepAlive: { idleS: 0, intervalS: 2, probes: 4 },
    });
  });

  it('takes sessions from its mailbox, or accepts for itself where it is told to', async () => {
    const handedOff = dataPlaneOf();
    await handedOff.dataPlane.start();
    expect(handedOff.dataPlane.handOffPlaces()).toEqual([{ kind: 'mailbox', mode: 'l4', mailbox: 7 }]);

    const options = { backlog: 1, deferAcceptS: 0, keepAlive: { idleS: 0, intervalS: 0, probes: 0 }, isShared: false };
    const own = dataPlaneOf({ sessionListenings: { 1: { from: { descriptor: 70 }, options } } });
    await own.dataPlane.start();
    expect(own.dataPlane.handOffPlaces()).toEqual([]);
    expect(own.engine.calls.at(-1)).toBe('listen 1 {"descriptor":70}');
    expect(own.engine.options.maxSessions).toBe(100);
  });

  it('decides on what the engine reports', () => {
    const { engine, slots } = dataPlaneOf();
    const { events, arena, onBatch } = engine.options;
    fillBatch(events, arena, [opened(0, { listener: 1 })]);
    onBatch(1);
    expect(slots).toContain(events[SessionField.decision]);
    expect(events[SessionField.decision]).not.toBe(REFUSE);
  });

  it('stops accepting when it drains, and has open what waits in the mailbox, too', () => {
    const { dataPlane, engine } = dataPlaneOf();
    engine.figures = { ...engine.figures, sessions: 3, queued: 2, endpointConnections: 4 };
    dataPlane.drain();
    expect(engine.calls).toEqual(['stop listening']);
    expect(dataPlane.openExchanges()).toBe(5);
    expect(dataPlane.stats()).toEqual({ openConnections: 5, openExchanges: 0, exchanges: 0, upstreamConnections: 4 });
  });

  it('adds to the counters what has been relayed since the last look, and the rest when it is closed', () => {
    const { dataPlane, engine, board } = dataPlaneOf();
    const bytes = (fromClients: number, toClients: number): void => {
      engine.figures = { ...engine.figures, bytesFromClients: fromClients, bytesToClients: toClients };
    };
    bytes(10, 100);
    dataPlane.stats();
    bytes(15, 2 ** 40);
    dataPlane.stats();
    dataPlane.stats();
    expect(board.totals().traffic).toMatchObject({ bytesFromClients: 15, bytesToClients: 2 ** 40 });
    bytes(20, 2 ** 40 + 1);
    dataPlane.close();
    dataPlane.close();
    expect(board.totals().traffic).toMatchObject({ bytesFromClients: 20, bytesToClients: 2 ** 40 + 1 });
    expect(engine.calls).toEqual(['close']);
  });

  it('tells the log when accepting has to wait', () => {
    const { engine, log } = dataPlaneOf();
    engine.options.onShortage(24);
    engine.options.onShortage(0);
    expect(log.records).toMatchObject([
      { event: 'accepting-paused', errno: 24, code: 'SLUICE_FILE_LIMIT' },
      { event: 'accepting-resumed' },
    ]);
  });
});
