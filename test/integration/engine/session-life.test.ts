/** What a session engine, an acceptor and a listening socket keep alive, what they leave behind, and what they cost when idle. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { findProgram } from '../../harness/programs.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { codeOf, LISTENING, messageOf, openLoopback } from './recording-session-engine.js';

const ADDON = fileURLToPath(new URL('../../../build/Release/sluice_engine.node', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const started = endAfterEach();
const { openListeningSocket } = loadEngine();

describe('process', () => {
  it.each([
    ['ends by itself with an engine that was never used', 'engine-unused', ''],
    ['ends by itself when the engine was closed', 'engine-closed', ''],
    ['stays while the engine listens', 'engine-listening', 'stops\n'],
    ['stays for a session that is open', 'engine-with-session', 'ended\n'],
    ['ends by itself with an acceptor that was never used', 'acceptor-unused', ''],
    ['stays while the acceptor listens', 'acceptor-listening', 'closes\n'],
    ['ends by itself when the acceptor was closed', 'acceptor-closed', ''],
    ['collects what is idle and nobody can reach, with its descriptors', 'unreachable-idle', 'collected\n'],
    ['goes on with an engine that listens, although nobody can reach it', 'unreachable-listening', 'served\n'],
  ])('%s', (_, way, output) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', fixture('ending-session-process.mjs'), ADDON, way],
      { timeout: 15_000, encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(output);
    expect(status).toBe(0);
  });
});

const strace = findProgram('strace', 'strace');

/** Runs before Node has entered its loop, so that nothing but the engine calls epoll_ctl. */
const MAKES_AN_ENGINE = `
  const { SessionEngine } = require(process.argv[1]);
  const options = { events: new Int32Array(32 * 16), arena: new Uint8Array(65536), onBatch() {}, onShortage() {} };
  try {
    new SessionEngine(options);
  } catch (error) {
    process.exitCode = error.code === 'ENOSPC' && error.message.includes('mailbox') ? 3 : 4;
  }`;

const cannotTrace = strace === undefined || spawnSync(strace, ['-qq', '-o', '/dev/null', 'true']).status !== 0;

describe.skipIf(cannotTrace)('session engine whose mailbox cannot be watched', () => {
  it('is not made', () => {
    // Its loop watches libuv's descriptor first, then the mailbox's.
    const { status } = spawnSync(
      strace as string,
      [
        ...['-qq', '-o', '/dev/null', '-e', 'trace=epoll_ctl', '-e', 'inject=epoll_ctl:error=ENOSPC:when=2'],
        ...[process.execPath, '-e', MAKES_AN_ENGINE, ADDON],
      ],
      { timeout: 15_000 },
    );
    expect(status).toBe(3);
  });
});

describe('idle session engine', () => {
  it('uses next to no processor time, with sessions open', async () => {
    const sessions = 50;
    const endpoint = await started(startSessionEndpoint(echo));
    const worker = new Worker(fixture('idle-session-worker.mjs'), {
      workerData: { addon: ADDON, port: endpoint.port, sessions },
    });
    await started({ close: () => worker.terminate() });
    const [port] = (await once(worker, 'message')) as [number];
    const measured = once(worker, 'message') as Promise<[number]>;
    await Promise.all(Array.from({ length: sessions }, () => started(SocketPeer.open(port))));
    // One tick of the kernel's accounting is 10 ms.
    expect((await measured)[0]).toBeLessThan(10);
  });
});

describe('openListeningSocket', () => {
  let folder: string;
  let path: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-listening-'));
    path = join(folder, 's');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('tells the port that was chosen, and does not accept', async () => {
    const socket = await started(openLoopback());
    expect(socket.port).toBeGreaterThan(0);
    expect(socket.descriptor).toBeGreaterThan(2);
    const client = await started(SocketPeer.open(socket.port));
    expect(client.ending).toBe('open');
    socket.close();
    expect(await client.ended()).toBe('reset');
  });

  it('makes a UNIX socket with its permissions and removes it', async () => {
    const socket = openListeningSocket({ path, mode: 0o640 }, LISTENING);
    expect(socket.port).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(codeOf(() => openListeningSocket({ path, mode: 0o600 }, LISTENING))).toBe('EADDRINUSE');
    socket.close();
    expect(existsSync(path)).toBe(false);
    socket.close();
  });

  it('says what is wrong', async () => {
    const socket = await started(openLoopback());
    const taken = { host: '127.0.0.1', port: socket.port };
    expect(codeOf(() => openListeningSocket(taken, LISTENING))).toBe('EADDRINUSE');
    expect(messageOf(() => openListeningSocket(taken, LISTENING))).toBe(
      `bind EADDRINUSE: Address already in use, 127.0.0.1 port ${socket.port}`,
    );
    expect(codeOf(() => openListeningSocket({ host: '192.0.2.1', port: 0 }, LISTENING))).toBe('EADDRNOTAVAIL');
    expect(codeOf(() => openListeningSocket({ host: 'localhost', port: 0 }, LISTENING))).toBe('EINVAL');
    expect(codeOf(() => openListeningSocket({ path: join(folder, 'no', 's'), mode: 0o600 }, LISTENING))).toBe('ENOENT');
    writeFileSync(path, 'text');
    expect(codeOf(() => openListeningSocket({ path, mode: 0o600 }, LISTENING))).toBe('EEXIST');
    expect(messageOf(() => openListeningSocket({ path, mode: 0o600 }, LISTENING))).toMatch(
      /s, which is no socket: remove it, or listen on another path$/,
    );
    rmSync(path);
  });

  it('sees that a server of Node listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(codeOf(() => openListeningSocket({ host: '127.0.0.1', port }, LISTENING))).toBe('EADDRINUSE');
    server.close();
    await once(server, 'close');
    openListeningSocket({ host: '127.0.0.1', port }, LISTENING).close();
  });
});
