/** Large bodies through pauses: what arrives is what was sent, and memory stays flat. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BODY_HIGH_WATER, CHUNKED_BODY, EventFlag, EventType } from '../../../src/engine/engine.js';
import { PatternedBytes } from '../../harness/patterned-bytes.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../../harness/process-facts.js';
import { startEndpoint, until, type WireEndpoint } from '../../harness/wire.js';
import { PATIENT, type RecordingEngine, startEngine } from './recording-engine.js';

const MIB = 1024 * 1024;
const BODY_BYTES = 256 * MIB;
/** Far below the body: what both ends and the kernel's accounting of this process may hold on top of what was there. */
const GROWTH_BYTES = 96 * MIB;
const POST = 'POST / HTTP/1.1\r\nhost: endpoint\r\n';

let client: RecordingEngine;
let endpoint: WireEndpoint;

beforeEach(() => {
  client = startEngine();
});

afterEach(async () => {
  client.engine.close();
  await endpoint.close();
});

async function write(socket: Socket, bytes: Buffer | string): Promise<void> {
  if (!socket.write(bytes)) await once(socket, 'drain');
}

async function start(handle: (socket: Socket) => void): Promise<void> {
  endpoint = await startEndpoint(handle);
  client.engine.openPool(0, [`127.0.0.1:${endpoint.port}`], {
    ...PATIENT,
    idleTimeoutMs: 20_000,
    firstByteTimeoutMs: 60_000,
  });
}

describe('a large response', () => {
  it.each(['with a length', 'in chunks', 'until the end'])(
    '%s arrives whole through a reader that pauses',
    { timeout: 60_000 },
    async (framing) => {
      const body = new PatternedBytes(BODY_BYTES);
      await start((socket) => {
        socket.once('data', async () => {
          const field =
            { 'with a length': `content-length: ${BODY_BYTES}\r\n`, 'in chunks': 'transfer-encoding: chunked\r\n' }[
              framing
            ] ?? '';
          await write(socket, `HTTP/1.1 200 OK\r\n${field}\r\n`);
          for (const piece of body.pieces()) {
            if (framing === 'in chunks') await write(socket, `${piece.length.toString(16)}\r\n`);
            await write(socket, piece);
            if (framing === 'in chunks') await write(socket, '\r\n');
          }
          if (framing === 'in chunks') await write(socket, '0\r\n\r\n');
          if (framing === 'until the end') socket.end();
        });
      });
      const hash = createHash('sha256');
      let receivedBytes = 0;
      let pauses = 0;
      let atOnceBytes = 0;
      let isOver = false;
      client.onEvent = (event) => {
        client.events.length = 0;
        expect(event.type).not.toBe(EventType.FAILED);
        hash.update(event.body);
        receivedBytes += event.body.length;
        atOnceBytes = Math.max(atOnceBytes, event.body.length);
        isOver = (event.flags & EventFlag.LAST) !== 0;
        if (isOver || receivedBytes % 5 !== 0) return;
        pauses++;
        client.engine.pause(1);
        setTimeout(() => client.engine.resume(1), pauses % 3);
      };
      forgetPeak(process.pid);
      const before = memoryBytes(process.pid);
      client.send(1);
      await until('it is over', () => isOver, 50_000);
      expect(receivedBytes).toBe(BODY_BYTES);
      expect(hash.digest('hex')).toBe(body.hash());
      expect(pauses).toBeGreaterThan(10);
      expect(atOnceBytes).toBeLessThanOrEqual(256 * 1024);
      expect(peakMemoryBytes(process.pid) - before).toBeLessThan(GROWTH_BYTES);
    },
  );
});

describe('a large request', () => {
  it.each(['with a length', 'in chunks'])(
    '%s arrives whole at an endpoint that reads slowly',
    { timeout: 60_000 },
    async (framing) => {
      const body = new PatternedBytes(BODY_BYTES);
      const wireHash = createHash('sha256');
      let wireBytes = 0;
      let headBytes = 0;
      await start((socket) => {
        socket.on('data', (chunk) => {
          let piece = chunk;
          if (headBytes === 0) {
            headBytes = chunk.indexOf('\r\n\r\n') + 4;
            piece = chunk.subarray(headBytes);
          }
          wireHash.update(piece);
          wireBytes += piece.length;
          if (
            framing === 'with a length' ? wireBytes === BODY_BYTES : piece.subarray(-5).equals(Buffer.from('0\r\n\r\n'))
          ) {
            socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
            return;
          }
          if (wireBytes % 7 !== 0) return;
          socket.pause();
          setTimeout(() => socket.resume(), wireBytes % 3);
        });
      });
      const expected = createHash('sha256');
      let drained: () => void = () => {};
      client.onEvent = (event) => {
        expect(event.type).not.toBe(EventType.FAILED);
        if (event.type === EventType.DRAINED) drained();
      };
      forgetPeak(process.pid);
      const before = memoryBytes(process.pid);
      client.send(1, 0, 0, framing === 'in chunks' ? CHUNKED_BODY : BODY_BYTES, POST);
      let sentBytes = 0;
      let mostHeldBytes = 0;
      let waits = 0;
      for (const piece of body.pieces()) {
        sentBytes += piece.length;
        const isLast = sentBytes === BODY_BYTES;
        if (framing === 'in chunks') {
          expected
            .update(`${piece.length.toString(16)}\r\n`)
            .update(piece)
            .update(isLast ? '\r\n0\r\n\r\n' : '\r\n');
        } else {
          expected.update(piece);
        }
        const isDrained = new Promise<void>((resolve) => {
          drained = resolve;
        });
        const heldBytes = client.engine.write(1, piece, isLast);
        mostHeldBytes = Math.max(mostHeldBytes, heldBytes);
        if (heldBytes <= BODY_HIGH_WATER || isLast) continue;
        waits++;
        await isDrained;
      }
      const event = await client.untilEnd(1);
      expect(event.status).toBe(200);
      expect(event.flags & EventFlag.REQUEST_UNFINISHED).toBe(0);
      expect(wireHash.digest('hex')).toBe(expected.digest('hex'));
      expect(waits).toBeGreaterThan(10);
      expect(mostHeldBytes).toBeLessThanOrEqual(256 * 1024);
      expect(peakMemoryBytes(process.pid) - before).toBeLessThan(GROWTH_BYTES);
    },
  );
});
