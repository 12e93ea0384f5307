/** The life of a sluice with L4 listeners: start, drain, shutdown, crash of a sole worker, both modes in one process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionStatus, sessionsOfEndpoints, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { startEndpoint, until } from '../../harness/wire.js';

const started = endAfterEach();

const fixture = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Every way in which connections reach the workers. */
const WAYS = [
  { workers: 1, accept: 'primary' },
  { workers: 4, accept: 'primary' },
  { workers: 4, accept: 'reuseport' },
] as const;

/** Starts sluice in front of an endpoint that echoes, and opens sessions through it. */
async function startWithSessions(
  sessions: number,
  { workers, accept }: (typeof WAYS)[number],
  more: object = {},
): Promise<{ proxy: ProxyProcess; clients: SocketPeer[] }> {
  const endpoint = await started(startSessionEndpoint(echo));
  const proxy = await started(startSessionProxy([endpoint.port], { workers, listener: { accept }, ...more }));
  const clients = await Promise.all(Array.from({ length: sessions }, () => started(SocketPeer.open(proxy.port))));
  for (const client of clients) client.send('hello');
  await Promise.all(clients.map((client) => client.gets('hello')));
  return { proxy, clients };
}

describe.each(WAYS)('an L4 listener of $workers workers with accept: $accept', (way) => {
  it('lets sessions go on when it drains, takes no new ones, and ends when they have', async () => {
    const { proxy, clients } = await startWithSessions(6, way, { shutdownTimeout: '30s' });
    const exit = proxy.stop();
    await proxy.lineWhere(({ event, msg }) => event === 'signal' && String(msg).includes('finishing 6 sessions'));
    await until('a refused connection', () =>
      SocketPeer.open(proxy.port).then(
        (peer) => {
          peer.close();
          return false;
        },
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      ),
    );
    for (const client of clients) client.send(' again');
    await Promise.all(clients.map((client) => client.gets('hello again')));
    for (const client of clients) client.end();
    expect(await Promise.all(clients.map((client) => client.ended()))).toEqual(clients.map(() => 'ended'));
    expect(await exit).toBe(0);
  });

  it('resets what is left when the shutdown timeout is over, and says how many', async () => {
    const { proxy, clients } = await startWithSessions(5, way, { shutdownTimeout: '1s' });
    const exit = proxy.stop();
    const line = await proxy.lineWhere(({ event }) => event === 'shutdown-timeout');
    expect(line).toMatchObject({ level: 'warn', sessions: 5, exchanges: 0 });
    expect(line.msg).toContain('5 sessions are cut');
    expect(await Promise.all(clients.map((client) => client.ended()))).toEqual(clients.map(() => 'reset'));
    expect(await exit).toBe(0);
  });
});

describe('a second signal', () => {
  it('ends sessions at once', async () => {
    const { proxy, clients } = await startWithSessions(3, WAYS[1], { shutdownTimeout: '30s' });
    proxy.child.kill('SIGTERM');
    await proxy.lineWhere(({ event }) => event === 'signal');
    expect(await proxy.stop('SIGTERM')).toBe(143);
    expect(await Promise.all(clients.map((client) => client.ended()))).toEqual(clients.map(() => 'reset'));
  });
});

describe('the crash of a sole worker', () => {
  it('leaves new connections in the backlog until the next thread takes them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-crash-'));
    await started({ close: () => rmSync(directory, { recursive: true, force: true }) });
    const crashFile = join(directory, 'crash');
    const endpoint = await started(startSessionEndpoint(echo));
    const main = [
      ...['env', `CRASH_FILE=${crashFile}`, process.execPath, fixture('fixtures/sluice-with-entry.mjs')],
      fixture('../l4/fixtures/crashable-session-worker.mjs'),
    ];
    const proxy = await started(startSessionProxy([endpoint.port], { workers: 1 }, { main }));
    const lost = await started(SocketPeer.open(proxy.port));
    lost.send('x');
    await lost.gets('x');
    writeFileSync(crashFile, '0');
    expect(await lost.ended()).toBe('reset');
    const early = await Promise.all(Array.from({ length: 10 }, () => started(SocketPeer.open(proxy.port))));
    for (const client of early) client.send('waited');
    await Promise.all(early.map((client) => client.gets('waited')));
    for (const client of early) client.end();
    await untilNoSessions(proxy);
    expect((await sessionStatus(proxy)).workers[0]?.restarts).toBe(1);
  });
});

describe('listeners of both modes in one process', () => {
  it('share the load figures of their endpoints', async () => {
    const held: (() => void)[] = [];
    const endpoint = await started(
      startEndpoint((socket) => {
        socket.once('data', () =>
          held.push(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi')),
        );
      }),
    );
    const proxy = await started(
      startProxy({
        listeners: [
          { name: 'web', bind: '127.0.0.1:0', routes: [{ upstream: 'app' }] },
          { name: 'tcp', mode: 'l4', bind: '127.0.0.1:0', upstream: 'app' },
        ],
        upstreams: { app: { balance: 'least-conn', endpoints: [{ address: `127.0.0.1:${endpoint.port}` }] } },
      }),
    );
    const tcp = await proxy.lineWhere(({ event, listener }) => event === 'listening' && listener === 'tcp');
    expect(tcp).toMatchObject({ mode: 'l4', relay: 'adaptive', host: '127.0.0.1' });
    const session = await started(SocketPeer.open(Number(tcp['port'])));
    session.send('any protocol');
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request({ port: proxy.port, host: '127.0.0.1', agent: false }, resolve).on('error', reject).end();
    });
    await until('both at the endpoint', () => held.length === 2);
    expect(await sessionsOfEndpoints(proxy)).toEqual([2]);
    const { totals } = await proxy.admin<{ totals: Record<string, number> }>('/api/v1/status');
    expect(totals).toMatchObject({ openExchanges: 1, openSessions: 1, requests: 1, sessions: 1, attempts: 2 });
    for (const answer of held) answer();
    expect((await response).statusCode).toBe(200);
    (await response).resume();
    await session.when('the answer', () => session.text.endsWith('hi'));
    session.end();
    await until('nothing in flight', async () => (await sessionsOfEndpoints(proxy))[0] === 0);
    expect(await proxy.stop()).toBe(0);
  });

  it('need uWebSockets.js only where one has its front end', async () => {
    const binaries = (proxy: ProxyProcess): string[] => [
      ...new Set(readFileSync(`/proc/${proxy.child.pid}/maps`, 'utf8').match(/[^/\s]+\.node$/gm)),
    ];
    const { proxy } = await startWithSessions(1, WAYS[1]);
    expect(binaries(proxy)).toEqual(['sluice_engine.node']);
    const both = await started(
      startProxy({
        listeners: [
          { name: 'web', bind: '127.0.0.1:0', routes: [{ upstream: 'app' }] },
          { name: 'uws', frontend: 'uws', bind: '127.0.0.1:0', routes: [{ upstream: 'app' }] },
        ],
        upstreams: { app: { endpoints: [{ address: '127.0.0.1:9' }] } },
      }),
    );
    expect(binaries(both).length).toBeGreaterThan(1);
  });
});

describe('bytes of sessions', () => {
  it('are counted while they are open', async () => {
    const { proxy, clients } = await startWithSessions(2, WAYS[1]);
    clients[0]?.send('x'.repeat(95));
    const totals = async () =>
      (await proxy.admin<{ totals: { bytesFromClients: number; bytesToClients: number } }>('/api/v1/status')).totals;
    await until('the bytes', async () => (await totals()).bytesToClients === 105);
    expect(await totals()).toMatchObject({ bytesFromClients: 105, bytesToClients: 105 });
  });
});
