/** Uploads and downloads at once, where each side waits for the other: nothing may stand still for good. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { PatternedBytes } from '../../harness/patterned-bytes.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { startEndpoint, type WireEndpoint } from '../../harness/wire.js';

const MIB = 1024 * 1024;

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: WireEndpoint;
  let proxy: ProxyProcess;

  /** An echo that reads no further while what it has read is not taken back: what it sends is as long as what it gets. */
  function echo(socket: Socket): void {
    let head = '';
    let hasAnswered = false;
    socket.on('data', (chunk: Buffer) => {
      let body = chunk;
      if (!hasAnswered) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        hasAnswered = true;
        body = Buffer.from(head.slice(end + 4), 'latin1');
        const isSized = head.startsWith('POST /sized');
        const length = /content-length: (\d+)/i.exec(head)?.[1];
        socket.write(`HTTP/1.1 200 OK\r\n${isSized ? `Content-Length: ${length}\r\n` : ''}\r\n`);
        left = Number(length);
      }
      left -= body.length;
      const isTaken = socket.write(body);
      if (left === 0) socket.end();
      if (isTaken) return;
      socket.pause();
      socket.once('drain', () => socket.resume());
    });
    let left = 0;
  }

  beforeAll(async () => {
    endpoint = await startEndpoint(echo);
    proxy = await startProxy(configFor([endpoint.port], { frontend }));
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  describe('an upload that comes back as it goes', () => {
    it.each([
      ['a known length', '/sized'],
      ['unknown length', '/chunked'],
    ])('goes on when the client reads again, and all of it arrives: with a response of %s', async (_, path) => {
      const body = new PatternedBytes(96 * MIB, 5);
      const client = connect(proxy.port, '127.0.0.1');
      client.write(`POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.totalBytes}\r\n\r\n`);
      // Everything is offered at once and nothing read, until nothing moves: both directions are full from end to end.
      client.pause();
      const pieces = body.pieces();
      const send = (): void => {
        for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
          if (!client.write(piece.value)) return;
        }
      };
      client.on('drain', send);
      send();
      await standstill(client);
      expect(client.bytesWritten - client.writableLength).toBeLessThan(body.totalBytes);

      const text = await wholeOf(client, path === '/sized' ? body.totalBytes : undefined);
      expect(text.hash).toBe(body.hash());
      client.destroy();
      await untilIdle(proxy);
    });

    /** Waits until the kernel has taken nothing of the client for a while. */
    async function standstill(client: Socket): Promise<void> {
      const deadline = performance.now() + 5_000;
      for (let before = -1; ; ) {
        const sent = client.bytesWritten - client.writableLength;
        if (sent === before) return;
        if (performance.now() > deadline) throw new Error('the client is never stopped');
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }

    /** Reads one response to its end. @param totalBytes of its body; undefined: it is chunked */
    function wholeOf(client: Socket, totalBytes: number | undefined): Promise<{ hash: string }> {
      return new Promise((resolve, reject) => {
        const hash = createHash('sha256');
        let pending: Buffer = Buffer.alloc(0);
        let isInBody = false;
        let bodyBytes = 0;
        const timer = setTimeout(() => reject(new Error(`stands still after ${bodyBytes} bytes`)), 10_000);
        const done = (): void => {
          clearTimeout(timer);
          resolve({ hash: hash.digest('hex') });
        };
        const take = (bytes: Buffer): void => {
          hash.update(bytes);
          bodyBytes += bytes.length;
        };
        client.on('close', () => reject(new Error(`closed after ${bodyBytes} bytes`)));
        client.on('data', (chunk: Buffer) => {
          pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
          if (!isInBody) {
            const end = pending.indexOf('\r\n\r\n');
            if (end < 0) return;
            isInBody = true;
            pending = pending.subarray(end + 4);
          }
          if (totalBytes !== undefined) {
            take(pending);
            pending = Buffer.alloc(0);
            if (bodyBytes === totalBytes) done();
            return;
          }
          for (;;) {
            const lineEnd = pending.indexOf('\r\n');
            if (lineEnd < 0) return;
            const size = Number.parseInt(pending.toString('latin1', 0, lineEnd), 16);
            if (pending.length < lineEnd + size + 4) return;
            take(pending.subarray(lineEnd + 2, lineEnd + 2 + size));
            pending = pending.subarray(lineEnd + size + 4);
            if (size === 0) return done();
          }
        });
        client.resume();
      });
    }
  });
});
