/** The L7 data plane of listeners with the native front end, around scripted engines. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import type { L7ListenerPlan } from '../../../src/config/plan.js';
import { MAX_EXCHANGES } from '../../../src/engine/engine.js';
import type { FrontEndOptions } from '../../../src/engine/front-end.js';
import { ClientEnd, REFUSE_CONNECTION } from '../../../src/engine/front-end-event.js';
import { startL7DataPlane } from '../../../src/l7/data-plane.js';
import type { DataPlaneOptions, SessionListenings } from '../../../src/worker/data-plane.js';
import { FakeTime } from '../control/fake-time.js';
import { captureLog } from '../control/log-capture.js';
import { plan, sessionListenerPlan } from '../control/plans.js';
import { boardOf } from '../l4/scripted-engine.js';
import {
  fillBatch,
  finished,
  nativeListenerPlan,
  opened,
  request,
  type ScriptedEvent,
  ScriptedFrontEnd,
} from './frontends/native/scripted-front-end.js';

function dataPlaneOf(parts: { listener?: Partial<L7ListenerPlan>; sessionListenings?: SessionListenings } = {}) {
  const { board, worker, upstream, slots } = boardOf(2, {}, 2);
  const log = captureLog();
  const calls: string[] = [];
  let native: ScriptedFrontEnd | undefined;
  class FrontEnd extends ScriptedFrontEnd {
    override close = (): void => void calls.push('close front end');
    constructor(options: FrontEndOptions) {
      super(options);
      native = this;
    }
  }
  class Engine {
    openProfile = () => {};
    openPool = (slot: number, addresses: readonly string[]) => void calls.push(`pool ${slot} ${addresses.join(' ')}`);
    setPool = (slot: number) => void calls.push(`set pool ${slot}`);
    closePool = (slot: number) => void calls.push(`close pool ${slot}`);
    setAddresses = (slot: number, addresses: readonly string[]) =>
      void calls.push(`addresses ${slot} ${addresses.join(' ')}`);
    stats = () => ({ connections: 4 });
    close = () => void calls.push('close engine');
  }
  const options = {
    plan: plan({
      listeners: [sessionListenerPlan('db'), nativeListenerPlan({ number: 1, ...parts.listener })],
      upstreams: [upstream],
    }),
    workerIndex: 0,
    board: worker,
    ledger: new EndpointLedger(worker, MAX_EXCHANGES),
    addresses: { [slots[0]!]: ['10.0.0.1:80'] },
    sessionListenings: parts.sessionListenings ?? {},
    maxSessions: 100,
    maxConnections: 200,
    addon: { Engine, FrontEnd },
    accessLog: { onLines: () => {} },
    clock: new FakeTime(),
    viaName: 'sluice-1',
    logger: log.logger,
  } as unknown as DataPlaneOptions;
  const dataPlane = startL7DataPlane(options);
  const batch = (...events: ScriptedEvent[]): void => {
    fillBatch(
      native!.options,
      events.map((event) => ({ listener: 1, ...event })),
    );
    native!.options.onBatch(events.length);
  };
  return { dataPlane, native: native!, board, slots, log, calls, batch };
}

const own = {
  from: { descriptor: 70 },
  options: { backlog: 1, deferAcceptS: 0, keepAlive: { idleS: 0, intervalS: 0, probes: 0 }, isShared: false },
};

describe('L7 data plane', () => {
  it('loads no uWebSockets.js where no listener has it, and tells the front end of its own listeners', async () => {
    const { dataPlane, native, calls, slots } = dataPlaneOf();
    await dataPlane.start();
    expect(calls).toEqual([`pool ${slots[0]} 10.0.0.1:80`]);
    expect(native.calls).toEqual(['listener 1']);
    expect(native.options).toMatchObject({ viaName: 'sluice-1', maxConnections: 200 });
    expect(native.options.requestIdPrefix).toMatch(/^[0-9a-f]{24}$/);
    dataPlane.setAddresses(slots[0]!, ['10.0.0.2:80']);
    expect(calls.at(-1)).toBe(`addresses ${slots[0]} 10.0.0.2:80`);
  });

  it('translates the settings of a listener', async () => {
    const { limits } = nativeListenerPlan();
    const { dataPlane, native } = dataPlaneOf({
      listener: {
        proxyProtocol: true,
        limits: { ...limits, bodyBytes: 512, minBodyRate: 9, requestsPerConnection: 3 },
      },
    });
    await dataPlane.start();
    expect(native.listeners.get(1)).toEqual({
      scheme: 'http',
      headBytes: 16384,
      targetBytes: 8192,
      headers: 100,
      bodyBytes: 512,
      requestHeadTimeoutMs: 10_000,
      bodyIdleTimeoutMs: 30_000,
      minBodyRate: 9,
      keepAliveTimeoutMs: 75_000,
      requestsPerConnection: 3,
      writeStallTimeoutMs: 60_000,
      tunnelIdleTimeoutMs: 3_600_000,
      prefaceTimeoutMs: 5_000,
      readsProxyHeader: true,
      http2: {
        isClearText: false,
        streams: 128,
        streamWindowBytes: 65_536,
        connectionWindowBytes: 1_048_576,
        resets: { burst: 1_000, perSecond: 33 },
        continuations: 8,
        controlFrames: { burst: 10_000, perSecond: 1_000 },
        ackTimeoutMs: 30_000,
      },
      hsts: '',
      tls: null,
      hostTables: [{ paths: ['/'], routes: [0] }],
    });
    const unlimited = dataPlaneOf();
    await unlimited.dataPlane.start();
    expect(unlimited.native.listeners.get(1)?.bodyBytes).toBe(0);
  });

  it('takes connections from its mailbox, or accepts for itself where it is told to', async () => {
    const handedOff = dataPlaneOf();
    await handedOff.dataPlane.start();
    expect(handedOff.dataPlane.handOffPlaces()).toEqual([{ kind: 'mailbox', mode: 'l7', mailbox: 9 }]);
    const accepting = dataPlaneOf({ sessionListenings: { 0: own, 1: own } });
    await accepting.dataPlane.start();
    expect(accepting.dataPlane.handOffPlaces()).toEqual([]);
    expect(accepting.native.calls).toEqual(['listener 1', 'listen 1 {"descriptor":70}']);
  });

  it('decides on what the front end reports, and has it open until it has finished', async () => {
    const { dataPlane, batch, board } = dataPlaneOf();
    await dataPlane.start();
    batch(opened(0), request(0));
    expect([dataPlane.openExchanges(), dataPlane.stats().openExchanges, board.totals().exchanges]).toEqual([1, 1, 1]);
    batch(finished(0, ClientEnd.GONE));
    expect([dataPlane.openExchanges(), dataPlane.stats().exchanges]).toEqual([0, 1]);
  });

  it('limits connections by the settings of their listener', async () => {
    const { limits } = nativeListenerPlan();
    const { dataPlane, native, batch } = dataPlaneOf({ listener: { limits: { ...limits, sessions: 1 } } });
    await dataPlane.start();
    batch(opened(0), opened(1));
    expect(native.options.events[32 + 4]).toBe(REFUSE_CONNECTION);
  });

  it('stops accepting and lets go of idle connections when it drains; what waits in the mailbox is open', () => {
    const { dataPlane, native } = dataPlaneOf();
    native.figures = { ...native.figures, connections: 3, idleConnections: 3, queued: 2 };
    dataPlane.drain();
    expect(native.calls).toEqual(['stop listening', 'drain']);
    expect(dataPlane.openExchanges()).toBe(2);
    expect(dataPlane.stats()).toEqual({ openConnections: 5, openExchanges: 0, exchanges: 0, upstreamConnections: 4 });
  });

  it('counts bytes as they come and the rest when it is closed: the front end before the engine', () => {
    const { dataPlane, native, board, calls } = dataPlaneOf();
    native.figures = { ...native.figures, bytesFromClients: 10, bytesToClients: 100 };
    dataPlane.stats();
    native.figures = { ...native.figures, bytesFromClients: 11, bytesToClients: 2 ** 40 };
    dataPlane.close();
    dataPlane.close();
    expect(board.totals().traffic).toMatchObject({ bytesFromClients: 11, bytesToClients: 2 ** 40 });
    expect(calls.slice(0, 2)).toEqual(['close front end', 'close engine']);
    expect(calls.filter((call) => call === 'close front end')).toHaveLength(1);
  });

  it('tells the log when accepting has to wait', () => {
    const { native, log } = dataPlaneOf();
    native.options.onShortage(24);
    native.options.onShortage(0);
    expect(log.records).toMatchObject([
      { event: 'accepting-paused', errno: 24, code: 'SLUICE_FILE_LIMIT' },
      { event: 'accepting-resumed' },
    ]);
  });
});
