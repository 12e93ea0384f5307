/** Starting sluice with L4 listeners: from the command line, and what it says when an address cannot be had. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { SluiceProcess } from './sluice-process.js';

const started = endAfterEach();

async function makeDirectory(): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), 'sluice-l4-'));
  await started({ close: () => rmSync(path, { recursive: true, force: true }) });
  return path;
}

/** Starts sluice with one L4 listener. */
function startAt(bind: string, ...more: string[]): Promise<SluiceProcess> {
  const words = ['--mode', 'l4', '--listen', bind, '--upstream', '127.0.0.1:9', '--admin', 'off'];
  return started(SluiceProcess.command(...words, ...more));
}

/** Waits for the end of a sluice that cannot start. @returns its last words */
async function failureOf(sluice: SluiceProcess): Promise<Record<string, unknown> | undefined> {
  expect(await sluice.exit()).toBe(2);
  return sluice.logged().at(-1);
}

describe('the command line', () => {
  it('runs an L4 listener', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const words = ['--mode', 'l4', '--listen', '127.0.0.1:0', '--upstream', `127.0.0.1:${endpoint.port}`];
    const sluice = await started(
      SluiceProcess.command(...words, '--balance', 'least-conn', '--relay', 'splice', '--admin', 'off'),
    );
    const listening = await sluice.event('listening');
    await sluice.event('ready');
    expect(listening).toMatchObject({ mode: 'l4', relay: 'splice', host: '127.0.0.1' });
    const client = await started(SocketPeer.open(Number(listening.port)));
    client.send('hello');
    await client.gets('hello');
    client.end();
    expect(await client.ended()).toBe('ended');
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(0);
  });

  it('runs one on a UNIX socket', async () => {
    const path = join(await makeDirectory(), 'in.sock');
    const sluice = await startAt(`unix:${path}`);
    const listening = await sluice.event('listening');
    expect(listening).toMatchObject({ mode: 'l4', path });
    expect(listening.msg).toContain(`accepts on unix:${path} (l4, adaptive)`);
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(0);
    expect(() => statSync(path)).toThrow('ENOENT');
  });
});

describe('an L4 listener that cannot listen', () => {
  it.each([
    ['1', 'primary'],
    ['2', 'primary'],
    ['2', 'reuseport'],
  ])('says in one sentence that its port is taken (%s workers, accept: %s)', async (workers, accept) => {
    const other = await started(startSessionEndpoint());
    const sluice = await startAt(`127.0.0.1:${other.port}`, '--workers', workers, '--accept', accept);
    expect(await failureOf(sluice)).toMatchObject({
      level: 'fatal',
      code: 'SLUICE_ADDRESS_IN_USE',
      msg: expect.stringContaining(`127.0.0.1:${other.port} is taken by another process (listener`),
    });
  });

  it('does not delete a file that is no socket', async () => {
    const path = join(await makeDirectory(), 'notes.txt');
    writeFileSync(path, 'mine');
    expect(await failureOf(await startAt(`unix:${path}`))).toMatchObject({
      code: 'SLUICE_ADDRESS_IN_USE',
      msg: expect.stringContaining(`${path} exists and is no socket`),
    });
    expect(statSync(path).size).toBe(4);
  });

  it('leaves a socket alone on which another process listens', async () => {
    const path = join(await makeDirectory(), 'in.sock');
    const other = createServer();
    await started({ close: () => new Promise((resolve) => other.close(resolve)) });
    await new Promise<void>((resolve) => other.listen(path, resolve));
    expect(await failureOf(await startAt(`unix:${path}`))).toMatchObject({
      code: 'SLUICE_ADDRESS_IN_USE',
      msg: expect.stringContaining(`another process listens on ${path}`),
    });
    const client = await started(SocketPeer.open({ path }));
    expect(client.ending).toBe('open');
  });

  it('names a directory that does not exist', async () => {
    const path = join(await makeDirectory(), 'nowhere', 'in.sock');
    expect(await failureOf(await startAt(`unix:${path}`))).toMatchObject({
      code: 'SLUICE_ADDRESS_UNAVAILABLE',
      msg: expect.stringContaining(`the directory of ${path} does not exist`),
    });
  });
});
