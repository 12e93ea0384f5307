/** Reloads of the real program: what counts afterwards, and what goes on. */

import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SluiceProcess, until } from './sluice-process.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An endpoint that says its name first, and then what it hears. */
async function startNamed(name: string): Promise<{ port: number; open: () => number }> {
  const sockets = new Set<Socket>();
  const endpoint: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.write(`${name} `);
    socket.pipe(socket);
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    endpoint.close();
  });
  return { port: (endpoint.address() as AddressInfo).port, open: () => sockets.size };
}

interface Session {
  readonly socket: Socket;
  heard: string;
}

async function openSession(port: number): Promise<Session> {
  const socket = connect(port, '127.0.0.1');
  const session: Session = { socket, heard: '' };
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    session.heard += bytes.toString();
  });
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  return session;
}

/** Name of the endpoint that a new session gets. */
async function nameAt(port: number): Promise<string> {
  const session = await openSession(port);
  const name = await until('the name of an endpoint', () =>
    session.heard.includes(' ') ? session.heard.trim() : undefined,
  );
  session.socket.destroy();
  return name;
}

const configWith = (listeners: string, ports: readonly number[], more = ''): string => `
workers: 2
admin: off
shutdownTimeout: 1s
${more}
listeners:
${listeners}
upstreams:
  db:
    endpoints:
${ports.map((port) => `      - { address: "127.0.0.1:${port}" }`).join('\n')}
`;
const listener = (name: string, port = 0): string =>
  `  - { name: ${name}, mode: l4, bind: "127.0.0.1:${port}", upstream: db }\n`;

async function start(text: string): Promise<{ sluice: SluiceProcess; file: string; port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  const file = join(folder, 'sluice.yaml');
  writeFileSync(file, text);
  const sluice = SluiceProcess.command('-c', file);
  cleanUps.push(async () => {
    sluice.signal('SIGTERM');
    sluice.signal('SIGTERM');
    await sluice.exit();
    rmSync(folder, { recursive: true, force: true });
  });
  await sluice.event('ready');
  const { port } = await sluice.event('listening');
  return { sluice, file, port: port as number };
}

describe('a reload', () => {
  it('takes another endpoint for new sessions, and leaves those that are open alone', async () => {
    const [a, b] = [await startNamed('a'), await startNamed('b')];
    const { sluice, file, port } = await start(configWith(listener('tcp'), [a.port]));
    const old = await openSession(port);
    await until('the old session', () => (old.heard === 'a ' ? true : undefined));
    writeFileSync(file, configWith(listener('tcp'), [b.port]));
    expect(await sluice.event('reloaded')).toMatchObject({
      epoch: 2,
      endpoints: { added: 1, changed: 0, removed: 1 },
      listeners: { added: 0, changed: 0, removed: 0 },
      needsRestart: [],
    });
    expect(await nameAt(port)).toBe('b');
    old.socket.write('still there');
    await until('an echo of the old session', () => (old.heard === 'a still there' ? true : undefined));
  });

  it('adds a listener, and ends one that is gone after its time', async () => {
    const a = await startNamed('a');
    const { sluice, file, port } = await start(configWith(listener('one'), [a.port]));
    const old = await openSession(port);
    await until('the old session', () => (old.heard === 'a ' ? true : undefined));
    const spare = createServer().listen(0, '127.0.0.1');
    await once(spare, 'listening');
    const free = (spare.address() as AddressInfo).port;
    spare.close();
    await once(spare, 'close');
    writeFileSync(`${file}.new`, configWith(listener('two', free), [a.port]));
    renameSync(`${file}.new`, file);
    expect(await sluice.event('reloaded')).toMatchObject({ listeners: { added: 1, changed: 0, removed: 1 } });
    expect(await nameAt(free)).toBe('a');
    const refused = connect(port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    await until('the end of the old session', () => (old.socket.destroyed ? true : undefined));
  });

  it('moves a listener to another address, and keeps its sessions', async () => {
    const a = await startNamed('a');
    const { sluice, file, port } = await start(configWith(listener('tcp'), [a.port]));
    const old = await openSession(port);
    await until('the old session', () => (old.heard === 'a ' ? true : undefined));
    const spare = createServer().listen(0, '127.0.0.1');
    await once(spare, 'listening');
    const free = (spare.address() as AddressInfo).port;
    spare.close();
    await once(spare, 'close');
    writeFileSync(file, configWith(listener('tcp', free), [a.port]));
    expect(await sluice.event('reloaded')).toMatchObject({ listeners: { added: 0, changed: 1, removed: 0 } });
    expect(await nameAt(free)).toBe('a');
    old.socket.write('on');
    await until('an echo of the old session', () => (old.heard === 'a on' ? true : undefined));
  });

  it('changes nothing for a file with problems, or a port that is taken, and says why', async () => {
    const a = await startNamed('a');
    const { sluice, file, port } = await start(configWith(listener('tcp'), [a.port], 'watch: false'));
    writeFileSync(file, 'nonsense: true');
    sluice.signal('SIGHUP');
    const bad = await sluice.event('reload-failed');
    expect(String(bad.problems)).toContain('nonsense is not a known setting');
    writeFileSync(file, configWith(listener('tcp') + listener('taken', a.port), [a.port], 'watch: false'));
    sluice.signal('SIGHUP');
    const taken = await sluice.event('reload-failed', ({ problems }) => String(problems).includes('taken'));
    expect(String(taken.problems)).toContain(`127.0.0.1:${a.port} is taken by another process (listener taken)`);
    writeFileSync(file, configWith(listener('tcp'), [a.port], 'watch: false'));
    sluice.signal('SIGHUP');
    await sluice.event('reload-unchanged', ({ epoch }) => epoch === 1);
    expect(await nameAt(port)).toBe('a');
    expect(sluice.logged().filter(({ event }) => event === 'worker-error')).toEqual([]);
  });

  it('says what needs a restart, and does the rest', async () => {
    const [a, b] = [await startNamed('a'), await startNamed('b')];
    const { sluice, file, port } = await start(configWith(listener('tcp'), [a.port]));
    writeFileSync(file, configWith(listener('tcp'), [b.port]).replace('workers: 2', 'workers: 3'));
    expect(await sluice.event('reloaded')).toMatchObject({ needsRestart: ['workers'] });
    expect(await nameAt(port)).toBe('b');
  });
});
