/** Where bytes pass through TypeScript: responses that are asked about, requests that are sent again, and second attempts. */
import { afterEach, describe, expect, it } from 'vitest';
import { statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Answer, ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Two endpoints that answer alike, each with its own number in the answer. */
async function endpointsWith(answer: (number: number) => Answer | string): Promise<RequestEndpoint[]> {
  const endpoints = await Promise.all([0, 1].map((number) => startRequestEndpoint(answer(number))));
  open.push(() => Promise.all(endpoints.map((endpoint) => endpoint.close())));
  return endpoints;
}

async function proxyFor(endpoints: readonly RequestEndpoint[], upstream: object): Promise<ProxyProcess> {
  const ports = endpoints.map(({ port }) => port);
  const proxy = await startProxy(configFor(ports, { frontend: 'uws', workers: 1, upstream }));
  open.push(() => proxy.stop());
  return proxy;
}

const busy = (body: string): string =>
  `HTTP/1.1 503 Service Unavailable\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const seenBy = (endpoints: readonly RequestEndpoint[]): number[] => endpoints.map(({ requests }) => requests.length);

describe('requests of uWebSockets.js', () => {
  it('go to another endpoint when the first answers with a status that is tried again', async () => {
    let answers = 0;
    const endpoints = await endpointsWith(() => () => (answers++ === 0 ? busy('no') : ok('fine')));
    const proxy = await proxyFor(endpoints, { retry: { attempts: 2, statuses: [503] } });
    const response = await requestOnce(proxy.port, get());
    expect(statusOf(response)).toBe(200);
    expect(response.body.toString()).toBe('fine');
    expect(seenBy(endpoints)).toEqual([1, 1]);
    await untilIdle(proxy);
  });

  it('get the last answer of an endpoint, whole, where no other one is better', async () => {
    // Far more than comes with the head: the rest is read when the answer is passed on.
    const body = 'b'.repeat(700_000);
    const endpoints = await endpointsWith((number) => busy(number + body));
    const proxy = await proxyFor(endpoints, { retry: { attempts: 2, statuses: [503] } });
    const response = await requestOnce(proxy.port, get());
    expect(statusOf(response)).toBe(503);
    expect(response.body.toString().slice(1)).toBe(body);
    expect(seenBy(endpoints)).toEqual([1, 1]);
    await untilIdle(proxy);
  });

  it('are sent again with their body where the client says that they may be', async () => {
    let requests = 0;
    const endpoints = await endpointsWith(() => ({ socket }) => {
      if (requests++ > 0) return ok('taken');
      socket.destroy();
      return undefined;
    });
    const proxy = await proxyFor(endpoints, { retry: { attempts: 2 } });
    const response = await requestOnce(proxy.port, withBody('POST', '/', '12345', ['Idempotency-Key: a']));
    expect(response.body.toString()).toBe('taken');
    expect(endpoints.map(({ last }) => last.body.toString())).toEqual(['12345', '12345']);
    await untilIdle(proxy);
  });

  it('have a second attempt when the first is slow, which then ends', async () => {
    let requests = 0;
    let ended = 0;
    const endpoints = await endpointsWith(() => ({ socket }) => {
      if (requests++ > 0) return ok('second');
      socket.once('close', () => ended++);
      return undefined;
    });
    const proxy = await proxyFor(endpoints, { hedge: { after: '30ms' } });
    const response = await requestOnce(proxy.port, get());
    expect(response.body.toString()).toBe('second');
    await until('the first attempt ends', () => ended === 1);
    expect(seenBy(endpoints)).toEqual([1, 1]);
    await untilIdle(proxy);
  });
});
