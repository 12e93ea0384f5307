/** Looks for a text in the body of a probe's response, as far as a probe reads: undoes its content coding, holds no more than a chunk. */
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** Most bytes of the decoded body that are looked at: pages of status, not downloads. */
export const SEARCHED_BYTES = 256 * 1024;

/** By the name of a content coding (RFC 9110 section 8.4.1). */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
]);

/** A response's body, of either version of HTTP. */
export interface ProbeBody {
  readonly stream: Readable;
  /** Content-Encoding; undefined: none. */
  readonly coding: string | undefined;
  /** All of it has come: asked once the stream is closed. */
  readonly isComplete: () => boolean;
}

/**
 * Looks until the text is found, the body ends, or SEARCHED_BYTES of it have come; then lets go of the response, which the caller
 * reads to its end or destroys.
 *
 * @param wanted not empty
 * @param done   called once: with null when the text was found, else with a sentence that says why not
 */
export function searchBody(
  { stream: response, coding: written = 'identity', isComplete }: ProbeBody,
  wanted: string,
  done: (reason: string | null) => void,
): void {
  const coding = written.trim().toLowerCase();
  const decoder = coding === 'identity' || coding === '' ? null : DECODERS.get(coding)?.();
  if (decoder === undefined) return done(`its body has the content coding "${coding}", which the check cannot read`);
  const search = new BodySearch(wanted);
  const body = decoder === null ? response : response.pipe(decoder);
  let isOver = false;
  const end = (reason: string | null): void => {
    if (isOver) return;
    isOver = true;
    body.removeAllListeners('data');
    if (decoder !== null) {
      response.unpipe(decoder);
      decoder.destroy();
    }
    done(reason);
  };
  body.on('data', (chunk: Buffer) => {
    if (search.finds(chunk)) end(null);
    else if (search.isOver) end(`the first ${SEARCHED_BYTES / 1024} KiB of its body do not contain "${wanted}"`);
  });
  body.once('end', () => end(`its body (${search.seenBytes} bytes) does not contain "${wanted}"`));
  decoder?.on('error', (error) => end(`its body is not what its content coding "${coding}" says: ${error.message}`));
  response.once('close', () => {
    if (!isComplete()) end('the connection closed in the middle of its body');
  });
}

/** Finds a text in a row of chunks, also where it lies over several of them. */
class BodySearch {
  readonly #wanted: Buffer;
  /** The end of what was seen, one byte shorter than what is wanted. */
  #tail: Buffer = Buffer.alloc(0);
  seenBytes = 0;

  constructor(wanted: string) {
    this.#wanted = Buffer.from(wanted);
  }

  get isOver(): boolean {
    return this.seenBytes >= SEARCHED_BYTES;
  }

  finds(chunk: Buffer): boolean {
    const looked = Buffer.concat([this.#tail, chunk.subarray(0, SEARCHED_BYTES - this.seenBytes)]);
    this.seenBytes = Math.min(this.seenBytes + chunk.length, SEARCHED_BYTES);
    this.#tail = looked.subarray(Math.max(0, looked.length - this.#wanted.length + 1));
    return looked.includes(this.#wanted);
  }
}
