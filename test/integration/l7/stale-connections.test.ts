/** Kept connections that the endpoint closes: noticed while idle, and at the moment of reuse repaired where that is safe. */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

interface Set {
  readonly endpoint: RequestEndpoint;
  readonly proxy: ProxyProcess;
  readonly client: WireClient;
}

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function start(upstream: object = {}): Promise<Set> {
    const endpoint = await startRequestEndpoint();
    open.push(() => endpoint.close());
    const proxy = await startProxy(configFor([endpoint.port], { frontend, workers: 1, upstream }));
    open.push(() => proxy.stop());
    const client = await WireClient.open(proxy.port);
    open.push(() => client.close());
    return { endpoint, proxy, client };
  }

  async function roundTrip(client: WireClient, bytes: string | Buffer = get('/')): Promise<number> {
    client.send(bytes);
    return statusOf(await client.response());
  }

  /** How the endpoint ends a connection when the second request has come in on it. */
  const ENDINGS: [string, (socket: Socket) => void][] = [
    ['a close', (socket) => socket.destroy()],
    ['a reset', (socket) => socket.resetAndDestroy()],
  ];

  describe('a kept connection', () => {
    it('is used again', async () => {
      const { endpoint, client } = await start();
      for (let i = 0; i < 5; i++) expect(await roundTrip(client)).toBe(200);
      expect(endpoint.requests.map(({ connection }) => connection)).toEqual([0, 0, 0, 0, 0]);
    });

    it.each([
      ['Connection: close', ok('ok', ['Connection: close'])],
      ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
      ['Keep-Alive: timeout=0', ok('ok', ['Keep-Alive: timeout=0'])],
    ])('is not kept after %s', async (_, raw) => {
      const { endpoint, client } = await start();
      endpoint.answerWith(raw);
      for (let i = 0; i < 3; i++) expect(await roundTrip(client)).toBe(200);
      expect(endpoint.requests.map(({ connection }) => connection)).toEqual([0, 1, 2]);
    });

    it('that the endpoint closed while idle is not used', async () => {
      const { endpoint, client } = await start();
      for (let i = 0; i < 5; i++) {
        expect(await roundTrip(client, withBody('POST', '/', `${i}`))).toBe(200);
        const { socket } = endpoint.last;
        const isClosed = new Promise((resolve) => socket.once('close', resolve));
        socket.end();
        await isClosed;
      }
      expect(endpoint.requests.map(({ body }) => body.toString())).toEqual(['0', '1', '2', '3', '4']);
    });

    it('is closed by the proxy when it has been idle for keepAliveIdle', async () => {
      const { endpoint, client } = await start({ pool: { keepAliveIdle: '300ms' } });
      expect(await roundTrip(client)).toBe(200);
      let hasEnded = false;
      endpoint.last.socket.on('end', () => {
        hasEnded = true;
      });
      await until('the idle connection is closed', () => hasEnded, 3_000);
      expect(await roundTrip(client)).toBe(200);
      expect(endpoint.last.connection).toBe(1);
    });
  });

  describe('a kept connection that ends when the next request has been sent on it', () => {
    it.each(ENDINGS)('by %s has an idempotent request sent once more', async (_, end) => {
      const { endpoint, proxy, client } = await start();
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE']) {
        endpoint.answerWith(ok('', []));
        await roundTrip(client);
        const stale = endpoint.last.connection;
        endpoint.answerWith((request) => {
          if (request.connection !== stale) return ok('');
          end(request.socket);
          return undefined;
        });
        client.send(get('/again').replace('GET', method));
        expect(statusOf(await client.response({ isHead: method === 'HEAD' }))).toBe(200);
        expect(endpoint.requests.map(({ method: seen, target }) => `${seen} ${target}`)).toEqual([
          `${method} /again`,
          `${method} /again`,
        ]);
      }
      await untilIdle(proxy);
    });

    it.each(ENDINGS)('by %s has a PUT with its body sent once more', async (_, end) => {
      const { endpoint, client } = await start();
      await roundTrip(client);
      endpoint.answerWith((request) => {
        if (request.connection > 0) return ok();
        end(request.socket);
        return undefined;
      });
      expect(await roundTrip(client, withBody('PUT', '/', 'the body'))).toBe(200);
      expect(endpoint.requests.map(({ body }) => body.toString())).toEqual(['the body', 'the body']);
    });

    it.each(ENDINGS)('by %s has a POST answered 502, and it is not carried out twice', async (_, end) => {
      const { endpoint, proxy, client } = await start();
      await roundTrip(client);
      endpoint.answerWith((request) => {
        end(request.socket);
        return undefined;
      });
      client.send(withBody('POST', '/', 'once'));
      const response = await client.response();
      expect(statusOf(response)).toBe(502);
      expect(errorOf(response).error).toBe('SLUICE_ENDPOINT_RESET');
      expect(endpoint.requests).toHaveLength(1);
      await untilIdle(proxy);
    });

    it('is not replayed a second time', async () => {
      const { endpoint, client } = await start();
      await roundTrip(client);
      endpoint.answerWith((request) => {
        request.socket.destroy();
        return undefined;
      });
      expect(await roundTrip(client)).toBe(502);
      expect(endpoint.requests).toHaveLength(2);
    });

    it('after the first byte of its answer is not replayed', async () => {
      const { endpoint, client } = await start();
      await roundTrip(client);
      endpoint.answerWith((request) => {
        request.socket.end('HTTP/1.1 2');
        return undefined;
      });
      expect(await roundTrip(client)).toBe(502);
      expect(endpoint.requests).toHaveLength(1);
    });
  });
});
