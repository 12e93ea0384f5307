/** An HTTP/2 client of the suite: sends what a case says, reads frames, and keeps every rule that the proxy breaks. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Changes } from '../../harness/changes.js';
import { ERROR_CODES, FLAGS, FRAME_TYPES, SETTINGS, type SentFrame } from './frame-notation.js';
import { rulesOfHead, rulesOfTrailers } from './head-rules.js';
import { type HeaderField, HpackDecoder } from './hpack-decoder.js';

const FRAME_HEAD_BYTES = 9;
const FIRST_FRAME_BYTES = 16_384;
const FIRST_WINDOW_BYTES = 65_535;

/** What the client saw of a stream. */
export interface SeenStream {
  /** Statuses of interim answers. */
  readonly interims: number[];
  status: number;
  fields: readonly HeaderField[];
  trailers: readonly HeaderField[];
  body: string;
  /** END_STREAM has come. */
  isComplete: boolean;
  /** Name of the code; '' while it is not reset. */
  reset: string;
  /** Bytes that the proxy may still send. */
  windowBytes: number;
  isForHead: boolean;
}

function codeName(code: number): string {
  return ERROR_CODES[code] ?? `code ${code}`;
}

function settingsIn(payload: Buffer): [id: number, value: number][] {
  const settings: [number, number][] = [];
  for (let at = 0; at + 6 <= payload.length; at += 6)
    settings.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)]);
  return settings;
}

/** Always `close` it. */
export class Http2Client {
  readonly streams = new Map<number, SeenStream>();
  /** Rules that the proxy broke. */
  readonly breaches: string[] = [];
  ending: 'open' | 'closed' | 'reset' = 'open';
  /** Name of the code of the last GOAWAY; '' while there was none. */
  goaway = '';
  hasSettings = false;
  settings = new Map<number, number>();
  acks = 0;
  /** Payloads of acknowledged PINGs. */
  readonly pongs: string[] = [];
  readonly #decoder = new HpackDecoder();
  #rest: Buffer = Buffer.alloc(0);
  #block: { stream: number; flags: number; parts: Buffer[] } | undefined;
  #windowBytes = FIRST_WINDOW_BYTES;
  #streamWindowBytes = FIRST_WINDOW_BYTES;
  #frameBytes = FIRST_FRAME_BYTES;
  /** Our SETTINGS that are not acknowledged: number and value of each. */
  readonly #unacknowledged: [id: number, value: number][][] = [];

  private constructor(
    readonly socket: Socket,
    readonly changes: Changes,
    /** Acknowledges SETTINGS and nothing else by itself. */
    readonly isAcknowledging: boolean,
  ) {
    socket.on('data', (bytes: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      while (this.#step());
      changes.notify();
    });
    socket.on('end', () => this.#end('closed'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('closed'));
  }

  static async open(port: number, isTls: boolean, changes: Changes, isAcknowledging: boolean): Promise<Http2Client> {
    const to = { port, host: '127.0.0.1', allowHalfOpen: true };
    const socket = isTls
      ? connectTls({ ...to, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connect({ ...to, noDelay: true });
    await once(socket, isTls ? 'secureConnect' : 'connect');
    return new Http2Client(socket, changes, isAcknowledging);
  }

  /** Nothing can come any more. */
  get isOver(): boolean {
    return this.ending !== 'open';
  }

  isFinished(stream: number): boolean {
    const seen = this.streams.get(stream);
    return seen !== undefined && (seen.isComplete || seen.reset !== '');
  }

  /** Sends at once, and keeps in mind what that allows the proxy. */
  send(parts: readonly (SentFrame | Buffer)[]): void {
    for (const part of parts) if (!Buffer.isBuffer(part)) this.#remember(part);
    if (!this.socket.writable) return;
    this.socket.write(Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : part.bytes))));
  }

  /** Idempotent. */
  close(): void {
    this.socket.destroy();
  }

  #remember({ type, flags, stream, payload }: SentFrame): void {
    const name = FRAME_TYPES[type];
    if (name === 'HEADERS' && !this.streams.has(stream))
      this.streams.set(stream, {
        interims: [],
        status: 0,
        fields: [],
        trailers: [],
        body: '',
        isComplete: false,
        reset: '',
        windowBytes: this.#streamWindowBytes,
        isForHead: payload.includes('HEAD'),
      });
    if (name === 'WINDOW_UPDATE' && payload.length === 4) {
      const bytes = payload.readUInt32BE() % 2 ** 31;
      const seen = this.streams.get(stream);
      if (stream === 0) this.#windowBytes += bytes;
      else if (seen !== undefined) seen.windowBytes += bytes;
    }
    if (name === 'SETTINGS' && (flags & FLAGS.ACK) === 0) {
      const settings = settingsIn(payload);
      for (const [id, value] of settings)
        if (id === SETTINGS['MAX_FRAME_SIZE']) this.#frameBytes = Math.max(value, FIRST_FRAME_BYTES);
      this.#unacknowledged.push(settings);
    }
  }

  #breach(what: string): void {
    if (this.breaches.length < 10 && !this.breaches.includes(what)) this.breaches.push(what);
  }

  #step(): boolean {
    if (this.#rest.length < FRAME_HEAD_BYTES) return false;
    const length = this.#rest.readUIntBE(0, 3);
    if (this.#rest.length < FRAME_HEAD_BYTES + length) return false;
    const type = this.#rest[3] ?? 0;
    const flags = this.#rest[4] ?? 0;
    const stream = this.#rest.readUInt32BE(5) % 2 ** 31;
    const payload = this.#rest.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length);
    this.#rest = this.#rest.subarray(FRAME_HEAD_BYTES + length);
    if (length > this.#frameBytes) this.#breach(`a frame of ${length} bytes`);
    const name = FRAME_TYPES[type];
    if (!this.hasSettings && name !== 'SETTINGS' && name !== 'GOAWAY') this.#breach(`${name} before SETTINGS`);
    if (this.#block !== undefined && (name !== 'CONTINUATION' || stream !== this.#block.stream))
      this.#breach(`${name} inside of a header block`);
    this.#take(name, flags, stream, payload);
    return true;
  }

  #take(name: (typeof FRAME_TYPES)[number] | undefined, flags: number, stream: number, payload: Buffer): void {
    switch (name) {
      case 'SETTINGS':
        return this.#takeSettings(flags, payload);
      case 'PING':
        if ((flags & FLAGS.ACK) !== 0) this.pongs.push(payload.toString('latin1'));
        return;
      case 'GOAWAY':
        this.goaway = codeName(payload.readUInt32BE(4));
        return;
      case 'RST_STREAM': {
        const seen = this.#streamOf(stream, 'RST_STREAM');
        if (seen !== undefined && seen.reset === '') seen.reset = codeName(payload.readUInt32BE());
        return;
      }
      case 'HEADERS':
        return this.#takeHeaders(flags, stream, payload);
      case 'CONTINUATION':
        this.#block?.parts.push(payload);
        if ((flags & FLAGS.EH) !== 0) this.#takeBlock();
        return;
      case 'DATA':
        return this.#takeData(flags, stream, payload);
      case 'PUSH_PROMISE':
        return this.#breach('PUSH_PROMISE');
      default:
    }
  }

  #takeSettings(flags: number, payload: Buffer): void {
    if ((flags & FLAGS.ACK) === 0) {
      this.hasSettings = true;
      for (const [id, value] of settingsIn(payload)) this.settings.set(id, value);
      if (this.isAcknowledging && this.socket.writable)
        this.socket.write(Buffer.from([0, 0, 0, 4, FLAGS.ACK, 0, 0, 0, 0]));
      return;
    }
    this.acks++;
    for (const [id, value] of this.#unacknowledged.shift() ?? []) {
      if (id === SETTINGS['HEADER_TABLE_SIZE']) this.#decoder.announce(value);
      if (id !== SETTINGS['INITIAL_WINDOW_SIZE']) continue;
      for (const seen of this.streams.values()) seen.windowBytes += value - this.#streamWindowBytes;
      this.#streamWindowBytes = value;
    }
  }

  #streamOf(stream: number, what: string): SeenStream | undefined {
    const seen = this.streams.get(stream);
    if (seen === undefined) this.#breach(`${what} on stream ${stream}, which nobody opened`);
    else if ((seen.isComplete && what !== 'RST_STREAM') || seen.reset !== '')
      this.#breach(`${what} on stream ${stream} behind its end`);
    return seen;
  }

  #takeHeaders(flags: number, stream: number, payload: Buffer): void {
    const isPadded = (flags & FLAGS.PADDED) !== 0;
    const from = (isPadded ? 1 : 0) + ((flags & FLAGS.PRIO) === 0 ? 0 : 5);
    const to = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
    this.#block = { stream, flags, parts: [payload.subarray(from, to)] };
    if ((flags & FLAGS.EH) !== 0) this.#takeBlock();
  }

  #takeBlock(): void {
    const { stream, flags, parts } = this.#block ?? { stream: 0, flags: 0, parts: [] };
    this.#block = undefined;
    let fields: HeaderField[] = [];
    try {
      fields = this.#decoder.read(Buffer.concat(parts));
    } catch (error) {
      this.#breach(`a header block that cannot be read: ${(error as Error).message}`);
    }
    const seen = this.#streamOf(stream, 'HEADERS');
    if (seen === undefined) return;
    const isEnd = (flags & FLAGS.ES) !== 0;
    if (seen.status !== 0) {
      for (const breach of rulesOfTrailers(fields, isEnd)) this.#breach(breach);
      seen.trailers = fields;
    } else {
      const status = Number(fields.find(([name]) => name === ':status')?.[1]);
      for (const breach of rulesOfHead(fields, status, isEnd)) this.#breach(breach);
      if (status < 200) seen.interims.push(status);
      else {
        seen.status = status;
        seen.fields = fields;
      }
    }
    if (isEnd) this.#complete(stream, seen);
  }

  #takeData(flags: number, stream: number, payload: Buffer): void {
    const seen = this.#streamOf(stream, 'DATA');
    if (seen === undefined) return;
    if (seen.status === 0) this.#breach(`DATA before the head of stream ${stream}`);
    this.#windowBytes -= payload.length;
    seen.windowBytes -= payload.length;
    if (payload.length > 0 && (this.#windowBytes < 0 || seen.windowBytes < 0))
      this.#breach(`DATA of stream ${stream} beyond its window`);
    const isPadded = (flags & FLAGS.PADDED) !== 0;
    const body = isPadded ? payload.subarray(1, payload.length - (payload[0] ?? 0)) : payload;
    seen.body += body.toString('latin1');
    if ((flags & FLAGS.ES) !== 0) this.#complete(stream, seen);
  }

  #complete(stream: number, seen: SeenStream): void {
    seen.isComplete = true;
    const length = seen.fields.find(([name]) => name === 'content-length')?.[1];
    if (length !== undefined && !seen.isForHead && seen.status !== 304 && Number(length) !== seen.body.length)
      this.#breach(`stream ${stream} has ${seen.body.length} bytes of body, not ${length}`);
  }

  #end(how: 'closed' | 'reset'): void {
    if (this.ending !== 'open') return;
    this.ending = how;
    this.changes.notify();
  }
}
