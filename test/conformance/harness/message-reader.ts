/** Cuts a stream of bytes into HTTP/1.1 messages, and says where they are not what a sender may send; reads incomplete ones, too. */

/** A field line; the name as it came. */
export type Field = readonly [name: string, value: string];

/** A message, perhaps still coming. */
export interface Message {
  readonly startLine: string;
  readonly fields: readonly Field[];
  readonly framing: 'none' | 'length' | 'chunked' | 'until-end';
  body: string;
  trailers: readonly Field[];
  isComplete: boolean;
}

/** Values of all fields of a name, in order. @param name in lower case */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value);
}

/** Status of a response. */
export function statusOf({ startLine }: Message): number {
  return Number(startLine.slice(9, 12));
}

/** A response before the final one; 101 is final. */
export function isInterim(message: Message): boolean {
  const status = statusOf(message);
  return status < 200 && status !== 101;
}

const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] [1-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*$/;

type Phase = 'head' | 'length' | 'size' | 'data' | 'trailers' | 'until-end' | 'raw' | 'fault';

/** Strict: what cannot be a message is a fault, and nothing is read behind it. */
export class MessageReader {
  readonly messages: Message[] = [];
  /** What is wrong with the stream; '' while nothing is. */
  fault = '';
  /** Bytes behind the last message, or behind a switch of protocols. */
  rest = '';
  #phase: Phase = 'head';
  #left = 0;

  /** @param isForHead says of the nth final response that it answers HEAD */
  constructor(
    readonly kind: 'request' | 'response',
    readonly isForHead: (index: number) => boolean = () => false,
  ) {}

  /** Nothing has begun that is not complete. */
  get isBetweenMessages(): boolean {
    return this.#phase === 'head' && this.rest === '';
  }

  push(bytes: string): void {
    this.rest += bytes;
    while (this.#step());
  }

  /** The stream has ended in order: a body that lasts until then is complete. */
  end(): void {
    if (this.#phase === 'until-end') this.#complete();
  }

  /** What comes from now on is kept in `rest`. */
  becomeRaw(): void {
    this.#phase = 'raw';
  }

  /** @returns false when more bytes are needed */
  #step(): boolean {
    switch (this.#phase) {
      case 'head':
        return this.#readHead();
      case 'length':
        return this.#readBytes(() => this.#complete());
      case 'data':
        return this.#readBytes(() => {
          this.#phase = 'size';
        });
      case 'size':
        return this.#readSize();
      case 'trailers':
        return this.#readTrailers();
      case 'until-end':
        this.#last.body += this.#take(this.rest.length);
        return false;
      default:
        return false;
    }
  }

  get #last(): Message {
    return this.messages[this.messages.length - 1] as Message;
  }

  #take(length: number): string {
    const taken = this.rest.slice(0, length);
    this.rest = this.rest.slice(length);
    return taken;
  }

  #fail(what: string): false {
    this.fault = what;
    this.#phase = 'fault';
    return false;
  }

  #complete(): void {
    this.#last.isComplete = true;
    this.#phase = this.kind === 'response' && statusOf(this.#last) === 101 ? 'raw' : 'head';
  }

  #fieldsOf(lines: readonly string[]): Field[] | string {
    const fields: Field[] = [];
    for (const line of lines) {
      const match = FIELD_LINE.exec(line);
      if (match === null) return `not a field line: ${JSON.stringify(line)}`;
      fields.push([match[1] ?? '', (match[2] ?? '').replace(/[ \t]+$/, '')]);
    }
    return fields;
  }

  #readHead(): boolean {
    const end = this.rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const [startLine = '', ...lines] = this.rest.slice(0, end).split('\r\n');
    const pattern = this.kind === 'request' ? REQUEST_LINE : STATUS_LINE;
    if (!pattern.test(startLine)) return this.#fail(`not a ${this.kind}: ${JSON.stringify(startLine)}`);
    const fields = this.#fieldsOf(lines);
    if (typeof fields === 'string') return this.#fail(fields);
    this.#take(end + 4);
    return this.#begin(startLine, fields);
  }

  #begin(startLine: string, fields: readonly Field[]): boolean {
    const lengths = valuesOf(fields, 'content-length');
    const codings = valuesOf(fields, 'transfer-encoding');
    if (lengths.length + codings.length > 1) return this.#fail(`framed more than once: ${startLine}`);
    if (lengths.some((value) => !/^[0-9]{1,15}$/.test(value))) return this.#fail(`Content-Length ${lengths[0]}`);
    if (codings.some((value) => value.toLowerCase() !== 'chunked'))
      return this.#fail(`Transfer-Encoding ${codings[0]}`);
    const length = lengths.length === 0 ? undefined : Number(lengths[0]);
    const framing = this.#framingOf(startLine, length, codings.length > 0);
    this.messages.push({ startLine, fields, framing, body: '', trailers: [], isComplete: false });
    if (framing === 'none' || (framing === 'length' && length === 0)) this.#complete();
    else if (framing === 'chunked') this.#phase = 'size';
    else this.#phase = framing;
    this.#left = length ?? 0;
    return true;
  }

  #framingOf(startLine: string, length: number | undefined, isChunked: boolean): Message['framing'] {
    if (this.kind === 'response') {
      const status = Number(startLine.slice(9, 12));
      if (status < 200 || status === 204 || status === 304) return 'none';
      if (this.isForHead(this.messages.filter((message) => !isInterim(message)).length)) return 'none';
    }
    if (isChunked) return 'chunked';
    if (length !== undefined) return 'length';
    return this.kind === 'request' ? 'none' : 'until-end';
  }

  #readBytes(done: () => void): boolean {
    if (this.rest === '') return false;
    const taken = this.#take(this.#left);
    this.#last.body += taken;
    this.#left -= taken.length;
    if (this.#left === 0) done();
    return true;
  }

  /** A size line; in front of it, but for the first, the end of the data before. */
  #readSize(): boolean {
    const isFirst = this.#left === 0 && this.#last.body === '';
    const match = (isFirst ? /^([0-9a-f]{1,15})(?:;[^\r\n]*)?\r\n/i : /^\r\n([0-9a-f]{1,15})(?:;[^\r\n]*)?\r\n/i).exec(
      this.rest,
    );
    if (match === null) {
      const isHopeless =
        this.rest.length > 4096 || /\r\n[\s\S]*\r\n/.test(this.rest) || /^[^\r0-9a-f]/i.test(this.rest);
      return isHopeless ? this.#fail(`not a chunk size: ${JSON.stringify(this.rest.slice(0, 40))}`) : false;
    }
    this.#take(match[0].length);
    this.#left = Number.parseInt(match[1] ?? '', 16);
    this.#phase = this.#left === 0 ? 'trailers' : 'data';
    return true;
  }

  #readTrailers(): boolean {
    const end = this.rest.startsWith('\r\n') ? 0 : this.rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const fields = this.#fieldsOf(end === 0 ? [] : this.rest.slice(0, end).split('\r\n'));
    if (typeof fields === 'string') return this.#fail(fields);
    this.#take(end === 0 ? 2 : end + 4);
    this.#last.trailers = fields;
    this.#complete();
    return true;
  }
}
