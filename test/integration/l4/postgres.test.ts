/** PostgreSQL behind sluice: pgbench fills its tables and runs transactions from several clients, without an error. */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, freePort, type RunningProgram, runProgram, startProgram } from '../../harness/programs.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { sessionFailures, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';

const PACKAGE = 'postgresql';
const initdb = findProgram('initdb', PACKAGE);
const postgres = findProgram('postgres', PACKAGE);
const pgbench = findProgram('pgbench', PACKAGE);
const pgIsReady = findProgram('pg_isready', PACKAGE);
const setpriv = findProgram('setpriv', 'util-linux');
const isMissing = [initdb, postgres, pgbench, pgIsReady, setpriv].includes(undefined);

/** PostgreSQL refuses to run as root: root becomes this user, which exists everywhere ("nobody"). */
const NOBODY = 65534;
const isRoot = userInfo().uid === 0;

/** The command as somebody who is not root. */
function asNobody(path: string, args: readonly string[]): [string, string[]] {
  if (!isRoot) return [path, [...args]];
  const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  return [setpriv as string, [...identity, path, ...args]];
}

describe.skipIf(isMissing)('pgbench through sluice', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-postgres-'));
  let server: RunningProgram | undefined;
  let proxy: ProxyProcess | undefined;
  let login: string[] = [];

  beforeAll(async () => {
    if (isRoot) chownSync(directory, NOBODY, NOBODY);
    const data = join(directory, 'data');
    const choices = ['-D', data, '-U', 'bench', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8'];
    await runProgram(...asNobody(initdb as string, choices), 60_000);
    const port = await freePort();
    const settings = ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', 'shared_buffers=16MB'];
    const address = ['-D', data, '-k', directory, '-p', String(port)];
    // SIGINT: "fast shutdown", which does not wait for clients.
    server = startProgram(...asNobody(postgres as string, [...address, ...settings]), 'SIGINT');
    proxy = await startSessionProxy([port]);
    login = ['-h', '127.0.0.1', '-p', String(proxy.port), '-U', 'bench'];
    const deadline = Date.now() + 20_000;
    for (;;) {
      const isReady = await runProgram(pgIsReady as string, [...login, '-d', 'postgres', '-t', '1'], 5_000).then(
        () => true,
        () => false,
      );
      if (isReady) break;
      if (Date.now() > deadline) throw new Error(`PostgreSQL does not answer:\n${server.output}`);
    }
  }, 90_000);

  afterAll(async () => {
    await proxy?.stop();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('fills tables (COPY), then runs transactions of eight clients, on kept and on new connections', async () => {
    const run = (...args: string[]): Promise<string> =>
      runProgram(pgbench as string, [...login, ...args, 'postgres'], 60_000);
    expect(await run('-i', '-s', '2', '-q')).toMatch(/done in/);
    for (const args of [
      ['-c', '8', '-j', '2', '-T', '3'],
      ['-c', '8', '-j', '2', '-T', '2', '-M', 'prepared', '-S'],
      ['-c', '4', '-j', '2', '-T', '2', '--connect'],
    ]) {
      const report = await run(...args);
      expect(report).toMatch(/number of failed transactions: 0 /);
      expect(Number(/number of transactions actually processed: (\d+)/.exec(report)?.[1]), report).toBeGreaterThan(20);
      expect(report).not.toMatch(/error|aborted/i);
    }
    await untilNoSessions(proxy as ProxyProcess);
    const failures = await sessionFailures(proxy as ProxyProcess);
    // Before the server listened, pg_isready was refused.
    expect(Object.keys(failures).filter((code) => code !== 'SLUICE_CONNECT_REFUSED')).toEqual([]);
  }, 120_000);
});
