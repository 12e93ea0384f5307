/** HTTP/1.1 messages as they lie on the wire: heads line by line, bodies by their framing. For tests; reads only what is well-formed. */

/** One request or response. */
export interface WireMessage {
  /** Request line or status line. */
  readonly startLine: string;
  /** Field lines as they came. */
  readonly lines: readonly string[];
  /** The head as it came, empty line included, as latin1. */
  readonly head: string;
  /** Without its chunking. */
  readonly body: Buffer;
  readonly isChunked: boolean;
}

/** All values of a field, in order. @param name in lower case */
export function valuesOf(message: Pick<WireMessage, 'lines'>, name: string): string[] {
  return message.lines
    .filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === name)
    .map((line) => line.slice(line.indexOf(':') + 1).trim());
}

/** The status of a response. */
export function statusOf(message: Pick<WireMessage, 'startLine'>): number {
  return Number(message.startLine.split(' ')[1]);
}

/** The body of an error response. */
export function errorOf(message: Pick<WireMessage, 'body'>): { error: string; message: string; requestId?: string } {
  return JSON.parse(message.body.toString()) as { error: string; message: string; requestId?: string };
}

/** Where a body ends: after so many bytes, with its last chunk, or with the stream. */
export type BodyFraming = number | 'chunked' | 'until-end';

/** @param isBodyless the response to a HEAD request. @returns how the body behind this head is framed */
export function framingOf(message: Pick<WireMessage, 'startLine' | 'lines'>, isBodyless = false): BodyFraming {
  const isResponse = message.startLine.startsWith('HTTP/');
  const status = isResponse ? statusOf(message) : 0;
  if (isBodyless || status === 204 || status === 304 || (status >= 100 && status < 200)) return 0;
  if (valuesOf(message, 'transfer-encoding').includes('chunked')) return 'chunked';
  const [length] = valuesOf(message, 'content-length');
  if (length !== undefined) return Number(length);
  return isResponse ? 'until-end' : 0;
}

/** A message that has begun to come. */
interface Begun {
  readonly startLine: string;
  readonly lines: readonly string[];
  readonly head: string;
  readonly isChunked: boolean;
  readonly length: BodyFraming;
}

/** Cuts a stream of bytes into messages. `next` reads on where the message before ended. Each byte is looked at once. */
export class MessageReader {
  #bytes = Buffer.alloc(64 * 1024);
  #start = 0;
  #end = 0;
  #isEnded = false;
  #begun: Begun | null = null;
  /** Where the next chunk begins, and the chunks before it. */
  #chunkAt = 0;
  #chunks: Buffer[] = [];

  push(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#end + chunk.length));
      this.#bytes.copy(larger, 0, 0, this.#end);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** The stream has ended cleanly: a body that lasts until then is complete. */
  end(): void {
    this.#isEnded = true;
  }

  /** Bytes that belong to no message that was read, as latin1. */
  get rest(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end);
  }

  /** The head that comes next, once it is whole; it is not taken. */
  get head(): string | undefined {
    if (this.#begun !== null) return this.#begun.head;
    const end = this.#bytes.subarray(this.#start, this.#end).indexOf('\r\n\r\n');
    return end < 0 ? undefined : this.#bytes.toString('latin1', this.#start, this.#start + end + 4);
  }

  /** @param isBodyless the response to a HEAD request. @returns the next message, or undefined while it is not whole */
  next(isBodyless = false): WireMessage | undefined {
    this.#begun ??= this.#begin(isBodyless);
    if (this.#begun === null) return undefined;
    const { startLine, lines, head, isChunked, length } = this.#begun;
    const body = length === 'chunked' ? this.#takeChunks() : this.#takeBody(this.#start + head.length, length);
    if (body === undefined) return undefined;
    this.#begun = null;
    return { startLine, lines, head, body, isChunked };
  }

  #begin(isBodyless: boolean): Begun | null {
    const head = this.head;
    if (head === undefined) return null;
    const [startLine = '', ...lines] = head.slice(0, -4).split('\r\n');
    const length = framingOf({ startLine, lines }, isBodyless);
    this.#chunkAt = this.#start + head.length;
    this.#chunks = [];
    return { startLine, lines, head, isChunked: valuesOf({ lines }, 'transfer-encoding').includes('chunked'), length };
  }

  #takeBody(from: number, length: number | 'until-end'): Buffer | undefined {
    if (length === 'until-end') return this.#isEnded ? this.#take(from, this.#end) : undefined;
    return this.#end < from + length ? undefined : this.#take(from, from + length);
  }

  #take(from: number, to: number): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(from, to));
    this.#advance(to);
    return bytes;
  }

  #advance(to: number): void {
    this.#start = to;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #takeChunks(): Buffer | undefined {
    const unread = this.#bytes.subarray(0, this.#end);
    for (;;) {
      const lineEnd = unread.indexOf('\r\n', this.#chunkAt);
      if (lineEnd < 0) return undefined;
      const line = unread.toString('latin1', this.#chunkAt, lineEnd);
      if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
      const dataStart = lineEnd + 2;
      const dataEnd = dataStart + Number.parseInt(line, 16);
      if (unread.length < dataEnd + 2) return undefined;
      if (unread.toString('latin1', dataEnd, dataEnd + 2) !== '\r\n') throw new Error('a chunk is not ended by CRLF');
      this.#chunkAt = dataEnd + 2;
      if (dataEnd === dataStart) {
        const body = Buffer.concat(this.#chunks);
        this.#advance(this.#chunkAt);
        return body;
      }
      this.#chunks.push(Buffer.from(unread.subarray(dataStart, dataEnd)));
    }
  }
}
