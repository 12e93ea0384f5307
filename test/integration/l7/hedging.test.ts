/** Second attempts on the wire: the first answer counts, and the other attempt ends. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { endpointFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Answer, ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointOf(answer: Answer | string): Promise<RequestEndpoint> {
  const endpoint = await startRequestEndpoint(answer);
  open.push(() => endpoint.close());
  return endpoint;
}

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function proxyFor(endpoints: readonly RequestEndpoint[], upstream: object = {}): Promise<ProxyProcess> {
    const proxy = await startProxy(
      configFor(
        endpoints.map(({ port }) => port),
        {
          frontend,
          workers: 1,
          upstream: { balance: 'first', healthCheck: 'off', outlier: 'off', hedge: { after: '50ms' }, ...upstream },
        },
      ),
    );
    open.push(() => proxy.stop());
    return proxy;
  }

  it('answers by the second attempt when the first is late, whose connection is closed', async () => {
    let isClosed = false;
    const late = await endpointOf(({ socket }) => void socket.on('close', () => (isClosed = true)));
    const prompt = await endpointOf(({ body }) => ok(`prompt ${body.length}`));
    const proxy = await proxyFor([late, prompt]);
    const startedAt = performance.now();
    expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('prompt 0');
    expect(performance.now() - startedAt).toBeGreaterThan(45);
    await until('the loser is cancelled', () => isClosed);
    expect((await requestOnce(proxy.port, withBody('PUT', '/', 'twice'))).body.toString()).toBe('prompt 5');
    expect(late.last.body.toString()).toBe('twice');
    await untilIdle(proxy);
    expect((await endpointFacts(proxy)).map(({ failures }) => failures)).toEqual([0, 0]);
  });

  it('answers by the first attempt when that is first after all', async () => {
    const late = await endpointOf(({ socket }) => void setTimeout(() => socket.write(ok('late')), 150));
    const silent = await endpointOf(() => undefined);
    const proxy = await proxyFor([late, silent]);
    expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('late');
    expect(silent.requests).toHaveLength(1);
    await untilIdle(proxy);
  });

  it('asks nobody else for a POST, nor for what is answered in time', async () => {
    const endpoint = await endpointOf(({ method, socket }) => {
      if (method === 'GET') return ok();
      setTimeout(() => socket.write(ok()), 120);
      return undefined;
    });
    const other = await endpointOf(ok());
    const proxy = await proxyFor([endpoint, other]);
    expect(statusOf(await requestOnce(proxy.port, withBody('POST', '/', 'once')))).toBe(200);
    expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
    expect([endpoint.requests.length, other.requests.length]).toEqual([2, 0]);
  });
});
