/** One end of a TCP or UNIX connection in a test, client or endpoint: sends and counts bytes, and tells an end from a reset. */
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Nothing a test waits for on a connection takes longer on a machine that works. */
const DEADLINE_MS = 10_000;

/** How the other side stands: it may still send, has sent its end (FIN), or has reset the connection (RST). */
export type PeerEnding = 'open' | 'ended' | 'reset';

/** Wraps a socket. Its own side ends only by `end`, `reset` or `close`. Always `close` it. */
export class SocketPeer {
  readonly #watchers = new Set<() => void>();
  readonly #chunks: Buffer[] = [];
  #isConnected = false;
  #receivedBytes = 0;
  #ending: PeerEnding = 'open';
  #errorCode: string | undefined;

  /** @param isKept false: what comes is counted, and not kept */
  constructor(
    readonly socket: Socket,
    private readonly isKept = true,
  ) {
    socket.setNoDelay(true);
    socket.on('connect', () =>
      this.#notice(() => {
        this.#isConnected = true;
      }),
    );
    socket.on('data', (chunk: Buffer) => this.#notice(() => this.#take(chunk)));
    socket.on('end', () => this.#proveEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode ??= error.code;
      this.#notice(() => this.#end('reset'));
    });
    socket.on('close', () => this.#notice(() => {}));
  }

  /** Connects as a client; the other side's end does not end this one. @param to a port of 127.0.0.1, or more */
  static async open(to: number | NetConnectOpts, isKept = true): Promise<SocketPeer> {
    const options: NetConnectOpts = typeof to === 'number' ? { port: to, host: '127.0.0.1' } : to;
    const socket = connect({ ...options, allowHalfOpen: true });
    const peer = new SocketPeer(socket, isKept);
    await peer.when('the connection', () => peer.#isConnected || socket.destroyed, DEADLINE_MS);
    // A reset that is faster than Node's word of the connection means that there was one.
    if (!peer.#isConnected && peer.#errorCode !== 'ECONNRESET')
      throw Object.assign(new Error(`not connected: ${peer.#errorCode}`), { code: peer.#errorCode });
    return peer;
  }

  /** All that has come. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks));
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** All that has come, as latin1. */
  get text(): string {
    return this.received.toString('latin1');
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get ending(): PeerEnding {
    return this.#ending;
  }

  /** Code of the first error of the socket, e.g. ECONNRESET. */
  get errorCode(): string | undefined {
    return this.#errorCode;
  }

  /** @param bytes a string is latin1 */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends, and goes on when the kernel or Node has room for more. */
  async sendAll(pieces: Iterable<Buffer>): Promise<void> {
    for (const piece of pieces) {
      if (this.socket.destroyed) return;
      if (!this.socket.write(piece)) await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]);
    }
  }

  /** Ends this side; the other one may go on. */
  end(): void {
    this.socket.end();
  }

  /** Resets the connection at once. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits until a fact holds. @throws Error, with what has come, when it does not in time */
  when(what: string, fact: () => boolean, timeoutMs = DEADLINE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        act();
      };
      const watch = (): void => {
        if (fact()) done(resolve);
      };
      const timer = setTimeout(
        () => done(() => reject(new Error(`not in ${timeoutMs} ms: ${what}; ${this.#told()}`))),
        timeoutMs,
      );
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Waits until exactly this has come. @param text latin1 */
  async gets(text: string, timeoutMs = DEADLINE_MS): Promise<void> {
    await this.when(`${text.length} bytes`, () => this.#receivedBytes >= text.length, timeoutMs);
    if (this.text !== text) throw new Error(`not ${JSON.stringify(text.slice(0, 200))}: ${this.#told()}`);
  }

  /** Waits until the other side has ended or reset the connection. */
  async ended(timeoutMs = DEADLINE_MS): Promise<'ended' | 'reset'> {
    await this.when('the end of the connection', () => this.#ending !== 'open', timeoutMs);
    return this.#ending as 'ended' | 'reset';
  }

  /** Idempotent. */
  close(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.isKept) this.#chunks.push(chunk);
  }

  /** libuv reports a reset that comes right behind data as an end; a write that sends nothing tells one from the other. */
  #proveEnd(): void {
    const isEnded = (): void => this.#notice(() => this.#end('ended'));
    if (!this.socket.writable || this.socket.writableLength > 0) isEnded();
    else this.socket.write('', (error) => error ?? isEnded());
  }

  #end(how: 'ended' | 'reset'): void {
    // A reset may follow an end: the last word counts.
    if (this.#ending !== 'reset') this.#ending = how;
  }

  #notice(change: () => void): void {
    change();
    for (const watch of this.#watchers) watch();
  }

  #told(): string {
    const what = this.isKept ? JSON.stringify(this.text.slice(0, 200)) : '';
    return `has ${this.#receivedBytes} bytes ${what}, ${this.#ending} ${this.#errorCode ?? ''}`;
  }
}
