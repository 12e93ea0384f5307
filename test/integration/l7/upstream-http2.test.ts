/** Endpoints that speak HTTP/2 without TLS, on the wire: multiplexing, GOAWAY, refused streams, large bodies, trailers. */
import { once } from 'node:events';
import { constants, createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

type Answer = (stream: ServerHttp2Stream, headers: Record<string, unknown>, session: Http2Session) => void;

async function endpointOf(answer: Answer): Promise<{ port: number; sessions: Http2Session[] }> {
  const sessions: Http2Session[] = [];
  const server = createServer();
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers, stream.session as Http2Session);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

/** Answers with what came. */
const echo: Answer = (stream) => {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => {
    stream.respond({ ':status': 200 });
    stream.end(Buffer.concat(pieces));
  });
};

describe.each(FRONT_ENDS)('endpoints of HTTP/2, with the front end %s', (frontend) => {
  async function proxyTo(port: number, upstream: object = {}): Promise<ProxyProcess> {
    const proxy = await startProxy(
      configFor([port], { frontend, workers: 1, upstream: { protocol: 'h2', healthCheck: 'off', ...upstream } }),
    );
    open.push(() => proxy.stop());
    return proxy;
  }
  const urlOf = (proxy: ProxyProcess, path: string): string => `http://127.0.0.1:${proxy.port}${path}`;

  it('serves many requests at once over one connection', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const endpoint = await endpointOf((stream, headers) => {
      if (headers[':path'] === '/warm') return stream.respond({ ':status': 204 }, { endStream: true });
      waiting.push(stream);
      if (waiting.length < 20) return;
      for (const one of waiting) {
        one.respond({ ':status': 200 });
        one.end('x');
      }
    });
    const proxy = await proxyTo(endpoint.port);
    expect((await fetch(urlOf(proxy, '/warm'))).status).toBe(204);
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(urlOf(proxy, '/'))));
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(Array(20).fill('x'));
    expect(endpoint.sessions).toHaveLength(1);
  });

  it('carries 10 MB both ways', async () => {
    const endpoint = await endpointOf(echo);
    const proxy = await proxyTo(endpoint.port);
    const body = Buffer.alloc(10 * 1024 * 1024, 'sluice');
    const answer = await fetch(urlOf(proxy, '/'), { method: 'POST', body });
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  });

  it('sends elsewhere what a GOAWAY leaves out, and what is refused', async () => {
    let refusals = 0;
    const endpoint = await endpointOf((stream, headers, session) => {
      if (headers[':path'] === '/refuse' && refusals++ === 0) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      if (headers[':path'] === '/leave') session.goaway(constants.NGHTTP2_NO_ERROR);
      echo(stream, headers, session);
    });
    const proxy = await proxyTo(endpoint.port);
    const post = async (path: string): Promise<string> => {
      const answer = await fetch(urlOf(proxy, path), { method: 'POST', body: 'kept' });
      return `${answer.status} ${await answer.text()}`;
    };
    expect(await post('/refuse')).toBe('200 kept');
    expect(refusals).toBe(2);
    expect(await post('/leave')).toBe('200 kept');
    expect(await post('/')).toBe('200 kept');
    expect(endpoint.sessions).toHaveLength(2);
  });

  it('answers 502 where the endpoint resets the stream', async () => {
    const endpoint = await endpointOf((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const proxy = await proxyTo(endpoint.port);
    const answer = await fetch(urlOf(proxy, '/'), { method: 'POST', body: 'x' });
    expect(answer.status).toBe(502);
    expect(endpoint.sessions).toHaveLength(1);
  });
});
