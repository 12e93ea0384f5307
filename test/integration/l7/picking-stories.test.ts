/**
 * Stories of who may be picked at all, through the program and real sockets: too few healthy endpoints, the own zone and the next,
 * subsets, splits, weights. What is asked are counts, of requests one after the other over a few connections.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../../harness/http-message.js';
import { endpointFacts, statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { HEALTH_PATH, StoryEndpoint } from '../../harness/story-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

type Closing = (() => unknown)[];

/** Found ill or sound within a second or two; a pause of the machine of half a second makes nobody ill. */
const HEALTH_CHECK = { path: HEALTH_PATH, interval: '500ms', timeout: '500ms', healthyAfter: 1, unhealthyAfter: 2 };

async function closeAll(open: Closing): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

async function endpointsOf(names: readonly string[], open: Closing): Promise<readonly StoryEndpoint[]> {
  const endpoints = await Promise.all(names.map((name) => StoryEndpoint.start(name)));
  open.push(...endpoints.map((endpoint) => () => endpoint.close()));
  return endpoints;
}

async function proxyFor(config: object, open: Closing): Promise<ProxyProcess> {
  const proxy = await startProxy({ workers: 2, ...config });
  open.push(() => proxy.stop());
  return proxy;
}

/**
 * Sends requests over six connections, which both workers have. All are answered with 200.
 *
 * @returns the bodies of the answers, in the order of the requests: names of endpoints
 */
async function answersTo(proxy: ProxyProcess, requests: readonly string[]): Promise<readonly string[]> {
  const names: string[] = [];
  let sent = 0;
  const send = async (client: WireClient): Promise<void> => {
    while (sent < requests.length) {
      const at = sent++;
      client.send(requests[at] as string);
      const response = await client.response();
      expect(statusOf(response)).toBe(200);
      names[at] = response.body.toString();
    }
  };
  const clients = await Promise.all(Array.from({ length: 6 }, () => WireClient.open(proxy.port)));
  try {
    await Promise.all(clients.map(send));
  } finally {
    for (const client of clients) client.close();
  }
  return names;
}

/** How many of `count` requests each of the endpoints answered. */
async function countsOf(
  proxy: ProxyProcess,
  endpoints: readonly StoryEndpoint[],
  count: number,
  path = '/',
): Promise<readonly number[]> {
  const names = await answersTo(proxy, new Array<string>(count).fill(get(path)));
  return endpoints.map(({ name }) => names.filter((one) => one === name).length);
}

/** Waits until the proxy has seen what each of the endpoints says of itself. */
async function untilSeen(proxy: ProxyProcess, endpoints: readonly StoryEndpoint[]): Promise<void> {
  await until(
    'the health of all is known',
    async () => (await endpointFacts(proxy)).every(({ healthy }, index) => healthy === !endpoints[index]?.isIll),
    10_000,
  );
}

describe('health checks that fail for three endpoints of four', () => {
  const open: Closing = [];
  afterEach(() => closeAll(open));

  async function storyOf(
    panicThreshold: string,
  ): Promise<{ proxy: ProxyProcess; endpoints: readonly StoryEndpoint[] }> {
    const endpoints = await endpointsOf(['sound', 'ill1', 'ill2', 'ill3'], open);
    const addresses = endpoints.map(({ address }) => ({ address }));
    const upstream = { panicThreshold, healthCheck: HEALTH_CHECK, endpoints: addresses };
    const proxy = await proxyFor(configFor([], { upstream }), open);
    expect(await countsOf(proxy, endpoints, 8)).toEqual([2, 2, 2, 2]);
    for (const endpoint of endpoints.slice(1)) endpoint.isIll = true;
    await untilSeen(proxy, endpoints);
    return { proxy, endpoints };
  }

  it('are ignored below the panic threshold, which the log tells, and heeded when the endpoints are healthy again', async () => {
    const { proxy, endpoints } = await storyOf('50%');
    expect(await proxy.lineWhere(({ event }) => event === 'panic')).toMatchObject({ upstream: 'app', endpoints: 4 });
    expect(await countsOf(proxy, endpoints, 40)).toEqual([10, 10, 10, 10]);
    const [, first, second] = endpoints as [StoryEndpoint, StoryEndpoint, StoryEndpoint];
    first.isIll = false;
    second.isIll = false;
    await untilSeen(proxy, endpoints);
    expect(await proxy.lineWhere(({ event }) => event === 'panic-over')).toMatchObject({ upstream: 'app' });
    expect(await countsOf(proxy, endpoints, 30)).toEqual([10, 10, 10, 0]);
  });

  it('leave everything to the healthy one without panic', async () => {
    const { proxy, endpoints } = await storyOf('off');
    expect(await countsOf(proxy, endpoints, 40)).toEqual([40, 0, 0, 0]);
    expect(proxy.log.filter(({ event }) => event === 'panic')).toEqual([]);
  });
});

describe('two endpoints in the own zone and two in another', () => {
  const open: Closing = [];
  let endpoints: readonly StoryEndpoint[];
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoints = await endpointsOf(['own1', 'own2', 'other1', 'other2'], open);
    const addresses = endpoints.map(({ address, name }) => ({
      address,
      maxConns: 8,
      labels: { zone: name.startsWith('own') ? 'eu-1a' : 'eu-1b' },
    }));
    const upstream = { preferOwnZone: true, healthCheck: HEALTH_CHECK, endpoints: addresses };
    proxy = await proxyFor(configFor([], { zone: 'eu-1a', upstream }), open);
  });
  afterAll(() => closeAll(open));

  it('share all requests in the own zone while it can take them', async () => {
    expect(await countsOf(proxy, endpoints, 60)).toEqual([30, 30, 0, 0]);
  });

  it('spill over what the own zone has no room for', async () => {
    for (const endpoint of endpoints) endpoint.isHolding = true;
    const clients = await Promise.all(Array.from({ length: 20 }, () => WireClient.open(proxy.port)));
    const held = (): number[] => endpoints.map((endpoint) => endpoint.held);
    for (const [index, client] of clients.entries()) {
      client.send(get('/'));
      await until('the request is at an endpoint', () => held().reduce((sum, one) => sum + one, 0) === index + 1);
      if (index === 15) expect(held()).toEqual([8, 8, 0, 0]);
    }
    expect(held()).toEqual([8, 8, 2, 2]);
    for (const endpoint of endpoints) endpoint.release();
    for (const client of clients) {
      expect(statusOf(await client.response())).toBe(200);
      client.close();
    }
    await untilIdle(proxy);
  });

  it('spill over a third, not a half, when half of the own zone is unhealthy', async () => {
    const [ill] = endpoints as [StoryEndpoint];
    ill.isIll = true;
    await untilSeen(proxy, endpoints);
    const [, own, ...others] = await countsOf(proxy, endpoints, 400);
    // 140 % x 1/2 = 70 % of 400, and 4 standard deviations of a draw for each request.
    expect(Math.abs((own ?? 0) - 280)).toBeLessThan(37);
    expect(Math.abs((others[0] ?? 0) - (others[1] ?? 0))).toBeLessThanOrEqual(1);
    ill.isIll = false;
    await untilSeen(proxy, endpoints);
    expect(await countsOf(proxy, endpoints, 20)).toEqual([10, 10, 0, 0]);
  });
});

describe('routes that say where their requests go', () => {
  const open: Closing = [];
  let endpoints: readonly StoryEndpoint[];
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoints = await endpointsOf(['stable1', 'stable2', 'canary'], open);
    const [stable1, stable2, canary] = endpoints as [StoryEndpoint, StoryEndpoint, StoryEndpoint];
    const split = [
      { upstream: 'stable', weight: 95 },
      { upstream: 'canary', weight: 5 },
    ];
    const routes = [
      { match: { path: '/' }, upstream: 'app' },
      { match: { path: '/v2' }, upstream: 'app', subset: { version: 'v2' } },
      { match: { path: '/split' }, split, splitKey: 'header:x-user' },
    ];
    const upstreams = {
      app: {
        endpoints: [
          { address: stable1.address, labels: { version: 'v1' } },
          { address: stable2.address, labels: { version: 'v2' } },
          { address: canary.address, labels: { version: 'v2' } },
        ],
      },
      stable: { endpoints: [{ address: stable1.address }, { address: stable2.address }] },
      canary: { endpoints: [{ address: canary.address }] },
    };
    proxy = await proxyFor(configFor([], { listener: { routes }, upstreams }), open);
  });
  afterAll(() => closeAll(open));

  it('pick among the endpoints with the labels of their subset', async () => {
    expect(await countsOf(proxy, endpoints, 30)).toEqual([10, 10, 10]);
    expect(await countsOf(proxy, endpoints, 30, '/v2')).toEqual([0, 15, 15]);
  });

  it('split their clients 95 to 5, and keep each on its side', async () => {
    const requests = Array.from({ length: 600 }, (_, user) => get('/split', [`X-User: user-${user}`]));
    const first = await answersTo(proxy, requests);
    const canaries = first.filter((name) => name === 'canary').length;
    // 5 % of 600, and 4 standard deviations of a draw for each user.
    expect(Math.abs(canaries - 30)).toBeLessThan(22);
    const second = await answersTo(proxy, requests.toReversed());
    const sides = (names: readonly string[]): boolean[] => names.map((name) => name === 'canary');
    expect(sides(second.toReversed())).toEqual(sides(first));
  });
});

describe('three endpoints of the weights 1, 2 and 3 and two workers', () => {
  const open: Closing = [];
  afterEach(() => closeAll(open));

  it('get their shares with round-robin, to one request', async () => {
    const endpoints = await endpointsOf(['small', 'middle', 'large'], open);
    const addresses = endpoints.map(({ address }, index) => ({ address, weight: index + 1 }));
    const proxy = await proxyFor(configFor([], { upstream: { balance: 'round-robin', endpoints: addresses } }), open);
    expect(await countsOf(proxy, endpoints, 600)).toEqual([100, 200, 300]);
    await until('both workers have had requests', async () =>
      (await statusFacts(proxy)).workers.every(({ upstreamConnections }) => upstreamConnections > 0),
    );
    await countsOf(proxy, endpoints, 101);
    for (const [index, { requests }] of endpoints.entries())
      expect(Math.abs(requests - (701 * (index + 1)) / 6)).toBeLessThanOrEqual(1);
  });
});
