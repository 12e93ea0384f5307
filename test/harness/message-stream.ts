/** Reads HTTP/1.1 messages from a stream of bytes as they come, without keeping bodies. For tests; reads only what is well-formed. */
import type { BodyFraming, WireMessage } from './http-message.js';

/** A head whose body is still to come. */
export type MessageHead = Pick<WireMessage, 'startLine' | 'lines'>;

/** Who is told of messages: for each one `head`, then `body` as often as there are pieces, then `end`. */
export interface MessageTaker {
  /** @returns where the body ends; for an interim response 0 */
  head(head: MessageHead): BodyFraming;
  body(piece: Buffer): void;
  /** @param trailers field lines as they came */
  end(trailers: readonly string[]): void;
}

const LINE_END = '\r\n';
/** Longer heads and lines are none that tests send: something has got out of step. */
const MAX_LINES_BYTES = 64 * 1024;

type State = 'head' | 'length' | 'until-end' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers';

/** @throws Error (from `push`) where the bytes are no HTTP */
export class MessageStream {
  #state: State = 'head';
  #kept: Buffer = Buffer.alloc(0);
  #leftBytes = 0;

  constructor(private readonly taker: MessageTaker) {}

  /** Has nothing of a message come whose end is missing? */
  get isBetweenMessages(): boolean {
    return this.#state === 'head' && this.#kept.length === 0;
  }

  push(chunk: Buffer): void {
    let bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    this.#kept = Buffer.alloc(0);
    while (bytes.length > 0) {
      const usedBytes = this.#take(bytes);
      if (usedBytes === 0) {
        if (bytes.length > MAX_LINES_BYTES) throw new Error(`no end of lines: ${told(bytes)}`);
        this.#kept = Buffer.from(bytes);
        return;
      }
      bytes = bytes.subarray(usedBytes);
    }
  }

  /** The stream has ended cleanly: a body that lasts until then is complete. */
  end(): void {
    if (this.#state === 'until-end') this.#finish([]);
  }

  /** @returns bytes used; 0: more are needed */
  #take(bytes: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(bytes);
      case 'until-end':
        this.taker.body(bytes);
        return bytes.length;
      case 'length':
      case 'chunk-data':
        return this.#takeBody(bytes);
      case 'chunk-size':
        return this.#takeLine(bytes, (line) => this.#beginChunk(line));
      case 'chunk-end':
        return this.#takeLine(bytes, (line) => {
          if (line !== '') throw new Error(`a chunk is not ended by CRLF: ${told(bytes)}`);
          this.#state = 'chunk-size';
        });
      case 'trailers':
        return this.#takeTrailers(bytes);
    }
  }

  #takeHead(bytes: Buffer): number {
    const end = bytes.indexOf(LINE_END + LINE_END);
    if (end < 0) return 0;
    const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split(LINE_END);
    if (!/^(HTTP\/1\.[01] \d{3}|[A-Z]+ \S+ HTTP\/1\.[01]$)/.test(startLine)) throw new Error(`no head: ${told(bytes)}`);
    const framing = this.taker.head({ startLine, lines });
    this.#begin(framing);
    return end + 2 * LINE_END.length;
  }

  #begin(framing: BodyFraming): void {
    if (framing === 'chunked') this.#state = 'chunk-size';
    else if (framing === 'until-end') this.#state = 'until-end';
    else if (framing === 0) this.#finish([]);
    else {
      this.#state = 'length';
      this.#leftBytes = framing;
    }
  }

  #takeBody(bytes: Buffer): number {
    const piece = bytes.subarray(0, this.#leftBytes);
    this.#leftBytes -= piece.length;
    this.taker.body(piece);
    if (this.#leftBytes > 0) return piece.length;
    if (this.#state === 'chunk-data') this.#state = 'chunk-end';
    else this.#finish([]);
    return piece.length;
  }

  #beginChunk(line: string): void {
    const [size = ''] = line.split(';');
    if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    this.#leftBytes = Number.parseInt(size, 16);
    this.#state = this.#leftBytes === 0 ? 'trailers' : 'chunk-data';
  }

  #takeTrailers(bytes: Buffer): number {
    if (bytes.toString('latin1', 0, LINE_END.length) === LINE_END) {
      this.#finish([]);
      return LINE_END.length;
    }
    const end = bytes.indexOf(LINE_END + LINE_END);
    if (end < 0) return 0;
    this.#finish(bytes.toString('latin1', 0, end).split(LINE_END));
    return end + 2 * LINE_END.length;
  }

  #takeLine(bytes: Buffer, act: (line: string) => void): number {
    const end = bytes.indexOf(LINE_END);
    if (end < 0) return 0;
    act(bytes.toString('latin1', 0, end));
    return end + LINE_END.length;
  }

  #finish(trailers: readonly string[]): void {
    this.#state = 'head';
    this.taker.end(trailers);
  }
}

function told(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1', 0, 120));
}
