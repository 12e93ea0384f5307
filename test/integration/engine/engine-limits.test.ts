/** Descriptors and addresses: limits, accepting, reservations, and an addon that cannot be loaded. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/core/proxy-error.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { until } from '../../harness/wire.js';

const ADDON = fileURLToPath(new URL('../../../build/Release/sluice_engine.node', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

describe('loadEngine', () => {
  const failure = (file: string): ProxyError => {
    try {
      loadEngine(file);
    } catch (error) {
      if (error instanceof ProxyError) return error;
    }
    throw new Error('it did not fail as it should');
  };

  it('names the file that is missing, and the command that makes it', () => {
    const error = failure('/nowhere/sluice_engine.node');
    expect(error.code).toBe('SLUICE_ADDON_MISSING');
    expect(error.detail).toEqual({
      file: '/nowhere/sluice_engine.node',
      reason: 'the file does not exist',
      fix: 'npm run build:native',
    });
  });

  it('says why a file cannot be loaded', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sluice-engine-')), 'broken.node');
    writeFileSync(file, 'not an addon');
    const error = failure(file);
    expect(error.code).toBe('SLUICE_ADDON_MISSING');
    expect(String(error.detail.reason)).toContain('broken.node');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('may load the file twice in one thread, and the thread ends as always', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [fixture('loading-twice-process.mjs'), ADDON], {
      timeout: 10_000,
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: 'failed in the thread\nfailed\n', stderr: '', status: 0 });
  });

  it('gives the same addon again', () => {
    expect(loadEngine()).toBe(loadEngine());
  });
});

describe('file limits', () => {
  it('are raised to the hard one', () => {
    const { soft, hard } = loadEngine().raiseFileLimit();
    expect(soft).toBe(hard);
  });

  it('are told against the descriptors in use', () => {
    const before = loadEngine().freeFiles();
    const files = Array.from({ length: 10 }, () => openSync('/dev/null', 'r'));
    expect(loadEngine().freeFiles()).toBe(before - 10);
    // A hole below the others counts as one, too.
    closeSync(files.shift() as number);
    expect(loadEngine().freeFiles()).toBe(before - 9);
    for (const file of files) closeSync(file);
    expect(loadEngine().freeFiles()).toBe(before);
  });

  it('make an exchange fail with FILE_LIMIT, once and at once, and the next one work', () => {
    const command = `ulimit -n 64 && exec ${process.execPath} ${fixture('file-limit-process.mjs')} ${ADDON}`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', command], { timeout: 10_000, encoding: 'utf8' });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toEqual({
      freeWhenFull: 0,
      failed: { status: 11, errno: 24, isRetryable: true },
      afterwards: 200,
    });
  });
});

describe('pauseAccepting', () => {
  it('stops and resumes the listener of uWebSockets.js, and leaves its connections alone', {
    timeout: 30_000,
  }, async () => {
    const endpoint = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const workerData = { addon: ADDON, port: (endpoint.address() as AddressInfo).port, order: 'uws-first' };
    const worker = new Worker(fixture('uws-and-engine-worker.mjs'), { workerData });
    const [port] = (await once(worker, 'message')) as [number];
    const ask = async (isPaused: boolean): Promise<number> => {
      worker.postMessage(isPaused);
      return ((await once(worker, 'message')) as [number])[0];
    };
    const sockets: Socket[] = [];
    const answered = (socket: Socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return once(socket, 'data').then(([bytes]) => String(bytes).includes('hello'));
    };
    const open = () => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      return socket;
    };

    const early = open();
    expect(await answered(early)).toBe(true);
    expect(await ask(true)).toBe(1);
    expect(await ask(true)).toBe(1);
    const late = open();
    let isLateAnswered = false;
    const lateAnswer = answered(late).then(() => {
      isLateAnswered = true;
    });
    for (let round = 0; round < 20; round++) expect(await answered(early)).toBe(true);
    expect(isLateAnswered).toBe(false);
    expect(await ask(false)).toBe(1);
    expect(await ask(false)).toBe(1);
    await lateAnswer;
    expect(await answered(open())).toBe(true);

    for (const socket of sockets) socket.destroy();
    await worker.terminate();
    endpoint.closeAllConnections();
    endpoint.close();
  });

  it('finds nothing where nobody listens by uv_poll', () => {
    expect(loadEngine().pauseAccepting(true)).toBe(0);
    expect(loadEngine().pauseAccepting(false)).toBe(0);
  });
});

describe('reserveAddress', () => {
  const addon = loadEngine();
  const codeOf = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'no code';
    }
    return 'no error';
  };
  const listen = async (host: string, port: number): Promise<Server> => {
    const server = createTcpServer().listen(port, host);
    await Promise.race([once(server, 'listening'), once(server, 'error').then(([error]) => Promise.reject(error))]);
    return server;
  };

  it.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('chooses a free port and holds it: %s', async (host) => {
    const reserved = addon.reserveAddress(host, 0);
    expect(reserved.port).toBeGreaterThan(0);
    // Neither another reservation nor a plain listener gets it, on either side of a dual-stack address.
    expect(codeOf(() => addon.reserveAddress(host, reserved.port))).toBe('EADDRINUSE');
    await expect(listen(host === '::' ? '127.0.0.1' : host, reserved.port)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    reserved.close();
    reserved.close();
    (await listen(host, reserved.port)).close();
  });

  it('refuses an address on which somebody listens', async () => {
    const server = await listen('127.0.0.1', 0);
    const { port } = server.address() as AddressInfo;
    expect(codeOf(() => addon.reserveAddress('127.0.0.1', port))).toBe('EADDRINUSE');
    expect(codeOf(() => addon.reserveAddress('0.0.0.0', port))).toBe('EADDRINUSE');
    expect(codeOf(() => addon.reserveAddress('::', port))).toBe('EADDRINUSE');
    server.close();
    await once(server, 'close');
    addon.reserveAddress('127.0.0.1', port).close();
  });

  it('refuses an address of another machine, a name and a port out of range', () => {
    expect(codeOf(() => addon.reserveAddress('192.0.2.1', 0))).toBe('EADDRNOTAVAIL');
    expect(codeOf(() => addon.reserveAddress('localhost', 0))).toBe('EINVAL');
    expect(() => addon.reserveAddress('127.0.0.1', 65_536)).toThrow(/port must be a whole number from 0 to 65535/);
  });

  it('takes an address whose old connections are still in TIME_WAIT', async () => {
    const server = createTcpServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    client.resume();
    await once(client, 'close'); // the server's side closed first and waits
    server.close();
    await once(server, 'close');
    const reserved = addon.reserveAddress('127.0.0.1', port);
    expect(reserved.port).toBe(port);
    reserved.close();
  });

  it.each(['127.0.0.1', '::'])(
    'lets uWebSockets.js of several threads listen there: %s',
    { timeout: 30_000 },
    async (host) => {
      const reserved = addon.reserveAddress(host, 0);
      const workers = Array.from(
        { length: 3 },
        () => new Worker(fixture('listening-worker.mjs'), { workerData: { addon: ADDON, host, port: reserved.port } }),
      );
      expect(await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))).toEqual([
        true,
        true,
        true,
      ]);
      const responses = new Set<string>();
      await until('all of them answer', async () => {
        const socket = connect(reserved.port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        const [bytes] = (await once(socket, 'data')) as [Buffer];
        responses.add(String(bytes).slice(-1));
        socket.destroy();
        return responses.size > 1;
      });
      await Promise.all(workers.map((worker) => worker.terminate()));
      reserved.close();
    },
  );
});
