/** The primary's acceptor and session engines in worker threads: who gets which connection, and nothing lost when a worker ends. */
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../src/engine/load-engine.js';
import type { Acceptor, ListeningSocket, SessionEngineStats } from '../../../src/engine/session-engine.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, type SessionEndpoint, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';
import { codeOf, messageOf, openLoopback } from './recording-session-engine.js';

const ADDON = fileURLToPath(new URL('../../../build/Release/sluice_engine.node', import.meta.url));
const WORKER = new URL('fixtures/session-worker.mjs', import.meta.url);
const started = endAfterEach();

interface SessionWorker {
  readonly thread: Worker;
  readonly mailbox: number;
  stats(): Promise<SessionEngineStats>;
}

let endpoint: SessionEndpoint;
let socket: ListeningSocket;
let acceptor: Acceptor;
const shortages: number[] = [];

beforeEach(async () => {
  endpoint = await started(startSessionEndpoint(echo));
  acceptor = new (loadEngine().Acceptor)({ onShortage: (errno) => shortages.push(errno) });
  socket = openLoopback();
  acceptor.listen(0, socket.descriptor);
});

afterEach(() => {
  acceptor.close();
  socket.close();
  expect(shortages).toEqual([]);
});

/** Starts a worker whose sessions all go to the endpoint; it gets no connections yet. */
async function startWorker(way = 'serve', gate?: Int32Array): Promise<SessionWorker> {
  const thread = new Worker(WORKER, { workerData: { addon: ADDON, port: endpoint.port, way, gate } });
  // What it throws is looked at where a test wants to.
  thread.on('error', () => {});
  const [mailbox] = (await once(thread, 'message')) as [number];
  await started({ close: () => thread.terminate() });
  return {
    thread,
    mailbox,
    async stats() {
      thread.postMessage('stats');
      const [stats] = (await once(thread, 'message')) as [SessionEngineStats];
      return stats;
    },
  };
}

async function startWorkers(count: number): Promise<SessionWorker[]> {
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker()));
  for (const { mailbox } of workers) acceptor.addWorker(mailbox);
  return workers;
}

/** Clients of which each has had its bytes back. */
async function openServed(count: number): Promise<SocketPeer[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => started(SocketPeer.open(socket.port))));
  await Promise.all(
    clients.map((client, index) => {
      client.send(`hello ${index}`);
      return client.gets(`hello ${index}`);
    }),
  );
  return clients;
}

const openInWorkers = () => acceptor.stats().open;

describe('acceptor', () => {
  it.each([2, 3, 4])('shares connections out equally among %i workers', async (count) => {
    const workers = await startWorkers(count);
    await openServed(count * 10);
    expect(openInWorkers()).toEqual(Array(count).fill(10));
    const sessions = await Promise.all(workers.map(async (worker) => (await worker.stats()).sessions));
    expect(sessions).toEqual(Array(count).fill(10));
    expect(acceptor.stats().accepted).toBe(count * 10);
  });

  it('fills the worker up that has fewer', async () => {
    await startWorkers(2);
    const clients = await openServed(8);
    // Of each worker's four, two end.
    for (const client of clients.slice(0, 4)) client.close();
    await until('four have ended', () => openInWorkers().reduce((sum, open) => sum + open) === 4);
    acceptor.addWorker((await startWorker()).mailbox);
    await openServed(5);
    expect(openInWorkers()).toEqual([3, 3, 3]);
  });

  it('leaves connections in the backlog until there is a worker', async () => {
    const client = await started(SocketPeer.open(socket.port));
    client.send('early');
    expect(acceptor.stats()).toEqual({ accepted: 0, open: [] });
    await startWorkers(1);
    await client.gets('early');
  });

  it('gives what a worker has not read to the others when it is removed', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const blocked = await startWorker('serve', gate);
    const [other] = await Promise.all([startWorker()]);
    acceptor.addWorker(blocked.mailbox);
    acceptor.addWorker(other.mailbox);
    blocked.thread.postMessage('block');
    await once(blocked.thread, 'message');
    const clients = await Promise.all(Array.from({ length: 10 }, () => started(SocketPeer.open(socket.port))));
    for (const client of clients) client.send('hello');
    await until('all have been accepted', () => acceptor.stats().accepted === 10);
    expect(openInWorkers()).toEqual([5, 5]);
    acceptor.removeWorker(blocked.mailbox);
    acceptor.removeWorker(blocked.mailbox);
    await Promise.all(clients.map((client) => client.gets('hello')));
    expect(openInWorkers()).toEqual([10]);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    expect(await blocked.stats()).toMatchObject({ opened: 0, queued: 0 });
  });

  it('keeps for the next worker what a worker that is terminated has not read', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const blocked = await startWorker('serve', gate);
    acceptor.addWorker(blocked.mailbox);
    blocked.thread.postMessage('block');
    await once(blocked.thread, 'message');
    const client = await started(SocketPeer.open(socket.port));
    client.send('hello');
    await until('it has been accepted', () => acceptor.stats().accepted === 1);
    await blocked.thread.terminate();
    acceptor.removeWorker(blocked.mailbox);
    expect(client.ending).toBe('open');
    await startWorkers(1);
    await client.gets('hello');
  });

  it('lets the sessions of a removed worker go on', async () => {
    const [worker] = await startWorkers(2);
    const clients = await openServed(4);
    acceptor.removeWorker(worker?.mailbox as number);
    for (const client of clients) client.send(', again');
    await Promise.all(clients.map((client) => client.when('again', () => client.text.endsWith(', again'))));
    expect((await worker?.stats())?.sessions).toBe(2);
  });

  it('takes no notice of a worker that has gone before it is added', async () => {
    const worker = await startWorker();
    await worker.thread.terminate();
    acceptor.addWorker(worker.mailbox);
    await startWorkers(1);
    await openServed(2);
  });

  it('survives terminate() of workers under load 50 times, and loses no connection but theirs', {
    timeout: 120_000,
  }, async () => {
    let isOver = false;
    let broken = 0;
    let served = 0;
    /** Connects again and again; a session of a worker that is ended breaks, no connection may stay unanswered. */
    const load = async () => {
      while (!isOver) {
        // A reset may come before Node has seen that the connection was there.
        const client = await SocketPeer.open(socket.port).catch(() => undefined);
        if (client === undefined) {
          broken++;
          continue;
        }
        client.send('hello');
        await client.when('an answer or a reset', () => client.receivedBytes === 5 || client.ending !== 'open');
        if (client.receivedBytes === 5) served++;
        else broken++;
        client.close();
      }
    };
    await startWorkers(1);
    const filesBefore = openFiles().length;
    const clients = Array.from({ length: 8 }, load);
    for (let round = 0; round < 50; round++) {
      const worker = await startWorker();
      acceptor.addWorker(worker.mailbox);
      const before = served;
      // Now and then it is ended before it has had anything.
      if (round % 5 !== 0) await until('it is in use', () => served >= before + (round % 7) * 3, 20_000);
      expect(await worker.thread.terminate()).toBe(1);
      if (round % 3 === 0) await until('the others go on', () => served > before, 20_000);
      acceptor.removeWorker(worker.mailbox);
    }
    isOver = true;
    await Promise.all(clients);
    expect(served).toBeGreaterThan(50);
    expect(broken).toBeLessThan(50 * 8);
    await until('descriptors are closed', () => openFiles().length <= filesBefore, 20_000);
    await until('all sessions have ended', () => openInWorkers().every((open) => open === 0));
  });

  it.each([
    ['exit-in-batch', 7],
    ['throw-in-batch', 1],
    ['throw-null-in-batch', 1],
  ])('goes on with the others when a worker ends itself: %s', async (way, code) => {
    const ending = await startWorker(way);
    acceptor.addWorker(ending.mailbox);
    const ended = new Promise((resolve) => ending.thread.once('exit', resolve));
    // Some may be reset before Node has seen that they were there.
    await Promise.allSettled(Array.from({ length: 5 }, () => started(SocketPeer.open(socket.port))));
    expect(await ended).toBe(code);
    acceptor.removeWorker(ending.mailbox);
    await startWorkers(1);
    await openServed(3);
  });

  it('accepts no more than may be open', async () => {
    acceptor.close();
    const told: number[] = [];
    acceptor = new (loadEngine().Acceptor)({ onShortage: (errno) => told.push(errno), maxOpen: 2 });
    acceptor.listen(0, socket.descriptor);
    await startWorkers(2);
    const [first] = await openServed(2);
    const third = await started(SocketPeer.open(socket.port));
    third.send('third');
    await until('the bound is told', () => told.length === 1);
    expect(openInWorkers()).toEqual([1, 1]);
    first?.close();
    await third.gets('third');
    expect(acceptor.stats().accepted).toBe(3);
  });
});

describe('what a caller of the acceptor may do wrong', () => {
  const { Acceptor, openListeningSocket } = loadEngine();

  it.each<[string, () => unknown, RegExp]>([
    ['options', () => new Acceptor(undefined as never), /Acceptor: options are missing/],
    ['onShortage', () => new Acceptor({} as never), /onShortage must be a function/],
    ['maxOpen', () => new Acceptor({ onShortage: () => {}, maxOpen: -1 }), /maxOpen must be a whole number from 1/],
    ['listener', () => acceptor.listen(-1, socket.descriptor), /listener must be a whole number/],
    ['descriptor', () => acceptor.listen(0, 1.5), /descriptor must be a whole number/],
    ['mailbox', () => acceptor.addWorker(0), /mailbox must be a whole number from 1/],
    ['address', () => openListeningSocket(undefined as never, undefined as never), /address must be an object/],
    ['options', () => openListeningSocket({ host: '::', port: 0 }, undefined as never), /options must be an object/],
    ['host', () => openListeningSocket({ host: '', port: 0 }, undefined as never), /host must not be empty/],
  ])('is told about the %s', (_, call, sentence) => {
    expect(messageOf(call)).toMatch(sentence);
  });

  it('is told what the system says of a descriptor', async () => {
    expect(codeOf(() => acceptor.listen(0, 999_999))).toBe('EBADF');
    expect(codeOf(() => acceptor.listen(0, 1))).toMatch(/ENOTSOCK|EINVAL/);
    acceptor.close();
    expect(messageOf(() => acceptor.listen(0, socket.descriptor))).toBe('listen: the acceptor is closed');
  });

  it('may close twice, and ask a closed acceptor', () => {
    acceptor.close();
    acceptor.close();
    acceptor.addWorker(1);
    acceptor.removeWorker(1);
    expect(acceptor.stats()).toEqual({ accepted: 0, open: [] });
  });
});

/**
 * What the descriptors of this process are, without the files of modules: Node reads a worker's module with its thread pool and leaves
 * it open when the thread ends in between (engine-termination.test.ts).
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
