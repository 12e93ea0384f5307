/** The L4 data plane around a scripted session engine. */
import { describe, expect, it, vi } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import type { L4ListenerPlan, UpstreamPlan } from '../../../src/config/plan.js';
import {
  ConnectFailure,
  FIRST_SESSION_NUMBER,
  REFUSE,
  Relay,
  SessionEnd,
  type SessionEngineOptions,
  SessionField,
} from '../../../src/engine/session-engine.js';
import { startL4DataPlane } from '../../../src/l4/data-plane.js';
import type {
  DataPlaneOptions,
  PlanChange,
  SessionListening,
  SessionListenings,
} from '../../../src/worker/data-plane.js';
import { FakeTime } from '../control/fake-time.js';
import { captureLog } from '../control/log-capture.js';
import { listenerPlan, plan, sessionListenerPlan } from '../control/plans.js';
import { boardOf, connected, connectFailed, ended, fillBatch, opened, ScriptedEngine } from './scripted-engine.js';

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
  const listeners = [listenerPlan('web', '127.0.0.1', 80), sessionListenerPlan('db', { number: 1, ...parts.listener })];
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
  return { dataPlane, engine: engine!, board, slots, log, plan: options.plan, addresses: options.addresses };
}

describe('L4 data plane', () => {
  it('tells the engine of its own listeners, by their number, and of endpoints with addresses', async () => {
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
      tls: null,
    });
    expect(engine.endpoints.get(slots[0]!)).toEqual({
      connectTimeoutMs: 1_000,
      proxyHeader: 2,
      keepAlive: { idleS: 0, intervalS: 2, probes: 4 },
      tls: null,
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

  describe('under another plan', () => {
    type Under = ReturnType<typeof dataPlaneOf>;
    /** What the engine is told of it. */
    const apply = async ({ dataPlane, engine, plan: before, addresses }: Under, change: Partial<PlanChange> = {}) => {
      const told = engine.calls.length;
      await dataPlane.apply({ plan: before, addresses, sessionListenings: {}, ...change });
      return engine.calls.slice(told);
    };
    const db = (parts: Partial<L4ListenerPlan> = {}) => sessionListenerPlan('db', { number: 1, ...parts });
    const upstreamWith = ({ plan: { upstreams } }: Under, parts: Partial<UpstreamPlan>) => [
      { ...upstreams[0]!, ...parts },
    ];
    const open = ({ engine }: Under, session: number, listener = 1): number => {
      const { events, arena, onBatch } = engine.options;
      fillBatch(events, arena, [opened(session, { listener })]);
      onBatch(1);
      return events[SessionField.decision] as number;
    };
    const options = { backlog: 1, deferAcceptS: 0, keepAlive: { idleS: 0, intervalS: 0, probes: 0 }, isShared: true };
    const at = (port: number): SessionListening => ({ from: { host: '127.0.0.1', port }, options });

    it('leaves endpoints and sockets alone that are the same, and tells the settings of listeners', async () => {
      const under = dataPlaneOf({ sessionListenings: { 1: at(70) } });
      await under.dataPlane.start();
      const calls = await apply(under, { sessionListenings: { 1: at(70) } });
      expect(calls).toEqual([`addresses ${under.slots[0]} 10.0.0.1:80`, 'listener 1']);
    });

    it('opens an endpoint anew whose settings have changed, and closes one that is gone', async () => {
      const under = dataPlaneOf();
      await under.dataPlane.start();
      const [first, second] = under.slots;
      const [upstream] = upstreamWith(under, { proxyProtocol: 'v2' });
      expect(await apply(under, { plan: { ...under.plan, upstreams: [upstream!] } })).toEqual([
        ...[`close endpoint ${first}`, `endpoint ${first} 10.0.0.1:80`, 'listener 1'],
      ]);
      expect(under.engine.endpoints.get(first!)).toMatchObject({ proxyHeader: 2 });
      const rest = { ...upstream!, endpoints: upstream!.endpoints.slice(1) };
      expect(await apply(under, { plan: { ...under.plan, upstreams: [rest] }, addresses: {} })).toEqual([
        ...[`close endpoint ${first}`, 'listener 1'],
      ]);
      under.dataPlane.setAddresses(first!, ['10.0.0.9:80']);
      under.dataPlane.setAddresses(second!, ['10.0.0.9:81']);
      expect(under.engine.calls.at(-1)).toBe(`endpoint ${second} 10.0.0.9:81`);
    });

    it('sends new sessions to the endpoints that are left, and settles those under way where they are', async () => {
      const under = dataPlaneOf();
      await under.dataPlane.start();
      const [first, second] = under.slots as [number, number];
      under.board.control.setDraining(second, true);
      expect(open(under, 0)).toBe(first);
      under.board.control.setDraining(second, false);
      const { endpoints } = under.plan.upstreams[0]!;
      await apply(under, {
        plan: { ...under.plan, upstreams: upstreamWith(under, { endpoints: endpoints.slice(1) }) },
      });
      expect([1, 2, 3].map((session) => open(under, session))).toEqual([second, second, second]);
      expect(under.board.load.inflight(first)).toBe(1);
      const { events, arena, onBatch } = under.engine.options;
      fillBatch(events, arena, [connected(0), ended(0, SessionEnd.CLEAN)]);
      onBatch(2);
      expect(under.board.load.inflight(first)).toBe(0);
    });

    it('lets a session that cannot connect go on with an endpoint of the new plan', async () => {
      const under = dataPlaneOf();
      await under.dataPlane.start();
      const [first, second] = under.slots as [number, number];
      const { endpoints } = under.plan.upstreams[0]!;
      const only = (index: number) => ({
        plan: { ...under.plan, upstreams: upstreamWith(under, { endpoints: [endpoints[index]!] }) },
      });
      await apply(under, only(0));
      expect(open(under, 0)).toBe(first);
      await apply(under, only(1));
      const { events, arena, onBatch } = under.engine.options;
      fillBatch(events, arena, [connectFailed(0, ConnectFailure.NO_ADDRESS)]);
      onBatch(1);
      expect(events[SessionField.decision]).toBe(second);
    });

    it('accepts at another address, and tells when that cannot be had', async () => {
      const under = dataPlaneOf({ sessionListenings: { 1: at(70) } });
      await under.dataPlane.start();
      expect(await apply(under, { sessionListenings: { 1: at(71) } })).toContain(
        'listen 1 {"host":"127.0.0.1","port":71}',
      );
      under.engine.listenError = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
      for (let time = 0; time < 2; time++)
        await expect(apply(under, { sessionListenings: { 1: at(72) } })).rejects.toMatchObject({
          code: 'SLUICE_ADDRESS_IN_USE',
        });
      under.engine.listenError = null;
      expect(await apply(under, { sessionListenings: { 1: at(72) } })).toContain(
        'listen 1 {"host":"127.0.0.1","port":72}',
      );
    });

    it('cuts the sessions of a listener that is gone after its grace, and no others of its number', async () => {
      vi.useFakeTimers();
      try {
        const under = dataPlaneOf();
        await under.dataPlane.start();
        open(under, 0);
        const web = under.plan.listeners[0]!;
        const without = { ...under.plan, listeners: [web], shutdownTimeoutMs: 500 };
        expect(await apply(under, { plan: without })).toContain('close listener 1');
        expect(under.dataPlane.handOffPlaces()).toEqual([]);
        const other = { ...without, listeners: [web, { ...db(), name: 'cache' }] };
        await apply(under, { plan: other });
        open(under, 1);
        vi.advanceTimersByTime(499);
        expect(under.engine.calls).not.toContain('close session 0');
        vi.advanceTimersByTime(1);
        expect(under.engine.calls.filter((call) => call.startsWith('close session'))).toEqual(['close session 0']);
      } finally {
        vi.useRealTimers();
      }
    });
  });
});
