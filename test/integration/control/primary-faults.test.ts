/** The primary's event loop stands still: traffic of every kind goes on, and nobody is blamed afterwards. SLUICE_LONG=1: for ten seconds. */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf } from '../../harness/http-message.js';
import { type LogLine, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { SteadyLoad } from '../../harness/steady-load.js';
import { HEALTH_PATH, StoryEndpoint } from '../../harness/story-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const BLOCK_MS = IS_LONG ? 10_000 : 3_000;
/** Nothing may take longer, blocked or not: far more than a busy machine needs, and far less than the blockage. */
const MOST_MS = 2_000;
/** Pause between two new connections of each kind. */
const NEW_EVERY_MS = 20;

const started = endAfterEach();
const fixture = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ENTRY = fileURLToPath(new URL('../../../dist/worker/entry.js', import.meta.url));
const LISTENERS = [
  { name: 'native', mode: 'l7', frontend: 'native' },
  { name: 'uws', mode: 'l7', frontend: 'uws' },
  { name: 'tcp', mode: 'l4' },
] as const;

/** Of all three kinds, in front of endpoints with health checks. */
function config(endpoints: readonly StoryEndpoint[]): object {
  const healthCheck = { kind: 'http', path: HEALTH_PATH, interval: '500ms', timeout: '400ms', unhealthyAfter: 1 };
  const upstream = { endpoints: endpoints.map(({ address }) => ({ address })), healthCheck };
  return {
    listeners: LISTENERS.map((listener) => ({
      ...listener,
      bind: '127.0.0.1:0',
      ...(listener.mode === 'l4' ? { upstream: 'app' } : { routes: [{ match: { path: '/' }, upstream: 'app' }] }),
    })),
    upstreams: { app: upstream },
    shutdownTimeout: '1s',
  };
}

async function startBlockable(endpoints: readonly StoryEndpoint[]): Promise<ProxyProcess> {
  const sluice = fixture('fixtures/blockable-sluice.mjs');
  const main = ['env', `BLOCK_MS=${BLOCK_MS}`, process.execPath, sluice, ENTRY];
  const proxy = await started(startProxy(config(endpoints), { main }));
  await proxy.lineWhere(({ event }) => event === 'ready');
  return proxy;
}

function portOf({ log }: ProxyProcess, name: string): number {
  return Number(log.find(({ event, listener }) => event === 'listening' && listener === name)?.['port']);
}

/** Clients that each connect, ask once and leave, one after the other. */
class Newcomers {
  /** How long each took, in ms. */
  readonly tookMs: number[] = [];
  readonly failures: unknown[] = [];
  readonly #running: Promise<void>;
  #isEnding = false;

  constructor(ask: () => Promise<unknown>) {
    this.#running = this.#run(ask);
  }

  close(): Promise<void> {
    this.#isEnding = true;
    return this.#running;
  }

  async #run(ask: () => Promise<unknown>): Promise<void> {
    const asking: Promise<void>[] = [];
    while (!this.#isEnding) {
      const sentAtMs = performance.now();
      const asked = ask().then(
        () => void this.tookMs.push(performance.now() - sentAtMs),
        (error: unknown) => void this.failures.push(error),
      );
      asking.push(asked);
      await pause(NEW_EVERY_MS);
    }
    await Promise.all(asking);
  }
}

async function askOverHttp(port: number): Promise<void> {
  const response = await requestOnce(port, get('/', ['Connection: close']));
  if (statusOf(response) !== 200) throw new Error(`status ${statusOf(response)}`);
}

/** The same through a session: the endpoint speaks HTTP. */
async function askOverSession(port: number): Promise<void> {
  const peer = await SocketPeer.open(port);
  try {
    peer.send(get('/'));
    await peer.when('an answer', () => peer.text.startsWith('HTTP/1.1 200') || peer.ending !== 'open');
    if (peer.ending !== 'open') throw new Error(`the session was ${peer.ending}`);
  } finally {
    peer.close();
  }
}

describe('a primary whose event loop stands still', () => {
  it('stops no traffic, neither on new connections nor on old ones, and blames nobody', async () => {
    const endpoints = await Promise.all([...'abcdefgh'].map((name) => started(StoryEndpoint.start(name))));
    // Somebody's probe is on its way nearly all the time: the blockage lets its timer fire before its answer is read.
    for (const endpoint of endpoints) endpoint.probeLatencyMs = 200;
    const proxy = await startBlockable(endpoints);
    const loads = await Promise.all(
      (['native', 'uws'] as const).map((name) =>
        started(SteadyLoad.start(portOf(proxy, name), { perSecond: 100, connections: 4 })),
      ),
    );
    const newcomers = await Promise.all(
      LISTENERS.map(({ name, mode }) => {
        const ask = mode === 'l4' ? askOverSession : askOverHttp;
        return started(new Newcomers(() => ask(portOf(proxy, name))));
      }),
    );
    await until('traffic on all', () => newcomers.every(({ tookMs }) => tookMs.length >= 5));
    const served = newcomers.map(({ tookMs }) => tookMs.length);

    const blockedAtMs = performance.now();
    proxy.child.kill('SIGUSR2');
    // The admin API is the primary's own: it shows that the primary does stand still.
    await pause(50);
    await proxy.admin('/api/v1/status');
    const adminMs = performance.now() - blockedAtMs;
    expect(adminMs).toBeGreaterThan(BLOCK_MS * 0.9);

    const during = newcomers.map(({ tookMs }, index) => tookMs.length - (served[index] as number));
    for (const count of during) expect(count).toBeGreaterThan((BLOCK_MS / NEW_EVERY_MS) * 0.3);
    await Promise.all(newcomers.map((each) => each.close()));
    expect(newcomers.flatMap(({ failures }) => failures)).toEqual([]);
    expect(Math.max(...newcomers.flatMap(({ tookMs }) => tookMs))).toBeLessThan(MOST_MS);
    for (const load of loads) {
      const answers = await load.from(blockedAtMs, BLOCK_MS / 20);
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect(Math.max(...answers.map(({ sentAtMs, answeredAtMs }) => answeredAtMs - sentAtMs))).toBeLessThan(MOST_MS);
    }

    // What waited for the primary has been done by now: probes, looks at heartbeats.
    const told = await proxy.lineWhere(({ event }) => event === 'primary-blocked');
    expect(Number(told['blockedMs'])).toBeGreaterThan(BLOCK_MS * 0.9);
    await pause(1_500); // two looks at heartbeats, and several probes of each endpoint
    const blames = ['endpoint-unhealthy', 'worker-stuck', 'worker-exited', 'worker-error', 'panic', 'attempt-failed'];
    expect(proxy.log.filter(({ event }: LogLine) => blames.includes(event ?? ''))).toEqual([]);
    const view = await proxy.admin<{ endpoints: { healthy: boolean }[] }>('/api/v1/upstreams/app/endpoints');
    expect(view.endpoints.every(({ healthy }) => healthy)).toBe(true);
    const { workers } = await proxy.admin<{ workers: { restarts: number }[] }>('/api/v1/status');
    expect(workers.map(({ restarts }) => restarts)).toEqual([0, 0]);
    await Promise.all(loads.map((load) => load.close()));
    expect(await proxy.stop()).toBe(0);
  }, 60_000);
});
