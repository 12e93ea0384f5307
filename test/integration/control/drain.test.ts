/** Drains by the admin API, with requests in flight, through both front ends. */
import { afterEach, describe, expect, it } from 'vitest';
import type { FrontEndName } from '../../../src/config/plan.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { HEALTH_PATH, StoryEndpoint } from '../../harness/story-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointsOf(...names: string[]): Promise<readonly StoryEndpoint[]> {
  const endpoints = await Promise.all(names.map((name) => StoryEndpoint.start(name)));
  open.push(...endpoints.map((endpoint) => () => endpoint.close()));
  return endpoints;
}

async function proxyOf(frontend: FrontEndName, upstream: object): Promise<ProxyProcess> {
  const proxy = await startProxy(configFor([], { frontend, upstream }));
  open.push(() => proxy.stop());
  return proxy;
}

async function clientOf(proxy: ProxyProcess): Promise<WireClient> {
  const client = await WireClient.open(proxy.port);
  open.push(() => client.close());
  return client;
}

async function bodyOf(proxy: ProxyProcess): Promise<string> {
  const client = await clientOf(proxy);
  client.send(get('/'));
  const response = await client.response();
  return statusOf(response) === 200 ? response.body.toString() : String(statusOf(response));
}

interface View {
  readonly state: string;
  readonly drain: {
    readonly inFlightAtStart: number;
    readonly inFlight: number;
    readonly timeoutMs: number | null;
  } | null;
}

const pathOf = ({ address }: StoryEndpoint): string => `/api/v1/upstreams/app/endpoints/${address}`;

async function change(proxy: ProxyProcess, endpoint: StoryEndpoint, body: object): Promise<View> {
  const response = await fetch(`http://127.0.0.1:${proxy.adminPort}${pathOf(endpoint)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { endpoint: View }).endpoint;
}

async function viewOf(proxy: ProxyProcess, endpoint: StoryEndpoint): Promise<View> {
  return (await proxy.admin<{ endpoint: View }>(pathOf(endpoint))).endpoint;
}

describe.each(FRONT_ENDS)('drain of an endpoint (%s)', (frontend) => {
  it('lets a slow request finish, sends no other there, and says when nothing is left', async () => {
    const [a, b] = (await endpointsOf('a', 'b')) as [StoryEndpoint, StoryEndpoint];
    const proxy = await proxyOf(frontend, {
      endpoints: [{ address: a.address }, { address: b.address, backup: true }],
    });
    a.isHolding = true;
    const slow = await clientOf(proxy);
    slow.send(get('/'));
    await until('the request is there', () => a.held === 1);
    expect(await change(proxy, a, { state: 'draining' })).toMatchObject({
      state: 'draining',
      drain: { inFlightAtStart: 1, inFlight: 1, timeoutMs: null },
    });
    expect(await bodyOf(proxy)).toBe('b');
    a.release();
    expect((await slow.response()).body.toString()).toBe('a');
    await proxy.lineWhere(({ event }) => event === 'endpoint-drained');
    expect(await viewOf(proxy, a)).toMatchObject({ state: 'drained', drain: { inFlight: 0 } });
    expect(await change(proxy, a, { state: 'enabled' })).toMatchObject({ state: 'enabled', drain: null });
    expect(await bodyOf(proxy)).toBe('a');
  });

  it('cuts what is in flight when its time is over', async () => {
    const [a] = (await endpointsOf('a')) as [StoryEndpoint];
    const proxy = await proxyOf(frontend, { endpoints: [{ address: a.address }] });
    a.isHolding = true;
    const slow = await clientOf(proxy);
    slow.send(get('/'));
    await until('the request is there', () => a.held === 1);
    await change(proxy, a, { state: 'draining', drainTimeout: '200ms' });
    expect(statusOf(await slow.response())).toBe(503);
    await proxy.lineWhere(({ event, inFlight }) => event === 'drain-timeout' && inFlight === 1);
    await proxy.lineWhere(({ event }) => event === 'endpoint-drained');
    await untilIdle(proxy);
    expect((await viewOf(proxy, a)).state).toBe('drained');
  });

  it('leaves a disabled endpoint alone, and weight 0 as well', async () => {
    const [a, b] = (await endpointsOf('a', 'b')) as [StoryEndpoint, StoryEndpoint];
    const proxy = await proxyOf(frontend, { endpoints: [{ address: a.address }, { address: b.address }] });
    await change(proxy, a, { state: 'disabled' });
    expect([await bodyOf(proxy), await bodyOf(proxy)]).toEqual(['b', 'b']);
    await change(proxy, a, { state: 'enabled' });
    await change(proxy, b, { weight: 0 });
    expect([await bodyOf(proxy), await bodyOf(proxy)]).toEqual(['a', 'a']);
  });
});

describe.each(FRONT_ENDS)('endpoints before their first probe (%s)', (frontend) => {
  it('get nothing, and then what the probe allows', async () => {
    const endpoint = await startRequestEndpoint();
    open.push(() => endpoint.close());
    const probes: (() => void)[] = [];
    endpoint.answerWith(({ target, socket }) => {
      if (target !== HEALTH_PATH) return ok('a');
      probes.push(() => void socket.write(ok()));
      return undefined;
    });
    const healthCheck = { path: HEALTH_PATH, interval: '30s', timeout: '30s', initial: 'unknown' };
    const endpoints = [{ address: `127.0.0.1:${endpoint.port}` }];
    const proxy = await proxyOf(frontend, { endpoints, healthCheck });
    const client = await clientOf(proxy);
    client.send(get('/'));
    const refusal = await client.response();
    expect([statusOf(refusal), JSON.parse(refusal.body.toString()).error]).toEqual([503, 'SLUICE_NO_ENDPOINT']);
    await until('the first probe is there', () => probes.length === 1);
    probes[0]?.();
    await proxy.lineWhere(({ event }) => event === 'endpoint-healthy');
    expect(await bodyOf(proxy)).toBe('a');
  });
});

describe.each(FRONT_ENDS)('active and passive endpoints (%s)', (frontend) => {
  it('fail over to the backup and to the next level, and back', async () => {
    const [a, b, c] = (await endpointsOf('a', 'b', 'c')) as [StoryEndpoint, StoryEndpoint, StoryEndpoint];
    const healthCheck = { path: HEALTH_PATH, interval: '100ms', timeout: '100ms', healthyAfter: 1, unhealthyAfter: 2 };
    const endpoints = [
      { address: a.address },
      { address: b.address, priority: 1 },
      { address: c.address, backup: true },
    ];
    const proxy = await proxyOf(frontend, { endpoints, healthCheck });
    const served = (name: string): Promise<void> => until(`${name} serves`, async () => (await bodyOf(proxy)) === name);
    await served('a');
    a.isIll = true;
    await served('b');
    b.isIll = true;
    await served('c');
    b.isIll = false;
    await served('b');
    a.isIll = false;
    await served('a');
  });
});
