/** Much data through each relay, hashed at both ends, with memory that does not grow. SLUICE_LONG=1: the full gigabyte. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { PatternedBytes } from '../../harness/patterned-bytes.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../../harness/process-facts.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { sessionStatus, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { startEndpoint, until, type WireEndpoint } from '../../harness/wire.js';

const started = endAfterEach();

const MIB = 1024 * 1024;
const IS_LONG = process.env['SLUICE_LONG'] === '1';
const TOTAL_BYTES = (IS_LONG ? 1024 : 256) * MIB;
const TIMEOUT_MS = IS_LONG ? 240_000 : 90_000;
/** What passes may take this much more of the process's memory; pipes are the kernel's, and bounded by it. */
const GROWTH_BYTES = 24 * MIB;

const download = new PatternedBytes(TOTAL_BYTES, 21);
const upload = new PatternedBytes(TOTAL_BYTES, 22);
const downloadHash = download.hash();
const uploadHash = upload.hash();

async function send(bytes: PatternedBytes, socket: Socket): Promise<void> {
  for (const piece of bytes.pieces()) if (!socket.write(piece)) await once(socket, 'drain');
  socket.end();
}

/** @param pauses how often the reader looks away, long enough for everything on the way to fill up */
async function hashFrom(socket: Socket, pauses = 0): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  let paused = 0;
  // Without this option the end of reading would destroy the socket, with all that it still has to send.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    if (paused >= pauses || bytes < ((paused + 1) * TOTAL_BYTES) / (pauses + 1)) continue;
    paused++;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return hash.digest('hex');
}

/** How much the proxy's memory grew at most while `act` ran. */
async function growthDuring(what: string, proxy: ProxyProcess, act: () => Promise<void>): Promise<number> {
  const pid = proxy.child.pid as number;
  forgetPeak(pid);
  const before = memoryBytes(pid);
  const startedAt = performance.now();
  await act();
  const growth = peakMemoryBytes(pid) - before;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.info(
    `${what}: ${TOTAL_BYTES / MIB} MiB each way in ${seconds} s, ${(growth / MIB).toFixed(1)} MiB more memory`,
  );
  return growth;
}

/** An endpoint that hashes what comes while it sends. */
async function startHashing(pauses: number): Promise<WireEndpoint & { readonly hashes: Promise<string>[] }> {
  const hashes: Promise<string>[] = [];
  const endpoint = await startEndpoint((socket) => {
    const hash = hashFrom(socket, pauses);
    hashes.push(hash);
    // Sessions that a test leaves open are broken at its end.
    hash.catch(() => {});
    send(download, socket).catch(() => {});
  });
  return { ...endpoint, hashes };
}

/** A client whose bytes nobody takes before the test does. */
async function openSocket(proxy: ProxyProcess): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {});
  await started({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return socket;
}

describe.each(['adaptive', 'copy', 'splice'])('the relay %s', (relay) => {
  it(
    'carries much in both directions at once, and not a byte is wrong',
    async () => {
      const endpoint = await started(startHashing(0));
      const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay }, workers: 1 }));
      const growth = await growthDuring(relay, proxy, async () => {
        const socket = await openSocket(proxy);
        const [hash] = await Promise.all([hashFrom(socket), send(upload, socket)]);
        expect(hash).toBe(downloadHash);
        expect(await endpoint.hashes[0]).toBe(uploadHash);
      });
      expect(growth).toBeLessThan(GROWTH_BYTES);
      await untilNoSessions(proxy);
      // Counted with each beat of the worker.
      await until('all bytes in the status', async () => {
        const { bytesFromClients, bytesToClients } = (await sessionStatus(proxy)).totals;
        return bytesFromClients === TOTAL_BYTES && bytesToClients === TOTAL_BYTES;
      });
    },
    TIMEOUT_MS,
  );

  it(
    'does not grow while both sides read slowly, eight sessions at a time',
    async () => {
      const endpoint = await started(startHashing(3));
      const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay }, workers: 1 }));
      // Eight downloads that nobody reads, for as long as the ninth session takes.
      await Promise.all(Array.from({ length: 8 }, () => openSocket(proxy)));
      await until('their sessions', () => endpoint.hashes.length === 8);
      const growth = await growthDuring(`${relay}, slow readers`, proxy, async () => {
        const socket = await openSocket(proxy);
        const [hash] = await Promise.all([hashFrom(socket, 3), send(upload, socket)]);
        expect(hash).toBe(downloadHash);
        expect(await endpoint.hashes[8]).toBe(uploadHash);
      });
      expect(growth).toBeLessThan(GROWTH_BYTES);
    },
    TIMEOUT_MS,
  );
});
