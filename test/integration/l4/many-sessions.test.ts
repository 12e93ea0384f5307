/** Thousands of idle sessions: all of them live, and each costs next to nothing. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { startHoldingClients } from '../../harness/holding-clients.js';
import { memoryBytes, openFiles, processorTimeMs } from '../../harness/process-facts.js';
import { startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, sessionStatus, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import type { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

/** Two descriptors each in the proxy, one in each of the processes of clients and endpoint. */
const DESCRIPTORS_NEEDED = 18_500;
const SESSIONS = 9_000;
/** Enough that the young generations have their size: they grow with what comes and goes, and would be counted as sessions. */
const WARM_UP_ROUNDS = 8;
const WORKERS = 2;
/** A heap of V8 grows by pages: the last one of each worker may be empty as yet. */
const HEAP_PAGE_BYTES = 256 * 1024;
/** These come first: they make the process's memory what it is with any sessions at all. */
const FIRST_SESSIONS = 1_000;
const BYTES_EACH = 1024;
/** Connections of this test to the admin API. */
const FILES_OF_QUESTIONS = 5;

/** Descriptors that a process may have here. */
function fileLimit(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

/** Sends back what comes, without a pipe for each connection. */
function answerEach({ socket }: SocketPeer): void {
  socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
}

describe('nine thousand idle sessions', () => {
  it('live side by side, cost less than 1 KiB of user memory each, and nothing while they are silent', async () => {
    const limit = fileLimit();
    const sessions = limit >= DESCRIPTORS_NEEDED ? SESSIONS : Math.floor((limit - 500) / 2);
    if (sessions < SESSIONS) console.info(`the limit of ${limit} open files allows ${sessions} sessions only`);

    const endpoint = await started(startSessionEndpoint(answerEach, { isKept: false, backlog: 4_096 }));
    const proxy = await started(startSessionProxy([endpoint.port], { workers: WORKERS }));
    const pid = proxy.child.pid as number;
    const clients = await started(startHoldingClients(proxy.port));

    // Sessions that have come and gone make the heaps of JavaScript what they are under load.
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      await clients.open(FIRST_SESSIONS);
      await clients.ping();
      await clients.end(FIRST_SESSIONS);
    }
    await clients.open(FIRST_SESSIONS);
    await clients.ping();
    await until('the first sessions', () => endpoint.openPeers === FIRST_SESSIONS);
    const before = memoryBytes(pid);
    const filesBefore = openFiles(pid);
    await clients.open(sessions - FIRST_SESSIONS);
    await until('all sessions', async () => (await sessionStatus(proxy)).totals.openSessions === sessions, 20_000);
    const perSession = (memoryBytes(pid) - before - WORKERS * HEAP_PAGE_BYTES) / (sessions - FIRST_SESSIONS);
    console.info(`${sessions} sessions: ${perSession.toFixed(0)} bytes of user memory each`);
    const files = openFiles(pid) - filesBefore - 2 * (sessions - FIRST_SESSIONS);
    expect(Math.abs(files)).toBeLessThan(FILES_OF_QUESTIONS);

    expect(await sessionFailures(proxy)).toEqual({});
    // They are not only there: each one carries a byte there and back.
    expect(await clients.ping()).toMatchObject({
      open: sessions,
      losses: {},
      receivedBytes: sessions + (1 + WARM_UP_ROUNDS) * FIRST_SESSIONS,
    });
    expect(perSession).toBeLessThan(BYTES_EACH);

    const usedBefore = processorTimeMs(pid);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(processorTimeMs(pid) - usedBefore).toBeLessThan(400);

    await clients.end(sessions);
    await untilNoSessions(proxy, 20_000);
    await until(
      'only its own descriptors',
      () => openFiles(pid) < filesBefore - 2 * FIRST_SESSIONS + FILES_OF_QUESTIONS,
    );
  }, 120_000);
});
