/** A client connection that sends raw bytes and reads whole responses, one after the other. */
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { MessageReader, type WireMessage } from './http-message.js';

/** Nothing a test waits for on a connection takes longer on a machine that works. */
const DEADLINE_MS = 10_000;

/** Always `close` it. */
export class WireClient {
  readonly #reader = new MessageReader();
  readonly #watchers = new Set<() => void>();
  #ending: 'open' | 'closed' | 'reset' = 'open';

  private constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#notice(() => this.#reader.push(chunk)));
    socket.on('end', () => this.#notice(() => this.#end('closed')));
    socket.on('error', () => this.#notice(() => this.#end('reset')));
    socket.on('close', () => this.#notice(() => this.#end('closed')));
  }

  /** @param to a port of 127.0.0.1, or more */
  static async open(to: number | NetConnectOpts): Promise<WireClient> {
    const socket = connect(typeof to === 'number' ? { port: to, host: '127.0.0.1' } : to);
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  /** What has come and belongs to no response that was read, as latin1. */
  get rest(): string {
    return this.#reader.rest;
  }

  get ending(): 'open' | 'closed' | 'reset' {
    return this.#ending;
  }

  /** @param bytes a string is latin1 */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends the pieces in segments of their own. */
  async sendPieces(pieces: readonly (string | Buffer)[], pauseMs = 15): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (this.#ending !== 'open') return;
      this.send(piece);
    }
  }

  /** The next response. @throws Error when the connection ends or the time is over before it is whole */
  async response(options: { isHead?: boolean } = {}): Promise<WireMessage> {
    let whole: WireMessage | undefined;
    await this.#until('a response', () => {
      whole ??= this.#reader.next(options.isHead);
      return whole !== undefined || this.#ending !== 'open';
    });
    if (whole === undefined)
      throw new Error(
        `the connection was ${this.#ending} before a response: ${JSON.stringify(this.rest.slice(0, 300))}`,
      );
    return whole;
  }

  /** Waits until a fact about what has come holds. */
  has(what: string, fact: (rest: string) => boolean, timeoutMs = DEADLINE_MS): Promise<void> {
    return this.#until(what, () => fact(this.#reader.rest), timeoutMs);
  }

  /** Waits until the peer has ended the connection. */
  async ended(timeoutMs = DEADLINE_MS): Promise<'closed' | 'reset'> {
    await this.#until('the end of the connection', () => this.#ending !== 'open', timeoutMs);
    return this.#ending as 'closed' | 'reset';
  }

  /**
   * Leaves with a reset, so that no answer is waited for: a close alone looks like a half-close from outside, and the native front end
   * goes on with what was asked. Idempotent.
   */
  close(): void {
    if (this.socket.remoteFamily === undefined) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  #end(how: 'closed' | 'reset'): void {
    if (this.#ending !== 'open') return;
    this.#ending = how;
    if (how === 'closed') this.#reader.end();
  }

  #notice(change: () => void): void {
    change();
    for (const watch of this.#watchers) watch();
  }

  #until(what: string, fact: () => boolean, timeoutMs = DEADLINE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        act();
      };
      const watch = (): void => {
        try {
          if (fact()) done(resolve);
        } catch (error) {
          done(() => reject(error));
        }
      };
      const timer = setTimeout(
        () =>
          done(() =>
            reject(new Error(`not in ${timeoutMs} ms: ${what}; has ${JSON.stringify(this.rest.slice(0, 300))}`)),
          ),
        timeoutMs,
      );
      this.#watchers.add(watch);
      watch();
    });
  }
}

/** One request on a connection of its own. */
export async function requestOnce(
  to: number | NetConnectOpts,
  bytes: string | Buffer,
  options: { isHead?: boolean } = {},
): Promise<WireMessage> {
  const client = await WireClient.open(to);
  try {
    client.send(bytes);
    return await client.response(options);
  } finally {
    client.close();
  }
}

/** A GET without a body, ready to be sent. */
export function get(path = '/', lines: readonly string[] = []): string {
  return `GET ${path} HTTP/1.1\r\n${['Host: a.test', ...lines].join('\r\n')}\r\n\r\n`;
}

/** A request with a body of known length, ready to be sent. */
export function withBody(method: string, path: string, body: string | Buffer, lines: readonly string[] = []): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  const head = `${method} ${path} HTTP/1.1\r\n${['Host: a.test', `Content-Length: ${bytes.length}`, ...lines].join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}
