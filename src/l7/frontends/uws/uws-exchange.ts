/**
 * The client's side of an exchange over uWebSockets.js: writes responses within its rules, keeps what a slow client did not take.
 *
 * Two habits of uWebSockets.js 20.30 shape this file; test/integration/l7/bodies.test.ts and client-pace.test.ts hold them.
 * Its pause() stops polling the socket altogether, for writing as well, and a write that comes back short starts both again; resume()
 * polls for what the last pause() of any connection in this thread had found, kept apart for sockets with and without buffered bytes.
 * And while an onWritable handler is set, it sends buffered bytes only together with a new write, or when a cork ends.
 */
import type { L7ListenerPlan } from '../../../config/plan.js';
import type { Engine } from '../../../engine/engine.js';
import type { LocalResponse } from '../../error-response.js';
import { BODYLESS, RelayedExchange, UNKNOWN_LENGTH } from '../../relayed-exchange.js';
import type { ResponseRelay } from '../../response-relay.js';
import { joinedBytes } from './joined-bytes.js';
import type { UwsResponse } from './load-uws.js';

/** Above this a complete body goes through tryEnd, so that we know when the client has taken it all; below it `end` is cheaper. */
const WHOLE_BODY_BYTES = 16 * 1024;

/**
 * To a client that has been slow, chunks go in pieces of this size until one is not taken, since uWebSockets.js buffers the whole of a
 * chunk. A socket that can be written to takes at least as much, so that the buffer shrinks from piece to piece.
 */
const SLOW_CHUNK_BYTES = 16 * 1024;

/**
 * While the request is paused, uWebSockets.js does not tell that the client is ready: a blocked response is tried again after the first
 * time, then after twice as long each time up to the last, since each try to a client that takes nothing may leave one piece buffered.
 */
const FIRST_RETRY_MS = 10;
const LAST_RETRY_MS = 1_000;
/** A client that takes nothing in so long is given up: retrying keeps uWebSockets.js's own timeout away. */
const GIVE_UP_MS = 60_000;

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

/** Whether the first pause in this thread has happened, so that resume() never restores less than polling for reads. */
let hasPaused = false;

/** Who is told what a client does. */
export type ClientEvents = Pick<ResponseRelay, 'requestBody' | 'clientGone' | 'clientReady' | 'clientTookAll'>;

/** Thread: worker. */
export class UwsExchange extends RelayedExchange {
  /** The front end of its latest request; null: it has had none. */
  owner: object | null = null;
  #response: UwsResponse | null = null;
  #isStreaming = false;
  #totalBytes = UNKNOWN_LENGTH;
  #mustClose = false;
  /** What the client has still to be given; null: nothing is kept. */
  #rest: Uint8Array | null = null;
  /** The response ends behind the rest; for bodies of unknown length. */
  #isRestLast = false;
  /** The client's socket was full at the last write: nothing more goes there until it takes bytes again. */
  #isBlocked = false;
  /** The client was blocked, and has since not taken a whole piece of body at once; for bodies of unknown length. */
  #isSlow = false;
  #hasWritableHandler = false;
  #pauseTimer: NodeJS.Immediate | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #retryMs = FIRST_RETRY_MS;
  /** Time in which retries were in vain. */
  #vainMs = 0;
  #isRequestPaused = false;
  readonly #relay: ClientEvents;
  readonly #home: UwsExchange[];
  // Made once: uWebSockets.js takes one handler of each kind for each request.
  readonly #onAborted = (): void => {
    this.#response = null;
    this.#relay.clientGone(this);
  };
  readonly #onWritable = (): boolean => this.#flush();
  readonly #onPause = (): void => {
    this.#pauseTimer = null;
    if (this.#isRequestPaused) this.#pauseAgain();
  };
  readonly #onRetry = (): void => {
    this.#retryTimer = null;
    if (!this.#isBlocked) return;
    this.#vainMs += this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
    this.#flush();
    if (this.#vainMs > GIVE_UP_MS) this.#response?.close();
  };

  /** @param home the free exchanges, to which this one returns */
  constructor(id: number, listener: L7ListenerPlan, engine: Engine, relay: ClientEvents, home: UwsExchange[]) {
    super(id, listener, engine);
    this.#relay = relay;
    this.#home = home;
  }

  /** Takes the client's side of a new request. Must be called in uWebSockets.js's handler. HOT. */
  attach(response: UwsResponse): void {
    this.#response = response;
    response.onAborted(this.#onAborted);
  }

  /** Gives the response to who turns it into something else. @returns null when the client is gone, or has its answer */
  takeResponse(): UwsResponse | null {
    const response = this.#response;
    this.#response = null;
    return response;
  }

  /** The request has a body that is wanted. Must be called in uWebSockets.js's handler. */
  expectBody(): void {
    const response = this.#response;
    if (response === null) return;
    // Not made once: it still gets what comes behind an early response, when the exchange is another request's already.
    response.onData((chunk, isLast) => {
      if (this.#response === response) this.#relay.requestBody(this, chunk, isLast);
    });
    if (hasPaused) return;
    hasPaused = true;
    response.pause();
    response.resume();
  }

  override sendLocal(response: LocalResponse, mustClose: boolean): true {
    if (this.method !== 'HEAD') {
      this.#cork(response.head, response.body, BODY_IS_WHOLE, true, mustClose);
    } else if (mustClose) {
      // Only a response that ends with a body, be it empty, can close the connection.
      this.#cork(response.head, '', BODY_IS_WHOLE, true, true);
    } else {
      const contentLength = Buffer.byteLength(response.body);
      this.#cork(`${response.head}\r\ncontent-length: ${contentLength}`, '', BODYLESS, true, false);
    }
    return true;
  }

  override sendHead(
    head: Uint8Array,
    body: Uint8Array,
    totalBytes: number,
    isLast: boolean,
    mustClose: boolean,
  ): boolean {
    return this.#cork(head, body, totalBytes, isLast, mustClose);
  }

  override sendBody(body: Uint8Array, isLast: boolean): boolean {
    return this.#cork('', body, this.#totalBytes, isLast, this.#mustClose);
  }

  /** Its listener has gone, and its time is over: ends what it has become behind a 101, in good order. */
  endTunnel(): void {}

  override breakOff(): boolean {
    const response = this.#response;
    this.#response = null;
    response?.close();
    return true;
  }

  override pauseRequest(): void {
    if (this.#response === null) return;
    this.#isRequestPaused = true;
    this.#pauseAgain();
    // Behind its data handler uWebSockets.js sends what it has buffered, and with that may read on.
    if (this.#isStreaming) this.#pauseTimer ??= setImmediate(this.#onPause);
  }

  override resumeRequest(): void {
    if (!this.#takeRequest()) return;
    // resume() may have left out polling for writes; a write that comes back short starts it.
    if (this.#isBlocked) this.#flush();
  }

  /** @returns whether the request was paused */
  #takeRequest(): boolean {
    if (!this.#isRequestPaused) return false;
    this.#isRequestPaused = false;
    // A write that came back short may have started polling: this pause notes for what, and resume goes on with it.
    this.#response?.pause();
    this.#response?.resume();
    return true;
  }

  override recycle(): void {
    this.#response = null;
    this.#isRequestPaused = false;
    this.#isStreaming = false;
    this.#totalBytes = UNKNOWN_LENGTH;
    this.#mustClose = false;
    this.#rest = null;
    this.#isRestLast = false;
    this.#isBlocked = false;
    this.#isSlow = false;
    this.#hasWritableHandler = false;
    this.#noteProgress();
    if (this.#pauseTimer !== null) {
      clearImmediate(this.#pauseTimer);
      this.#pauseTimer = null;
    }
    if (this.#retryTimer !== null) {
      clearTimeout(this.#retryTimer);
      this.#retryTimer = null;
    }
    this.reset();
    this.#home.push(this);
  }

  #cork(
    head: Uint8Array | string,
    body: Uint8Array | string,
    totalBytes: number,
    isLast: boolean,
    mustClose: boolean,
  ): boolean {
    if (this.#response === null) return true;
    corked.exchange = this;
    corked.head = head;
    corked.body = body;
    corked.totalBytes = totalBytes;
    corked.isLast = isLast;
    corked.mustClose = mustClose;
    this.#response.cork(writeCorked);
    corked.exchange = null;
    if (this.#isRequestPaused) this.#pauseAgain();
    return corked.isTaken;
  }

  /** Runs inside the cork. HOT. */
  writeCorked(): void {
    const response = this.#response;
    const { body, totalBytes, isLast, mustClose } = corked;
    corked.isTaken = true;
    if (response === null) return;
    // Before the response ends, after which it may not be touched: the connection may be kept for the next request.
    const wasPaused = isLast && this.#takeRequest();
    if (!this.#isStreaming) {
      response.writeStatus(this.completed(corked.head));
      if (totalBytes === BODYLESS) {
        // Not through closeConnection: with it uWebSockets.js adds Content-Length: 0.
        if (mustClose || this.clientCloses) response.writeHeader('connection', 'close');
        response.endWithoutBody();
        this.#finished();
        return;
      }
      if (totalBytes === BODY_IS_WHOLE || (isLast && body.length <= WHOLE_BODY_BYTES)) {
        // Where uWebSockets.js closes of its own accord, it leaves the Connection field out.
        if (this.clientCloses) response.writeHeader('connection', 'close').end(body);
        else if (mustClose) response.end(body, true);
        else response.end(body);
        this.#finished();
        return;
      }
      if (mustClose || this.clientCloses) response.writeHeader('connection', 'close');
      this.#isStreaming = true;
      this.#mustClose = mustClose;
      this.#totalBytes = isLast ? body.length : totalBytes;
    }
    if (this.#isBlocked) {
      this.#rest = joinedBytes(this.#rest, body as Uint8Array);
      this.#isRestLast = isLast;
      corked.isTaken = wasPaused && this.#writeRest(response);
    } else if (this.#totalBytes === UNKNOWN_LENGTH) {
      corked.isTaken = this.#writeChunk(response, body as Uint8Array, isLast);
    } else {
      corked.isTaken = this.#writePart(response, body as Uint8Array);
    }
    if (!corked.isTaken) this.#block(response);
  }

  /** A body of unknown length: chunked by uWebSockets.js, which buffers what the client does not take. */
  #writeChunk(response: UwsResponse, body: Uint8Array, isLast: boolean): boolean {
    if (this.#isSlow) {
      this.#rest = body.slice();
      this.#isRestLast = isLast;
      return this.#writeSlowly(response);
    }
    const isTaken = body.length === 0 || response.write(body);
    this.#isSlow = !isTaken;
    return isLast ? this.#endChunks(response) : isTaken;
  }

  /** @returns true: the client took the last of what was kept, or nothing was kept */
  #writeSlowly(response: UwsResponse): boolean {
    let isTaken = true;
    while (isTaken && this.#rest !== null) {
      const rest: Uint8Array = this.#rest;
      isTaken = rest.length === 0 || response.write(rest.subarray(0, SLOW_CHUNK_BYTES));
      this.#rest = rest.length <= SLOW_CHUNK_BYTES ? null : rest.subarray(SLOW_CHUNK_BYTES);
      this.#isSlow = !isTaken;
      if (isTaken) this.#noteProgress();
    }
    return this.#rest === null && this.#isRestLast ? this.#endChunks(response) : isTaken;
  }

  /** What is still buffered goes out by itself once the response has ended. @returns true */
  #endChunks(response: UwsResponse): boolean {
    // Without closeConnection: with it this version writes a header line into the chunked body. The client was told to close.
    response.end();
    this.#finished();
    return true;
  }

  /** A body of known length: tryEnd buffers nothing, so what it leaves is copied and the endpoint is made to wait. */
  #writePart(response: UwsResponse, body: Uint8Array): boolean {
    const before = response.getWriteOffset();
    const [isTaken, isComplete] = response.tryEnd(body, this.#totalBytes);
    if (isComplete) {
      this.#rest = null;
      this.#finished();
      return true;
    }
    const takenBytes = response.getWriteOffset() - before;
    if (takenBytes > 0) this.#noteProgress();
    this.#rest = isTaken ? null : body.slice(takenBytes);
    return isTaken;
  }

  #writeRest(response: UwsResponse): boolean {
    if (this.#totalBytes === UNKNOWN_LENGTH) return this.#writeSlowly(response);
    return this.#rest === null || this.#writePart(response, this.#rest);
  }

  /** Runs inside the cork: gives the client what is kept. The cork's end sends what uWebSockets.js has buffered. */
  flushCorked(): void {
    const response = this.#response;
    if (response === null) return;
    corked.isTaken = this.#writeRest(response);
    if (!corked.isTaken) this.#block(response);
  }

  /** The client takes bytes again, or is tried. @returns whether it took all there was */
  #flush(): boolean {
    const response = this.#response;
    if (response === null) return true;
    const wasBlocked = this.#isBlocked;
    corked.exchange = this;
    response.cork(flushCorked);
    corked.exchange = null;
    if (this.#isRequestPaused) this.#pauseAgain();
    if (!corked.isTaken) return false;
    this.#isBlocked = false;
    if (this.#response === null) this.#relay.clientTookAll(this);
    else if (wasBlocked) this.#relay.clientReady(this);
    return true;
  }

  #block(response: UwsResponse): void {
    this.#isBlocked = true;
    if (this.#hasWritableHandler) return;
    this.#hasWritableHandler = true;
    response.onWritable(this.#onWritable);
  }

  /** A write that came back short, at the latest when the cork ended, has started reading again. */
  #pauseAgain(): void {
    this.#response?.pause();
    if (this.#isBlocked) this.#retryLater();
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(this.#onRetry, this.#retryMs);
  }

  #noteProgress(): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#vainMs = 0;
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

function flushCorked(): void {
  corked.exchange?.flushCorked();
}
