/** Thousands of idle keep-alive connections of the native front end: all of them live, and each costs next to nothing. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { startHoldingClients } from '../../harness/holding-clients.js';
import { memoryBytes, processorTimeMs } from '../../harness/process-facts.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const started = endAfterEach();

const CONNECTIONS = 12_000;
/** These come first: they make the process's memory what it is with any connections at all. */
const FIRST_CONNECTIONS = 1_000;
/** What issue and documentation promise of an idle keep-alive connection. */
const BYTES_EACH = 1_024;

/** Descriptors that a process may have here. */
function fileLimit(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

describe('twelve thousand idle keep-alive connections', () => {
  it('cost less than 1 KiB of user memory each, nothing while they are silent, and are served again', async () => {
    const connections = Math.min(CONNECTIONS, fileLimit() - 1_000);
    const endpoint = await started(startRequestEndpoint(ok()));
    const proxy = await started(startProxy(configFor([endpoint.port], { frontend: 'native' })));
    const pid = proxy.child.pid as number;
    const text = get('/');
    const { head, body } = await requestOnce(proxy.port, text);
    const clients = await started(startHoldingClients(proxy.port, { text, replyBytes: head.length + body.length }));
    const open = async (): Promise<number> => {
      const { workers } = await proxy.admin<{ workers: { openConnections: number }[] }>('/api/v1/status');
      return workers.reduce((sum, { openConnections }) => sum + openConnections, 0);
    };

    // Connections that have come and gone make the heaps what they are under load.
    for (let round = 0; round < 4; round++) {
      await clients.open(FIRST_CONNECTIONS);
      for (let ping = 0; ping < 3; ping++) await clients.ping();
      if (round < 3) await clients.end(FIRST_CONNECTIONS);
    }
    const before = memoryBytes(pid);
    await clients.open(connections - FIRST_CONNECTIONS);
    await until('all connections', async () => (await open()) === connections, 20_000);
    expect(await clients.ping()).toMatchObject({ open: connections, losses: {} });
    const perConnection = (memoryBytes(pid) - before) / (connections - FIRST_CONNECTIONS);
    console.info(`${connections} idle connections: ${perConnection.toFixed(0)} bytes of user memory each`);
    expect(perConnection).toBeLessThan(BYTES_EACH);

    const usedBefore = processorTimeMs(pid);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(processorTimeMs(pid) - usedBefore).toBeLessThan(300);
    await clients.end(connections);
    await until('none is open', async () => (await open()) === 0, 20_000);
  }, 120_000);
});
