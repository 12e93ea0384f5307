/** Weights that move while sluice runs, as clients and endpoints see it: slow start and agents. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** An endpoint that answers with its own name; `/health` with 503 while it is told to be ill. */
interface NamedEndpoint {
  readonly address: string;
  isIll: boolean;
}

async function endpointAt(host: string): Promise<NamedEndpoint> {
  const server: Server = createServer((request, response) => {
    const isRefused = request.url === '/health' && endpoint.isIll;
    response.writeHead(isRefused ? 503 : 200).end(endpoint.address);
  });
  server.listen(0, host);
  await once(server, 'listening');
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    isIll: false,
  };
  return endpoint;
}

/** An agent that says its line to whoever connects. */
async function agentAt(host: string, port: number, line: string): Promise<{ port: number; line: string }> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${agent.line}\n`);
  });
  server.listen(port, host);
  await once(server, 'listening');
  open.push(() => server.close());
  const agent = { port: (server.address() as AddressInfo).port, line };
  return agent;
}

async function proxyFor(endpoints: readonly NamedEndpoint[], upstream: object): Promise<ProxyProcess> {
  const addresses = endpoints.map(({ address }) => ({ address }));
  const proxy = await startProxy(
    configFor([], { workers: 2, upstream: { balance: 'round-robin', endpoints: addresses, ...upstream } }),
  );
  open.push(() => proxy.stop());
  return proxy;
}

/** The part of an endpoint's view that these tests look at. */
interface WeightFacts {
  readonly healthy: boolean;
  readonly draining: boolean;
  readonly effectiveWeight: number;
  readonly slowStart: number | null;
}

async function weightFacts(proxy: ProxyProcess): Promise<readonly [WeightFacts, WeightFacts]> {
  const view = await proxy.admin<{ endpoints: [WeightFacts, WeightFacts] }>('/api/v1/upstreams/app/endpoints');
  return view.endpoints;
}

/** Sends requests one after the other. @returns how many each endpoint answered */
async function answersOf(proxy: ProxyProcess, endpoints: readonly NamedEndpoint[], count: number): Promise<number[]> {
  const client = await WireClient.open(proxy.port);
  const answers = endpoints.map(() => 0);
  for (let sent = 0; sent < count; sent++) {
    client.send(get('/'));
    const { body } = await client.response();
    const index = endpoints.findIndex(({ address }) => address === body.toString());
    answers[index] = (answers[index] ?? 0) + 1;
  }
  client.close();
  return answers;
}

describe('slow start', () => {
  it('lets the share of a recovered endpoint grow over its window', async () => {
    const endpoints = [await endpointAt('127.0.0.1'), await endpointAt('127.0.0.1')] as const;
    const proxy = await proxyFor(endpoints, {
      slowStart: { window: '4s' },
      healthCheck: { path: '/health', interval: '200ms', timeout: '200ms', healthyAfter: 1, unhealthyAfter: 3 },
    });
    expect(await answersOf(proxy, endpoints, 20)).toEqual([10, 10]); // no slow start at the start
    endpoints[1].isIll = true;
    await until('the second is unhealthy', async () => !(await weightFacts(proxy))[1].healthy);
    expect(await answersOf(proxy, endpoints, 10)).toEqual([10, 0]);
    endpoints[1].isIll = false;
    await proxy.lineWhere(({ event }) => event === 'slow-start-begun');
    const early = await answersOf(proxy, endpoints, 40);
    const { slowStart: progress } = (await weightFacts(proxy))[1];
    expect(progress).not.toBeNull();
    // Its part is at most that of its progress by now, and one turn of rounding for each step of the ramp.
    expect(early[1]! / 40).toBeLessThan((progress ?? 1) / (1 + (progress ?? 1)) + 0.1);
    expect(early[1]).toBeLessThan(20);
    await until('its window is over', async () => (await weightFacts(proxy))[1].slowStart === null, 8_000);
    expect(await answersOf(proxy, endpoints, 20)).toEqual([10, 10]);
  });
});

describe('agents', () => {
  it('halve the share of an endpoint, take it out and bring it back', async () => {
    const endpoints = [await endpointAt('127.0.0.1'), await endpointAt('127.0.0.2')] as const;
    const first = await agentAt('127.0.0.1', 0, 'up 100%');
    const second = await agentAt('127.0.0.2', first.port, 'up 50%');
    const proxy = await proxyFor(endpoints, {
      weights: { agent: { port: first.port, interval: '100ms', timeout: '2s' } },
    });
    await until('half of its weight', async () => (await weightFacts(proxy))[1].effectiveWeight === 0.5);
    expect(await answersOf(proxy, endpoints, 30)).toEqual([20, 10]);
    second.line = 'drain';
    await until('it drains', async () => (await weightFacts(proxy))[1].draining);
    expect(await answersOf(proxy, endpoints, 10)).toEqual([10, 0]);
    second.line = 'ready 100%';
    await until('it is back', async () => !(await weightFacts(proxy))[1].draining);
    expect(await answersOf(proxy, endpoints, 20)).toEqual([10, 10]);
  });
});
