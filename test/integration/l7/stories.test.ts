/**
 * The stories of the simulator (bench/sim/stories), shorter and smaller, through the program and real sockets: what becomes of the
 * share of an endpoint that is slow, gets slow, fails, joins, or asks to be left alone.
 *
 * What is told is shares, never times: latencies are asked of endpoints that share the test's event loop, so a busy machine makes all
 * of them late alike. Latencies are a fifth of the simulator's: long beside what a busy machine adds. Requests at the same time are
 * few where a balancer by time is to be seen: behind enough others a fast endpoint is no faster than a slow one, and is rightly left.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { endpointFacts } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type LoadAnswer, type LoadOptions, SteadyLoad, shareOf } from '../../harness/steady-load.js';
import { failing, HEALTH_PATH, StoryEndpoint } from '../../harness/story-endpoint.js';
import { until } from '../../harness/wire.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointsOf(count: number, latencyMs: number): Promise<[StoryEndpoint, ...StoryEndpoint[]]> {
  const endpoints = await Promise.all(Array.from({ length: count }, (_, index) => StoryEndpoint.start(`e${index}`)));
  open.push(...endpoints.map((endpoint) => () => endpoint.close()));
  for (const endpoint of endpoints) endpoint.latencyMs = latencyMs;
  return endpoints as [StoryEndpoint, ...StoryEndpoint[]];
}

async function proxyFor(
  endpoints: readonly StoryEndpoint[],
  upstream: { readonly balance: BalancerName; readonly [setting: string]: unknown },
  more: object = {},
): Promise<ProxyProcess> {
  const addresses = endpoints.map(({ address }) => ({ address }));
  const proxy = await startProxy(
    configFor([], { workers: 2, upstream: { endpoints: addresses, ...upstream }, ...more }),
  );
  open.push(() => proxy.stop());
  return proxy;
}

async function loadOn(proxy: ProxyProcess, options: LoadOptions = {}): Promise<SteadyLoad> {
  const load = await SteadyLoad.start(proxy.port, options);
  open.push(() => load.close());
  return load;
}

describe('one endpoint of ten at half speed', () => {
  async function shareWith(balance: BalancerName, answers: number): Promise<number> {
    const endpoints = await endpointsOf(10, 30);
    const [slow] = endpoints;
    slow.latencyMs = 60;
    const proxy = await proxyFor(endpoints, { balance });
    // What the first requests take longer, before all is warm, has to be forgotten.
    const warmUp = await SteadyLoad.start(proxy.port);
    await warmUp.next(300).finally(() => warmUp.close());
    const load = await loadOn(proxy, { connections: 2, perSecond: 50 });
    return shareOf(await load.next(answers), slow);
  }

  it('keeps its tenth with round-robin, so that one in ten requests is slow', async () => {
    expect(Math.abs((await shareWith('round-robin', 100)) - 0.1)).toBeLessThan(0.025);
  });

  it('gets less than a twentieth with least-time, so that 95 % of the requests are not slow', async () => {
    expect(await shareWith('least-time', 160)).toBeLessThan(0.05);
  });
});

describe('a replica of four that goes from 30 to 160 ms', () => {
  it('has lost its share within two seconds with least-time', async () => {
    const endpoints = await endpointsOf(4, 30);
    const [replica] = endpoints;
    const load = await loadOn(await proxyFor(endpoints, { balance: 'least-time' }), { connections: 6, perSecond: 120 });
    await load.next(20);
    const before = await load.next(150);
    replica.latencyMs = 160;
    const after = await load.from(performance.now() + 1_500, 150);
    expect(shareOf(before, replica)).toBeGreaterThan(0.1);
    expect(shareOf(after, replica)).toBeLessThanOrEqual(0.05);
  });
});

describe('an endpoint of four that fails in 1 ms', () => {
  it('has at most a twentieth of the traffic after a second with least-time', async () => {
    const endpoints = await endpointsOf(4, 15);
    const [broken] = endpoints;
    const load = await loadOn(await proxyFor(endpoints, { balance: 'least-time' }));
    await load.next(50);
    broken.latencyMs = 1;
    broken.failure = failing(500);
    const after = await load.from(performance.now() + 1_000, 300);
    const failures = (answers: readonly LoadAnswer[]): number => answers.filter(({ status }) => status === 500).length;
    expect(failures(load.answers)).toBeGreaterThan(0);
    expect(failures(after) / after.length).toBeLessThanOrEqual(0.05);
  });
});

describe('a cold endpoint that joins three others', () => {
  const healthCheck = { path: HEALTH_PATH, interval: '250ms', timeout: '250ms', healthyAfter: 1, unhealthyAfter: 3 };
  const FAIR_SHARE = 1 / 4;
  const WINDOW_MS = 500;

  /** What chance may add to the fair share of a number of requests: three standard deviations, if each drew at random. */
  const noise = (requests: number): number => 3 * Math.sqrt((FAIR_SHARE * (1 - FAIR_SHARE)) / requests);

  /** The first of four endpoints has been unhealthy for a while, under load, when it passes a check again. */
  async function joining(upstream: { readonly balance: BalancerName; readonly [setting: string]: unknown }): Promise<{
    proxy: ProxyProcess;
    load: SteadyLoad;
    joiner: StoryEndpoint;
    joinedAtMs: number;
  }> {
    const endpoints = await endpointsOf(4, 15);
    const [joiner] = endpoints;
    joiner.isIll = true;
    const proxy = await proxyFor(endpoints, { healthCheck, ...upstream });
    // So many that a flood could fill a window before its first answer.
    const load = await loadOn(proxy, { connections: 60 });
    await proxy.lineWhere(({ event }) => event === 'endpoint-unhealthy');
    expect(shareOf(await load.next(50), joiner)).toBe(0);
    joiner.latencyMs = 400;
    joiner.isIll = false;
    await proxy.lineWhere(({ event }) => event === 'endpoint-healthy');
    return { proxy, load, joiner, joinedAtMs: performance.now() };
  }

  it('never gets more than its fair share in any half second with least-time', async () => {
    const { load, joiner, joinedAtMs } = await joining({ balance: 'least-time' });
    await load.from(joinedAtMs + 1_000, 1);
    joiner.latencyMs = 15;
    await load.from(joinedAtMs + 2_000, 1);
    expect(load.answers.filter(({ body }) => body === joiner.name).length).toBeGreaterThan(0);
    for (let fromMs = joinedAtMs - WINDOW_MS; fromMs <= joinedAtMs + 2_000 - WINDOW_MS; fromMs += 50) {
      const within = load.answers.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < fromMs + WINDOW_MS);
      if (within.length === 0) continue;
      expect(shareOf(within, joiner)).toBeLessThanOrEqual(FAIR_SHARE + noise(within.length));
    }
  });

  it('gets a share that grows with slow start', async () => {
    const { proxy, load, joiner, joinedAtMs } = await joining({
      balance: 'round-robin',
      slowStart: { window: '1500ms' },
    });
    joiner.latencyMs = 15;
    await until('its window is over', async () => (await endpointFacts(proxy))[0]?.slowStart === null);
    const endedAtMs = performance.now();
    const after = await load.next(100);
    const thirdMs = (endedAtMs - joinedAtMs) / 3;
    const shareIn = (third: number): number =>
      shareOf(
        load.answers.filter(({ sentAtMs }) => Math.floor((sentAtMs - joinedAtMs) / thirdMs) === third),
        joiner,
      );
    expect(shareIn(0)).toBeLessThan(FAIR_SHARE / 2);
    expect(shareIn(2)).toBeGreaterThan(shareIn(0));
    expect(Math.abs(shareOf(after, joiner) - FAIR_SHARE)).toBeLessThan(0.05);
  });
});

describe.each(FRONT_ENDS)('with the front end %s, endpoints that answer 503 with Retry-After: 1', (frontend) => {
  const PAUSE = failing(503, ['Retry-After: 1']);
  const RETRY_AFTER_MS = 1_000;
  /** Clocks of the workers are read once for a batch of events. */
  const CLOCK_MS = 20;

  it('are left alone for that second, and asked again after it', async () => {
    const endpoints = await endpointsOf(3, 0);
    const [paused] = endpoints;
    const load = await loadOn(await proxyFor(endpoints, { balance: 'round-robin' }, { listener: { frontend } }));
    await load.next(30);
    paused.failure = PAUSE;
    const refused = (): LoadAnswer[] => load.answers.filter(({ status }) => status === 503);
    await until('a 503', () => refused().length > 0);
    const [{ sentAtMs, answeredAtMs }] = refused() as [LoadAnswer];
    await load.from(sentAtMs + RETRY_AFTER_MS, 60);
    const whilePaused = load.answers.filter(
      (answer) => answer.sentAtMs >= answeredAtMs && answer.sentAtMs < sentAtMs + RETRY_AFTER_MS - CLOCK_MS,
    );
    expect(whilePaused.length).toBeGreaterThan(0);
    expect(whilePaused.filter(({ status }) => status === 503)).toEqual([]);
    paused.failure = null;
    await until('it is asked again', () => load.answers.at(-1)?.body === paused.name);
    expect(Math.abs(shareOf(await load.next(60), paused) - 1 / 3)).toBeLessThan(0.1);
  });

  it('are all asked, and their 503 passed on, when all of them are paused', async () => {
    const endpoints = await endpointsOf(2, 0);
    const load = await loadOn(
      await proxyFor(endpoints, { balance: 'round-robin', outlier: 'off' }, { listener: { frontend } }),
    );
    await load.next(30);
    for (const endpoint of endpoints) endpoint.failure = PAUSE;
    const before = endpoints.map(({ requests }) => requests);
    const answers = await load.next(60);
    expect(new Set(answers.map(({ status, retryAfter, body }) => `${status} ${retryAfter} ${body}`))).toEqual(
      new Set(['503 1 ']),
    );
    for (const [index, { requests }] of endpoints.entries())
      expect(requests - (before[index] ?? 0)).toBeGreaterThan(10);
  });
});
