/** Redis behind sluice: every default test of redis-benchmark, one request at a time and pipelined. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, freePort, type RunningProgram, runProgram, startProgram } from '../../harness/programs.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { sessionFailures, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { until } from '../../harness/wire.js';

const redisServer = findProgram('redis-server', 'redis-server');
const redisBenchmark = findProgram('redis-benchmark', 'redis-tools');

/** Of version 7; each is a line of its own in the report. */
const DEFAULT_TESTS = [
  ...['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'LPUSH', 'RPUSH', 'LPOP', 'RPOP', 'SADD', 'HSET', 'SPOP'],
  ...['ZADD', 'ZPOPMIN', 'LRANGE_100', 'LRANGE_300', 'LRANGE_500', 'LRANGE_600', 'MSET (10 keys)'],
];

describe.skipIf(redisServer === undefined || redisBenchmark === undefined)('redis-benchmark through sluice', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-redis-'));
  let server: RunningProgram | undefined;
  let proxy: ProxyProcess | undefined;

  beforeAll(async () => {
    const port = await freePort();
    const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    server = startProgram(redisServer as string, ['--port', String(port), ...settings]);
    await until('redis', () => (server as RunningProgram).output.includes('Ready to accept connections'), 10_000);
    proxy = await startSessionProxy([port]);
  });

  afterAll(async () => {
    await proxy?.stop();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['one request at a time', ['-n', '2000', '-c', '20']],
    ['16 requests at once on each connection', ['-n', '4000', '-c', '20', '-P', '16']],
    ['values of 100 kB', ['-n', '500', '-c', '10', '-d', '100000', '-t', 'set,get']],
  ])(
    'passes all its tests with %s',
    async (_what, args) => {
      const { port } = proxy as ProxyProcess;
      const report = await runProgram(redisBenchmark as string, ['-p', String(port), '-q', ...args], 60_000);
      expect(report).not.toMatch(/error|reset|refused|closed/i);
      const expected = args.includes('-t') ? ['SET', 'GET'] : DEFAULT_TESTS;
      const done = report.split(/[\r\n]+/).filter((line) => /requests per second, p50=/.test(line));
      for (const name of expected)
        expect(
          done.some((line) => line.startsWith(name)),
          `${name} in:\n${report}`,
        ).toBe(true);
      await untilNoSessions(proxy as ProxyProcess);
      const failures = await sessionFailures(proxy as ProxyProcess);
      // The benchmark resets connections that it does not need any more; endpoints and sluice have nothing to be blamed for.
      expect(Object.keys(failures).filter((code) => code !== 'SLUICE_CLIENT_GONE')).toEqual([]);
    },
    90_000,
  );
});
