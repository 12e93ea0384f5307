/** The engine's loop around libuv's: Node's own parts stay in order and in time, an idle engine costs nothing, and it keeps no process alive. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SendFlag } from '../../../src/engine/engine.js';
import { PATIENT, type RecordingEngine, startEngine } from './recording-engine.js';

const ADDON = fileURLToPath(new URL('../../../build/Release/sluice_engine.node', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

let endpoint: Server;
let port: number;

beforeAll(async () => {
  endpoint = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  port = (endpoint.address() as AddressInfo).port;
});

afterAll(async () => {
  endpoint.closeAllConnections();
  endpoint.close();
  await once(endpoint, 'close');
});

describe('engine under load', () => {
  let client: RecordingEngine;

  beforeEach(() => {
    client = startEngine();
    client.engine.openPool(0, [`127.0.0.1:${port}`], PATIENT);
    client.onEvent = (event) => client.send(event.exchange, 0, SendFlag.IDEMPOTENT);
    for (let id = 0; id < 32; id++) client.send(id, 0, SendFlag.IDEMPOTENT);
  });

  afterEach(() => client.engine.close());

  it('runs ticks and promises when a batch ends, before the next one', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      client.onEvent = (event) => {
        client.onEvent = (next) => client.send(next.exchange, 0, SendFlag.IDEMPOTENT);
        const batch = client.batches;
        order.push('batch');
        process.nextTick(() => order.push(`tick ${client.batches - batch}`));
        Promise.resolve().then(() => order.push(`promise ${client.batches - batch}`));
        setImmediate(() => {
          order.push('immediate');
          resolve();
        });
        client.send(event.exchange, 0, SendFlag.IDEMPOTENT);
      };
    });
    expect(order).toEqual(['batch', 'tick 0', 'promise 0', 'immediate']);
  });

  it('keeps timers, immediates, messages and files in time', async () => {
    const { port1, port2 } = new MessageChannel();
    const { readFile } = await import('node:fs/promises');
    const worstMs = { timer: 0, immediate: 0, message: 0, file: 0 };
    const measure = async (what: keyof typeof worstMs, expectedMs: number, wait: () => Promise<unknown>) => {
      const start = performance.now();
      await wait();
      worstMs[what] = Math.max(worstMs[what], performance.now() - start - expectedMs);
    };
    const batchesBefore = client.batches;
    for (let round = 0; round < 30; round++) {
      await Promise.all([
        measure('timer', 5, () => sleepMs(5)),
        measure('immediate', 0, () => new Promise((resolve) => setImmediate(resolve))),
        measure('file', 0, () => readFile('/proc/self/status')),
        measure('message', 0, () => {
          port1.postMessage(round);
          return once(port2, 'message');
        }),
      ]);
    }
    port1.close();
    expect(client.batches - batchesBefore).toBeGreaterThan(30);
    // Generous, since the machine has other work: without the engine giving way they would never come at all.
    for (const [what, ms] of Object.entries(worstMs)) expect(ms, what).toBeLessThan(250);
  });

  it('does not stop when other parts of the loop are busy', async () => {
    let immediates = 0;
    let isOver = false;
    const spin = () => {
      immediates++;
      if (!isOver) setImmediate(spin);
    };
    spin();
    const before = client.events.length;
    await sleepMs(100);
    isOver = true;
    expect(client.events.length - before).toBeGreaterThan(10);
    expect(immediates).toBeGreaterThan(10);
  });
});

describe('idle engine', () => {
  it('uses next to no processor time', async () => {
    const worker = new Worker(fixture('idle-worker.mjs'), { workerData: { addon: ADDON, port } });
    const [usedMs] = (await once(worker, 'message')) as [number];
    await worker.terminate();
    expect(usedMs).toBeLessThan(5);
  });

  it.each([
    ['ends by itself with an engine that was never used', 'unused'],
    ['ends by itself with an idle connection', 'idle-connection'],
    ['ends by itself after a failure that could be sent again', 'held'],
    ['stays for an exchange that is open, and ends after it', 'open-exchange'],
    ['ends by itself when the engine was closed', 'closed'],
  ])('process %s', (_, way) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', fixture('ending-process.mjs'), ADDON, way],
      {
        timeout: 10_000,
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toBe(
      way === 'open-exchange'
        ? 'answered\n'
        : way === 'held'
          ? 'failed\n'
          : way === 'idle-connection'
            ? 'answered\n'
            : '',
    );
  });

  it('may be collected, and closes what it had open', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', fixture('ending-process.mjs'), ADDON, 'collected'],
      {
        timeout: 10_000,
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toBe('answered\ncollected\n');
  });
});

describe('two engines of one thread', () => {
  it('both work', async () => {
    const clients = [startEngine(), startEngine()];
    for (const client of clients) {
      client.engine.openPool(0, [`127.0.0.1:${port}`], PATIENT);
      client.send(1);
    }
    for (const client of clients) expect((await client.untilEnd(1)).body.toString()).toBe('hello');
    clients[0]?.engine.close();
    clients[1]?.send(2);
    expect((await clients[1]?.untilEnd(2))?.body.toString()).toBe('hello');
    clients[1]?.engine.close();
    const again = startEngine();
    again.engine.openPool(0, [`127.0.0.1:${port}`], PATIENT);
    again.send(1);
    expect((await again.untilEnd(1)).body.toString()).toBe('hello');
    again.engine.close();
  });
});
