/** The breaker of an endpoint: nothing is sent while it is open, one probe afterwards, and the client is told. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const BROKEN = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function proxyFor(port: number, more: Parameters<typeof configFor>[1]): Promise<ProxyProcess> {
    const proxy = await startProxy(configFor([port], { frontend, ...more }));
    open.push(() => proxy.stop());
    return proxy;
  }

  it('opens the circuit of an endpoint, refuses with a code, and closes it by a probe', async () => {
    const endpoint = await startRequestEndpoint(BROKEN);
    open.push(() => endpoint.close());
    const breaker = { failures: 3, openTime: '300ms', maxOpenTime: '300ms' };
    const proxy = await proxyFor(endpoint.port, { upstream: { breaker, outlier: 'off' } });

    for (let request = 0; request < 3; request++) expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(500);
    const line = await proxy.lineWhere(({ event }) => event === 'breaker-opened');
    expect(line).toMatchObject({ upstream: 'app', reason: 'failures-in-row', openMs: 300 });
    const refused = await requestOnce(proxy.port, get('/'));
    expect(statusOf(refused)).toBe(503);
    expect(errorOf(refused)).toMatchObject({ error: 'SLUICE_BREAKER_OPEN' });
    expect(Number(valuesOf(refused, 'retry-after')[0])).toBeGreaterThanOrEqual(1);
    expect(endpoint.requests).toHaveLength(3);

    endpoint.answerWith(ok());
    await until('the circuit closed', async () => statusOf(await requestOnce(proxy.port, get('/'))) === 200);
    await proxy.lineWhere(({ event }) => event === 'breaker-half-open');
    await proxy.lineWhere(({ event }) => event === 'breaker-closed');
    expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
  });

  it('refuses the requests of a route whose circuit is open, and of no other', async () => {
    const endpoint = await startRequestEndpoint(({ target }) => (target.startsWith('/sick') ? BROKEN : ok()));
    open.push(() => endpoint.close());
    const breaker = { failures: 2, openTime: '60s', maxOpenTime: '60s' };
    const routes = [
      { match: { path: '/sick' }, upstream: 'app', breaker },
      { match: { path: '/' }, upstream: 'app' },
    ];
    const proxy = await proxyFor(endpoint.port, { listener: { routes } });

    for (let request = 0; request < 2; request++)
      expect(statusOf(await requestOnce(proxy.port, get('/sick')))).toBe(500);
    const line = await proxy.lineWhere(({ event }) => event === 'breaker-opened');
    expect(line).toMatchObject({ listener: 'web', openMs: 60_000, reason: 'failures-in-row' });
    const refused = await requestOnce(proxy.port, get('/sick'));

    expect(statusOf(refused)).toBe(503);
    expect(errorOf(refused)).toMatchObject({ error: 'SLUICE_BREAKER_OPEN' });
    expect(Number(valuesOf(refused, 'retry-after')[0])).toBeGreaterThan(30);
    expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
    expect(endpoint.requests).toHaveLength(3);
  });
});
