/** Sessions that are opened, broken and ended at random from nine addresses: every byte is checked, and nothing stays behind. */
import { describe, expect, it } from 'vitest';
import { type ChaosCounts, runChaosClients } from '../../harness/chaos-clients.js';
import { startChaosEndpoint } from '../../harness/chaos-endpoint.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { memoryBytes, openFiles } from '../../harness/process-facts.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { sessionFailures, sessionStatus, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const DURATION_MS = IS_LONG ? 60_000 : 3_500;

async function runThrough(proxy: ProxyProcess, seed: number, durationMs: number): Promise<ChaosCounts> {
  return runChaosClients({ port: proxy.port, seed, durationMs, sessionsAtOnce: 64 });
}

describe.each([
  ['adaptive', 'primary', 'least-conn'],
  ['copy', 'reuseport', 'round-robin'],
  ['splice', 'primary', 'least-time'],
])('chaos through the relay %s with accept: %s and %s', (relay, accept, balance) => {
  it(
    'breaks no session that nobody broke, changes no byte, and leaves no socket and no count behind',
    async () => {
      const endpoints = await Promise.all([1, 2, 3].map(() => started(startChaosEndpoint())));
      const proxy = await started(
        startSessionProxy(
          endpoints.map(({ port }) => port),
          { workers: 2, listener: { relay, accept }, upstream: { balance } },
        ),
      );
      const pid = proxy.child.pid as number;
      // A first short run makes the pools what they are with any load.
      await runThrough(proxy, 7, 500);
      await untilNoSessions(proxy);
      const filesBefore = openFiles(pid);
      const memoryBefore = memoryBytes(pid);

      const counts = await runThrough(proxy, 1, DURATION_MS);
      console.info(`${relay}: ${JSON.stringify({ ...counts, faults: counts.faults.length })}`);
      expect(counts.faults).toEqual([]);
      expect(counts.refused).toBe(0);
      expect(counts.intact).toBeGreaterThan(100);
      expect(counts.clientResets).toBeGreaterThan(20);
      expect(counts.endpointBreaks).toBeGreaterThan(20);

      await untilNoSessions(proxy, 10_000);
      await until('no connection at an endpoint', () => endpoints.every(({ counts: { open } }) => open === 0));
      for (const endpoint of endpoints) expect(endpoint.counts.faults).toEqual([]);
      // Pipes of the pool may be left, sockets not.
      await until('descriptors as before', () => openFiles(pid) <= filesBefore + 2 * 64);
      const { totals } = await sessionStatus(proxy);
      const failures = await sessionFailures(proxy);
      expect(totals.openSessions).toBe(0);
      expect(
        Object.keys(failures).filter((code) => code !== 'SLUICE_CLIENT_GONE' && code !== 'SLUICE_ENDPOINT_RESET'),
      ).toEqual([]);
      expect(memoryBytes(pid) - memoryBefore).toBeLessThan(64 * 1024 * 1024);
      expect(await proxy.stop()).toBe(0);
    },
    DURATION_MS + 60_000,
  );
});
