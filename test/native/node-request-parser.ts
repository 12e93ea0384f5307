/** Reads one HTTP/1 request with the parser inside Node (llhttp), in the terms of the engine's request_dump. */
import { createRequire } from 'node:module';

/** What a parser says: `invalid`, `incomplete` at the connection's end, or `complete`; the rest once it read the head. Texts in hex. */
export interface RequestReading {
  readonly result: 'complete' | 'incomplete' | 'invalid';
  readonly method?: string;
  readonly target?: string;
  /** Node: the Host field's value; the engine: what counts. */
  readonly host?: string;
  readonly minor?: number;
  readonly isChunked?: boolean;
  readonly keepAlive?: boolean;
  readonly isUpgrade?: boolean;
  /** Offset behind the complete request, or of its end on the connection. */
  readonly endsAt?: number;
  /** The body bytes read so far. */
  readonly decoded?: string;
}

/** The part of Node's inner parser that is used here; the same in Node 20, 22 and 24. */
interface LlhttpParser {
  initialize(kind: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void;
  execute(bytes: Uint8Array): number | Error;
  close(): void;
  [callback: number]: (...values: never[]) => unknown;
}

interface LlhttpParserClass {
  new (): LlhttpParser;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

// Public API reads a request only through a socket and hides where it ended; this module is what node:http uses.
const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as {
  HTTPParser: LlhttpParserClass;
  methods: readonly string[];
};

const MAX_HEADER_BYTES = 16_384;

function hexOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

/** Reads `bytes` one by one, so that the place where the request ended is known. */
export function parseRequestWithNode(bytes: Buffer): RequestReading {
  const parser = new HTTPParser();
  const body: Buffer[] = [];
  const fields: string[] = [];
  let url = '';
  let head: Omit<RequestReading, 'result' | 'endsAt' | 'decoded'> | undefined;
  let isComplete = false;
  parser.initialize(HTTPParser.REQUEST, {}, MAX_HEADER_BYTES, HTTPParser.kLenientNone);
  // Called where fields do not fit its own table, or the input comes in pieces.
  parser[HTTPParser.kOnHeaders] = (some: string[], part: string) => {
    fields.push(...some);
    url += part;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    minor: number,
    some: string[] | undefined,
    method: number,
    part: string | undefined,
    _status: unknown,
    _reason: unknown,
    isUpgrade: boolean,
    keepAlive: boolean,
  ) => {
    fields.push(...(some ?? []));
    const valuesOf = (name: string) =>
      fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === name);
    head = {
      method: hexOf(methods[method] ?? ''),
      target: hexOf(part ?? url),
      host: hexOf(valuesOf('host')[0] ?? ''),
      minor,
      isChunked: valuesOf('transfer-encoding').length > 0,
      keepAlive,
      isUpgrade,
    };
    return 0;
  };
  parser[HTTPParser.kOnBody] = (piece: Buffer) => body.push(Buffer.from(piece));
  parser[HTTPParser.kOnMessageComplete] = () => {
    isComplete = true;
  };

  const reading = (result: RequestReading['result'], endsAt: number): RequestReading =>
    head === undefined ? { result } : { result, ...head, endsAt, decoded: Buffer.concat(body).toString('hex') };
  try {
    for (let at = 0; at < bytes.length; at++) {
      const outcome = parser.execute(bytes.subarray(at, at + 1));
      if (isComplete) return reading('complete', at + 1);
      if (outcome instanceof Error) return { result: 'invalid' };
    }
    return reading('incomplete', bytes.length);
  } finally {
    parser.close();
  }
}
