/** Out of file descriptors: accepting waits, open sessions go on, nothing spins, and it all goes on by itself. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { openFiles, processorTimeMs } from '../../harness/process-facts.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { echo, type SessionEndpoint, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const FILES = 200;
const CLIENTS = 250;
/** What a process is started through, so that it may open no more. */
const LIMITED = ['sh', '-c', `ulimit -n ${FILES} && exec "$0" "$@"`];

async function startLimited(workers: number, listener: object): Promise<[ProxyProcess, SessionEndpoint]> {
  const endpoint = await started(startSessionEndpoint(echo));
  const proxy = await started(startSessionProxy([endpoint.port], { workers, listener }, { wrap: LIMITED }));
  return [proxy, endpoint];
}

describe.each([
  ['the primary accepts', 2, {}],
  ['the sole worker accepts', 1, {}],
  ['each worker accepts', 2, { accept: 'reuseport' }],
  ['the primary accepts, and sessions splice', 2, { relay: 'splice' }],
])('a process with fewer file descriptors than clients, where %s', (_who, workers, listener) => {
  it('serves who is connected, does not spin, and serves the others as soon as there is room', async () => {
    const [proxy, endpoint] = await startLimited(workers, listener);
    const pid = proxy.child.pid as number;
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => started(SocketPeer.open(proxy.port))));
    for (const client of clients) client.send('hello');
    await proxy.lineWhere(({ event }) => event === 'accepting-paused');
    const isServed = (client: SocketPeer): boolean => client.text === 'hello';
    await until('the first echoes', () => clients.filter(isServed).length > 20);

    const usedBefore = processorTimeMs(pid);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(processorTimeMs(pid) - usedBefore).toBeLessThan(500);
    expect(openFiles(pid)).toBeLessThanOrEqual(FILES);
    const served = clients.filter(isServed);
    expect(served.length).toBeLessThan(CLIENTS);

    // Who is connected goes on being served.
    for (const client of served) client.send(', again');
    await Promise.all(served.map((client) => client.gets('hello, again')));

    // As sessions end, those that wait get their turn, to the last one.
    let done = 0;
    const leave = async (client: SocketPeer): Promise<void> => {
      await client.when('an echo', () => client.receivedBytes > 0 || client.ending !== 'open', 20_000);
      client.end();
      if ((await client.ended(20_000)) === 'ended') done++;
    };
    await Promise.all(clients.map(leave));
    expect(done).toBe(CLIENTS);
    await untilNoSessions(proxy);
    await proxy.lineWhere(({ event }) => event === 'accepting-resumed');
    await until('the endpoint has no connection', () => endpoint.openPeers === 0);

    const late = await started(SocketPeer.open(proxy.port));
    late.send('late');
    await late.gets('late');
  }, 60_000);
});
