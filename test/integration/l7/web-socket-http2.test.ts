/** WebSockets where HTTP/2 is on one side: a client never takes an answer for a tunnel, and an endpoint of HTTP/2 alone is not upgraded. */
import { once } from 'node:events';
import http2, { type ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf } from '../../harness/http-message.js';
import { scrape, sumOf } from '../../harness/metric-samples.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { EXAMPLE_ACCEPT, upgradeRequest, WebSocketPeer } from '../../harness/web-socket-peers.js';
import { requestOnce } from '../../harness/wire-client.js';

const started = endAfterEach();
const sessions: ClientHttp2Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

const MOST_FAILURES = 2;

async function proxyTo(port: number, more: object = {}): Promise<ProxyProcess> {
  // Whose every failure would be seen.
  const upstream = { healthCheck: 'off', outlier: { gatewayFailures: MOST_FAILURES }, ...more };
  return started(
    startProxy(
      configFor([port], { frontend: 'native', listener: { http2: { clearText: true } }, upstream, workers: 1 }),
    ),
  );
}

async function sessionTo(proxy: ProxyProcess): Promise<ClientHttp2Session> {
  const session = http2.connect(`http://127.0.0.1:${proxy.port}`);
  sessions.push(session);
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  return session;
}

/** Extended CONNECT for a WebSocket. @returns what came in place of one */
async function asked(session: ClientHttp2Session): Promise<{ status: number; body: string; location: unknown }> {
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
  });
  const [headers] = await once(stream, 'response');
  let body = '';
  stream.setEncoding('latin1').on('data', (piece: string) => (body += piece));
  await once(stream, 'end');
  stream.close();
  return { status: headers[':status'], body, location: headers['location'] };
}

const NO_SWITCHES = [
  ok('no WebSocket here'),
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  // The Accept is of another key.
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${EXAMPLE_ACCEPT}\r\n\r\n`,
];
const REFUSALS: readonly (readonly [string, number])[] = [
  ['302 Found', 302],
  ['401 Unauthorized', 401],
  ['426 Upgrade Required', 426],
  ['503 Service Unavailable', 503],
];

describe('a WebSocket over HTTP/2', () => {
  it('is answered 502 where the endpoint answers without a switch, for which it is not blamed', async () => {
    const endpoint = await started(startRequestEndpoint());
    const proxy = await proxyTo(endpoint.port);
    const session = await sessionTo(proxy);
    for (const answer of NO_SWITCHES) {
      endpoint.answerWith(answer);
      const { status, body } = await asked(session);
      expect([status, JSON.parse(body)]).toMatchObject([502, { error: 'SLUICE_NO_TUNNEL' }]);
    }
    endpoint.answerWith(ok('served'));
    const stream = session.request({ ':path': '/' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    stream.close();
    const samples = await scrape(proxy);
    expect(sumOf(samples, 'sluice_errors_total', { code: 'SLUICE_NO_TUNNEL' })).toBe(NO_SWITCHES.length);
    expect(sumOf(samples, 'sluice_endpoint_in_flight')).toBe(0);
    expect(sumOf(samples, 'sluice_endpoint_failures_total')).toBe(0);
  });

  it('is told of answers that say no', async () => {
    const endpoint = await started(startRequestEndpoint());
    const session = await sessionTo(await proxyTo(endpoint.port));
    for (const [line, status] of REFUSALS) {
      endpoint.answerWith(`HTTP/1.1 ${line}\r\nLocation: /other\r\nContent-Length: 2\r\n\r\nno`);
      expect(await asked(session)).toEqual({ status, body: 'no', location: '/other' });
    }
  });
});

describe('a WebSocket to an endpoint of HTTP/2', () => {
  async function proxyToHttp2() {
    const seen: Record<string, unknown>[] = [];
    const server = http2.createServer();
    const ends: (() => void)[] = [];
    server.on('session', (session) => ends.push(() => session.destroy()));
    server.on('stream', (stream, headers) => {
      seen.push(headers);
      stream.on('error', () => {});
      stream.respond({ ':status': 200 });
      stream.end('an answer');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await started({
      close: async () => {
        for (const end of ends) end();
        server.close();
      },
    });
    const { port } = server.address() as AddressInfo;
    return { proxy: await proxyTo(port, { protocol: 'h2' }), seen };
  }

  it('is asked for without Upgrade, and answered as a request', async () => {
    const { proxy, seen } = await proxyToHttp2();
    for (let times = 0; times <= MOST_FAILURES; times++) {
      const message = await requestOnce(proxy.port, upgradeRequest('/chat'));
      expect([statusOf(message), message.body.toString()]).toEqual([200, 'an answer']);
    }
    await expect(WebSocketPeer.open(proxy.port)).rejects.toThrow('200');
    expect(seen[0]).toMatchObject({ ':method': 'GET', ':path': '/chat' });
    expect(Object.keys(seen[0] ?? {})).not.toContain('upgrade');
    const { status, body } = await asked(await sessionTo(proxy));
    expect([status, JSON.parse(body)]).toMatchObject([502, { error: 'SLUICE_NO_TUNNEL' }]);
  });
});
