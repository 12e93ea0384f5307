/** Sessions wait in one line over all workers for a place at an endpoint. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionStatus, startSessionProxy, untilFailed, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

async function proxyFor(port: number, upstream: object = {}) {
  const endpoint = { address: `127.0.0.1:${port}`, maxConns: 2 };
  return started(startSessionProxy([endpoint], { workers: 2, upstream }));
}

async function clientsOf(port: number, count: number): Promise<SocketPeer[]> {
  const clients: SocketPeer[] = [];
  for (let client = 0; client < count; client++) clients.push(await started(SocketPeer.open(port)));
  return clients;
}

describe('sessions above the cap of their endpoint', () => {
  it('wait, and are all served, never more than the cap at a time', async () => {
    let most = 0;
    const endpoint = await started(
      startSessionEndpoint((peer) => {
        most = Math.max(most, endpoint.openPeers);
        echo(peer);
      }),
    );
    const proxy = await proxyFor(endpoint.port);
    const clients = await clientsOf(proxy.port, 20);
    for (const client of clients) client.send('hello');
    await Promise.all(
      clients.map(async (client) => {
        await client.when('its echo', () => client.receivedBytes === 5);
        client.end();
        await client.ended();
      }),
    );
    expect(most).toBeLessThanOrEqual(2);
    await untilNoSessions(proxy);
    expect((await sessionStatus(proxy)).failuresByCode).toEqual({});
  });

  it('are refused when their time is over', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await proxyFor(endpoint.port, { timeouts: { queue: '200ms' } });
    const clients = await clientsOf(proxy.port, 4);
    await until('two resets', () => clients.filter(({ ending }) => ending === 'reset').length === 2);
    await untilFailed(proxy, 'SLUICE_QUEUE_TIMEOUT', 2);
    expect(endpoint.peers).toHaveLength(2);
  });

  it('leave the line when their client does', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await proxyFor(endpoint.port);
    const clients = await clientsOf(proxy.port, 2);
    for (const client of clients) client.send('a');
    await Promise.all(clients.map((client) => client.when('its echo', () => client.receivedBytes === 1)));
    const [gone, next] = await clientsOf(proxy.port, 2);
    await until('four sessions', async () => (await sessionStatus(proxy)).totals.openSessions === 4);
    gone?.reset();
    await until('three sessions', async () => (await sessionStatus(proxy)).totals.openSessions === 3);
    next?.send('b');
    clients[0]?.end();
    await next?.when('its echo', () => next.receivedBytes === 1);
    expect(endpoint.peers).toHaveLength(3);
  });
});
