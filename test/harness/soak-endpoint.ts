/** An endpoint that plays its part of a soak: checks every byte of requests, answers as their scripts say, can be stopped and started. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Rng, seededRng } from '../../src/core/rng.js';
import { type BodyFraming, framingOf, valuesOf } from './http-message.js';
import { type MessageHead, MessageStream } from './message-stream.js';
import { bodyPiece } from './seeded-body.js';
import type { SoakLedger } from './soak-ledger.js';
import { bodyPieces, PacedReader, PacedWriter } from './soak-pieces.js';
import { breaksAnswer, ID_FIELD, readScript, SCRIPT_FIELD, type SoakScript } from './soak-script.js';
import { until } from './wire.js';

/** Always `close` it. */
export class SoakEndpoint {
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #connections = 0;

  private constructor(
    private readonly ledger: SoakLedger,
    private readonly seed: number,
  ) {}

  static async start(ledger: SoakLedger, seed: number): Promise<SoakEndpoint> {
    const endpoint = new SoakEndpoint(ledger, seed);
    await endpoint.#listen();
    return endpoint;
  }

  get port(): number {
    return this.#port;
  }

  /** Takes connections again, on the same port. */
  async startAgain(): Promise<void> {
    // While it was down somebody's outgoing connection may have got the port.
    const isListening = (): Promise<boolean> =>
      this.#listen().then(
        () => true,
        () => false,
      );
    await until(`an endpoint on port ${this.#port} again`, isListening, 30_000);
    this.ledger.noteRestart();
  }

  /** Stops listening and breaks all connections, with resets or ends. */
  async stop(withResets: boolean): Promise<void> {
    this.ledger.noteRestart();
    this.ledger.restarts++;
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    for (const socket of this.#sockets) {
      if (withResets) socket.resetAndDestroy();
      else socket.destroy();
    }
    await once(server, 'close');
  }

  async close(): Promise<void> {
    await this.stop(false);
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#take(socket));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    this.ledger.openAtEndpoints++;
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.ledger.openAtEndpoints--;
    });
    new EndpointConnection(socket, this.ledger, seededRng(this.seed + this.#connections++));
  }
}

/** One connection: a request after the other, each answered as its script says; or a tunnel. */
class EndpointConnection {
  readonly #stream: MessageStream;
  readonly #reader: PacedReader;
  #script: SoakScript | undefined;
  #bodyBytes = 0;
  #isAnswering = false;
  #isTunnel = false;
  #isClosing = false;

  constructor(
    private readonly socket: Socket,
    private readonly ledger: SoakLedger,
    private readonly rng: Rng,
  ) {
    this.#reader = new PacedReader(socket);
    this.#stream = new MessageStream({
      head: (head) => this.#takeHead(head),
      body: (piece) => this.#takeBody(piece),
      end: () => this.#takeEnd(),
    });
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => {
      if (this.#isTunnel) this.#stream.end();
      else socket.end();
    });
  }

  #read(chunk: Buffer): void {
    // What comes behind the end of this side is not taken, as if it were on its way still.
    if (this.socket.destroyed || this.#isClosing) return;
    try {
      this.#stream.push(chunk);
    } catch (error) {
      this.#fail(String(error));
    }
    if (this.#script?.isEndpointSlow) this.#reader.restNow();
  }

  #takeHead(head: MessageHead): BodyFraming {
    if (this.#isAnswering) this.#fail('a request before the answer to the one before was whole');
    this.#bodyBytes = 0;
    const [text] = valuesOf(head, SCRIPT_FIELD);
    const script = readScript(text);
    this.#script = script;
    if (script === undefined) {
      // A plain request from outside of the soak.
      this.#isAnswering = false;
      return framingOf(head);
    }
    this.ledger.noteHead(script);
    const [method, target] = head.startLine.split(' ');
    if (method !== script.method || target !== `/soak/${script.id}`)
      this.#fail(`the request of another: ${head.startLine}`);
    const framing = framingOf(head);
    if (script.upload === 'length' && framing !== script.uploadBytes) this.#fail(`a body framed by ${framing}`);
    if (script.upload === 'none' && framing !== 0) this.#fail(`a body where there is none, framed by ${framing}`);
    if (script.endpoint === 'reset-early') {
      this.socket.resetAndDestroy();
      return framing;
    }
    if (script.isUpgrade && script.endpoint !== 'early') return this.#switchProtocols(head, script);
    if (valuesOf(head, 'expect').includes('100-continue')) this.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    if (script.endpoint === 'early') void this.#answer(script);
    return framing;
  }

  #takeBody(piece: Buffer): void {
    const script = this.#script;
    if (script === undefined) return;
    const from = this.#bodyBytes;
    this.#bodyBytes += piece.length;
    if (this.#bodyBytes > script.uploadBytes) return this.#fail('more bytes than were sent');
    if (!piece.equals(bodyPiece(script.seed, from, this.#bodyBytes)))
      return this.#fail(`wrong bytes in ${from} to ${this.#bodyBytes}`);
    if (this.#isTunnel) this.#echo(script, from);
  }

  #takeEnd(): void {
    const script = this.#script;
    if (this.socket.destroyed) return;
    if (script === undefined) {
      this.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain');
      return;
    }
    if (this.#isTunnel) {
      // The client ended its side: whole, unless it is one that breaks off.
      this.socket.end();
      return;
    }
    if (!script.isUpgrade && this.#bodyBytes !== script.uploadBytes)
      return this.#fail(`the body ended after ${this.#bodyBytes} bytes`);
    this.ledger.noteWhole(script);
    if (script.endpoint !== 'early' && script.endpoint !== 'stall' && script.endpoint !== 'reset-early')
      void this.#answer(script);
  }

  #switchProtocols(head: MessageHead, script: SoakScript): BodyFraming {
    if (!valuesOf(head, 'upgrade').includes('soak')) this.#fail('an upgrade without its field');
    this.ledger.noteWhole(script);
    this.#isTunnel = true;
    this.socket.write(
      script.endpoint === 'garbage'
        ? 'HTTP/1.1 1O1 Switching\r\n\r\n'
        : `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: soak\r\n${ID_FIELD}: ${script.id}\r\n\r\n`,
    );
    if (script.endpoint === 'garbage') this.#endAnswer(script);
    return 'until-end';
  }

  /** Sends back what has just come; the end of it may be where this side breaks. */
  #echo(script: SoakScript, from: number): void {
    const breaks = script.endpoint === 'reset-late' || script.endpoint === 'cut';
    const to = breaks ? Math.min(this.#bodyBytes, script.endpointBreakBytes) : this.#bodyBytes;
    if (!this.socket.writable) return;
    if (to > from && !this.socket.write(bodyPiece(script.seed, from, to))) {
      this.socket.pause();
      this.socket.once('drain', () => this.socket.resume());
    }
    if (!breaks || this.#bodyBytes <= script.endpointBreakBytes) return;
    if (script.endpoint === 'reset-late') this.socket.resetAndDestroy();
    else this.socket.end();
  }

  async #answer(script: SoakScript): Promise<void> {
    this.#isAnswering = true;
    const writer = new PacedWriter(this.socket, script.isEndpointSlow);
    if (script.hasInterim) await writer.write(`HTTP/1.1 103 Early Hints\r\n${ID_FIELD}: ${script.id}\r\n\r\n`);
    const pieces = answerPieces(script, this.rng);
    for (let piece = pieces.next(); !piece.done; ) {
      const next = pieces.next();
      if (!(await writer.rest())) return;
      // The proxy may send the next request as soon as it has this; where this side closes, it does so without a pause.
      if (next.done) this.#isAnswering = script.endpoint === 'stall-late';
      const written = writer.writeNow(piece.value);
      if (next.done) this.#endAnswer(script);
      if (!(await written)) return;
      piece = next;
    }
  }

  #endAnswer(script: SoakScript): void {
    if (script.endpoint === 'stall-late') return;
    if (script.endpoint === 'reset-late') {
      this.socket.resetAndDestroy();
    } else if (isUntilClose(script) || ['cut', 'garbage', 'close-after', 'announced-close'].includes(script.endpoint)) {
      this.#isClosing = true;
      this.socket.end();
    }
  }

  #fail(what: string): void {
    this.ledger.fault('endpoint', what, this.#script);
    this.socket.destroy();
  }
}

function isUntilClose(script: SoakScript): boolean {
  return script.answer === 'until-close' && script.method !== 'HEAD';
}

function* answerPieces(script: SoakScript, rng: Rng): Generator<Buffer> {
  if (script.endpoint === 'garbage') return yield Buffer.from('HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n');
  yield Buffer.from(answerHead(script));
  if (script.method === 'HEAD' || script.answer === 'none') return;
  const isChunked = script.answer === 'chunked' || script.answer === 'trailers';
  yield* bodyPieces(script.seed, breaksAnswer(script) ? script.endpointBreakBytes : script.answerBytes, isChunked, rng);
  if (isChunked && !breaksAnswer(script)) yield Buffer.from(lastChunk(script));
}

function answerHead(script: SoakScript): string {
  const lines = [script.answer === 'none' ? 'HTTP/1.1 204 No Content' : 'HTTP/1.1 200 OK', `${ID_FIELD}: ${script.id}`];
  if (script.answer === 'length') lines.push(`Content-Length: ${script.answerBytes}`);
  if (script.answer === 'chunked' || script.answer === 'trailers') lines.push('Transfer-Encoding: chunked');
  if (script.answer === 'trailers') lines.push(`Trailer: ${ID_FIELD}`);
  if (script.endpoint === 'announced-close' || isUntilClose(script)) lines.push('Connection: close');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function lastChunk(script: SoakScript): string {
  return script.answer === 'trailers' ? `0\r\n${ID_FIELD}: ${script.id}\r\n\r\n` : '0\r\n\r\n';
}
