/** Starting sluice: what it says and what it exits with when it cannot. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SluiceProcess } from './sluice-process.js';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

function track<T extends { close(): unknown }>(thing: T): T {
  open.push(thing);
  return thing;
}

async function takenPort(): Promise<number> {
  const other: Server = track(createServer());
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  return (other.address() as AddressInfo).port;
}

describe('sluice that cannot start', () => {
  it('says in one sentence that a port is taken, and exits 2', async () => {
    const port = await takenPort();
    const sluice = track(
      SluiceProcess.command('--listen', `127.0.0.1:${port}`, '--upstream', '127.0.0.1:9', '--admin', 'off'),
    );
    expect(await sluice.exit()).toBe(2);
    const told = sluice.logged().filter(({ level }) => level === 'fatal');
    expect(told.map(({ code, msg }) => [code, msg])).toEqual([
      ['SLUICE_ADDRESS_IN_USE', expect.stringContaining(`127.0.0.1:${port} is taken by another process (listener`)],
    ]);
  });

  it('says so of the port of the admin API, too', async () => {
    const port = await takenPort();
    const sluice = track(
      SluiceProcess.command('--listen', '127.0.0.1:0', '--upstream', '127.0.0.1:9', '--admin', `127.0.0.1:${port}`),
    );
    expect(await sluice.exit()).toBe(2);
    expect(sluice.logged().at(-1)?.msg).toContain(`127.0.0.1:${port} is taken by another process (admin API)`);
  });

  it('says that an address is not one of this machine, and exits 2', async () => {
    const sluice = track(
      SluiceProcess.command('--listen', '192.0.2.1:8080', '--upstream', '127.0.0.1:9', '--admin', 'off'),
    );
    expect(await sluice.exit()).toBe(2);
    expect(sluice.logged().at(-1)).toMatchObject({ code: 'SLUICE_ADDRESS_UNAVAILABLE', level: 'fatal' });
  });

  it('tells a start failure although the log is silent', async () => {
    const port = await takenPort();
    const words = [
      '--listen',
      `127.0.0.1:${port}`,
      '--upstream',
      '127.0.0.1:9',
      '--admin',
      'off',
      '--log-level',
      'silent',
    ];
    const sluice = track(SluiceProcess.command(...words));
    expect(await sluice.exit()).toBe(2);
    expect(sluice.stderr).toMatch(/^sluice: 127\.0\.0\.1:\d+ is taken by another process/);
  });

  it('tells a bad configuration and exits 1', async () => {
    const sluice = track(SluiceProcess.command('--upstream', '127.0.0.1:9', '--balance', 'least-con'));
    expect(await sluice.exit()).toBe(1);
    expect(sluice.stderr).toContain('least-conn');
  });

  it('tells bad usage and exits 1', async () => {
    const sluice = track(SluiceProcess.command('--upstraem', '127.0.0.1:9'));
    expect(await sluice.exit()).toBe(1);
    expect(sluice.stderr).toContain('--upstream');
  });

  it('points to the demo when it is called with nothing, and exits 1', async () => {
    const sluice = track(SluiceProcess.command());
    expect(await sluice.exit()).toBe(1);
    expect(sluice.stderr).toContain('sluice demo');
  });

  it('tells once, whatever the number of workers, that a binary is missing, and exits 2', async () => {
    const words = ['--listen', '127.0.0.1:0', '--upstream', '127.0.0.1:9', '--admin', 'off', '--workers', '3'];
    const sluice = track(SluiceProcess.withEntry('failing-worker.mjs', { FAILURE: 'report' }, ...words));
    expect(await sluice.exit()).toBe(2);
    expect(sluice.logged().filter(({ code }) => code === 'SLUICE_UWS_MISSING')).toHaveLength(1);
  });

  it('ends a crash loop of its workers with a clear message, and exits 2', async () => {
    const words = ['--listen', '127.0.0.1:0', '--upstream', '127.0.0.1:9', '--admin', 'off', '--workers', '2'];
    const sluice = track(SluiceProcess.withEntry('failing-worker.mjs', { FAILURE: 'throw' }, ...words));
    expect(await sluice.exit()).toBe(2);
    const fatal = sluice.logged().filter(({ level }) => level === 'fatal');
    expect(fatal.map(({ code }) => code)).toEqual(['SLUICE_WORKER_CRASH_LOOP']);
    expect(sluice.logged().some(({ err }) => JSON.stringify(err)?.includes('failing-worker.mjs'))).toBe(true);
  });
});

describe('sluice --version', () => {
  it('tells the version, node and the binaries it finds', async () => {
    const sluice = track(SluiceProcess.command('--version'));
    expect(await sluice.exit()).toBe(0);
    expect(sluice.stdout).toMatch(
      /^sluice \d+\.\d+\.\d+\nnode 2\d.*\nengine .*\nTLS OpenSSL [^\n]*, HTTP\/2 nghttp2 [^\n]*\nuWebSockets\.js .*\n$/,
    );
  });
});
