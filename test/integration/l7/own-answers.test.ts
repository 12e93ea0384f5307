/** What the proxy answers by itself, what it says of connections, and whom it blames. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { endpointFacts, statusFacts } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(configFor([endpoint.port], { frontend, route: { match: { path: '/known' } } }));
  });

  afterEach(() => {
    endpoint.requests.length = 0;
    endpoint.answerWith(ok());
  });

  afterAll(async () => {
    await proxy.stop();
    await endpoint.close();
  });

  describe('an answer of the proxy to HEAD', () => {
    it('has the length but no body, and leaves the connection in step', async () => {
      const client = await WireClient.open(proxy.port);
      client.send(get('/unknown').replace('GET', 'HEAD'));
      const refused = await client.response({ isHead: true });
      expect(refused.startLine).toBe('HTTP/1.1 404 Not Found');
      expect(Number(valuesOf(refused, 'content-length')[0])).toBeGreaterThan(50);
      client.send(get('/known'));
      expect(statusOf(await client.response())).toBe(200);
      expect(client.rest).toBe('');
      client.close();
    });

    it('closes where nothing may follow, without a body', async () => {
      const client = await WireClient.open(proxy.port);
      client.send('HEAD /known HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
      expect(await client.ended()).toBe('closed');
      expect(client.rest).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\n\r\n$/);
    });
  });

  describe('OPTIONS', () => {
    it('is answered by the proxy where Max-Forwards ends here', async () => {
      const response = await requestOnce(proxy.port, get('/known', ['Max-Forwards: 0']).replace('GET', 'OPTIONS'));
      expect(statusOf(response)).toBe(200);
      expect(valuesOf(response, 'allow')).toHaveLength(1);
      expect(endpoint.requests).toEqual([]);
    });

    it('goes on with one less', async () => {
      await requestOnce(proxy.port, get('/known', ['Max-Forwards: 3']).replace('GET', 'OPTIONS'));
      expect(valuesOf(endpoint.last, 'max-forwards')).toEqual(['2']);
    });

    it.each(['0', '7'])('is the only method that Max-Forwards: %s means anything to', async (hops) => {
      await requestOnce(proxy.port, get('/known', [`Max-Forwards: ${hops}`]));
      expect(valuesOf(endpoint.last, 'max-forwards')).toEqual([hops]);
    });
  });

  describe('a client that asks to close', () => {
    it.each(['close', 'Close', 'keep-alive, close'])('is told so, and the connection closes (%s)', async (option) => {
      const client = await WireClient.open(proxy.port);
      client.send(get('/known', [`Connection: ${option}`]));
      const response = await client.response();
      expect(valuesOf(response, 'connection')).toEqual(['close']);
      expect(await client.ended()).toBe('closed');
      client.close();
    });
  });

  describe('blame', () => {
    it('for a truncated answer is the endpoint\u2019s', async () => {
      const before = (await statusFacts(proxy)).totals.failures;
      endpoint.answerWith('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc');
      const client = await WireClient.open(proxy.port);
      client.send(get('/known'));
      await client.has('the part', (rest) => rest.endsWith('abc'));
      for (const connection of endpoint.connections) connection.destroy();
      await client.ended();
      const line = await proxy.lineWhere(({ event }) => event === 'exchange-failed');
      expect([line['code'], line['level']]).toEqual(['SLUICE_RESPONSE_TRUNCATED', 'warn']);
      await until('the failure in the totals', async () => (await statusFacts(proxy)).totals.failures > before);
    });

    it('for a deadline that a slow client let pass is not', async () => {
      const body = Buffer.alloc(67_108_864, 'x');
      const big = await startEndpoint((socket) => {
        socket.on('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n');
          socket.write(body);
        });
      });
      // Long enough for the head of the answer, also on a busy machine: a deadline before it would be the endpoint's fault.
      const impatient = await startProxy(configFor([big.port], { frontend, route: { timeouts: { exchange: '1s' } } }));
      try {
        const client = await WireClient.open(impatient.port);
        client.socket.pause();
        client.send(get('/'));
        await impatient.lineWhere(({ code }) => code === 'SLUICE_EXCHANGE_TIMEOUT');
        await until('its claim is given back', async () => (await endpointFacts(impatient))[0]?.inFlight === 0);
        expect((await endpointFacts(impatient))[0]?.failures).toBe(0);
        client.close();
      } finally {
        await impatient.stop();
        await big.close();
      }
    });
  });

  describe('a shutdown', () => {
    it('lets a slow client have the end of an answer whose endpoint is done', async () => {
      // Chunked, and a little more than the sockets on the way take: the end waits in uWebSockets.js.
      const chunks = createServer((request, response) => {
        const size = Number(request.url?.slice(1));
        response.write(Buffer.alloc(size, 'a'));
        response.end('THE-END');
      }).listen(0, '127.0.0.1');
      await until('the endpoint', () => chunks.listening);
      const draining = await startProxy(
        configFor([(chunks.address() as AddressInfo).port], { frontend, shutdownTimeout: '10s' }),
      );
      try {
        const clients = await Promise.all(
          Array.from({ length: 16 }, async (_, index) => {
            const client = await WireClient.open(draining.port);
            client.socket.pause();
            client.send(get(`/${3_600_000 + index * 40_000}`));
            return client;
          }),
        );
        let openBefore = -1;
        await until('those whose endpoint is done are counted so', async () => {
          const { requests, openExchanges } = (await statusFacts(draining)).totals;
          const isSettled = requests >= 16 && openExchanges === openBefore;
          openBefore = openExchanges;
          return isSettled;
        });
        draining.child.kill('SIGTERM');
        await draining.lineWhere(({ event }) => event === 'signal');
        // A proxy that thought itself done would end within this time.
        await Promise.race([once(draining.child, 'exit'), new Promise((resolve) => setTimeout(resolve, 700))]);
        for (const client of clients) client.socket.resume();
        await Promise.all(
          clients.map((client) => client.has('the end', (rest) => rest.endsWith('THE-END\r\n0\r\n\r\n'))),
        );
        expect(await draining.stop()).toBe(0);
      } finally {
        await draining.stop('SIGKILL');
        chunks.close();
      }
    });
  });
});
