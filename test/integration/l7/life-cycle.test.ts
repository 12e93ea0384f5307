/** Stopping under load: what is in flight is answered, nothing new is taken, and the process ends with 0. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { statusFacts } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  /** A proxy in front of an endpoint that holds its requests. */
  async function startHolding(
    more: object = {},
  ): Promise<{ proxy: ProxyProcess; endpoint: RequestEndpoint; answerAll: (raw?: string) => void }> {
    const endpoint = await startRequestEndpoint(() => undefined);
    open.push(() => endpoint.close());
    const proxy = await startProxy(configFor([endpoint.port], { frontend, workers: 3, ...more }));
    open.push(() => proxy.stop('SIGKILL'));
    return {
      proxy,
      endpoint,
      answerAll: (raw = ok('in time')) => {
        for (const { socket } of endpoint.requests) socket.write(raw);
      },
    };
  }

  async function openClient(proxy: ProxyProcess): Promise<WireClient> {
    const client = await WireClient.open(proxy.port);
    open.push(() => client.close());
    return client;
  }

  function isRefused(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(false);
      });
      socket.on('error', () => resolve(true));
    });
  }

  describe('the process', () => {
    it('has as many workers as configured, and all of them serve', async () => {
      const { proxy } = await startHolding();
      const { workers } = await statusFacts(proxy);
      expect(workers.map(({ state }) => state)).toEqual(['serving', 'serving', 'serving']);
    });
  });

  describe('SIGTERM under load', () => {
    it('lets every request in flight be answered, tells clients to close, takes no new connection and exits 0', async () => {
      const { proxy, endpoint, answerAll } = await startHolding();
      const clients = await Promise.all(Array.from({ length: 30 }, () => openClient(proxy)));
      for (const [index, client] of clients.entries())
        client.send(index % 2 === 0 ? get('/') : withBody('POST', '/', 'x'));
      await until('all requests are at the endpoint', () => endpoint.requests.length === 30);
      const ended = proxy.stop('SIGTERM');
      await proxy.lineWhere(({ event }) => event === 'signal');
      await until('new connections are refused', () => isRefused(proxy.port));
      // The primary has closed its sockets; each worker hears of the end for itself.
      await until('all workers drain', async () => {
        const { workers } = await statusFacts(proxy);
        return workers.every(({ state }) => state === 'draining');
      });
      expect(clients.every(({ ending, rest }) => ending === 'open' && rest === '')).toBe(true);
      answerAll();
      const responses = await Promise.all(clients.map((client) => client.response()));
      expect(responses.map(statusOf)).toEqual(Array(30).fill(200));
      expect(responses.map(({ body }) => body.toString())).toEqual(Array(30).fill('in time'));
      expect(responses.map((response) => valuesOf(response, 'connection'))).toEqual(Array(30).fill(['close']));
      await Promise.all(clients.map((client) => client.ended()));
      expect(await ended).toBe(0);
    });

    it('lets a download that has begun be completed', async () => {
      const { proxy, endpoint } = await startHolding();
      const client = await openClient(proxy);
      client.send(get('/'));
      await until('the request is at the endpoint', () => endpoint.requests.length === 1);
      const { socket } = endpoint.last;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbegin');
      await client.has('the beginning', (rest) => rest.includes('begin'));
      const ended = proxy.stop('SIGTERM');
      await proxy.lineWhere(({ event }) => event === 'signal');
      socket.write('x'.repeat(99_995));
      expect((await client.response()).body.length).toBe(100_000);
      expect(await ended).toBe(0);
    });

    it('closes idle connections and exits 0 at once when nothing is in flight', async () => {
      const { proxy, endpoint } = await startHolding();
      endpoint.answerWith(ok());
      const client = await openClient(proxy);
      client.send(get('/'));
      await client.response();
      const startedAt = performance.now();
      expect(await proxy.stop('SIGTERM')).toBe(0);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      await client.ended();
    });

    it('cuts what is not answered within shutdownTimeout, and says so', async () => {
      const { proxy, endpoint } = await startHolding({ shutdownTimeout: '500ms' });
      const client = await openClient(proxy);
      client.send(get('/'));
      await until('the request is at the endpoint', () => endpoint.requests.length === 1);
      expect(await proxy.stop('SIGTERM')).toBe(0);
      await client.ended();
      expect(client.rest).toBe('');
      expect(proxy.log).toContainEqual(expect.objectContaining({ event: 'shutdown-timeout', exchanges: 1 }));
    });

    it('twice ends at once', async () => {
      const { proxy, endpoint } = await startHolding();
      const client = await openClient(proxy);
      client.send(get('/'));
      await until('the request is at the endpoint', () => endpoint.requests.length === 1);
      const ended = proxy.stop('SIGTERM');
      await proxy.lineWhere(({ event }) => event === 'signal');
      proxy.child.kill('SIGTERM');
      expect(await ended).toBe(143);
    });

    it('while new requests keep coming on open connections answers each of them or closes before it', async () => {
      const { proxy, endpoint } = await startHolding();
      endpoint.answerWith(ok('served'));
      const outcomes: string[] = [];
      let isOver = false;
      const load = Array.from({ length: 8 }, async () => {
        const client = await openClient(proxy);
        while (!isOver && client.ending === 'open') {
          client.send(get('/'));
          const response = await client.response().catch(() => undefined);
          if (response === undefined) break;
          outcomes.push(`${statusOf(response)} ${response.body.toString()}`);
          if (valuesOf(response, 'connection').includes('close')) break;
        }
      });
      await until('the load is on', () => outcomes.length > 100);
      expect(await proxy.stop('SIGTERM')).toBe(0);
      isOver = true;
      await Promise.all(load);
      expect(new Set(outcomes)).toEqual(new Set(['200 served']));
    });
  });

  describe('after the end', () => {
    it('the address is free for the next process', async () => {
      const { proxy } = await startHolding();
      const { port } = proxy;
      await proxy.stop('SIGTERM');
      const endpoint = await startRequestEndpoint();
      open.push(() => endpoint.close());
      const next = await startProxy(configFor([endpoint.port], { frontend, listener: { bind: `127.0.0.1:${port}` } }));
      open.push(() => next.stop());
      expect(statusOf(await requestOnce(port, get('/')))).toBe(200);
    });
  });
});
