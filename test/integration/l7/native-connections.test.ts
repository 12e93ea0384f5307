/** Client connections of the native front end: where they come from, who hands them out, and how many there may be. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { ProxyCommand, proxyAddresses, proxyHeaderV2 } from '../../harness/proxy-header.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();

async function startWith(
  listener: object,
  more: object = {},
): Promise<{ proxy: ProxyProcess; endpoint: RequestEndpoint }> {
  const endpoint = await started(startRequestEndpoint(ok()));
  const config = configFor([endpoint.port], { frontend: 'native', listener, log: { level: 'debug' }, ...more });
  return { endpoint, proxy: await started(startProxy(config)) };
}

/** Connects so many clients at once, each with a request. @returns those that are answered, once all others were reset */
async function admitted(proxy: ProxyProcess, count: number, localAddress = '127.0.0.1'): Promise<SocketPeer[]> {
  const to: NetConnectOpts = { host: '127.0.0.1', port: proxy.port, localAddress };
  const clients = await Promise.all(Array.from({ length: count }, () => started(SocketPeer.open(to))));
  for (const client of clients) client.send(get('/'));
  await Promise.all(
    clients.map((client) =>
      client.when('an answer or a reset', () => client.receivedBytes > 0 || client.ending !== 'open'),
    ),
  );
  expect(clients.filter(({ ending }) => ending === 'ended')).toEqual([]);
  return clients.filter(({ ending }) => ending === 'open');
}

async function failuresOf(proxy: ProxyProcess): Promise<Readonly<Record<string, number>>> {
  return (await proxy.admin<{ failuresByCode: Record<string, number> }>('/api/v1/status')).failuresByCode;
}

/** Connections of clients that each worker has, as it told last. */
async function connectionsOfWorkers(proxy: ProxyProcess): Promise<number[]> {
  const { workers } = await proxy.admin<{ workers: { openConnections: number }[] }>('/api/v1/status');
  return workers.map(({ openConnections }) => openConnections);
}

describe('limits over two workers', () => {
  it('connections: exactly so many at the same time, idle ones included', async () => {
    const { proxy } = await startWith({ limits: { connections: 10 } });
    const first = await admitted(proxy, 40);
    expect(first).toHaveLength(10);
    for (const client of first.slice(0, 4)) client.end();
    await Promise.all(first.slice(0, 4).map((client) => client.ended()));
    let more: SocketPeer[] = [];
    await until('four more have come in', async () => {
      more = [...more, ...(await admitted(proxy, 6))];
      return more.length >= 4;
    });
    expect(more).toHaveLength(4);
    expect(Object.keys(await failuresOf(proxy))).toEqual(['SLUICE_SESSION_LIMIT']);
  });

  it('connectionsPerClient: exactly so many of each address', async () => {
    const { proxy } = await startWith({ limits: { connectionsPerClient: 3 } });
    const addresses = ['127.0.0.2', '127.0.0.3', '127.1.0.4'];
    const counts = await Promise.all(addresses.map((address) => admitted(proxy, 12, address)));
    expect(counts.map(({ length }) => length)).toEqual([3, 3, 3]);
    await until('all others are counted', async () => (await failuresOf(proxy))['SLUICE_CLIENT_SESSION_LIMIT'] === 27);
  });

  it('newConnectionsPerClient: a burst, and then so many a second', async () => {
    const { proxy } = await startWith({ limits: { newConnectionsPerClient: { perSecond: 2, burst: 5 } } });
    const startedAt = performance.now();
    const burst = await admitted(proxy, 25, '127.0.0.2');
    const elapsedS = (performance.now() - startedAt) / 1_000;
    expect(burst.length).toBeGreaterThanOrEqual(5);
    expect(burst.length).toBeLessThanOrEqual(5 + Math.ceil(2 * elapsedS));
    expect((await admitted(proxy, 5, '127.0.0.3')).length).toBe(5);
    expect(Object.keys(await failuresOf(proxy))).toEqual(['SLUICE_CLIENT_RATE_LIMIT']);
  });
});

describe('accept', () => {
  it.each(['primary', 'reuseport'])('%s: every worker gets connections, and all of them are served', async (accept) => {
    const { proxy, endpoint } = await startWith({ accept }, { workers: 2 });
    const clients = await Promise.all(Array.from({ length: 40 }, () => started(WireClient.open(proxy.port))));
    for (let round = 0; round < 3; round++) {
      for (const client of clients) client.send(get('/'));
      const statuses = await Promise.all(clients.map(async (client) => statusOf(await client.response())));
      expect(statuses).toEqual(Array(40).fill(200));
    }
    expect(endpoint.requests).toHaveLength(120);
    await until('all are told of', async () => (await connectionsOfWorkers(proxy)).reduce((a, b) => a + b) === 40);
    // The primary hands out in turn; the kernel picks by a hash of the addresses.
    const counts = await connectionsOfWorkers(proxy);
    if (accept === 'primary') expect(counts).toEqual([20, 20]);
    else expect(Math.min(...counts)).toBeGreaterThan(0);
    for (const client of clients) client.socket.end();
    await until('none is open', async () => (await connectionsOfWorkers(proxy)).every((count) => count === 0));
  });
});

describe('a listener on a UNIX socket', () => {
  it('serves requests, names no client, keeps connections, and removes its file at the end', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-l7-'));
    await started({ close: () => rmSync(directory, { recursive: true, force: true }) });
    const path = join(directory, 'in.sock');
    const timeouts = { requestHead: '300ms', keepAlive: '10s' };
    const { proxy, endpoint } = await startWith({ bind: `unix:${path}`, socketMode: '0600', timeouts });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const client = await started(WireClient.open({ path }));
    for (let round = 0; round < 2; round++) {
      client.send(get('/'));
      expect(statusOf(await client.response())).toBe(200);
      expect(valuesOf(endpoint.last, 'x-forwarded-for')).toEqual(['unknown']);
      // Longer than a head may take: between two requests it is not what counts.
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    endpoint.answerWith((request) => ok(request.body.toString('latin1')));
    const body = 'x'.repeat(500_000);
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect((await client.response()).body.toString('latin1') === body).toBe(true);
    expect(await proxy.stop()).toBe(0);
    expect(await client.ended()).toBe('closed');
    expect(() => statSync(path)).toThrow('ENOENT');
  });
});

describe('a PROXY header', () => {
  const listener = { proxyProtocol: true, trustedProxies: ['127.0.0.1'], timeouts: { preface: '500ms' } };
  const addresses = proxyAddresses('192.0.2.7', '198.51.100.1', 4_000, 80);

  it.each([
    ['of version 2', proxyHeaderV2(addresses), '192.0.2.7'],
    ['of version 2 that says LOCAL', proxyHeaderV2(addresses, { command: ProxyCommand.LOCAL }), '127.0.0.1'],
    ['of version 1 for IPv6', 'PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r\n', '2001:db8::7'],
    ['of version 1 that knows nothing', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
  ])('%s is read in whatever pieces it comes', async (_, header, client) => {
    const { proxy, endpoint } = await startWith(listener);
    const head = Buffer.from(header as string, 'latin1');
    const whole = Buffer.concat([head, Buffer.from(get('/'))]);
    await requestOnce(proxy.port, whole);
    expect(valuesOf(endpoint.last, 'x-forwarded-for')).toEqual([client]);
    const inPieces = await started(WireClient.open(proxy.port));
    await inPieces.sendPieces([whole.subarray(0, 7), whole.subarray(7, head.length), whole.subarray(head.length)]);
    expect(statusOf(await inPieces.response())).toBe(200);
    expect(valuesOf(endpoint.last, 'x-forwarded-for')).toEqual([client]);
  });

  it.each([
    ['PROXY TCP4 192.0.2.7 198.51.100.1 4000\r\n'],
    ['PROXY TCP4 192.0.2.700 198.51.100.1 4000 80\r\n'],
    [`PROXY UNKNOWN ${'x'.repeat(120)}`],
    ['proxy TCP4 192.0.2.7 198.51.100.1 4000 80\r\n'],
  ])('that is malformed is a reset, and no request behind it is read: %j', async (header) => {
    const { proxy, endpoint } = await startWith(listener, { workers: 1 });
    const client = await started(WireClient.open(proxy.port));
    client.send(`${header}${get('/')}`);
    expect(await client.ended()).toBe('reset');
    await proxy.lineWhere(({ event, code }) => event === 'connection-failed' && code === 'SLUICE_BAD_PROXY_HEADER');
    expect([client.rest, endpoint.requests.length]).toEqual(['', 0]);
  });

  it('that does not come in time is a reset with SLUICE_PREFACE_TIMEOUT', async () => {
    const { proxy } = await startWith(listener, { workers: 1 });
    const client = await started(WireClient.open(proxy.port));
    client.send('PROXY TCP4 192.0.2.7 ');
    const startedAt = performance.now();
    expect(await client.ended()).toBe('reset');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await until('it is counted', async () => (await failuresOf(proxy))['SLUICE_PREFACE_TIMEOUT'] === 1);
  });

  it('names the client that limits count', async () => {
    const { proxy } = await startWith({ ...listener, limits: { connectionsPerClient: 1 } });
    const from = async (address: string): Promise<string> => {
      const client = await started(SocketPeer.open(proxy.port));
      client.send(`PROXY TCP4 ${address} 198.51.100.1 4000 80\r\n${get('/')}`);
      await client.when('an answer or a reset', () => client.receivedBytes > 0 || client.ending !== 'open');
      return client.ending;
    };
    expect([await from('192.0.2.1'), await from('192.0.2.2'), await from('192.0.2.1')]).toEqual([
      'open',
      'open',
      'reset',
    ]);
  });
});
