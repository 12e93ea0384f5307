/** What TypeScript decides for the native front end, on the wire: trust, limits of connections, faults and their codes. */
import { afterEach, describe, expect, it } from 'vitest';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const open: { close?: () => Promise<unknown>; stop?: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await (one.stop?.() ?? one.close?.());
});

async function startWith(
  listener: object,
  more: object = {},
): Promise<{ proxy: ProxyProcess; endpoint: RequestEndpoint }> {
  const endpoint = await startRequestEndpoint(ok());
  open.push(endpoint);
  const config = configFor([endpoint.port], { listener: { frontend: 'native', ...listener }, ...more });
  const proxy = await startProxy({ log: { level: 'debug' }, ...config });
  open.unshift(proxy);
  return { proxy, endpoint };
}

const FORWARDED = ['X-Forwarded-For: 203.0.113.9'];

describe('forwarded fields', () => {
  it.each([
    ['of a stranger are not believed', {}, '', '127.0.0.1'],
    ['of a trusted peer are', { trustedProxies: ['127.0.0.1'] }, '', '203.0.113.9, 127.0.0.1'],
    [
      'of a stranger whom a trusted peer names in its PROXY header are not',
      { trustedProxies: ['127.0.0.1'], proxyProtocol: true },
      'PROXY TCP4 192.0.2.7 127.0.0.1 4000 80\r\n',
      '192.0.2.7',
    ],
    [
      'of a trusted client whom a trusted peer names are',
      { trustedProxies: ['127.0.0.1', '192.0.2.7'], proxyProtocol: true },
      'PROXY TCP4 192.0.2.7 127.0.0.1 4000 80\r\n',
      '203.0.113.9, 192.0.2.7',
    ],
    [
      'of a stranger that names another are not, and neither is its PROXY header',
      { trustedProxies: ['10.0.0.1'], proxyProtocol: true },
      'PROXY TCP4 192.0.2.7 127.0.0.1 4000 80\r\n',
      '127.0.0.1',
    ],
  ])('%s', async (_name, listener, header, forwardedFor) => {
    const { proxy, endpoint } = await startWith(listener);
    await requestOnce(proxy.port, `${header}${get('/', FORWARDED)}`);
    expect(valuesOf(endpoint.last, 'x-forwarded-for')).toEqual([forwardedFor]);
  });
});

describe('limits of connections', () => {
  it('close one too many with a reset, and admit again when one has closed', async () => {
    const { proxy } = await startWith({ limits: { connections: 1 } });
    const first = await WireClient.open(proxy.port);
    first.send(get('/'));
    await first.response();
    // The reset may come before the connect has been noticed.
    const second = WireClient.open(proxy.port).then(
      (client) => client.ended(),
      ({ code }: NodeJS.ErrnoException) => (code === 'ECONNRESET' ? 'reset' : code),
    );
    expect(await second).toBe('reset');
    await proxy.lineWhere(({ event, code }) => event === 'connection-failed' && code === 'SLUICE_SESSION_LIMIT');
    first.close();
    const isServed = (): Promise<boolean> =>
      requestOnce(proxy.port, get('/')).then(
        (response) => statusOf(response) === 200,
        () => false,
      );
    await until('the place of the first is free', isServed);
  });
});

describe('a fault', () => {
  it.each<[string, string, object, number]>([
    ['SLUICE_TARGET_TOO_LONG', get(`/${'p'.repeat(600)}`), { limits: { targetBytes: '512B' } }, 414],
    ['SLUICE_BAD_VERSION', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', {}, 505],
    ['SLUICE_HEAD_TIMEOUT', 'GET / HTTP/1.1\r\nHost:', { timeouts: { requestHead: '200ms' } }, 408],
    [
      'SLUICE_BODY_TIMEOUT',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc',
      { timeouts: { bodyIdle: '200ms' } },
      408,
    ],
    [
      'SLUICE_BODY_TOO_LARGE',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n',
      { limits: { bodyBytes: '1KiB' } },
      413,
    ],
  ])('%s is answered, logged and closes the connection', async (code, text, listener, status) => {
    const { proxy } = await startWith(listener);
    const client = await WireClient.open(proxy.port);
    client.send(text);
    if (code === 'SLUICE_BODY_TOO_LARGE') client.send('x'.repeat(2_048));
    const response = await client.response();
    expect([statusOf(response), errorOf(response).error]).toEqual([status, code]);
    expect(valuesOf(response, 'connection')).toEqual(['close']);
    await proxy.lineWhere((line) => line.event === 'exchange-failed' && line.code === code);
    await client.ended();
    await untilIdle(proxy);
  });

  it('of a client that begins no PROXY header is a reset', async () => {
    const { proxy } = await startWith({ proxyProtocol: true, trustedProxies: ['127.0.0.1'] });
    const client = await WireClient.open(proxy.port);
    client.send(get('/'));
    expect(await client.ended()).toBe('reset');
    await proxy.lineWhere(({ event, code }) => event === 'connection-failed' && code === 'SLUICE_BAD_PROXY_HEADER');
  });
});
