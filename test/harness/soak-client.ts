/** One client connection of a soak: sends its requests one after the other or pipelined, takes the answers, breaks where scripts say so. */
import { connect, type Socket } from 'node:net';
import type { Rng } from '../../src/core/rng.js';
import { MessageStream } from './message-stream.js';
import { type ExchangeEnding, SoakExchange } from './soak-exchange.js';
import type { SoakLedger } from './soak-ledger.js';
import { bodyPieces, PacedReader, PacedWriter, rest } from './soak-pieces.js';
import { breaksAnswer, SCRIPT_FIELD, type SoakMix, type SoakScript } from './soak-script.js';

export interface SoakClientOptions {
  readonly port: number;
  readonly mix: SoakMix;
  readonly ledger: SoakLedger;
  readonly rng: Rng;
  /** An exchange that takes longer hangs: a fault. */
  readonly exchangeTimeoutMs: number;
  /** A client that takes nothing of its answer does so for this long. */
  readonly stallMs: number;
}

/** Connects, runs groups of exchanges, each sent at once, and closes. @returns when the socket is closed; never rejects */
export async function runSoakClient(
  options: SoakClientOptions,
  groups: readonly (readonly SoakScript[])[],
): Promise<void> {
  const client = new SoakClient(options);
  if (!(await client.isConnected)) {
    options.ledger.fault('client', 'no connection', groups[0]?.[0]);
    return;
  }
  for (const group of groups) {
    if (!(await client.run(group))) break;
  }
  await client.close();
}

class SoakClient {
  readonly isConnected: Promise<boolean>;
  readonly #socket: Socket;
  readonly #stream: MessageStream;
  readonly #closed: Promise<void>;
  /** Those that are sent and not over, the first one being answered. */
  #exchanges: SoakExchange[] = [];
  #waiting: (() => void)[] = [];
  #reader: PacedReader | undefined;
  #isOver = false;
  #errorCode: string | undefined;
  #brokeOff = false;
  /** The script of the exchange before, for faults. */
  #before = '';
  #isSent = false;
  /** Bytes of answers of this group; where a client breaks off that is to break inside the answer. */
  #takenBytes = 0;
  #breaksAtBytes = Number.POSITIVE_INFINITY;

  constructor(private readonly options: SoakClientOptions) {
    const socket = connect({ port: options.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#socket = socket;
    this.#stream = new MessageStream({
      head: (head) => this.#first().takeHead(head),
      body: (piece) => this.#first().takeBody(piece),
      end: (trailers) => {
        const exchange = this.#first();
        exchange.takeEnd(trailers);
        if (exchange.isWhole) this.#endFirst('whole');
      },
    });
    this.isConnected = new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode ??= error.code;
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.#proveEnd());
    socket.on('close', () => this.#finish());
  }

  /** Sends the requests and waits for their ends. @returns whether the connection can be used again */
  async run(scripts: readonly SoakScript[]): Promise<boolean> {
    const { mix, ledger, exchangeTimeoutMs } = this.options;
    const exchanges = scripts.map(
      (script, index) => new SoakExchange(script, mix, ledger, scripts.slice(index + 1).some(breaksAnswer)),
    );
    const [last] = exchanges.slice(-1) as [SoakExchange];
    this.#exchanges = [...exchanges];
    this.#takenBytes = 0;
    this.#breaksAtBytes = breakInAnswer(last.script);
    this.#reader = last.script.isClientSlow ? new PacedReader(this.#socket) : undefined;
    const timer = setTimeout(() => this.#hang(), exchangeTimeoutMs);
    this.#isSent = false;
    const isStalling = last.script.client === 'stall-answer';
    if (isStalling) this.#socket.pause();
    const sending = this.#send(exchanges);
    if (isStalling) {
      await rest(this.options.stallMs);
      this.#socket.resume();
    }
    await this.#until(() => this.#isDone);
    await sending;
    clearTimeout(timer);
    const isKept = exchanges.every((exchange) => exchange.isWhole && !exchange.isLast);
    // Behind an answer that did not wait for the request the connection may be closed at any time.
    return (
      isKept && this.#isSent && !this.#isOver && last.script.endpoint !== 'early' && last.script.client === 'whole'
    );
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }

  get #isDone(): boolean {
    return this.#exchanges.length === 0 || this.#isOver;
  }

  // --- sending ---

  async #send(exchanges: readonly SoakExchange[]): Promise<void> {
    if (exchanges.length > 1) {
      const bytes = Buffer.concat(exchanges.flatMap(({ script }) => [...requestPieces(script, this.options)]));
      return void (await this.#sendCut(bytes));
    }
    const [{ script }] = exchanges as [SoakExchange];
    const pieces = [...requestPieces(script, this.options)];
    const breaks = ['reset-request', 'leave-request', 'stall-request'].includes(script.client);
    const totalBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    let leftBytes = breaks ? 1 + Math.floor(((totalBytes - 2) * script.clientBreakPermille) / 1000) : totalBytes;
    const writer = new PacedWriter(this.#socket, script.isClientSlow);
    for (const [index, piece] of pieces.entries()) {
      if (leftBytes === 0 || this.#isDone) break;
      const part = piece.subarray(0, leftBytes);
      leftBytes -= part.length;
      this.options.ledger.sentBytes += part.length;
      await writer.write(part);
      if (index === 0 && script.expectsContinue) await this.#until(() => this.#isDone || this.#first().mayContinue);
    }
    this.#isSent = leftBytes === 0;
    if (this.#isDone) return;
    if (script.client === 'reset-request') this.#breakOff(true);
    else if (script.client === 'leave-request') this.#breakOff(false);
    else if (script.client === 'half-close') this.#socket.end();
    else if (this.#breaksAtBytes === 0) this.#breakOff(script.client === 'reset-answer');
    if (script.isUpgrade) await this.#sendThroughTunnel(script);
  }

  /** Pipelined requests, cut at a random place now and then. */
  async #sendCut(bytes: Buffer): Promise<void> {
    const cut = this.options.rng.below(2) === 0 ? this.options.rng.below(bytes.length) : bytes.length;
    this.options.ledger.sentBytes += bytes.length;
    this.#isSent = true;
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      if (part.length > 0 && this.#socket.writable) this.#socket.write(part);
      await rest(1);
    }
  }

  async #sendThroughTunnel(script: SoakScript): Promise<void> {
    await this.#until(() => this.#isDone || this.#first().head !== undefined);
    if (this.#isDone || !this.#first().isTunnel) return;
    const writer = new PacedWriter(this.#socket, script.isClientSlow);
    for (const piece of bodyPieces(script.seed, script.uploadBytes, false, this.options.rng)) {
      this.options.ledger.sentBytes += piece.length;
      if (this.#isDone || !(await writer.write(piece))) return;
    }
    // Half of them wait for the echo before they end their side.
    if (script.seed % 2 === 0)
      await this.#until(() => this.#isDone || this.#first().receivedBytes === script.uploadBytes);
    if (this.#socket.writable) this.#socket.end();
  }

  // --- taking ---

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.options.ledger.receivedBytes += chunk.length;
    this.#takenBytes += chunk.length;
    try {
      this.#stream.push(chunk);
    } catch (error) {
      this.options.ledger.fault('client', String(error), this.#exchanges[0]?.script);
      this.#exchanges = [];
      this.#socket.destroy();
    }
    if (this.#takenBytes >= this.#breaksAtBytes && this.#exchanges.length > 0)
      this.#breakOff(this.#exchanges[0]?.script.client === 'reset-answer');
    this.#reader?.restNow();
    this.#wake();
  }

  /** libuv reports a reset that comes right behind data as an end; a write that sends nothing tells one from the other. */
  #proveEnd(): void {
    const isEnded = (): void => {
      this.#stream.end();
      this.#finish();
      this.#socket.destroy();
    };
    // Node tells of an end that it has read already behind destroy(), too.
    if (this.#brokeOff) return;
    if (!this.#socket.writable || this.#socket.writableLength > 0) isEnded();
    else this.#socket.write('', (error) => error ?? isEnded());
  }

  #first(): SoakExchange {
    const [exchange] = this.#exchanges;
    if (exchange === undefined) throw new Error('bytes behind the last answer');
    return exchange;
  }

  #endFirst(ending: ExchangeEnding): void {
    const exchange = this.#exchanges.shift();
    exchange?.end(this.#brokeOff ? 'left' : ending, [this.#errorCode, this.#before].filter(Boolean).join(' behind '));
    if (exchange !== undefined) this.#before = JSON.stringify(exchange.script);
    // What was sent behind a request whose answer is the last has no answer, and is not to have one.
    if (exchange?.isLast) this.#forget();
    this.#wake();
  }

  #forget(): void {
    for (const _ of this.#exchanges.splice(0)) this.options.ledger.countOutcome('unanswered');
  }

  #breakOff(withReset: boolean): void {
    this.#brokeOff = true;
    if (withReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #hang(): void {
    this.#endFirst('hung');
    this.#forget();
    this.#socket.destroy();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#exchanges.length > 0) this.#endFirst('cut');
    this.#forget();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #until(fact: () => boolean): Promise<void> {
    while (!fact()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** Bytes of the answer after which its client breaks off. */
function breakInAnswer(script: SoakScript): number {
  if (script.client !== 'reset-answer' && script.client !== 'leave-answer') return Number.POSITIVE_INFINITY;
  // Most places at which a short answer can be left are before it has begun.
  const bytes = script.isUpgrade ? script.uploadBytes : script.answerBytes;
  return Math.floor((bytes * script.clientBreakPermille) / 1000);
}

/** The request, the head first. */
function* requestPieces(script: SoakScript, { rng, mix }: SoakClientOptions): Generator<Buffer> {
  const lines = [`${script.method} /soak/${script.id} HTTP/${script.version}`, 'Host: soak.test'];
  lines.push(`${SCRIPT_FIELD}: ${JSON.stringify(script)}`);
  if (script.upload === 'length') lines.push(`Content-Length: ${script.uploadBytes}`);
  if (script.upload === 'chunked') lines.push('Transfer-Encoding: chunked');
  if (script.expectsContinue) lines.push('Expect: 100-continue');
  const options = [script.isUpgrade ? 'Upgrade' : '', script.takesTrailers ? 'TE' : ''].filter(Boolean);
  if (script.isUpgrade) lines.push('Upgrade: soak');
  if (script.takesTrailers) lines.push('TE: trailers');
  if (options.length > 0) lines.push(`Connection: ${options.join(', ')}`);
  yield Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (script.upload === 'none') return;
  const isChunked = script.upload === 'chunked';
  yield* bodyPieces(
    script.seed,
    script.uploadBytes,
    isChunked,
    rng,
    mix.isFull && script.takesTrailers ? ';soak=1' : '',
  );
  if (isChunked) yield Buffer.from('0\r\n\r\n');
}
