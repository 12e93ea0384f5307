/** Clients that leave or are slow: their endpoint's work ends at once, nothing stays open, and slowness costs nobody a byte. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { MessageReader } from '../../harness/http-message.js';
import { PatternedBytes } from '../../harness/patterned-bytes.js';
import { openFiles } from '../../harness/process-facts.js';
import { endpointFacts, statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok } from '../../harness/request-endpoint.js';
import { startEndpoint, until, type WireEndpoint } from '../../harness/wire.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

/** Most time from a client's leaving to the end of its connection at the endpoint. */
const AT_ONCE_MS = 1_000;

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: WireEndpoint;
  let proxy: ProxyProcess;
  /** How the endpoint treats a connection; set by each test. */
  let handle: (socket: WireEndpoint['connections'][number]) => void = () => {};

  beforeAll(async () => {
    endpoint = await startEndpoint((socket) => handle(socket));
    // At this level the log tells of clients' faults, too.
    proxy = await startProxy(configFor([endpoint.port], { frontend, log: { level: 'debug' } }));
  });

  afterEach(async () => {
    await untilIdle(proxy);
    // Each test has connections of its own: a kept one would be treated as the test before wanted it.
    for (const socket of endpoint.connections) socket.destroy();
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  /** Notes when the proxy ends connections of the endpoint. */
  function watchEnds(): { readonly ended: () => number } {
    let count = 0;
    handle = (socket) => {
      socket.on('data', () => {});
      socket.on('close', () => count++);
      socket.on('end', () => socket.destroy());
    };
    return { ended: () => count };
  }

  const LEAVING: [string, (client: WireClient) => void][] = [
    ['closes', (client) => client.socket.destroy()],
    ['resets', (client) => client.socket.resetAndDestroy()],
  ];

  /**
   * With nothing missing of its request a client that closes has only half-closed, as far as the native front end can see: it still gets
   * its answer (native-half-close.test.ts). uWebSockets.js takes it for gone.
   */
  const LEAVING_WITHOUT_ANSWER = frontend === 'uws' ? LEAVING : LEAVING.slice(1);

  describe('a client that leaves', () => {
    it.each(LEAVING_WITHOUT_ANSWER)(
      'before its answer ends the endpoint connection at once: it %s',
      async (_, leave) => {
        const { ended } = watchEnds();
        const before = endpoint.connections.length;
        const client = await WireClient.open(proxy.port);
        client.send(get('/'));
        await until('the request is at the endpoint', () => (endpoint.connections[before]?.bytesRead ?? 0) > 0);
        leave(client);
        await until('the endpoint connection has ended', () => ended() === 1, AT_ONCE_MS);
      },
    );

    it.each(LEAVING)('in the middle of its upload ends the endpoint connection at once: it %s', async (_, leave) => {
      const { ended } = watchEnds();
      const before = endpoint.connections.length;
      const client = await WireClient.open(proxy.port);
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nthe beginning');
      await until('the beginning is at the endpoint', () => (endpoint.connections[before]?.bytesRead ?? 0) > 0);
      leave(client);
      await until('the endpoint connection has ended', () => ended() === 1, AT_ONCE_MS);
    });

    it.each(LEAVING)(
      'in the middle of a download that it does not read ends the endpoint connection at once: it %s',
      async (_, leave) => {
        let count = 0;
        handle = (socket) => {
          socket.once('data', () => {
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
            const more = (): void => {
              while (socket.writable && socket.write(Buffer.alloc(65_536))) {}
            };
            socket.on('drain', more);
            more();
          });
          socket.on('close', () => count++);
        };
        const client = await WireClient.open(proxy.port);
        client.socket.pause();
        client.send(get('/'));
        const socket = await connectionThatStands();
        expect(socket.bytesWritten).toBeLessThan(40_000_000);
        leave(client);
        await until('the endpoint connection has ended', () => count === 1, AT_ONCE_MS);
      },
    );

    it('is told of in the log as SLUICE_CLIENT_GONE, and counts against no endpoint', async () => {
      watchEnds();
      const [before] = await endpointFacts(proxy);
      const client = await WireClient.open(proxy.port);
      client.send(get('/left-behind'));
      await until('the request is in flight', async () => (await endpointFacts(proxy))[0]?.inFlight === 1);
      client.close();
      const line = await proxy.lineWhere(({ path }) => path === '/left-behind');
      expect(line).toMatchObject({
        event: 'exchange-failed',
        code: 'SLUICE_CLIENT_GONE',
        level: 'debug',
        upstream: 'app',
      });
      expect((await endpointFacts(proxy))[0]?.failures).toBe(before?.failures);
    });

    it('between two requests leaves nothing open', async () => {
      handle = (socket) => socket.on('data', () => socket.write(ok()));
      const client = await WireClient.open(proxy.port);
      client.send(get('/'));
      await client.response();
      client.socket.destroy();
    });

    it('by a half-close in the middle of its upload ends the endpoint connection', async () => {
      const { ended } = watchEnds();
      const before = endpoint.connections.length;
      const client = await WireClient.open(proxy.port);
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      await until('the beginning is at the endpoint', () => (endpoint.connections[before]?.bytesRead ?? 0) > 0);
      client.socket.end();
      await until('the endpoint connection has ended', () => ended() === 1, AT_ONCE_MS);
      client.socket.destroy();
    });

    /** The endpoint's newest connection, once it takes nothing more. */
    async function connectionThatStands(): Promise<WireEndpoint['connections'][number]> {
      let before = -1;
      await until('nothing moves any more', async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const written = endpoint.connections.at(-1)?.bytesWritten ?? 0;
        const isStanding = written > 100_000 && written === before;
        before = written;
        return isStanding;
      });
      return endpoint.connections.at(-1) as WireEndpoint['connections'][number];
    }
  });

  describe('a slow client', () => {
    it.each([
      ['a known length', false],
      ['chunks', true],
    ])('that reads nothing for three seconds gets 32 MiB unchanged: %s', async (_, isChunked) => {
      const body = new PatternedBytes(32 * 1024 * 1024, 3);
      handle = (socket) => {
        socket.once('data', () => void answerWith(body, isChunked, socket));
      };
      const client = connect(proxy.port, '127.0.0.1');
      client.write(get('/'));
      const hash = createHash('sha256');
      const decoder = new BodyDecoder((bytes) => void hash.update(bytes));
      await new Promise<void>((resolve, reject) => {
        client.on('error', reject);
        client.on('close', () => reject(new Error(`closed after ${decoder.bodyBytes} bytes of body`)));
        let hasPaused = false;
        client.on('data', (chunk: Buffer) => {
          decoder.push(chunk);
          if (decoder.bodyBytes === body.totalBytes) resolve();
          if (hasPaused || decoder.bodyBytes < 1_000_000) return;
          hasPaused = true;
          client.pause();
          setTimeout(() => client.resume(), 3_000);
        });
      });
      client.destroy();
      expect(hash.digest('hex')).toBe(body.hash());
    });

    it('that writes slowly is waited for', async () => {
      const seen: string[] = [];
      handle = (socket) => {
        const reader = new MessageReader();
        socket.on('data', (chunk: Buffer) => {
          reader.push(chunk);
          const request = reader.next();
          if (request === undefined) return;
          seen.push(request.body.toString());
          socket.write(ok());
        });
      };
      const client = await WireClient.open(proxy.port);
      const body = 'slowly but surely';
      await client.sendPieces(
        ['POST / HTTP/1.1\r\nHost: a.test\r\n', `Content-Length: ${body.length}\r\n\r\n`, ...body],
        60,
      );
      expect((await client.response()).startLine).toBe('HTTP/1.1 200 OK');
      expect(seen).toEqual([body]);
      client.close();
    });
  });

  describe('after 200 clients that left at any moment', () => {
    it('nothing is open: no exchange, nothing in flight, no file descriptor', async () => {
      handle = (socket) => {
        socket.on('data', (chunk: Buffer) => {
          if (!/^(GET|POST) /.test(chunk.toString('latin1', 0, 5))) return;
          if (chunk.includes('/quick')) socket.write(ok());
          else if (chunk.includes('/half')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf');
          else if (chunk.includes('/large'))
            socket.write(
              Buffer.concat([
                Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n'),
                Buffer.alloc(3_000_000),
              ]),
            );
        });
        socket.on('end', () => socket.destroy());
      };
      await requestOnce(proxy.port, get('/quick'));
      const pid = proxy.child.pid as number;
      const idleFiles = async (): Promise<number> => {
        const { workers } = await statusFacts(proxy);
        return openFiles(pid) - workers.reduce((sum, { upstreamConnections }) => sum + upstreamConnections, 0);
      };
      // Upstream connections are reported once a second: both sides of the sum have to have settled.
      const filesBefore = await settled(idleFiles);
      let state = 42;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const requests = [
        get('/quick'),
        get('/half'),
        get('/large'),
        get('/never'),
        withBody('POST', '/never', Buffer.alloc(200_000)),
        'POST /half HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nabc',
        'GET /never HTTP/1.1\r\nHo',
      ];
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const bytes = requests[random(requests.length)] as string | Buffer;
          const [waitMs, isReset] = [random(120), random(2) === 1];
          // What is complete and has no answer goes on behind a close alone, with the native front end.
          const isWaitedFor =
            frontend === 'native' &&
            /^(GET \/never HTTP\/1\.1\r\nHost|GET \/half|POST \/never)/.test(bytes.toString('latin1', 0, 40));
          const client = await WireClient.open(proxy.port);
          client.send(bytes);
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          if (isReset || isWaitedFor) client.socket.resetAndDestroy();
          else client.socket.destroy();
        }),
      );
      await untilIdle(proxy);
      // The native front end keeps a few pipes for splicing: two workers, eight each, two descriptors each.
      const mostPipeFiles = frontend === 'native' ? 32 : 0;
      expect(await settled(idleFiles)).toBeLessThanOrEqual(filesBefore + mostPipeFiles);
      expect((await requestOnce(proxy.port, get('/quick'))).startLine).toBe('HTTP/1.1 200 OK');
    });

    /** The value once it has stayed the same for longer than the time between two reports. */
    async function settled(read: () => Promise<number>): Promise<number> {
      let value = await read();
      let since = performance.now();
      await until(
        'the number settles',
        async () => {
          const now = await read();
          if (now !== value) since = performance.now();
          value = now;
          return performance.now() - since > 1_300;
        },
        12_000,
      );
      return value;
    }
  });

  async function answerWith(
    body: PatternedBytes,
    isChunked: boolean,
    socket: WireEndpoint['connections'][number],
  ): Promise<void> {
    const write = async (bytes: Buffer | string): Promise<void> => {
      if (socket.write(bytes) || socket.destroyed) return;
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve);
        socket.once('close', resolve);
      });
    };
    await write(
      `HTTP/1.1 200 OK\r\n${isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.totalBytes}`}\r\n\r\n`,
    );
    for (const piece of body.pieces()) {
      if (socket.destroyed) return;
      await write(
        isChunked
          ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
          : piece,
      );
    }
    if (isChunked) await write('0\r\n\r\n');
  }

  /** Takes the head and the chunking off one response, without keeping it. */
  class BodyDecoder {
    bodyBytes = 0;
    #state: 'head' | 'plain' | 'size' | 'data' | 'data-end' = 'head';
    #text = '';
    #left = 0;

    constructor(readonly take: (bytes: Buffer) => void) {}

    push(chunk: Buffer): void {
      let at = 0;
      while (at < chunk.length) {
        if (this.#state === 'plain' || this.#state === 'data') {
          const end = this.#state === 'plain' ? chunk.length : Math.min(chunk.length, at + this.#left);
          this.take(chunk.subarray(at, end));
          this.bodyBytes += end - at;
          this.#left -= end - at;
          at = end;
          if (this.#state === 'data' && this.#left === 0) this.#state = 'data-end';
          continue;
        }
        this.#text += String.fromCharCode(chunk[at++] as number);
        if (this.#state === 'head' && this.#text.endsWith('\r\n\r\n')) {
          this.#state = /transfer-encoding: chunked/i.test(this.#text) ? 'size' : 'plain';
          this.#text = '';
        } else if (this.#state === 'size' && this.#text.endsWith('\r\n')) {
          this.#left = Number.parseInt(this.#text, 16);
          this.#state = this.#left === 0 ? 'data-end' : 'data';
          this.#text = '';
        } else if (this.#state === 'data-end' && this.#text.endsWith('\r\n')) {
          this.#state = 'size';
          this.#text = '';
        }
      }
    }
  }
});
