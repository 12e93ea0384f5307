/** A worker in a loop without end: who connects from then on is served by the others. SLUICE_LONG=1: it is ended, and back. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { startFaultyProxy } from '../../harness/faulty-workers.js';
import { statusOf } from '../../harness/http-message.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const WORKERS = 3;
const FAULTY = 1;
/** The first to be handed to it wait until it is known not to read: half a second, and what a busy machine needs. */
const MOST_MS = 2_000;

const started = endAfterEach();

async function startSpinning() {
  const endpoint = await started(startRequestEndpoint(ok()));
  const proxy = await started(
    startFaultyProxy({
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          frontend: 'native',
          bind: '127.0.0.1:0',
          routes: [{ match: { path: '/' }, upstream: 'app' }],
        },
        { name: 'tcp', mode: 'l4', bind: '127.0.0.1:0', upstream: 'app' },
      ],
      upstreams: { app: { endpoints: [{ address: `127.0.0.1:${endpoint.port}` }] } },
      workers: WORKERS,
      shutdownTimeout: '200ms',
    }),
  );
  await proxy.lineWhere(({ event }) => event === 'ready');
  proxy.fail(FAULTY, 'spin');
  await until('it has taken its order', () => proxy.hasObeyed());
  const tcpPort = Number((await proxy.lineWhere(({ listener }) => listener === 'tcp'))['port']);
  return { proxy, tcpPort };
}

async function tookMs(ask: () => Promise<unknown>): Promise<number> {
  const beganAtMs = performance.now();
  await ask();
  return performance.now() - beganAtMs;
}

describe('a worker whose event loop stands still', () => {
  it('costs newcomers half a second at the most, and only the first of them', async () => {
    const { proxy, tcpPort } = await startSpinning();
    const overHttp = async (): Promise<void> => {
      expect(statusOf(await requestOnce(proxy.port, get('/', ['Connection: close'])))).toBe(200);
    };
    const overSession = async (): Promise<void> => {
      const peer = await SocketPeer.open(tcpPort);
      peer.send(get('/'));
      await peer.when('an answer', () => peer.text.startsWith('HTTP/1.1 200'));
      peer.close();
    };
    for (const ask of [overHttp, overSession]) {
      const first = await Promise.all(Array.from({ length: 3 * WORKERS }, () => tookMs(ask)));
      expect(Math.max(...first)).toBeLessThan(MOST_MS);
      // It was indeed one of those that connections were handed to.
      expect(Math.max(...first)).toBeGreaterThan(400);
      const later = await Promise.all(Array.from({ length: 3 * WORKERS }, () => tookMs(ask)));
      expect(Math.max(...later)).toBeLessThan(400);
    }
    expect(await proxy.stop()).toBe(0);
  }, 20_000);

  it.skipIf(!IS_LONG)(
    'is ended after half a minute, and another one takes its place',
    async () => {
      const { proxy } = await startSpinning();
      await proxy.lineWhere(({ event, worker }) => event === 'worker-serving' && worker === FAULTY, 60_000);
      const told = proxy.log.filter(({ event }) => event === 'worker-stuck');
      expect(told.map(({ worker }) => worker)).toEqual([FAULTY, FAULTY]);
      await until('nothing is wrong', async () => {
        const { workers } = await proxy.admin<{ workers: { state: string }[] }>('/api/v1/status');
        return workers.every(({ state }) => state === 'serving');
      });
      expect(await proxy.stop()).toBe(0);
    },
    90_000,
  );
});
