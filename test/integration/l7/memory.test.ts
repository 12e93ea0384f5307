/** Memory while much passes through: bounded by what an exchange may hold, not by the size of bodies. SLUICE_LONG=1: the full gigabyte. */
import { createHash, type Hash } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { PatternedBytes } from '../../harness/patterned-bytes.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../../harness/process-facts.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';

const MIB = 1024 * 1024;
const IS_LONG = process.env['SLUICE_LONG'] === '1';
const TOTAL_BYTES = (IS_LONG ? 1024 : 128) * MIB;
/** Of the whole process: Node, its workers, and all that passes. */
const LIMIT_BYTES = 200 * MIB;
const TIMEOUT_MS = IS_LONG ? 180_000 : 60_000;

/** uWebSockets.js 20.30 reads no Content-Length of more than nine digits (docs/frontend-uws.md). */
const SIZED_UPLOAD_BYTES = Math.min(TOTAL_BYTES, 999_999_999);

const body = new PatternedBytes(TOTAL_BYTES, 11);
const sizedUpload = new PatternedBytes(SIZED_UPLOAD_BYTES, 11);

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let server: Server;
  let proxy: ProxyProcess;
  let uploadHash: string | undefined;

  beforeAll(async () => {
    server = createServer((incoming, outgoing) => {
      if (incoming.method === 'POST') {
        void readSlowly(incoming).then((hash) => {
          uploadHash = hash;
          outgoing.end('done');
        });
        return;
      }
      if (incoming.url === '/sized') outgoing.setHeader('content-length', TOTAL_BYTES);
      void send(body, outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await startProxy(configFor([(server.address() as AddressInfo).port], { frontend }));
  });

  afterAll(async () => {
    await proxy?.stop();
    server?.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Takes the stream's bytes with pauses in between, so that all before it fills up. */
  async function readSlowly(stream: Readable): Promise<string> {
    const hash: Hash = createHash('sha256');
    let sincePause = 0;
    let pauses = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sincePause += chunk.length;
      if (sincePause < TOTAL_BYTES / 40) continue;
      sincePause = 0;
      // The first ones are long enough for everything on the way to fill up.
      await new Promise((resolve) => setTimeout(resolve, pauses++ < 3 ? 300 : 20));
    }
    return hash.digest('hex');
  }

  async function send(bytes: PatternedBytes, stream: Writable): Promise<void> {
    for (const piece of bytes.pieces()) {
      if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', resolve));
    }
    stream.end();
  }

  /** The peak of the proxy's memory while `act` runs. */
  async function peakDuring(what: string, act: () => Promise<void>): Promise<number> {
    const pid = proxy.child.pid as number;
    forgetPeak(pid);
    const before = memoryBytes(pid);
    const startedAt = performance.now();
    await act();
    const peak = peakMemoryBytes(pid);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
    console.info(
      `${what}: ${mib(TOTAL_BYTES)} MiB in ${seconds} s, memory ${mib(before)} MiB before, ${mib(peak)} MiB at its peak`,
    );
    return peak;
  }

  describe('the memory of the process', () => {
    it.each([
      ['known length', '/sized'],
      ['unknown length', '/chunked'],
    ])(
      'stays below 200 MiB while a slow client downloads a body of %s, and its hash is right',
      async (what, path) => {
        let hash: string | undefined;
        const peak = await peakDuring(`download of ${what}`, async () => {
          hash = await new Promise<string>((resolve, reject) => {
            request({ port: proxy.port, path, agent: false }, (response) => resolve(readSlowly(response)))
              .on('error', reject)
              .end();
          });
        });
        expect(hash).toBe(body.hash());
        expect(peak).toBeLessThan(LIMIT_BYTES);
        await untilIdle(proxy);
      },
      TIMEOUT_MS,
    );

    it.each([
      ['known length', sizedUpload, { 'content-length': SIZED_UPLOAD_BYTES }],
      ['unknown length', body, {}],
    ])(
      'stays below 200 MiB while a slow endpoint takes an upload of %s, and its hash is right',
      async (what, bytes, headers) => {
        uploadHash = undefined;
        const peak = await peakDuring(`upload of ${what}`, async () => {
          await new Promise<void>((resolve, reject) => {
            const upload = request({ port: proxy.port, method: 'POST', agent: false, headers }, (response) => {
              response.resume().on('end', resolve);
            });
            upload.on('error', reject);
            void send(bytes, upload);
          });
        });
        expect(uploadHash).toBe(bytes.hash());
        expect(peak).toBeLessThan(LIMIT_BYTES);
        await untilIdle(proxy);
      },
      TIMEOUT_MS,
    );
  });
});
