/** What is seen of the proxy second by second: rates and latencies of the last 10 s, from what workers record. */
import { describe, expect, it } from 'vitest';
import type { LiveFigures } from '../../../src/observability/live-figures.js';
import { observedProxy } from './observed-proxy.js';

const CONFIG = `
listeners:
  - name: web
    bind: "127.0.0.1:0"
    routes:
      - { match: { host: example.com, path: /api/ }, upstream: api }
      - { upstream: api }
  - { name: db, mode: l4, bind: "127.0.0.1:0", upstream: pg }
upstreams:
  api:
    endpoints:
      - { address: "10.0.0.1:9001", weight: 3, maxConns: 4 }
      - { address: "10.0.0.2:9001" }
      - { address: "10.0.0.3:9001", backup: true }
  pg: { endpoints: [{ address: "10.0.1.1:5432" }] }
`;

function stage() {
  const proxy = observedProxy(CONFIG);
  const { workerBoards, endpoint, live } = proxy;
  live.start();
  /** Exchanges of the first route that end now, alternating between the workers. */
  const serve = (name: string, count: number, ms: number, status = 200) => {
    const { slot } = endpoint('api', name);
    for (let each = 0; each < count; each++) {
      const { stripe, figures } = workerBoards[each % workerBoards.length]!;
      const us = ms * 1_000;
      stripe.countAttempt(slot, false);
      figures.endpoints.answered(slot, status, true, 0, us);
      const ended = {
        status,
        answeredBy: 0,
        firstByteUs: us,
        totalUs: us,
        queueUs: 0,
        bytesFromClient: 10,
        bytesToClient: 100,
      };
      figures.listeners.exchangeEnded(proxy.state.plan.listeners[0]!.number, ended, 0, false);
      const [route] = proxy.state.plan.listeners[0]!.routes as readonly { readonly record: number }[];
      figures.routes.exchangeEnded(route!.record, ended, 0, false);
    }
  };
  return { ...proxy, serve };
}

const endpointOf = (figures: LiveFigures, address: string) =>
  figures.upstreams.flatMap(({ endpoints }) => endpoints).find((each) => each.address === address);

describe('live figures', () => {
  it('add up all workers over the window', async () => {
    const { serve, time, live } = stage();
    for (let second = 0; second < 20; second++) {
      serve('10.0.0.1:9001', 30, 18);
      serve('10.0.0.2:9001', 10, 80);
      await time.pass(1_000);
    }
    const figures = live.now();
    expect(figures.windowMs).toBe(10_000);
    expect(figures.totals.perSecond).toBeCloseTo(40, 6);
    expect(figures.totals.bytesOutPerSecond).toBeCloseTo(4_000, 6);
    expect(figures.listeners[0]).toMatchObject({ name: 'web', mode: 'l7', errorShare: 0 });
    expect(figures.routes.map(({ perSecond }) => perSecond)).toEqual([40, 0]);
    const first = endpointOf(figures, '10.0.0.1:9001');
    expect(first).toMatchObject({ perSecond: 30, share: 0.75, errorShare: 0, condition: 'healthy' });
    expect(Math.abs(first!.latencyMs!.p99 - 18)).toBeLessThan(0.4);
    expect(first!.heat).toEqual([0, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(figures.upstreams[0]?.cv).toBe(0); // 3 to 1, as the weights
    const { p50, p95 } = figures.totals.latencyMs!;
    expect([Math.abs(p50 - 18) < 0.4, Math.abs(p95 - 80) < 1.6]).toEqual([true, true]);
  });

  it('forget what is older than the window', async () => {
    const { serve, time, live } = stage();
    serve('10.0.0.1:9001', 50, 20);
    await time.pass(1_000);
    expect(live.now().totals.perSecond).toBe(50);
    await time.pass(11_000);
    expect(live.now().totals).toMatchObject({ perSecond: 0, errorShare: null, latencyMs: null });
  });

  it('count answers of 5xx and failures that are not the client’s as errors, each once', async () => {
    const { serve, time, live, workerBoards, state } = stage();
    serve('10.0.0.1:9001', 6, 5);
    serve('10.0.0.1:9001', 2, 5, 503);
    const { number } = state.plan.listeners[0]!;
    workerBoards[0]!.figures.listeners.failed(number, 'SLUICE_CONNECT_REFUSED');
    workerBoards[0]!.figures.listeners.failed(number, 'SLUICE_CLIENT_GONE');
    await time.pass(1_000);
    expect(live.now().totals.errorShare).toBe(0.25);
    expect(endpointOf(live.now(), '10.0.0.1:9001')?.errorShare).toBe(0.25);
  });

  it('have the time to connect where only sessions go', async () => {
    const { time, live, workerBoards, endpoint } = stage();
    const { slot } = endpoint('pg', '10.0.1.1:5432');
    workerBoards[1]!.stripe.countAttempt(slot, false);
    workerBoards[1]!.figures.endpoints.connected(slot, 3_000);
    await time.pass(1_000);
    expect(Math.abs(endpointOf(live.now(), '10.0.1.1:5432')!.latencyMs!.p50 - 3)).toBeLessThan(0.06);
  });

  it('show use of the cap, and the state at the moment of the question', () => {
    const { live, board, workerBoards, endpoint } = stage();
    const { slot, generation } = endpoint('api', '10.0.0.1:9001');
    workerBoards[0]!.claims.claim(slot, generation, 0);
    board.control.setDraining(slot, true);
    const seen = endpointOf(live.now(), '10.0.0.1:9001');
    expect(seen).toMatchObject({ inFlight: 1, cap: 4, poolUse: 0.25, state: 'draining', condition: 'draining' });
  });

  it('go on for what stays in another plan', async () => {
    const { serve, time, live, state } = stage();
    serve('10.0.0.1:9001', 20, 5);
    await time.pass(1_000);
    const { plan } = state;
    const [web, db] = plan.listeners;
    state.plan = { ...plan, epoch: 2, listeners: [db!, web!] };
    await time.pass(1_000);
    const figures = live.now();
    expect([figures.epoch, figures.listeners.map(({ name, perSecond }) => [name, perSecond])]).toEqual([
      2,
      [
        ['db', 0],
        ['web', 10],
      ],
    ]);
  });

  it('are told each second while somebody listens', async () => {
    const { time, live } = stage();
    const heard: number[] = [];
    const stop = live.onFigures(({ uptimeMs }) => heard.push(uptimeMs));
    await time.pass(2_500);
    stop();
    await time.pass(2_000);
    expect(heard).toEqual([1_000, 2_000]);
    live.close();
    expect(time.pending).toBe(0);
  });
});
