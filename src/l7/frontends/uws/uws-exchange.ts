/** The client's side of an exchange over uWebSockets.js: writes responses within its rules, keeps what a slow client did not take. */
import type { ListenerPlan } from '../../../config/plan.js';
import type { LocalResponse } from '../../error-response.js';
import { BODYLESS, Exchange, UNKNOWN_LENGTH } from '../../exchange.js';
import type { Pipeline } from '../../pipeline.js';
import type { UwsResponse } from './load-uws.js';

/** Above this a complete body goes through tryEnd, so that we know when the client has taken it all; below it `end` is cheaper. */
const WHOLE_BODY_BYTES = 16 * 1024;

/**
 * What the cork callback writes. uWebSockets.js wants a callback for each corked write; one callback for all and its arguments in this
 * record spare a closure for each response. Valid between `cork` and its return, which is synchronous.
 */
const corked: {
  exchange: UwsExchange | null;
  head: Uint8Array | string;
  body: Uint8Array | string;
  totalBytes: number;
  isLast: boolean;
  mustClose: boolean;
  isTaken: boolean;
} = { exchange: null, head: '', body: '', totalBytes: 0, isLast: false, mustClose: false, isTaken: true };

/** Thread: worker. */
export class UwsExchange extends Exchange {
  #response: UwsResponse | null = null;
  #isStreaming = false;
  #totalBytes = UNKNOWN_LENGTH;
  #mustClose = false;
  /** What tryEnd did not take, and the write offset at which it begins; null: nothing is kept. */
  #rest: Uint8Array | null = null;
  #restOffset = 0;
  #isRequestPaused = false;
  readonly #pipeline: Pipeline;
  readonly #home: UwsExchange[];
  // Made once: uWebSockets.js takes one handler of each kind for each request.
  readonly #onAborted = (): void => {
    this.#response = null;
    this.#pipeline.clientGone(this);
  };
  readonly #onData = (chunk: ArrayBuffer, isLast: boolean): void => this.#pipeline.requestBody(this, chunk, isLast);
  readonly #onWritable = (offset: number): boolean => this.#continue(offset);

  /** @param home the front end's free exchanges, to which this one returns */
  constructor(id: number, listener: ListenerPlan, pipeline: Pipeline, home: UwsExchange[]) {
    super(id, listener);
    this.#pipeline = pipeline;
    this.#home = home;
  }

  /** Takes the client's side of a new request. Must be called in uWebSockets.js's handler. HOT. */
  attach(response: UwsResponse, hasBody: boolean): void {
    this.#response = response;
    response.onAborted(this.#onAborted);
    if (hasBody) response.onData(this.#onData);
  }

  override sendLocal(response: LocalResponse, mustClose: boolean): void {
    this.#cork(response.head, response.body, BODY_IS_WHOLE, true, mustClose);
  }

  override sendHead(head: Uint8Array, body: Uint8Array, totalBytes: number, isLast: boolean, mustClose: boolean): boolean {
    return this.#cork(head, body, totalBytes, isLast, mustClose);
  }

  override sendBody(body: Uint8Array, isLast: boolean): boolean {
    return this.#cork('', body, this.#totalBytes, isLast, this.#mustClose);
  }

  override breakOff(): void {
    const response = this.#response;
    this.#response = null;
    response?.close();
  }

  override pauseRequest(): void {
    if (this.#isRequestPaused || this.#response === null) return;
    this.#isRequestPaused = true;
    this.#response.pause();
  }

  override resumeRequest(): void {
    if (!this.#isRequestPaused) return;
    this.#isRequestPaused = false;
    this.#response?.resume();
  }

  override recycle(): void {
    this.#response = null;
    this.#isRequestPaused = false;
    this.#isStreaming = false;
    this.#totalBytes = UNKNOWN_LENGTH;
    this.#mustClose = false;
    this.#rest = null;
    this.reset();
    this.#home.push(this);
  }

  #cork(head: Uint8Array | string, body: Uint8Array | string, totalBytes: number, isLast: boolean, mustClose: boolean): boolean {
    if (this.#response === null) return true;
    corked.exchange = this;
    corked.head = head;
    corked.body = body;
    corked.totalBytes = totalBytes;
    corked.isLast = isLast;
    corked.mustClose = mustClose;
    this.#response.cork(writeCorked);
    corked.exchange = null;
    return corked.isTaken;
  }

  /** Runs inside the cork. HOT. */
  writeCorked(): void {
    const response = this.#response;
    const { body, totalBytes, isLast, mustClose } = corked;
    corked.isTaken = true;
    if (response === null) return;
    // Before the response ends, after which it may not be touched: the connection may be kept for the next request.
    if (isLast) this.resumeRequest();
    if (!this.#isStreaming) {
      response.writeStatus(corked.head);
      if (totalBytes === BODYLESS) {
        // Not through closeConnection: with it uWebSockets.js adds Content-Length: 0.
        if (mustClose) response.writeHeader('connection', 'close');
        response.endWithoutBody();
        this.#finished();
        return;
      }
      if (totalBytes === BODY_IS_WHOLE || (isLast && body.length <= WHOLE_BODY_BYTES)) {
        if (mustClose) response.end(body, true);
        else response.end(body);
        this.#finished();
        return;
      }
      if (mustClose) response.writeHeader('connection', 'close');
      this.#isStreaming = true;
      this.#mustClose = mustClose;
      this.#totalBytes = isLast ? body.length : totalBytes;
    }
    corked.isTaken = this.#totalBytes === UNKNOWN_LENGTH ? this.#writeChunk(response, body as Uint8Array, isLast) : this.#writePart(response, body as Uint8Array);
  }

  /** A body of unknown length: chunked by uWebSockets.js, which buffers what the client does not take. */
  #writeChunk(response: UwsResponse, body: Uint8Array, isLast: boolean): boolean {
    const isTaken = body.length === 0 || response.write(body);
    if (isLast) {
      // Without closeConnection: with it this version writes a header line into the chunked body. The client was told to close.
      response.end();
      this.#finished();
      return true;
    }
    if (!isTaken) response.onWritable(this.#onWritable);
    return isTaken;
  }

  /** A body of known length: tryEnd buffers nothing, so what it leaves is copied and the endpoint is made to wait. */
  #writePart(response: UwsResponse, body: Uint8Array): boolean {
    if (this.#rest !== null) {
      // Already waiting for the client: this came with the same batch as the part that did not fit.
      this.#rest = joined(this.#rest, body);
      return false;
    }
    const before = response.getWriteOffset();
    const [isTaken, isComplete] = response.tryEnd(body, this.#totalBytes);
    if (isComplete) {
      this.#finished();
      return true;
    }
    if (isTaken) return true;
    const taken = response.getWriteOffset() - before;
    this.#rest = body.slice(taken);
    this.#restOffset = before + taken;
    response.onWritable(this.#onWritable);
    return false;
  }

  /** uWebSockets.js: the client takes bytes again. */
  #continue(offset: number): boolean {
    const response = this.#response;
    if (response === null) return true;
    const rest = this.#rest;
    if (rest === null) {
      this.#pipeline.clientReady(this);
      return true;
    }
    const unsent = rest.subarray(Math.max(0, offset - this.#restOffset));
    this.#rest = null;
    const [isTaken, isComplete] = response.tryEnd(unsent, this.#totalBytes);
    if (isComplete) {
      this.#finished();
      this.#pipeline.clientTookAll(this);
      return true;
    }
    if (!isTaken) {
      this.#restOffset = offset;
      this.#rest = unsent;
      return false;
    }
    this.#pipeline.clientReady(this);
    return true;
  }

  /** uWebSockets.js has the whole response: the object may not be touched any more. */
  #finished(): void {
    this.#response = null;
  }

  override get isFlushed(): boolean {
    return this.#response === null;
  }
}

/** `totalBytes` of a local response: its body is all there is, whatever its length. */
const BODY_IS_WHOLE = -3;

function writeCorked(): void {
  corked.exchange?.writeCorked();
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
