/** Endpoints that are not there, too slow, or break off: which error the client gets, and that it is told nothing more than that. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type BlockedEndpoint, startBlockedEndpoint } from '../../harness/blocked-endpoint.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf, type WireMessage } from '../../harness/http-message.js';
import { endpointFacts, statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Answer, ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until, type WireEndpoint } from '../../harness/wire.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointOf(answer: Answer | string = ok()): Promise<RequestEndpoint> {
  const endpoint = await startRequestEndpoint(answer);
  open.push(() => endpoint.close());
  return endpoint;
}

async function rawEndpoint(handle: Parameters<typeof startEndpoint>[0]): Promise<WireEndpoint> {
  const endpoint = await startEndpoint(handle);
  open.push(() => endpoint.close());
  return endpoint;
}

async function blockedEndpoint(): Promise<BlockedEndpoint> {
  const endpoint = await startBlockedEndpoint();
  open.push(() => endpoint.close());
  return endpoint;
}

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function proxyFor(ports: readonly number[], more: Parameters<typeof configFor>[1] = {}): Promise<ProxyProcess> {
    // One worker: what is tested here is each worker's own, and many processes are started.
    const proxy = await startProxy(configFor(ports, { frontend, workers: 1, ...more }));
    open.push(() => proxy.stop());
    return proxy;
  }

  /** A port that nothing listens on. */
  async function deadPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  /** Asserts everything that all error responses have in common. */
  function expectError(response: WireMessage, status: number, code: string, ports: readonly number[]): void {
    expect(statusOf(response)).toBe(status);
    const body = errorOf(response);
    expect(body).toEqual({
      error: code,
      message: expect.any(String),
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(valuesOf(response, 'content-type')).toEqual(['application/json']);
    expect(valuesOf(response, 'cache-control')).toEqual(['no-store']);
    expect(valuesOf(response, 'content-length')).toEqual([String(response.body.length)]);
    expect(response.body.length).toBeLessThan(300);
    const text = response.head + response.body.toString();
    expect(text).not.toContain('127.0.0.1');
    for (const port of ports) expect(text).not.toContain(String(port));
  }

  describe('an endpoint that refuses connections', () => {
    it('gives 502 SLUICE_CONNECT_REFUSED, and the log names it', async () => {
      const port = await deadPort();
      const proxy = await proxyFor([port]);
      expectError(await requestOnce(proxy.port, get('/')), 502, 'SLUICE_CONNECT_REFUSED', [port]);
      const line = await proxy.lineWhere(({ code }) => code === 'SLUICE_CONNECT_REFUSED');
      expect(line).toMatchObject({ event: 'attempt-failed', upstream: 'app', endpoint: `127.0.0.1:${port}` });
      await untilIdle(proxy);
    });

    it('is made up for by the other one: no client sees an error, whatever the method', async () => {
      const good = await endpointOf((request) => ok(request.body.toString()));
      const proxy = await proxyFor([await deadPort(), good.port]);
      for (let i = 0; i < 10; i++) {
        expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
        const echoed = await requestOnce(proxy.port, withBody('POST', '/', `body ${i}`));
        expect(echoed.body.toString()).toBe(`body ${i}`);
      }
      expect(good.requests).toHaveLength(20);
      const [dead] = await endpointFacts(proxy);
      expect(dead?.failures).toBeGreaterThan(0);
      await untilIdle(proxy);
    });

    it('leaves the client connection usable', async () => {
      const proxy = await proxyFor([await deadPort()]);
      const client = await WireClient.open(proxy.port);
      for (let i = 0; i < 3; i++) {
        client.send(get('/'));
        expect(statusOf(await client.response())).toBe(502);
      }
      client.close();
    });

    it('is tried as often as retry.attempts says', async () => {
      const ports = await Promise.all([deadPort(), deadPort(), deadPort()]);
      const proxy = await proxyFor(ports, { upstream: { retry: { attempts: 1 } } });
      expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(502);
      expect((await statusFacts(proxy)).totals.attempts).toBe(1);
    });
  });

  describe('an endpoint that does not accept in time', () => {
    it('gives 504 SLUICE_CONNECT_TIMEOUT after timeouts.connect', async () => {
      const blocked = await blockedEndpoint();
      const proxy = await proxyFor([blocked.port], { upstream: { timeouts: { connect: '200ms' } } });
      const startedAt = performance.now();
      expectError(await requestOnce(proxy.port, get('/')), 504, 'SLUICE_CONNECT_TIMEOUT', [blocked.port]);
      expect(performance.now() - startedAt).toBeGreaterThan(190);
      await untilIdle(proxy);
    });

    it('is made up for by the other one', async () => {
      const blocked = await blockedEndpoint();
      const good = await endpointOf();
      const proxy = await proxyFor([blocked.port, good.port], { upstream: { timeouts: { connect: '150ms' } } });
      const responses = await Promise.all(Array.from({ length: 4 }, () => requestOnce(proxy.port, get('/'))));
      expect(responses.map(statusOf)).toEqual([200, 200, 200, 200]);
    });
  });

  describe('an endpoint that does not answer in time', () => {
    it('gives 504 SLUICE_FIRST_BYTE_TIMEOUT after timeouts.firstByte, and its connection is closed', async () => {
      let isClosed = false;
      const silent = await endpointOf((request) => {
        request.socket.on('close', () => {
          isClosed = true;
        });
        return undefined;
      });
      const proxy = await proxyFor([silent.port], { upstream: { timeouts: { firstByte: '200ms' } } });
      expectError(await requestOnce(proxy.port, get('/')), 504, 'SLUICE_FIRST_BYTE_TIMEOUT', [silent.port]);
      await until('the connection to the endpoint is closed', () => isClosed);
      expect(silent.requests).toHaveLength(1);
      await untilIdle(proxy);
    });

    it('is not tried again elsewhere: the request may have been carried out', async () => {
      const silent = await endpointOf(() => undefined);
      const other = await endpointOf(() => undefined);
      const proxy = await proxyFor([silent.port, other.port], { upstream: { timeouts: { firstByte: '150ms' } } });
      expect(statusOf(await requestOnce(proxy.port, withBody('POST', '/', 'once')))).toBe(504);
      expect(silent.requests.length + other.requests.length).toBe(1);
    });

    it('gives 504 SLUICE_EXCHANGE_TIMEOUT when the route has a deadline', async () => {
      const silent = await endpointOf(() => undefined);
      const proxy = await proxyFor([silent.port], { route: { timeouts: { exchange: '200ms' } } });
      expectError(await requestOnce(proxy.port, get('/')), 504, 'SLUICE_EXCHANGE_TIMEOUT', [silent.port]);
      await untilIdle(proxy);
    });

    it('that takes nothing of the request gives 504 SLUICE_IDLE_TIMEOUT', async () => {
      const deaf = await rawEndpoint((socket) => socket.pause());
      const proxy = await proxyFor([deaf.port], { upstream: { timeouts: { idle: '300ms' } } });
      const client = await WireClient.open(proxy.port);
      client.send(withBody('POST', '/', Buffer.alloc(16 * 1024 * 1024)));
      expectError(await client.response(), 504, 'SLUICE_IDLE_TIMEOUT', [deaf.port]);
      client.close();
      await untilIdle(proxy);
    });
  });

  describe('an endpoint that stops in the middle of its answer', () => {
    it.each([
      ['a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'],
      ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n'],
      ['a body until close', 'HTTP/1.1 200 OK\r\n\r\nonly this'],
    ])('has the response broken off after timeouts.idle: %s', async (_, raw) => {
      const stalling = await endpointOf(raw);
      const proxy = await proxyFor([stalling.port], { upstream: { timeouts: { idle: '200ms' } } });
      await expectBrokenOff(proxy, 'only this');
      await proxy.lineWhere(({ code }) => code === 'SLUICE_IDLE_TIMEOUT');
    });

    it('has the response broken off when the deadline of the route is over', async () => {
      const stalling = await endpointOf('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
      const proxy = await proxyFor([stalling.port], { route: { timeouts: { exchange: '200ms' } } });
      await expectBrokenOff(proxy, 'only this');
      await proxy.lineWhere(({ code }) => code === 'SLUICE_EXCHANGE_TIMEOUT');
    });

    it.each([
      ['a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this', false],
      ['a known length, with a reset', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this', true],
      ['between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', false],
      ['inside a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this', false],
      ['before the last line', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\n', false],
      ['between chunks, with a reset', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', true],
      ['until close, with a reset', 'HTTP/1.1 200 OK\r\n\r\nonly this', true],
    ])('by closing has the response broken off: %s', async (_, raw, isReset) => {
      const breaking = await endpointOf((request) => {
        request.socket.write(raw);
        setTimeout(() => (isReset ? request.socket.resetAndDestroy() : request.socket.end()), 50);
        return undefined;
      });
      const proxy = await proxyFor([breaking.port]);
      await expectBrokenOff(proxy, 'only this');
      await proxy.lineWhere(({ code }) => code === 'SLUICE_RESPONSE_TRUNCATED');
    });

    it.each([
      ['a size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nxyz\r\n'],
      ['a chunk without its end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly thisX\r\n0\r\n\r\n'],
      ['a bare line feed', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n1\nx\r\n0\r\n\r\n'],
    ])('by malformed chunks has the response broken off: %s', async (_, raw) => {
      const at = raw.indexOf('only this') + 'only this'.length;
      const breaking = await endpointOf((request) => {
        request.socket.write(raw.slice(0, at));
        setTimeout(() => request.socket.write(raw.slice(at)), 50);
        return undefined;
      });
      const proxy = await proxyFor([breaking.port]);
      await expectBrokenOff(proxy, 'only this');
    });

    /** The client gets the beginning, then the end of the connection, and could not take it for a whole response. */
    async function expectBrokenOff(proxy: ProxyProcess, beginning: string): Promise<void> {
      const client = await WireClient.open(proxy.port);
      client.send(get('/'));
      await client.has('the beginning', (rest) => rest.includes(beginning));
      await client.ended();
      expect(client.rest).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      const isChunked = /\r\ntransfer-encoding: chunked\r\n/i.test(client.rest);
      if (isChunked) expect(client.rest).not.toMatch(/\r\n0\r\n\r\n$/);
      else expect(client.rest).toMatch(/\r\ncontent-length: 100\r\n/i);
      await untilIdle(proxy);
    }
  });

  describe('an endpoint that closes before its answer', () => {
    it.each([
      ['at once', ''],
      ['inside the status line', 'HTTP/1.1 20'],
      ['inside the head', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b'],
    ])('gives 502 SLUICE_ENDPOINT_RESET: %s', async (_, raw) => {
      const closing = await endpointOf((request) => {
        request.socket.end(raw);
        return undefined;
      });
      const proxy = await proxyFor([closing.port]);
      expectError(await requestOnce(proxy.port, get('/')), 502, 'SLUICE_ENDPOINT_RESET', [closing.port]);
      expect(closing.requests).toHaveLength(1);
      await untilIdle(proxy);
    });

    it('by a reset gives 502 SLUICE_ENDPOINT_RESET', async () => {
      const closing = await endpointOf((request) => {
        request.socket.resetAndDestroy();
        return undefined;
      });
      const proxy = await proxyFor([closing.port]);
      expectError(await requestOnce(proxy.port, withBody('POST', '/', 'x')), 502, 'SLUICE_ENDPOINT_RESET', [
        closing.port,
      ]);
      expect(closing.requests).toHaveLength(1);
    });
  });

  describe('an upstream without an endpoint for the request', () => {
    it('gives 503 SLUICE_ENDPOINTS_FULL with Retry-After when all are at their cap and nobody may wait', async () => {
      const slow = await endpointOf(() => undefined);
      const proxy = await proxyFor([], {
        upstream: { queue: 'off', endpoints: [{ address: `127.0.0.1:${slow.port}`, maxConns: 1 }] },
      });
      const first = await WireClient.open(proxy.port);
      first.send(get('/'));
      await until('the first request is at the endpoint', () => slow.requests.length === 1);
      const response = await requestOnce(proxy.port, get('/'));
      expectError(response, 503, 'SLUICE_ENDPOINTS_FULL', [slow.port]);
      expect(valuesOf(response, 'retry-after')).toEqual(['1']);
      first.close();
    });

    it('gives 503 SLUICE_POOL_TIMEOUT with Retry-After when no connection becomes free in time', async () => {
      const slow = await endpointOf(() => undefined);
      const proxy = await proxyFor([slow.port], {
        upstream: { pool: { maxConnections: 1 }, timeouts: { connect: '200ms' }, retry: { attempts: 1 } },
      });
      const first = await WireClient.open(proxy.port);
      first.send(get('/'));
      await until('the first request is at the endpoint', () => slow.requests.length === 1);
      const response = await requestOnce(proxy.port, get('/'));
      expectError(response, 503, 'SLUICE_POOL_TIMEOUT', [slow.port]);
      expect(valuesOf(response, 'retry-after')).toEqual(['1']);
      first.close();
      await untilIdle(proxy);
    });

    it('lets a request wait for a connection that becomes free', async () => {
      const slow = await endpointOf((request) => {
        setTimeout(() => request.socket.write(ok()), 100);
        return undefined;
      });
      const proxy = await proxyFor([slow.port], { workers: 1, upstream: { pool: { maxConnections: 1 } } });
      const responses = await Promise.all(Array.from({ length: 5 }, () => requestOnce(proxy.port, get('/'))));
      expect(responses.map(statusOf)).toEqual([200, 200, 200, 200, 200]);
      expect(slow.connections).toHaveLength(1);
    });
  });

  describe('a request without a route', () => {
    it('gives 404 SLUICE_NO_ROUTE', async () => {
      const endpoint = await endpointOf();
      const proxy = await proxyFor([endpoint.port], { route: { match: { host: 'shop.test', path: '/api' } } });
      const of = (host: string, path: string): Promise<WireMessage> =>
        requestOnce(proxy.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      for (const [host, path] of [
        ['other.test', '/api'],
        ['shop.test', '/'],
        ['shop.test', '/apix'],
      ] as const) {
        expectError(await of(host, path), 404, 'SLUICE_NO_ROUTE', [endpoint.port]);
      }
      expect(statusOf(await of('SHOP.test:8080', '/api/x?y'))).toBe(200);
      expect(endpoint.requests).toHaveLength(1);
    });
  });
});
