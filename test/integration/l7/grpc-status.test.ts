/** How calls of gRPC end is counted, and held against endpoints and routes: in trailers and in heads, over HTTP/1.1 with the native front end. */

import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { scrape, sumOf } from '../../harness/metric-samples.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function proxyTo(
  answer: (response: ServerResponse, path: string) => void,
  upstream: object,
): Promise<ProxyProcess> {
  const ports: number[] = [];
  // The second one is there so that the first may be ejected.
  for (let number = 0; number < 2; number++) {
    const endpoint = createServer((asked, response) => {
      asked.resume();
      answer(response, asked.url ?? '');
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    open.push(() => {
      endpoint.closeAllConnections();
      endpoint.close();
    });
    ports.push((endpoint.address() as AddressInfo).port);
  }
  const settings = { balance: 'first', healthCheck: 'off', ...upstream };
  const proxy = await startProxy(configFor(ports, { frontend: 'native', workers: 1, upstream: settings }));
  open.push(() => proxy.stop());
  return proxy;
}

/** @returns what of the call's end reaches the client */
async function call({ port }: ProxyProcess, path: string, headers: Record<string, string> = { te: 'trailers' }) {
  const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, end: response.trailers['grpc-status'] ?? response.headers['grpc-status'] };
}

/** `/14` ends with status 14 in trailers, `/14/head` in the head; `/none` without any. */
function answerOf(response: ServerResponse, path: string): void {
  const [, code = '', isInHead] = path.split('/');
  const type = { 'content-type': 'application/grpc+proto' };
  if (isInHead !== undefined) response.writeHead(200, { ...type, 'grpc-status': code }).end();
  else {
    response.writeHead(200, { ...type, trailer: 'grpc-status' });
    response.write(Buffer.alloc(7));
    if (code !== 'none') response.addTrailers({ 'grpc-status': code });
    response.end();
  }
}

describe('the end of a gRPC call', () => {
  it('is counted by endpoint and status, wherever it stands', async () => {
    const proxy = await proxyTo(answerOf, { outlier: 'off' });
    for (const path of ['/0', '/0', '/14', '/14/head', '/5', '/99', '/none', '/0/head']) await call(proxy, path);
    // Not of a client that takes no trailers, which is none of gRPC.
    await call(proxy, '/0', {});
    await untilIdle(proxy);
    const samples = await scrape(proxy);
    const counts = ['OK', 'UNAVAILABLE', 'NOT_FOUND', 'other', 'INTERNAL'].map((status) =>
      sumOf(samples, 'sluice_grpc_responses_total', { status }),
    );
    expect(counts).toEqual([3, 2, 1, 2, 0]);
    expect(sumOf(samples, 'sluice_endpoint_responses_total', { class: '2xx' })).toBe(9);
  });

  it.each(['/14', '/14/head', '/4'])('ejects an endpoint after failures in a row: %s', async (path) => {
    const proxy = await proxyTo(answerOf, { outlier: { gatewayFailures: 3, failures: 'off' } });
    await call(proxy, path);
    await call(proxy, path);
    expect(await call(proxy, '/0')).toEqual({ status: 200, end: '0' });
    for (let number = 0; number < 3; number++) expect((await call(proxy, path)).end).toBe(path.split('/')[1]);
    expect(await proxy.lineWhere(({ event }) => event === 'endpoint-ejected')).toMatchObject({
      reason: 'gateway-failures-in-row',
    });
    const ejections = proxy.log.filter(({ event }) => event === 'endpoint-ejected');
    expect(ejections).toHaveLength(1);
  });

  it('holds nothing against an endpoint that only refuses', async () => {
    const proxy = await proxyTo(answerOf, { outlier: { gatewayFailures: 2, failures: 2 }, breaker: { failures: 2 } });
    for (const path of ['/5', '/7/head', '/3', '/16', '/12/head', '/8']) await call(proxy, path);
    await untilIdle(proxy);
    expect(proxy.log.filter(({ event }) => /ejected|breaker/.test(String(event)))).toEqual([]);
  });
});
