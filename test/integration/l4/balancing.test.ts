/** How sessions are spread: one count over all workers, so that least-conn is exact, and each worker gets its share. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { echo, greetAs, type SessionEndpoint, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionStatus, sessionsOfEndpoints, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);

async function openSessions(proxy: ProxyProcess, count: number): Promise<SocketPeer[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => started(SocketPeer.open(proxy.port))));
  await Promise.all(clients.map((client) => client.when('a greeting', () => client.receivedBytes > 0)));
  return clients;
}

function startThree(): Promise<SessionEndpoint[]> {
  return Promise.all(['a', 'b', 'c'].map((name) => started(startSessionEndpoint(greetAs(name)))));
}

describe('least-conn over four workers and three endpoints', () => {
  it('keeps the counts of long sessions within one of each other, however they come and go', async () => {
    const endpoints = await startThree();
    const proxy = await started(
      startSessionProxy(
        endpoints.map(({ port }) => port),
        { workers: 4, upstream: { balance: 'least-conn' } },
      ),
    );
    const counts = (): number[] => endpoints.map(({ openPeers }) => openPeers);
    const clients: SocketPeer[] = [];
    for (let wave = 0; wave < 10; wave++) {
      // All at once: the workers decide at the same time, over the same counts.
      clients.push(...(await openSessions(proxy, 30)));
      expect(spread(counts()), `after wave ${wave}: ${counts()}`).toBeLessThanOrEqual(1);
    }
    expect(await sessionsOfEndpoints(proxy)).toEqual(counts());
    expect(counts().reduce((sum, count) => sum + count)).toBe(300);

    // One after the other: also in between the counts never differ by more.
    for (let opened = 0; opened < 30; opened++) {
      clients.push(...(await openSessions(proxy, 1)));
      expect(spread(counts()), String(counts())).toBeLessThanOrEqual(1);
    }

    // Sessions of one endpoint only end: the next ones go there.
    const [first] = endpoints as [SessionEndpoint];
    for (const peer of first.peers.slice(0, 50)) peer.reset();
    await until('their end', async () => (await sessionsOfEndpoints(proxy))[0] === 60);
    await openSessions(proxy, 50);
    expect(spread(counts()), String(counts())).toBeLessThanOrEqual(1);
  }, 60_000);

  it('goes by the weights', async () => {
    const endpoints = await startThree();
    const proxy = await started(
      startSessionProxy(
        endpoints.map(({ port }, index) => ({ address: `127.0.0.1:${port}`, weight: index + 1 })),
        { workers: 4, upstream: { balance: 'least-conn' } },
      ),
    );
    await openSessions(proxy, 120);
    expect(endpoints.map(({ openPeers }) => openPeers)).toEqual([20, 40, 60]);
  });
});

describe('round-robin', () => {
  it('gives each endpoint the same number of sessions over all workers', async () => {
    const endpoints = await startThree();
    const proxy = await started(
      startSessionProxy(
        endpoints.map(({ port }) => port),
        { workers: 4 },
      ),
    );
    await openSessions(proxy, 90);
    expect(endpoints.map(({ peers }) => peers.length)).toEqual([30, 30, 30]);
  });
});

describe('least-time', () => {
  it('serves every session', async () => {
    const endpoints = await startThree();
    const proxy = await started(
      startSessionProxy(
        endpoints.map(({ port }) => port),
        { workers: 2, upstream: { balance: 'least-time' } },
      ),
    );
    await openSessions(proxy, 60);
    expect(endpoints.reduce((sum, { openPeers }) => sum + openPeers, 0)).toBe(60);
    expect(endpoints.every(({ openPeers }) => openPeers > 0)).toBe(true);
  });
});

describe('the primary', () => {
  it('hands each connection to the worker with the fewest open ones', async () => {
    const endpoint = await started(startSessionEndpoint(greetAs('a')));
    const proxy = await started(startSessionProxy([endpoint.port], { workers: 4 }));
    const clients = await openSessions(proxy, 100);
    const perWorker = async (): Promise<number[]> =>
      (await sessionStatus(proxy)).workers.map(({ openSessions: open }) => open);
    expect(spread(await perWorker()), String(await perWorker())).toBeLessThanOrEqual(1);
    for (const client of clients) client.end();
    await untilNoSessions(proxy);
    await openSessions(proxy, 101);
    expect(spread(await perWorker()), String(await perWorker())).toBeLessThanOrEqual(1);
  });

  it.each(['primary', 'reuseport'])('leaves no session unserved with accept: %s', async (accept) => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port], { workers: 4, listener: { accept } }));
    const clients = await Promise.all(Array.from({ length: 100 }, () => started(SocketPeer.open(proxy.port))));
    for (const [index, client] of clients.entries()) client.send(`client ${index}`);
    await Promise.all(clients.map((client, index) => client.gets(`client ${index}`)));
    for (const client of clients) client.end();
    await untilNoSessions(proxy);
  });
});
