/** The flags of the front end, as they are typed: what `sluice check` says of them, and where the proxy then listens. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { SluiceProcess } from '../control/sluice-process.js';

const MAIN = process.env['SLUICE_MAIN'] ?? fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const ENDPOINTS = ['--upstream', '127.0.0.1:9001', '--upstream', '127.0.0.1:9002'];

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

function check(...flags: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'check', ...ENDPOINTS, ...flags], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('--frontend', () => {
  it.each(['native', 'uws'])('takes %s, and prints it', (name) => {
    const { status, stdout } = check('--frontend', name, '--print');
    expect(status).toBe(0);
    expect(stdout).toContain(`frontend: ${name}`);
    expect(stdout.includes('requestsPerConnection: 10000')).toBe(name === 'native');
  });

  it('refuses another name, and says which there are', () => {
    const { status, stdout } = check('--frontend', 'h3');
    expect(status).toBe(1);
    expect(stdout).toContain('listeners[0].frontend is "h3", but must be one of native or uws');
  });

  it('refuses a UNIX socket for uws, and says what to write', () => {
    const { status, stdout } = check('--frontend', 'uws', '--listen', 'unix:/run/web.sock');
    expect(status).toBe(1);
    expect(stdout).toContain('the uws front end listens on ports only');
    expect(stdout).toContain('--frontend native');
  });

  it.each(['native', 'uws'])('says in the log and in the status that it is %s', async (name) => {
    const flags = ['--frontend', name, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', '2'];
    const sluice = SluiceProcess.command(...flags, ...ENDPOINTS);
    open.push(sluice);
    const listening = await sluice.event('listening');
    expect(listening).toMatchObject({ mode: 'l7', frontend: name, port: expect.any(Number) });
    expect(listening.msg).toContain(`(l7, ${name})`);
    const { port } = await sluice.event('admin-listening');
    const status = await (await fetch(`http://127.0.0.1:${port}/api/v1/status`)).json();
    expect(status).toMatchObject({
      listeners: [{ name: 'main', mode: 'l7', frontend: name, host: '127.0.0.1' }],
      workers: [
        { openConnections: 0, busyShare: expect.any(Number) },
        { openConnections: 0, busyShare: expect.any(Number) },
      ],
    });
  });

  it('listens on a UNIX socket in mode l7, and takes it away at the end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-front-end-'));
    open.push({ close: () => rmSync(folder, { recursive: true }) });
    const path = join(folder, 'web.sock');
    const sluice = SluiceProcess.command(
      '--frontend',
      'native',
      '--listen',
      `unix:${path}`,
      '--admin',
      'off',
      ...ENDPOINTS,
    );
    open.unshift(sluice);
    expect(await sluice.event('listening')).toMatchObject({ mode: 'l7', frontend: 'native', path });
    expect(statSync(path).isSocket()).toBe(true);
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(0);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });
});
