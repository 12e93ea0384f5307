/** A worker that crashes under load: its sessions are lost, no others, and all counts are right afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { openFiles } from '../../harness/process-facts.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionStatus, sessionsOfEndpoints, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const fixture = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ENTRY = fixture('fixtures/crashable-session-worker.mjs');
const SLUICE = fixture('../control/fixtures/sluice-with-entry.mjs');

const WORKERS = 3;
const CLIENTS = 90;

/** A client that asks again and again as long as its session lives. */
async function keepAsking(client: SocketPeer, isOver: () => boolean): Promise<number> {
  let asked = 0;
  while (!isOver() && client.ending === 'open') {
    const before = client.receivedBytes;
    client.send('!');
    await client.when('an echo', () => client.receivedBytes > before || client.ending !== 'open');
    asked++;
  }
  return asked;
}

describe.each(['primary', 'reuseport'])('a worker that crashes under load, with accept: %s', (accept) => {
  it('loses its own sessions and no others, and its place is taken by another', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-crash-'));
    await started({ close: () => rmSync(directory, { recursive: true, force: true }) });
    const crashFile = join(directory, 'crash');
    const endpoint = await started(startSessionEndpoint(echo, { isKept: false }));
    const main = ['env', `CRASH_FILE=${crashFile}`, process.execPath, SLUICE, ENTRY];
    const proxy = await started(
      startSessionProxy([endpoint.port], { workers: WORKERS, listener: { accept } }, { main }),
    );
    const filesBefore = openFiles(proxy.child.pid as number);

    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => started(SocketPeer.open(proxy.port, false))),
    );
    let isOver = false;
    const asking = clients.map((client) => keepAsking(client, () => isOver));
    await until('all sessions', async () => (await sessionStatus(proxy)).totals.openSessions === CLIENTS);
    const lost = (await sessionStatus(proxy)).workers[1]?.openSessions as number;
    expect(lost).toBeGreaterThan(0);

    writeFileSync(crashFile, '1');
    await proxy.lineWhere(({ event, worker }) => event === 'worker-serving' && worker === 1);
    await until('the end of its sessions', () => clients.filter(({ ending }) => ending !== 'open').length >= lost);
    const alive = clients.filter(({ ending }) => ending === 'open');
    const counts = alive.map(({ receivedBytes }) => receivedBytes);
    await until('all others go on', () =>
      alive.every(({ receivedBytes }, index) => receivedBytes > counts[index]! + 5),
    );
    expect(alive).toHaveLength(CLIENTS - lost);
    expect(clients.filter(({ ending }) => ending === 'reset')).toHaveLength(lost);

    // What the worker held is given back.
    await until('the right count on the endpoint', async () => (await sessionsOfEndpoints(proxy))[0] === alive.length);
    expect(endpoint.openPeers).toBe(alive.length);

    // The new worker takes sessions.
    const later = await Promise.all(Array.from({ length: 60 }, () => started(SocketPeer.open(proxy.port, false))));
    for (const client of later) client.send('x');
    await Promise.all(later.map((client) => client.when('an echo', () => client.receivedBytes === 1)));
    const { workers } = await sessionStatus(proxy);
    expect(workers[1]?.restarts).toBe(1);
    if (accept === 'primary') expect(workers[1]?.openSessions).toBeGreaterThan(0);

    isOver = true;
    await Promise.all(asking);
    for (const client of [...alive, ...later]) client.end();
    await untilNoSessions(proxy);
    await until('no descriptor is left over', () => openFiles(proxy.child.pid as number) <= filesBefore + 2);
    expect(await proxy.stop()).toBe(0);
  }, 60_000);
});
