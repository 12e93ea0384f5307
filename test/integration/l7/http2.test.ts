/** Clients that speak HTTP/2 with prior knowledge: their streams are exchanges like any other. */
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { valuesOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startWebSocketEndpoint } from '../../harness/web-socket-peers.js';
import { startEndpoint, until } from '../../harness/wire.js';

const started = endAfterEach();

const ENHANCE_YOUR_CALM = 11;
const GOAWAY = 7;
/** What a client begins with: its preface and SETTINGS without an entry. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
const PING = Buffer.from('\0\0\x08\x06\0\0\0\0\0abcdefgh', 'latin1');

function configOf(port: number, listener: Readonly<Record<string, unknown>> = {}) {
  const settings = { frontend: 'native', http2: { clearText: true }, ...listener };
  return { log: { level: 'debug' }, ...configFor([port], { workers: 1, listener: settings }) };
}

function sessionTo(proxy: ProxyProcess): ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${proxy.port}`);
  session.on('error', () => undefined); // told by its streams
  return session;
}

async function opened(listener: Readonly<Record<string, unknown>> = {}) {
  const endpoint = await started(startRequestEndpoint(() => undefined));
  const proxy = await started(startProxy(configOf(endpoint.port, listener)));
  const session = sessionTo(proxy);
  await started({ close: async () => session.destroy() });
  return { endpoint, proxy, session };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const pieces: Buffer[] = [];
  let headers: Readonly<Record<string, unknown>> = {};
  let trailers: Readonly<Record<string, unknown>> = {};
  stream.on('response', (came) => (headers = came));
  stream.on('trailers', (came) => (trailers = came));
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  await once(stream, 'end');
  return { status: Number(headers[':status']), headers, trailers, body: Buffer.concat(pieces) };
}

function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}, body?: Buffer | string): Promise<Answer> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

async function requestAt(endpoint: RequestEndpoint, count = 1): Promise<void> {
  await until('the request is at the endpoint', () => endpoint.requests.length >= count);
}

describe('HTTP/2 with clients', () => {
  it('passes requests on as HTTP/1.1, and answers back', async () => {
    const { endpoint, session } = await opened();
    endpoint.answerWith(ok('hello'));
    const { status, body, headers } = await ask(
      session,
      { ':method': 'POST', ':path': '/a?b', cookie: ['a=1', 'b=2'], 'content-length': '4' },
      'body',
    );
    expect([status, body.toString(), headers.connection]).toEqual([200, 'hello', undefined]);
    const { target, method } = endpoint.last;
    expect([method, target]).toEqual(['POST', '/a?b']);
    expect([valuesOf(endpoint.last, 'cookie'), valuesOf(endpoint.last, 'content-length')]).toEqual([
      ['a=1; b=2'],
      ['4'],
    ]);
  });

  it('carries a hundred streams at the same time', async () => {
    const { endpoint, session } = await opened();
    endpoint.answerWith(ok('x'.repeat(1_000)));
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(session)));
    expect(answers.every(({ status, body }) => status === 200 && body.length === 1_000)).toBe(true);
  });

  it('holds large answers back for clients that read slowly', async () => {
    const { endpoint, proxy, session } = await opened();
    const size = 8_000_000;
    endpoint.answerWith(ok('y'.repeat(size)));
    const slow = session.request({ ':path': '/' });
    await once(slow, 'response');
    // Nothing of it is read while another stream of the same connection is answered.
    endpoint.answerWith(ok('quick'));
    expect((await ask(session)).body.toString()).toBe('quick');
    let got = 0;
    slow.on('data', (piece: Buffer) => (got += piece.length));
    await once(slow, 'end');
    expect(got).toBe(size);
    expect(proxy.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('takes large bodies', async () => {
    const { endpoint, session } = await opened();
    const answered = ask(session, { ':method': 'POST' }, Buffer.alloc(3_000_000, 'z'));
    await requestAt(endpoint);
    await until('the body is there', () => endpoint.last.body.length === 3_000_000);
    endpoint.last.socket.write(ok('thanks'));
    expect((await answered).body.toString()).toBe('thanks');
  });

  describe('with an endpoint that answers before the body is there,', () => {
    async function answeredEarly() {
      const endpoint = await started(startEndpoint((socket) => socket.once('data', () => socket.write(ok('early')))));
      const proxy = await started(startProxy(configOf(endpoint.port)));
      const session = sessionTo(proxy);
      await started({ close: async () => session.destroy() });
      const upload = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false });
      upload.on('error', () => undefined);
      const { status, body } = await answerOf(upload);
      expect([status, body.toString()]).toEqual([200, 'early']);
      // A reset that had come with the answer would be here by now.
      await new Promise((resolve) => session.ping(resolve));
      expect(upload.closed).toBe(false);
      return { session, upload };
    }

    it('drops the rest of it, and serves others', async () => {
      const { session, upload } = await answeredEarly();
      const ended = once(upload, 'close');
      // More than the windows have room for: they are given back.
      upload.end(Buffer.alloc(5_000_000, 'x'));
      await ended;
      expect(upload.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
      expect((await ask(session)).body.toString()).toBe('early');
    });

    it('says that no more is wanted once that has taken long', async () => {
      const { session, upload } = await answeredEarly();
      // 5 s after the answer, whether something comes or not; the client itself never ends it.
      await once(upload, 'close');
      expect(upload.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
      expect((await ask(session)).body.toString()).toBe('early');
    }, 15_000);
  });

  it('passes trailers on', async () => {
    const { endpoint, session } = await opened();
    endpoint.answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nGrpc-Status: 0\r\n\r\n');
    const { body, trailers } = await ask(session, { te: 'trailers' });
    expect([body.toString(), trailers['grpc-status']]).toEqual(['hi', '0']);
  });

  it('answers heads that are too large with 431, and goes on', async () => {
    const { endpoint, session } = await opened({ limits: { headBytes: '2KiB', targetBytes: '1KiB' } });
    endpoint.answerWith(ok('fine'));
    expect((await ask(session, { large: 'x'.repeat(4_000) })).status).toBe(431);
    expect((await ask(session)).status).toBe(200);
  });

  it('ends the attempt of a stream that its client resets', async () => {
    const { endpoint, session } = await opened();
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => undefined);
    await requestAt(endpoint);
    const gone = once(endpoint.last.socket, 'close');
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await gone;
  });

  it('resets streams whose answer breaks', async () => {
    const { endpoint, session } = await opened();
    const stream = session.request({ ':path': '/' });
    const failed = once(stream, 'error');
    stream.resume();
    await requestAt(endpoint);
    endpoint.last.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await once(stream, 'response');
    endpoint.last.socket.destroy();
    await failed;
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR);
  });

  it('lets streams end that a drain finds, and takes no others', async () => {
    const { endpoint, proxy, session } = await opened();
    const answered = ask(session);
    await requestAt(endpoint);
    const wentAway = once(session, 'goaway');
    const stopped = proxy.stop('SIGTERM');
    await wentAway;
    endpoint.last.socket.write(ok('still'));
    expect((await answered).body.toString()).toBe('still');
    expect(await stopped).toBe(0);
  });

  it('ends connections that flood, and says so', async () => {
    const { proxy } = await opened({ http2: { clearText: true, controlFrames: { burst: 20, perSecond: 1 } } });
    const socket = connectSocket(proxy.port, '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([PREFACE, ...Array.from({ length: 30 }, () => PING)]));
    await once(socket, 'close');
    const heard = Buffer.concat(pieces);
    const at = heard.indexOf(Buffer.from([GOAWAY, 0, 0, 0, 0, 0]));
    expect(heard.readUInt32BE(at + 10)).toBe(ENHANCE_YOUR_CALM);
    await until('it is logged', () => proxy.log.some(({ code }) => code === 'SLUICE_HTTP2_FLOOD'));
  });

  it('carries WebSockets over extended CONNECT', async () => {
    const endpoint = await started(startWebSocketEndpoint({ echoes: true }));
    const proxy = await started(startProxy(configOf(endpoint.port)));
    const session = sessionTo(proxy);
    await started({ close: async () => session.destroy() });
    await once(session, 'remoteSettings');
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/chat',
      'sec-websocket-version': '13',
    });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    // A text frame, masked with zeros: "hello".
    stream.write(Buffer.from('\x81\x85\0\0\0\0hello', 'latin1'));
    const [echo] = await once(stream, 'data');
    expect(echo.toString('latin1')).toBe('\x81\x05hello');
    stream.close();
  });
});
