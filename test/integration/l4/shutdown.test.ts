/** Stopping with sessions open: they may go on for the shutdown timeout, nothing new is taken, and the process ends with 0. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { startSessionProxy } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

describe.each([
  ['primary', 3],
  ['primary', 1],
  ['reuseport', 3],
] as const)('SIGTERM with accept: %s and %i workers', (accept, workers) => {
  it('lets sessions go on to their end, takes no new connection, and exits 0 after the last of them', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(
      startSessionProxy([endpoint.port], { workers, listener: { accept }, shutdownTimeout: '30s' }),
    );
    const clients = await Promise.all(Array.from({ length: 30 }, () => started(SocketPeer.open(proxy.port))));
    await endpoint.peer(29);
    const ended = proxy.stop();
    await proxy.lineWhere(({ event }) => event === 'signal');
    await until('new connections are refused', () => isRefused(proxy.port));
    for (const client of clients) client.send('still served?');
    await Promise.all(clients.map((client) => client.gets('still served?')));
    for (const client of clients) client.end();
    expect(await Promise.all(clients.map((client) => client.ended()))).toEqual(Array(30).fill('ended'));
    expect(await ended).toBe(0);
  });

  it('resets both sides of what is open after the shutdown timeout, says so, and exits 0', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(
      startSessionProxy([endpoint.port], { workers, listener: { accept }, shutdownTimeout: '500ms' }),
    );
    const clients = await Promise.all(Array.from({ length: 5 }, () => started(SocketPeer.open(proxy.port))));
    await endpoint.peer(4);
    const startedAt = performance.now();
    expect(await proxy.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(450);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await Promise.all(clients.map((client) => client.ended()))).toEqual(Array(5).fill('reset'));
    expect(await Promise.all(endpoint.peers.map((peer) => peer.ended()))).toEqual(Array(5).fill('reset'));
    expect(proxy.log).toContainEqual(expect.objectContaining({ event: 'shutdown-timeout', sessions: 5 }));
  });

  it('ends at once when no session is open', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(
      startSessionProxy([endpoint.port], { workers, listener: { accept }, shutdownTimeout: '30s' }),
    );
    const client = await started(SocketPeer.open(proxy.port));
    client.end();
    await client.ended();
    const startedAt = performance.now();
    expect(await proxy.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('the address of a listener', () => {
  it('is free for the next process', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const first = await started(startSessionProxy([endpoint.port]));
    const client = await started(SocketPeer.open(first.port));
    client.send('hello');
    await client.gets('hello');
    await first.stop();
    const next = await started(startSessionProxy([endpoint.port], { listener: { bind: `127.0.0.1:${first.port}` } }));
    const other = await started(SocketPeer.open(next.port));
    other.send('hello');
    await other.gets('hello');
  });

  it('that somebody else uses is told at the start', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const listener = { bind: `127.0.0.1:${endpoint.port}` };
    await expect(started(startSessionProxy([endpoint.port], { listener }))).rejects.toThrow('SLUICE_ADDRESS_IN_USE');
  });
});
