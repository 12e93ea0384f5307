/** What attackers send through the native front end: nothing of it may be taken for the proxy's own word, by endpoints or in the log. */
import { afterEach, describe, expect, it } from 'vitest';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const open: { close?: () => Promise<unknown>; stop?: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await (one.stop?.() ?? one.close?.());
});

async function start(listener: object = {}): Promise<{ proxy: ProxyProcess; endpoint: RequestEndpoint }> {
  const endpoint = await startRequestEndpoint(ok());
  open.push(endpoint);
  const config = configFor([endpoint.port], { listener: { frontend: 'native', ...listener } });
  const proxy = await startProxy({ log: { level: 'debug' }, ...config });
  open.unshift(proxy);
  return { proxy, endpoint };
}

/** The name that CGI, WSGI, Rack and PHP give to a field. */
function environmentName(line: string): string {
  return `HTTP_${(line.split(':')[0] ?? '').toUpperCase().replaceAll('-', '_')}`;
}

describe('a field whose name has an underscore for a hyphen', () => {
  it.each([
    ['a stranger', {}, '127.0.0.1'],
    ['a client of a trusted proxy', { trustedProxies: ['127.0.0.1'] }, '203.0.113.9, 127.0.0.1'],
  ])('of %s cannot speak in the place of the proxy', async (_name, listener, forwardedFor) => {
    const { proxy, endpoint } = await start(listener);
    const spoofed = [
      'X_Forwarded_For: 6.6.6.6',
      'X-Forwarded_Proto: https',
      'x_request_id: evil',
      'X_Real_IP: 6.6.6.6',
    ];
    await requestOnce(proxy.port, get('/', ['X-Forwarded-For: 203.0.113.9', ...spoofed, 'user_name: kept']));
    const told = (name: string): string[] =>
      endpoint.last.lines.filter((line) => environmentName(line) === name).map((line) => line.replace(/^[^:]*: */, ''));
    expect(told('HTTP_X_FORWARDED_FOR')).toEqual([forwardedFor]);
    expect(told('HTTP_X_FORWARDED_PROTO')).toEqual(['http']);
    expect(told('HTTP_X_REQUEST_ID')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(told('HTTP_X_REAL_IP')).toEqual([]);
    expect(valuesOf(endpoint.last, 'user_name')).toEqual(['kept']);
  });
});

describe('an Upgrade to HTTP itself', () => {
  it.each(['h2c', 'h2c;q=1', '"h2c"', 'websocket, h2c', 'HTTP/2.0', 'TLS/1.2'])(
    '(%s) is passed on as a plain request',
    async (protocol) => {
      const { proxy, endpoint } = await start();
      await requestOnce(proxy.port, get('/', [`Upgrade: ${protocol}`, 'Connection: Upgrade']));
      expect(valuesOf(endpoint.last, 'upgrade')).toEqual([]);
      expect(valuesOf(endpoint.last, 'connection')).toEqual([]);
    },
  );
});

describe('the log and error bodies', () => {
  it('hold no byte of a path that a terminal may take for a command', async () => {
    const { proxy } = await start();
    const bytes = 'TRACE /\x9b31m\xc2\x9b\xe2\x80\xae"x\\ HTTP/1.1\r\nHost: a.test\r\n\r\n';
    const response = await requestOnce(proxy.port, bytes);
    expect(response.body.toString()).not.toContain('31m');
    const line = await proxy.lineWhere(({ code }) => code === 'SLUICE_METHOD_REFUSED');
    expect(line['path']).toBe('/\\x9B31m\\xC2\\x9B\\xE2\\x80\\xAE"x\\');
  });

  it('name a request with a long target by its id', async () => {
    const { proxy } = await start();
    const response = await requestOnce(proxy.port, `TRACE /${'p'.repeat(5_000)} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const { requestId } = errorOf(response) as { requestId?: string };
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    const line = await proxy.lineWhere(({ code }) => code === 'SLUICE_METHOD_REFUSED');
    expect(line['requestId']).toBe(requestId);
    expect(String(line['path']).length).toBeLessThan(1_000);
  });
});

describe('Hosts longer than any name', () => {
  it('are served and routed as others, again and again', async () => {
    const { proxy, endpoint } = await start({ limits: { headBytes: '64KiB' } });
    const client = await WireClient.open(proxy.port);
    const host = 'h'.repeat(20_000);
    for (let request = 0; request < 3; request++) {
      client.send(`GET /${request} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(statusOf(await client.response())).toBe(200);
      expect([endpoint.last.target, valuesOf(endpoint.last, 'host')]).toEqual([`/${request}`, [host]]);
    }
    client.close();
  });
});

describe('bytes behind a response', () => {
  it('are never an answer to the next request', async () => {
    const { proxy, endpoint } = await start();
    const evil = ok('evil');
    for (const answer of [
      ok() + evil,
      `HTTP/1.1 204 No Content\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
      `HTTP/1.1 304 Not Modified\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a="\r\nok\r\n0\r\n\r\n${evil}`,
    ]) {
      endpoint.answerWith(({ target }) => (target === '/first' ? answer : ok('clean')));
      const client = await WireClient.open(proxy.port);
      client.send(get('/first') + get('/second'));
      await client.response();
      expect((await client.response()).body.toString()).toBe('clean');
      expect(new Set(endpoint.requests.map(({ connection }) => connection)).size).toBe(2);
      client.close();
    }
  });
});
