/** iperf3 through sluice, up and down, over one and over several connections, by each relay. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, freePort, type RunningProgram, runProgram, startProgram } from '../../harness/programs.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { until } from '../../harness/wire.js';

const iperf = findProgram('iperf3', 'iperf3');

/** The part of its report that the test looks at. */
interface IperfReport {
  readonly error?: string;
  readonly end: {
    readonly sum_sent: { readonly bytes: number };
    readonly sum_received: { readonly bytes: number; readonly bits_per_second: number };
  };
}

describe.skipIf(iperf === undefined).each(['adaptive', 'copy', 'splice'])('iperf3 through the relay %s', (relay) => {
  let server: RunningProgram | undefined;
  let proxy: ProxyProcess | undefined;

  beforeAll(async () => {
    const port = await freePort();
    server = startProgram(iperf as string, ['-s', '-B', '127.0.0.1', '-p', String(port), '--forceflush']);
    await until('iperf3', () => (server as RunningProgram).output.includes('Server listening'), 10_000);
    proxy = await startSessionProxy([port], { listener: { relay } });
  });

  afterAll(async () => {
    await proxy?.stop();
    await server?.close();
  });

  it.each([
    ['up', []],
    ['down', ['-R']],
    ['both ways', ['--bidir', '-P', '2']],
  ])(
    'carries its load %s without an error',
    async (way, args) => {
      const { port } = proxy as ProxyProcess;
      const common = ['-c', '127.0.0.1', '-p', String(port), '-t', '1', '-J'];
      const report = JSON.parse(await runProgram(iperf as string, [...common, ...args], 30_000)) as IperfReport;
      expect(report.error).toBeUndefined();
      expect(report.end.sum_received.bytes).toBeGreaterThan(10_000_000);
      console.info(`${relay}, ${way}: ${(report.end.sum_received.bits_per_second / 1e9).toFixed(1)} Gbit/s`);
      await untilNoSessions(proxy as ProxyProcess);
    },
    40_000,
  );
});
