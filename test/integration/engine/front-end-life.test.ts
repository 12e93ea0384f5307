/** What a front end keeps alive, how its threads end under load, and what it costs in time. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { until } from '../../harness/wire.js';
import { startFrontEnd } from './recording-front-end.js';

const ADDON = fileURLToPath(new URL('../../../build/Release/sluice_engine.node', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
const started = endAfterEach();

let endpoint: Server;

beforeAll(async () => {
  endpoint = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
});

afterAll(async () => {
  endpoint.closeAllConnections();
  endpoint.close();
  await once(endpoint, 'close');
});

/** A worker that serves, and where. */
async function startWorker(way = 'serve'): Promise<{ readonly thread: Worker; readonly port: number }> {
  const { port } = endpoint.address() as AddressInfo;
  const thread = new Worker(fixture('front-end-worker.mjs'), { workerData: { addon: ADDON, port, way } });
  const [own] = (await once(thread, 'message')) as [number];
  await started({ close: () => thread.terminate() });
  return { thread, port: own };
}

/** Clients that send the next request when they have got an answer, until they are closed or reset. */
class Load {
  answers = 0;
  readonly #sockets: Socket[];

  constructor(port: number, clients: number) {
    this.#sockets = Array.from({ length: clients }, () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(GET)).setNoDelay(true);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        if (!bytes.includes('hello')) return;
        this.answers++;
        socket.write(GET);
      });
      return socket;
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What the descriptors of this process are, without modules that Node leaves open (engine-termination.test.ts). */
function openFiles(): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return 'the listing itself';
    }
  });
  return targets.filter((target) => !target.endsWith('.mjs'));
}

describe('process', () => {
  it.each([
    ['ends by itself with a front end that was never used', 'unused', ''],
    ['ends by itself when the front end was closed', 'closed', ''],
    ['ends by itself when the engine was closed before its front end', 'engine-closed-first', ''],
    ['stays while the front end listens', 'listening', 'stops\n'],
    ['stays for an exchange that is open', 'open-exchange', 'answered\n'],
    ['ends by itself with an idle connection', 'idle-connection', 'opened\n'],
    ['collects front ends and their engines together', 'unreachable-idle', 'collected\n'],
    ['goes on with a front end that listens, although nobody can reach it', 'unreachable-listening', 'served\n'],
  ])('%s', (_, way, output) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', fixture('ending-front-end-process.mjs'), ADDON, way],
      { timeout: 15_000, encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(output);
    expect(status).toBe(0);
  });
});

describe('front end in a worker that ends', () => {
  it('survives terminate() at 50 moments under load and leaves no descriptor behind', {
    timeout: 120_000,
  }, async () => {
    const runOnce = async (answers: number) => {
      const { thread, port } = await startWorker();
      const load = await started(new Load(port, 8));
      await until('it answers', () => load.answers >= answers, 20_000);
      expect(await thread.terminate()).toBe(1);
      load.close();
    };
    await runOnce(1);
    endpoint.closeAllConnections();
    const before = openFiles().length;
    for (let round = 0; round < 50; round++) await runOnce((round % 10) * 7);
    endpoint.closeAllConnections();
    await until('descriptors are closed', () => openFiles().length <= before);
  });

  it.each([
    ['exit-in-batch', 7, undefined],
    ['throw-in-batch', 1, 'thrown inside onBatch'],
    ['throw-null-in-batch', 1, 'onBatch threw null'],
  ])('survives %s', async (way, code, message) => {
    const { thread, port } = await startWorker(way);
    let told: string | undefined;
    thread.on('error', (error) => {
      told = (error as Error).message;
    });
    await started(new Load(port, 8));
    // Not `once`, which an 'error' ends.
    expect(await new Promise((resolve) => thread.once('exit', resolve))).toBe(code);
    expect(told).toBe(message);
  });
});

describe('time of a thread with a front end', () => {
  interface Measured {
    readonly worstLatenessMs: number;
    readonly busyShare: number;
    readonly processorMs: number;
  }
  const measure = async (thread: Worker, timers: number, timerMs: number): Promise<Measured> => {
    thread.postMessage({ timers, timerMs });
    const [measured] = (await once(thread, 'message')) as [Measured];
    return measured;
  };

  it('is there for timers under load, and counts as busy', async () => {
    const { thread, port } = await startWorker();
    const idle = await measure(thread, 100, 10);
    const load = await started(new Load(port, 64));
    await until('it answers', () => load.answers > 500);
    const before = load.answers;
    const loaded = await measure(thread, 100, 10);
    expect(load.answers - before).toBeGreaterThan(100);
    // Generous, since the clients and the endpoint share the machine: without the loop giving way, timers would never come at all.
    expect(loaded.worstLatenessMs).toBeLessThan(250);
    expect(loaded.busyShare).toBeLessThanOrEqual(1);
    expect(loaded.busyShare).toBeGreaterThan(idle.busyShare);
  });

  it('costs next to nothing with idle connections', async () => {
    const { thread, port } = await startWorker();
    const sockets = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = connect(port, '127.0.0.1');
        socket.write(GET);
        await once(socket, 'data');
        return started({ close: () => socket.destroy() });
      }),
    );
    expect(sockets).toHaveLength(50);
    // Compilation and collection that the start-up caused are over after this one.
    await measure(thread, 1, 300);
    const { busyShare, processorMs } = await measure(thread, 1, 2_000);
    expect(processorMs).toBeLessThan(10);
    expect(busyShare).toBeLessThan(0.05);
  });
});

describe('loopBusyShare', () => {
  const { loopBusyShare } = loadEngine();

  it('is 0 in a thread without an engine, and counts what keeps the thread', async () => {
    expect(loopBusyShare()).toBe(0);
    const recording = startFrontEnd();
    await started(recording);
    await new Promise((resolve) => setImmediate(resolve));
    loopBusyShare();
    const end = performance.now() + 30;
    while (performance.now() < end);
    expect(loopBusyShare()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(loopBusyShare()).toBeLessThan(0.9);
    recording.close();
    expect(loopBusyShare()).toBe(0);
  });
});
