/** Worker threads with a busy engine end at any moment, in any way: nothing crashes, nothing leaks. */
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../harness/wire.js';

const ADDON = fileURLToPath(new URL('../../../build/Release/sluice_engine.node', import.meta.url));
const WORKER = new URL('fixtures/engine-worker.mjs', import.meta.url);

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

function startWorker(way: string, concurrency = 16): Worker {
  const { port } = endpoint.address() as AddressInfo;
  return new Worker(WORKER, { workerData: { addon: ADDON, port, way, concurrency } });
}

/** Ends the worker when it has had its first answer and `delayMs` more have passed. @returns its exit code */
async function startAndTerminate(way: string, delayMs: number): Promise<number> {
  const worker = startWorker(way);
  if (delayMs >= 0) {
    await once(worker, 'message');
    const end = performance.now() + delayMs;
    while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
  } else {
    await once(worker, 'online');
  }
  return worker.terminate();
}

/**
 * What the descriptors of this process are, without the file of the worker: Node reads a module with its thread pool and leaves it open
 * when the thread ends in between (seen with Node 20 and without any addon; the busier the machine, the more often).
 */
function openFiles(): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return 'the listing itself';
    }
  });
  return targets.filter((target) => target !== fileURLToPath(WORKER));
}

describe('engine in a worker that ends', () => {
  it('survives terminate() at 200 moments under load and leaves no descriptor behind', {
    timeout: 120_000,
  }, async () => {
    await startAndTerminate('terminate', 0);
    endpoint.closeAllConnections();
    const before = openFiles().length;
    for (let round = 0; round < 200; round++) {
      const code = await startAndTerminate('terminate', round % 20 === 0 ? -1 : (round % 13) * 0.37);
      expect(code).toBe(1);
    }
    endpoint.closeAllConnections();
    await until('descriptors are closed', () => openFiles().length <= before);
  });

  it('survives terminate() while it is idle', async () => {
    for (let round = 0; round < 20; round++) expect(await startAndTerminate('idle', 1)).toBe(1);
  });

  it('survives process.exit() within onBatch', async () => {
    for (let round = 0; round < 10; round++) {
      const [code] = await once(startWorker('exit-in-batch'), 'exit');
      expect(code).toBe(7);
    }
  });

  it('makes what onBatch throws an uncaught exception of its worker', async () => {
    const worker = startWorker('throw-in-batch');
    const [error] = (await once(worker, 'error')) as [Error];
    expect(error.message).toBe('thrown inside onBatch');
    await worker.terminate();
  });

  it('makes even null that onBatch throws an uncaught exception', async () => {
    const worker = startWorker('throw-null-in-batch');
    const [error] = (await once(worker, 'error')) as [Error];
    expect(error.message).toBe('onBatch threw null');
    await worker.terminate();
  });

  it('lets a worker end by itself when nothing is open', async () => {
    const [code] = await once(startWorker('drop'), 'exit');
    expect(code).toBe(0);
  });
});
