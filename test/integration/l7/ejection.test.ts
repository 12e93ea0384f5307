/** Endpoints that fail requests are left alone, tried again, and come back: as clients and endpoints see it. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Answer, ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';

async function endpointOf(answer: Answer | string = ok()): Promise<RequestEndpoint> {
  const endpoint = await startRequestEndpoint(answer);
  open.push(() => endpoint.close());
  return endpoint;
}

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function proxyFor(endpoints: readonly RequestEndpoint[], upstream: object): Promise<ProxyProcess> {
    const ports = endpoints.map(({ port }) => port);
    const proxy = await startProxy(configFor(ports, { frontend, upstream: { retry: { attempts: 1 }, ...upstream } }));
    open.push(() => proxy.stop());
    return proxy;
  }

  /** Each on a connection of its own, so that all workers have some. @returns the statuses */
  async function statusesOf(proxy: ProxyProcess, count: number): Promise<number[]> {
    const statuses: number[] = [];
    for (let request = 0; request < count; request++) statuses.push(statusOf(await requestOnce(proxy.port, get('/'))));
    return statuses;
  }

  it('ejects an endpoint after failures in a row over all workers, tries it, and takes it back', async () => {
    const [sick, sound] = [await endpointOf(UNAVAILABLE), await endpointOf()];
    const outlier = { gatewayFailures: 4, ejectionTime: '1s', maxEjectionTime: '1s' };
    const proxy = await proxyFor([sick, sound], { outlier });

    // In turn over all workers.
    expect((await statusesOf(proxy, 8)).filter((status) => status === 503)).toHaveLength(4);
    expect(await statusesOf(proxy, 3)).toEqual([200, 200, 200]);
    expect(sick.requests).toHaveLength(4);
    const line = await proxy.lineWhere(({ event }) => event === 'endpoint-ejected');
    expect(line).toMatchObject({
      upstream: 'app',
      endpoint: `127.0.0.1:${sick.port}`,
      reason: 'gateway-failures-in-row',
      ejectionMs: 1000,
      ejections: 1,
    });

    // Its trial fails: one request only.
    await until('the trial of the sick one', async () => {
      await statusesOf(proxy, 1);
      return sick.requests.length > 4;
    });
    expect(sick.requests).toHaveLength(5);
    await proxy.lineWhere(({ event, reason }) => event === 'endpoint-ejected' && reason === 'trial-failed');

    sick.answerWith(ok());
    await until('its return', async () => {
      expect(await statusesOf(proxy, 1)).toEqual([200]);
      return sick.requests.length > 0;
    });
    await proxy.lineWhere(({ event }) => event === 'endpoint-returned');
    await statusesOf(proxy, 6);
    expect(sick.requests.length).toBeGreaterThan(2);
    expect(proxy.log.filter(({ event }) => event === 'endpoint-on-trial').length).toBeGreaterThanOrEqual(2);
  });

  it('ejects for broken connections as well', async () => {
    const sick = await endpointOf(({ socket }) => {
      socket.resetAndDestroy();
      return undefined;
    });
    const sound = await endpointOf();
    const proxy = await proxyFor([sick, sound], { outlier: { gatewayFailures: 3 } });

    expect((await statusesOf(proxy, 6)).filter((status) => status === 502)).toHaveLength(3);
    await proxy.lineWhere(({ event }) => event === 'endpoint-ejected');
    const seen = sick.requests.length;
    await statusesOf(proxy, 4);
    expect(sick.requests).toHaveLength(seen);
  });

  it('ejects not more than its share, and says so', async () => {
    const endpoints = [await endpointOf(UNAVAILABLE), await endpointOf(UNAVAILABLE)];
    const proxy = await proxyFor(endpoints, { outlier: { gatewayFailures: 2, ejectionTime: '60s' } });

    await statusesOf(proxy, 12);

    await proxy.lineWhere(({ event }) => event === 'ejection-suppressed');
    expect(proxy.log.filter(({ event }) => event === 'endpoint-ejected')).toHaveLength(1);
  });
});
