/**
 * Mixed traffic in which both sides break off, fall silent, are slow and are restarted: no wrong byte, no answer of another request, nothing
 * left behind. A few seconds of it; with SLUICE_LONG=1 ten minutes for each front end, or SLUICE_SOAK_SECONDS (`npm run soak`).
 */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { openSockets } from '../../harness/process-facts.js';
import { statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { badLines, configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { SoakEndpoint } from '../../harness/soak-endpoint.js';
import { SoakLedger } from '../../harness/soak-ledger.js';
import type { SoakMix } from '../../harness/soak-script.js';
import { type MemorySamples, runSoak, type SoakOptions } from '../../harness/soak-traffic.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const started = endAfterEach();

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const DURATION_MS = 1000 * Number(process.env['SLUICE_SOAK_SECONDS'] ?? (IS_LONG ? 600 : 2.5));
const SEED = Number(process.env['SLUICE_SOAK_SEED'] ?? 1);
const LANES = 24;
/** Pools and heaps take their shape in this time. */
const WARM_UP_MS = IS_LONG ? 20_000 : 0;
/** What memory may be more in the last third than in the middle one: the heaps of two workers breathe by some MiB. */
const MEMORY_MARGIN_BYTES = 12 * 1024 * 1024;

const MiB = 1024 * 1024;
const SHORT_TIMEOUTS = { requestHead: '2s', bodyIdle: '2s', writeStall: '2s' };
const CASES: readonly [string, SoakMix, object][] = [
  [
    'native',
    { isFull: true, hasClientStalls: true, maxBodyBytes: 4 * MiB },
    { frontend: 'native', timeouts: SHORT_TIMEOUTS },
  ],
  ['uws', { isFull: false, hasClientStalls: false, maxBodyBytes: 4 * MiB }, { frontend: 'uws' }],
];

function tell(line: string): void {
  if (IS_LONG) process.stderr.write(`soak ${line}\n`);
}

/** Largest of the last third less largest of the middle one. */
function growthBytes(samples: MemorySamples): number {
  const third = Math.floor(samples.length / 3);
  return Math.max(...samples.slice(2 * third)) - Math.max(...samples.slice(third, 2 * third));
}

async function untilNothingIsOpen(proxy: ProxyProcess, ledger: SoakLedger): Promise<void> {
  await untilIdle(proxy, 15_000);
  await until('no connection at an endpoint', () => ledger.openAtEndpoints === 0, 15_000);
  await until('no connection in a worker', async () => {
    const { workers } = await statusFacts(proxy);
    return workers.every(({ upstreamConnections }) => upstreamConnections === 0);
  });
}

describe.each(CASES)('a soak of the front end %s', (frontend, mix, listener) => {
  it(
    'changes no byte, mixes up no answers, and leaves no socket and no count behind',
    async () => {
      const ledger = new SoakLedger((line) => tell(`${frontend} ${line}`));
      const endpoints = await Promise.all([1, 2, 3].map((seed) => started(SoakEndpoint.start(ledger, seed))));
      const upstream = {
        balance: 'least-conn',
        timeouts: { firstByte: '3s', idle: '3s' },
        pool: { keepAliveIdle: '1s' },
      };
      const ports = endpoints.map(({ port }) => port);
      const proxy = await started(startProxy(configFor(ports, { listener, upstream, workers: 2 })));
      const pid = proxy.child.pid as number;
      const options: SoakOptions = {
        port: proxy.port,
        pid,
        mix,
        ledger,
        endpoints,
        seed: SEED,
        durationMs: DURATION_MS,
        lanes: LANES,
        restartEveryMs: IS_LONG ? 7_000 : 900,
        stallMs: 3_000,
        tell: (line) => tell(`${frontend} ${line}`),
        progressEveryMs: 10_000,
      };
      const socketsBefore = openSockets(pid);
      await runSoak({ ...options, seed: SEED + 1000, durationMs: WARM_UP_MS });

      const memory = await runSoak(options);
      console.info(
        `${frontend}: ${ledger.exchanges} exchanges ${JSON.stringify(ledger.outcomes)}, ${ledger.restarts} restarts`,
      );
      expect.soft(ledger.faults).toEqual([]);
      expect.soft(ledger.outcomes['whole']).toBeGreaterThan(50);
      expect.soft(ledger.outcomes['left']).toBeGreaterThan(5);
      expect.soft(ledger.outcomes['cut']).toBeGreaterThan(0);

      await untilNothingIsOpen(proxy, ledger);
      await until('sockets as before', () => openSockets(pid) <= socketsBefore, 15_000);
      if (IS_LONG) {
        tell(`${frontend} RSS grew by ${(growthBytes(memory) / MiB).toFixed(1)} MiB from the middle third to the last`);
        expect.soft(growthBytes(memory)).toBeLessThan(MEMORY_MARGIN_BYTES);
      }
      const answer = await requestOnce(proxy.port, get('/plain'));
      expect(answer.body.toString()).toBe('plain');
      expect.soft(badLines(proxy.log)).toEqual([]);
      expect(await proxy.stop()).toBe(0);
    },
    DURATION_MS + WARM_UP_MS + 90_000,
  );
});
