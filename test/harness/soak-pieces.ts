/** How both sides of a soak put bodies on the wire: in pieces of random size, with rests, and no faster than the other side takes them. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Rng } from '../../src/core/rng.js';
import { bodyPiece } from './seeded-body.js';

const MAX_PIECE_BYTES = 64 * 1024;
/** A slow side rests so often at most: back-pressure, not a long test. */
const MAX_RESTS = 10;
const REST_MS = 10;

/** The body's bytes from 0 to `bytes`, in pieces of random size; chunked ones without the last chunk. */
export function* bodyPieces(
  seed: number,
  bytes: number,
  isChunked: boolean,
  rng: Rng,
  extension = '',
): Generator<Buffer> {
  for (let at = 0; at < bytes; ) {
    // Small pieces for small bodies, so that these come in several, too; large ones for large bodies, so that they come to an end.
    const size = 1 + rng.below(Math.min(bytes - at, bytes < MAX_PIECE_BYTES ? 2048 : MAX_PIECE_BYTES));
    const piece = bodyPiece(seed, at, at + size);
    yield isChunked
      ? Buffer.concat([Buffer.from(`${size.toString(16)}${extension}\r\n`), piece, Buffer.from('\r\n')])
      : piece;
    at += size;
  }
}

/** Writes to a socket, and rests now and then where it is slow. */
export class PacedWriter {
  #rests = 0;

  constructor(
    private readonly socket: Socket,
    private readonly isSlow: boolean,
  ) {}

  /** Rests where it is slow. @returns false when the socket is closed */
  async rest(): Promise<boolean> {
    if (this.isSlow && this.#rests < MAX_RESTS && this.#rests++ > 0) await rest(REST_MS);
    return this.socket.writable;
  }

  /** Writes before it returns. @returns once there is room for more: false when the socket is closed */
  async writeNow(bytes: Buffer | string): Promise<boolean> {
    const hasRoom = typeof bytes === 'string' ? this.socket.write(bytes, 'latin1') : this.socket.write(bytes);
    if (!hasRoom) await drained(this.socket);
    return this.socket.writable;
  }

  async write(bytes: Buffer | string): Promise<boolean> {
    return (await this.rest()) && this.writeNow(bytes);
  }
}

/** Reads from a socket with rests, so that who writes to it meets back-pressure. */
export class PacedReader {
  #rests = 0;

  constructor(private readonly socket: Socket) {}

  /** To be called after each piece that came. */
  restNow(): void {
    if (this.#rests >= MAX_RESTS) return;
    this.#rests++;
    this.socket.pause();
    setTimeout(() => this.socket.resume(), REST_MS);
  }
}

export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until the socket has room, or is closed. */
async function drained(socket: Socket): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => {});
  over.abort();
}
