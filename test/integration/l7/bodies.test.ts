/** Bodies in both directions: whatever their framing and their pieces, what arrives is what was sent, and it ends where it should. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { MessageReader, statusOf, valuesOf } from '../../harness/http-message.js';
import { hashOf, PatternedBytes } from '../../harness/patterned-bytes.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

const CHUNKED_HEAD = 'POST /upload HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(configFor([endpoint.port], { frontend }));
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  /** `bytes` cut into pieces of the given sizes, over and over. */
  function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] as number;
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }

  function chunked(bytes: Buffer, sizes: readonly number[]): Buffer {
    const chunks = cut(bytes, sizes).map((piece) =>
      Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
    );
    return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
  }

  describe('a request body', () => {
    it.each([0, 1, 100, 5_000, 65_536, 300_000])('of known length arrives whole: %i bytes', async (size) => {
      endpoint.answerWith(ok());
      const body = new PatternedBytes(size).whole();
      expect(statusOf(await requestOnce(proxy.port, withBody('POST', '/', body)))).toBe(200);
      expect(valuesOf(endpoint.last, 'content-length')).toEqual([String(size)]);
      expect(endpoint.last.isChunked).toBe(false);
      expect(hashOf(endpoint.last.body)).toBe(hashOf(body));
    });

    it.each([
      ['one chunk', [1_000_000]],
      ['odd chunks', [1, 2, 3, 17, 255, 256, 4_097, 65_535]],
      ['chunks of one byte', [1]],
    ])('in %s reaches the endpoint in chunks', async (_, sizes) => {
      endpoint.answerWith(ok());
      const body = new PatternedBytes(sizes.length === 1 && sizes[0] === 1 ? 3_000 : 200_000).whole();
      const client = await WireClient.open(proxy.port);
      client.send(CHUNKED_HEAD);
      client.send(chunked(body, sizes));
      expect(statusOf(await client.response())).toBe(200);
      client.close();
      expect(endpoint.last.isChunked).toBe(true);
      expect(valuesOf(endpoint.last, 'content-length')).toEqual([]);
      expect(hashOf(endpoint.last.body)).toBe(hashOf(body));
    });

    it('of chunks that is empty arrives empty', async () => {
      endpoint.answerWith(ok());
      expect(statusOf(await requestOnce(proxy.port, `${CHUNKED_HEAD}0\r\n\r\n`))).toBe(200);
      expect(endpoint.last.body.length).toBe(0);
    });

    it('arrives whole one byte at a time', async () => {
      endpoint.answerWith(ok());
      const client = await WireClient.open(proxy.port);
      await client.sendPieces([...withBody('POST', '/slow', 'abcdef').toString('latin1')], 2);
      expect(statusOf(await client.response())).toBe(200);
      await client.sendPieces([...`${CHUNKED_HEAD}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`], 2);
      expect(statusOf(await client.response())).toBe(200);
      client.close();
      expect(endpoint.requests.map(({ body }) => body.toString())).toEqual(['abcdef', 'abcdef']);
    });

    it('leaves the connection ready for the next request when its length was announced', async () => {
      endpoint.answerWith((request) => ok(request.body.toString()));
      const client = await WireClient.open(proxy.port);
      for (const body of ['first', '', 'third']) {
        client.send(withBody('PUT', '/', body));
        expect((await client.response()).body.toString()).toBe(body);
      }
      client.close();
    });

    it('is on its way before it is complete', async () => {
      const slow = await startEndpoint((socket) => {
        socket.on('data', () => {});
      });
      const streaming = await startProxy(configFor([slow.port], { frontend }));
      try {
        const client = await WireClient.open(streaming.port);
        client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc');
        await until(
          'the head and three bytes at the endpoint',
          () => slow.connections[0]?.bytesRead !== undefined && slow.connections[0].bytesRead > 100,
        );
        client.close();
      } finally {
        await streaming.stop();
        await slow.close();
      }
    });
  });

  describe('a response body', () => {
    it.each([0, 1, 100, 16_384, 16_385, 300_000, 2_000_000])(
      'of known length arrives whole: %i bytes',
      async (size) => {
        const body = new PatternedBytes(size).whole();
        endpoint.answerWith(() =>
          Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), body]),
        );
        const response = await requestOnce(proxy.port, get('/'));
        expect(valuesOf(response, 'content-length')).toEqual([String(size)]);
        expect(hashOf(response.body)).toBe(hashOf(body));
      },
    );

    it.each([
      ['one chunk', [1_000_000], 200_000],
      ['odd chunks', [1, 2, 3, 17, 255, 256, 4_097, 65_535], 500_000],
      ['chunks of one byte', [1], 3_000],
    ])('in %s arrives whole', async (_, sizes, size) => {
      const body = new PatternedBytes(size).whole();
      endpoint.answerWith(() =>
        Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), chunked(body, sizes)]),
      );
      const response = await requestOnce(proxy.port, get('/'));
      // What came complete in one read may go on with its length; either framing ends the body where it ends.
      if (size > 100_000) expect(response.isChunked).toBe(true);
      expect(hashOf(response.body)).toBe(hashOf(body));
    });

    it('of chunks loses extensions and trailers', async () => {
      endpoint.answerWith(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n4 ; x="y"\r\ndefg\r\n0\r\nX-Sum: 1\r\n\r\n',
      );
      const response = await requestOnce(proxy.port, get('/'));
      expect(response.body.toString()).toBe('abcdefg');
      expect(valuesOf(response, 'x-sum')).toEqual([]);
    });

    it('arrives whole when the endpoint sends one byte at a time', async () => {
      const raws = [
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef',
      ];
      for (const raw of raws) {
        endpoint.answerWith((request) => {
          void (async () => {
            for (const byte of raw) {
              request.socket.write(byte);
              await new Promise((resolve) => setTimeout(resolve, 2));
            }
          })();
          return undefined;
        });
        expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('abcdef');
      }
    });

    it.each([0, 10, 400_000])('that lasts until the endpoint closes arrives whole: %i bytes', async (size) => {
      const body = new PatternedBytes(size).whole();
      endpoint.answerWith((request) => {
        request.socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n'), body]));
        return undefined;
      });
      const client = await WireClient.open(proxy.port);
      client.send(get('/'));
      const response = await client.response();
      // It ends by its own framing: the connection is still there.
      expect(client.ending).toBe('open');
      client.close();
      expect(hashOf(response.body)).toBe(hashOf(body));
    });

    it('is on its way before it is complete', async () => {
      let finish = (): void => {};
      endpoint.answerWith((request) => {
        finish = () => void request.socket.write('4\r\nlast\r\n0\r\n\r\n');
        return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n';
      });
      const client = await WireClient.open(proxy.port);
      client.send(get('/'));
      await client.has('the first chunk', (rest) => rest.includes('first'));
      finish();
      expect((await client.response()).body.toString()).toBe('firstlast');
      client.close();
    });
  });

  describe('bodies of 8 MiB up and down at once', () => {
    it.each([
      ['with known lengths', false],
      ['in chunks', true],
    ])('arrive unchanged %s', async (_, isChunked) => {
      const up = new PatternedBytes(8 * 1024 * 1024, 7);
      const down = new PatternedBytes(8 * 1024 * 1024, 8);
      const seen: string[] = [];
      // Answers as soon as the head is there, so that both directions are busy at the same time.
      const echo = await startEndpoint((socket) => {
        const reader = new MessageReader();
        let hasAnswered = false;
        socket.on('data', (chunk: Buffer) => {
          reader.push(chunk);
          if (!hasAnswered && reader.head !== undefined) {
            hasAnswered = true;
            const body = down.whole();
            const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
            socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
            // The last bytes wait until the request is complete: what comes behind the response could not be told from a new request.
            const wire = isChunked ? chunked(body, [50_000, 1, 70_001]) : body;
            socket.write(wire.subarray(0, wire.length - 100));
            held = wire.subarray(wire.length - 100);
          }
          const request = reader.next();
          if (request === undefined) return;
          seen.push(hashOf(request.body));
          socket.write(held);
        });
        let held: Buffer = Buffer.alloc(0);
      });
      const both = await startProxy(configFor([echo.port], { frontend }));
      try {
        const client = await WireClient.open(both.port);
        const body = up.whole();
        client.send(
          `POST / HTTP/1.1\r\nHost: a.test\r\n${isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`}\r\n\r\n`,
        );
        client.send(isChunked ? chunked(body, [60_000, 3, 65_536]) : body);
        const response = await client.response();
        client.close();
        expect(seen).toEqual([up.hash()]);
        expect(hashOf(response.body)).toBe(down.hash());
        await untilIdle(both);
      } finally {
        await both.stop();
        await echo.close();
      }
    });
  });

  describe('an answer that comes before the request is complete', () => {
    it('reaches the client, is whole, and ends the connection', async () => {
      const early = await startEndpoint((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'));
      });
      const through = await startProxy(configFor([early.port], { frontend }));
      try {
        const client = await WireClient.open(through.port);
        client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nonly the beginning');
        const response = await client.response();
        expect(response.startLine).toBe('HTTP/1.1 403 Forbidden');
        expect(valuesOf(response, 'connection')).toEqual(['close']);
        await client.ended();
        await untilIdle(through);
      } finally {
        await through.stop();
        await early.close();
      }
    });

    it('reaches the client although the endpoint closes at once', async () => {
      const early = await startEndpoint((socket) => {
        socket.once('data', () =>
          socket.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'),
        );
      });
      const through = await startProxy(configFor([early.port], { frontend }));
      try {
        const client = await WireClient.open(through.port);
        client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nonly the beginning');
        const response = await client.response();
        expect(response.startLine).toBe('HTTP/1.1 413 Content Too Large');
        expect(response.body.toString()).toBe('big');
        await client.ended();
        await untilIdle(through);
      } finally {
        await through.stop();
        await early.close();
      }
    });

    it('in chunks, complete before the request is, does not let the rest of the upload become a request', async () => {
      const heads: string[] = [];
      const early = await startEndpoint((socket) => {
        socket.on('data', (chunk: Buffer) => {
          const text = chunk.toString('latin1');
          heads.push(...(text.match(/^[A-Z]+ \S+ HTTP\/1\.1/gm) ?? []));
          if (!text.startsWith('POST ')) return;
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
          setTimeout(() => socket.write('0\r\n\r\n'), 30);
        });
      });
      const through = await startProxy(configFor([early.port], { frontend }));
      try {
        const client = await WireClient.open(through.port);
        client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\npart');
        expect((await client.response()).body.toString()).toBe('hi');
        client.send(get('/smuggled').padEnd(96, ' '));
        await untilIdle(through);
        // Either the connection was ended, or the bytes were swallowed as what they are: the rest of the body.
        await Promise.race([client.ended(), new Promise((resolve) => setTimeout(resolve, 300))]);
        client.close();
        expect(heads.filter((head) => head.includes('smuggled'))).toEqual([]);
      } finally {
        await through.stop();
        await early.close();
      }
    });
  });
});
