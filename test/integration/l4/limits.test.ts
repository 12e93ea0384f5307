/** Limits of a listener and of an endpoint: exact over all workers, however many clients come at once. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import {
  sessionFailures,
  sessionStatus,
  sessionsOfEndpoints,
  startSessionProxy,
  untilFailed,
  untilNoSessions,
} from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

/** What a client says, and from where. */
interface Manner {
  readonly localAddress?: string;
  readonly text?: string;
}

/** Connects so many clients at once, each of which says something. @returns those that are answered, once all others were reset */
async function admitted(proxy: ProxyProcess, count: number, manner: Manner = {}): Promise<SocketPeer[]> {
  const { localAddress = '127.0.0.1', text = '?' } = manner;
  const to = { host: '127.0.0.1', port: proxy.port, localAddress };
  const clients = await Promise.all(Array.from({ length: count }, () => started(SocketPeer.open(to))));
  for (const client of clients) client.send(text);
  const isTold = ({ receivedBytes, ending }: SocketPeer): boolean => receivedBytes > 0 || ending !== 'open';
  await Promise.all(clients.map((client) => client.when('an echo or a reset', () => isTold(client))));
  expect(clients.filter(({ ending }) => ending === 'ended')).toEqual([]);
  return clients.filter(({ ending }) => ending === 'open');
}

/** Ends the sessions, and waits until only so many are left in the proxy. */
async function endAll(proxy: ProxyProcess, clients: readonly SocketPeer[], left: number): Promise<void> {
  for (const client of clients) client.end();
  await Promise.all(clients.map((client) => client.ended()));
  await until(`${left} sessions`, async () => (await sessionStatus(proxy)).totals.openSessions === left);
}

describe('limits.sessions', () => {
  it('admits exactly so many over four workers, and as many again as have ended', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const listener = { limits: { sessions: 20 } };
    const proxy = await started(startSessionProxy([endpoint.port], { listener, workers: 4 }));
    const first = await admitted(proxy, 100);
    expect(first).toHaveLength(20);
    expect(endpoint.openPeers).toBe(20);
    await endAll(proxy, first.slice(0, 7), 13);
    expect(await admitted(proxy, 30)).toHaveLength(7);
    expect(endpoint.peers).toHaveLength(27);
    await untilFailed(proxy, 'SLUICE_SESSION_LIMIT', 80 + 23);
  });

  it('belongs to its listener', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { limits: { sessions: 1 } } }));
    const other = await started(startSessionProxy([endpoint.port]));
    expect(await admitted(proxy, 3)).toHaveLength(1);
    expect(await admitted(other, 3)).toHaveLength(3);
  });
});

describe('maxConns of an endpoint', () => {
  it('is never exceeded, and is used to the last session', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const address = `127.0.0.1:${endpoint.port}`;
    const proxy = await started(
      startSessionProxy([{ address, maxConns: 7 }], { workers: 4, upstream: { queue: 'off' } }),
    );
    for (let round = 1; round <= 5; round++) {
      const clients = await admitted(proxy, 60);
      expect(clients).toHaveLength(7);
      expect(endpoint.openPeers).toBe(7);
      expect(await sessionsOfEndpoints(proxy)).toEqual([7]);
      await endAll(proxy, clients, 0);
      await untilNoSessions(proxy);
      expect(endpoint.peers).toHaveLength(7 * round);
    }
    await untilFailed(proxy, 'SLUICE_ENDPOINTS_FULL', 5 * 53);
  });

  it('sends what is above it to the other endpoints, and then to the backup', async () => {
    const endpoints = await Promise.all([1, 2, 3].map(() => started(startSessionEndpoint(echo))));
    const [small, large, backup] = endpoints.map(({ port }) => `127.0.0.1:${port}`);
    const proxy = await started(
      startSessionProxy(
        [
          { address: small as string, maxConns: 2 },
          { address: large as string, maxConns: 5 },
          { address: backup as string, maxConns: 3, backup: true },
        ],
        { workers: 4, upstream: { queue: 'off' } },
      ),
    );
    expect(await admitted(proxy, 40)).toHaveLength(10);
    expect(endpoints.map(({ openPeers }) => openPeers)).toEqual([2, 5, 3]);
  });

  it('counts sessions that are reset only as long as they are open', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const address = `127.0.0.1:${endpoint.port}`;
    const proxy = await started(startSessionProxy([{ address, maxConns: 3 }], { workers: 4 }));
    for (let round = 0; round < 20; round++) {
      const clients = await admitted(proxy, 3);
      expect(clients).toHaveLength(3);
      for (const client of clients) client.reset();
      await untilNoSessions(proxy);
    }
  });
});

describe('limits.sessionsPerClient', () => {
  it('admits exactly so many of each client address', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const listener = { limits: { sessionsPerClient: 4 } };
    const proxy = await started(startSessionProxy([endpoint.port], { listener, workers: 4 }));
    const addresses = ['127.0.0.2', '127.0.0.3', '127.1.0.4'];
    const counts = await Promise.all(addresses.map((localAddress) => admitted(proxy, 25, { localAddress })));
    expect(counts.map(({ length }) => length)).toEqual([4, 4, 4]);
    await endAll(proxy, (counts[1] as SocketPeer[]).slice(0, 2), 10);
    expect(await admitted(proxy, 5, { localAddress: '127.0.0.3' })).toHaveLength(2);
    expect(await admitted(proxy, 5, { localAddress: '127.0.0.2' })).toEqual([]);
    expect(endpoint.openPeers).toBe(12);
    await untilFailed(proxy, 'SLUICE_CLIENT_SESSION_LIMIT', 63 + 3 + 5);
  });

  it('goes by the address in the PROXY header of a trusted peer', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const listener = { limits: { sessionsPerClient: 2 }, proxyProtocol: true, trustedProxies: ['127.0.0.1/32'] };
    const proxy = await started(startSessionProxy([endpoint.port], { listener, workers: 4 }));
    const from = (address: string): string => `PROXY TCP4 ${address} 198.51.100.7 1000 443\r\nhello`;
    expect(await admitted(proxy, 6, { text: from('192.0.2.1') })).toHaveLength(2);
    expect(await admitted(proxy, 6, { text: from('192.0.2.2') })).toHaveLength(2);
    expect(await admitted(proxy, 6, { text: 'PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\nhello' })).toHaveLength(2);
    // A peer that is not trusted is counted itself, whoever it claims to be.
    const text = from('192.0.2.3');
    expect(await admitted(proxy, 6, { text, localAddress: '127.0.0.9' })).toHaveLength(2);
    expect(await admitted(proxy, 6, { text: from('192.0.2.4'), localAddress: '127.0.0.9' })).toEqual([]);
  });
});

describe('limits.newSessionsPerClient', () => {
  it('admits a burst of each client address, and then so many a second', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const listener = { limits: { newSessionsPerClient: { perSecond: 4, burst: 6 } } };
    const proxy = await started(startSessionProxy([endpoint.port], { listener, workers: 4 }));
    const localAddress = '127.0.0.2';
    const startedAt = performance.now();
    const burst = await admitted(proxy, 30, { localAddress });
    const elapsedS = (performance.now() - startedAt) / 1000;
    expect(burst.length).toBeGreaterThanOrEqual(6);
    expect(burst.length).toBeLessThanOrEqual(6 + Math.ceil(4 * elapsedS));
    expect((await admitted(proxy, 6, { localAddress: '127.0.0.3' })).length).toBe(6);

    // A steady trickle that is well below the rate is never refused, once the burst has been paid for.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (let round = 0; round < 5; round++) {
      expect(await admitted(proxy, 1, { localAddress })).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(Object.keys(await sessionFailures(proxy))).toEqual(['SLUICE_CLIENT_RATE_LIMIT']);
  });
});
