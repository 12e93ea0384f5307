/** Reads one HTTP/1 response with the parser inside Node (llhttp), in the terms of the engine's response_dump. */
import { createRequire } from 'node:module';

/** One response as bytes on a connection that closes behind them. */
export interface ResponseInput {
  readonly bytes: Buffer;
  /** It answers a HEAD request. */
  readonly isHeadRequest: boolean;
}

/** What a parser says: `invalid`, `incomplete` at the connection's end, or `complete`; the rest once it read the head. */
export interface Reading {
  readonly result: 'complete' | 'incomplete' | 'invalid';
  readonly status?: number;
  readonly minor?: number;
  readonly isUntilClose?: boolean;
  readonly keepAlive?: boolean;
  /** Offset behind the complete message; the input's size where the connection's end completes it. */
  readonly endsAt?: number;
  /** Hex of the body bytes read so far. */
  readonly decoded?: string;
}

/** The part of Node's inner parser that is used here; the same in Node 20, 22 and 24. */
interface LlhttpParser {
  initialize(kind: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void;
  execute(bytes: Uint8Array): number | Error;
  finish(): number | Error | undefined;
  close(): void;
  [callback: number]: (...values: never[]) => unknown;
}

interface LlhttpParserClass {
  new (): LlhttpParser;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

// Public API reads a response only through a socket and hides where the message ended; this module is what node:http uses.
const { HTTPParser } = createRequire(import.meta.url)('node:_http_common') as { HTTPParser: LlhttpParserClass };

const MAX_HEADER_BYTES = 16_384;
const SKIP_BODY = 1;

/** Reads `input` byte by byte, so that the place where the message ended is known, then lets the connection close. */
export function parseWithNode({ bytes, isHeadRequest }: ResponseInput): Reading {
  const parser = new HTTPParser();
  const body: Buffer[] = [];
  let head: Pick<Reading, 'status' | 'minor' | 'keepAlive'> | undefined;
  let isComplete = false;
  parser.initialize(HTTPParser.RESPONSE, {}, MAX_HEADER_BYTES, HTTPParser.kLenientNone);
  parser[HTTPParser.kOnHeaders] = () => {};
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    minor: number,
    _fields: unknown,
    _method: unknown,
    _url: unknown,
    status: number,
    _reason: string,
    _upgrade: boolean,
    keepAlive: boolean,
  ) => {
    head = { status, minor, keepAlive };
    // As the client of node:http does; llhttp alone reads the body that a Content-Length announces in a 1xx.
    return isHeadRequest || status < 200 ? SKIP_BODY : 0;
  };
  parser[HTTPParser.kOnBody] = (piece: Buffer) => body.push(Buffer.from(piece));
  parser[HTTPParser.kOnMessageComplete] = () => {
    isComplete = true;
  };

  const reading = (result: Reading['result'], isUntilClose: boolean, endsAt: number): Reading =>
    head === undefined
      ? { result }
      : { result, ...head, isUntilClose, endsAt, decoded: Buffer.concat(body).toString('hex') };
  try {
    for (let at = 0; at < bytes.length; at++) {
      const outcome = parser.execute(bytes.subarray(at, at + 1));
      if (isComplete) return reading('complete', false, at + 1);
      if (outcome instanceof Error) return { result: 'invalid' };
    }
    // Node names the parser's refusal to end here an error; that is what "incomplete" means.
    parser.finish();
    return isComplete ? reading('complete', true, bytes.length) : reading('incomplete', false, bytes.length);
  } finally {
    parser.close();
  }
}
