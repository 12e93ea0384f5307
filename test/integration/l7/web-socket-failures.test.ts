/** What becomes of a request for a WebSocket that gets none, and of WebSockets at the end of a worker, with each front end. */
import { describe, expect, it } from 'vitest';
import { startBlockedEndpoint } from '../../harness/blocked-endpoint.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { endpointFacts, statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { WEB_SOCKET_FRONT_ENDS } from '../../harness/web-socket-front-ends.js';
import { startWebSocketEndpoint, upgradeRequest, WebSocketPeer } from '../../harness/web-socket-peers.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const kept = endAfterEach();

/** A port on which nobody listens. */
async function refusingPort(): Promise<number> {
  const endpoint = await startEndpoint(() => {});
  await endpoint.close();
  return endpoint.port;
}

describe.each(WEB_SOCKET_FRONT_ENDS)('a request for a WebSocket through %s', (frontend) => {
  const start = (ports: readonly number[], more: Parameters<typeof configFor>[1] = {}): Promise<ProxyProcess> => {
    const { listener, ...rest } = more;
    return kept(startProxy(configFor(ports, { workers: 1, listener: { frontend, ...listener }, ...rest })));
  };

  const startRefusing = async (
    answer: string | undefined,
    more: Parameters<typeof configFor>[1] = {},
  ): Promise<{ proxy: ProxyProcess; endpoint: RequestEndpoint }> => {
    const endpoint = await kept(startRequestEndpoint(() => answer));
    return { endpoint, proxy: await start([endpoint.port], more) };
  };

  const openClient = async (proxy: ProxyProcess): Promise<WireClient> => kept(WireClient.open(proxy.port));

  it("gets the endpoint's refusal as it is, and the connection may go on", async () => {
    const refusal =
      'HTTP/1.1 401 Not You\r\nWWW-Authenticate: Basic realm="x"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n\r\nwho?\n';
    const { proxy, endpoint } = await startRefusing(refusal);
    const client = await openClient(proxy);
    client.send(upgradeRequest());
    const answer = await client.response();
    expect(answer.startLine).toBe('HTTP/1.1 401 Not You');
    expect(valuesOf(answer, 'www-authenticate')).toEqual(['Basic realm="x"']);
    expect(valuesOf(answer, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(valuesOf(answer, 'x-hop')).toEqual([]);
    expect(valuesOf(answer, 'upgrade')).toEqual([]);
    expect(answer.body.toString()).toBe('who?\n');
    endpoint.answerWith(ok('plain'));
    client.send(get('/'));
    expect((await client.response()).body.toString()).toBe('plain');
    await untilIdle(proxy);
    expect((await endpointFacts(proxy))[0]).toMatchObject({ failures: 0 });
  });

  it.each([
    [
      'a body in chunks',
      'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno \r\n2\r\nno\r\n0\r\n\r\n',
      403,
      'no no',
    ],
    ['a body until the end', 'HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\ngone', 404, 'gone'],
    ['no body', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
    ['an empty body', 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n', 426, ''],
    ['a body of 300,000 bytes', ok('x'.repeat(300_000)), 200, 'x'.repeat(300_000)],
    ['a status of trouble', 'HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy', 503, 'busy'],
  ])('gets a refusal with %s', async (_name, refusal, status, body) => {
    const endpoint = await kept(
      startRequestEndpoint(({ socket }) => {
        socket.end(refusal);
        return undefined;
      }),
    );
    const proxy = await start([endpoint.port]);
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(statusOf(answer)).toBe(status);
    expect(answer.body.toString()).toBe(body);
    await untilIdle(proxy);
    expect((await endpointFacts(proxy))[0]).toMatchObject({ failures: status === 503 ? 1 : 0 });
  });

  it('breaks a refusal off that the endpoint does not complete', async () => {
    const endpoint = await kept(
      startRequestEndpoint(({ socket }) => {
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nonly this');
        return undefined;
      }),
    );
    const proxy = await start([endpoint.port]);
    const client = await openClient(proxy);
    client.send(upgradeRequest());
    await client.ended();
    await untilIdle(proxy);
    expect(proxy.log).toContainEqual(
      expect.objectContaining({ event: 'exchange-failed', code: 'SLUICE_RESPONSE_TRUNCATED' }),
    );
  });

  it('is served by another endpoint when one does not accept', async () => {
    const endpoint = await kept(startWebSocketEndpoint());
    const proxy = await start([await refusingPort(), endpoint.port]);
    for (let i = 0; i < 4; i++) await kept(WebSocketPeer.open(proxy.port));
    expect(endpoint.peers.length).toBe(4);
    const [refusing, accepting] = await endpointFacts(proxy);
    expect(refusing?.failures).toBeGreaterThan(0);
    expect(accepting).toMatchObject({ failures: 0, inFlight: 4 });
  });

  it('gets 502 when no endpoint accepts', async () => {
    const proxy = await start([await refusingPort()]);
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(statusOf(answer)).toBe(502);
    expect(errorOf(answer).error).toBe('SLUICE_CONNECT_REFUSED');
    await untilIdle(proxy);
  });

  it('gets 504 when no endpoint accepts in time', async () => {
    const blocked = await kept(startBlockedEndpoint());
    const proxy = await start([blocked.port], { upstream: { timeouts: { connect: '200ms' } } });
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(errorOf(answer).error).toBe('SLUICE_CONNECT_TIMEOUT');
    expect(statusOf(answer)).toBe(504);
  });

  it('gets 504 when the endpoint says nothing', async () => {
    const { proxy } = await startRefusing(undefined, { upstream: { timeouts: { firstByte: '200ms' } } });
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(errorOf(answer).error).toBe('SLUICE_FIRST_BYTE_TIMEOUT');
    expect(statusOf(answer)).toBe(504);
    await untilIdle(proxy);
  });

  it("gets 504 when its route's deadline passes before the 101", async () => {
    const { proxy } = await startRefusing(undefined, { route: { timeouts: { exchange: '300ms' } } });
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(errorOf(answer).error).toBe('SLUICE_EXCHANGE_TIMEOUT');
    expect(statusOf(answer)).toBe(504);
    await untilIdle(proxy);
  });

  it("is not cut by its route's deadline once it is open", async () => {
    const endpoint = await kept(startWebSocketEndpoint({ echoes: true }));
    const proxy = await start([endpoint.port], { route: { timeouts: { exchange: '300ms' } } });
    const client = await kept(WebSocketPeer.open(proxy.port));
    const openedAt = performance.now();
    await until('the deadline is over', () => performance.now() - openedAt > 600);
    client.socket.send('still here');
    await client.gets(1);
    expect(client.texts).toEqual(['still here']);
  });

  it('gets 502 when every endpoint ends before it has answered; each is asked once', async () => {
    const endpoint = await kept(
      startRequestEndpoint(({ socket }) => {
        socket.resetAndDestroy();
        return undefined;
      }),
    );
    const other = await kept(
      startRequestEndpoint(({ socket }) => {
        socket.resetAndDestroy();
        return undefined;
      }),
    );
    const proxy = await start([endpoint.port, other.port]);
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(errorOf(answer).error).toBe('SLUICE_ENDPOINT_RESET');
    expect(statusOf(answer)).toBe(502);
    expect([endpoint.requests.length, other.requests.length]).toEqual([1, 1]);
  });

  it('gets 502 when the answer is not HTTP', async () => {
    const { proxy } = await startRefusing('SSH-2.0-OpenSSH\r\n\r\n');
    const answer = await requestOnce(proxy.port, upgradeRequest());
    expect(errorOf(answer).error).toBe('SLUICE_BAD_RESPONSE');
  });

  it('gets 404 where no route matches and 400 with a malformed Host', async () => {
    const { proxy } = await startRefusing(undefined, { route: { match: { path: '/only/' } } });
    expect(errorOf(await requestOnce(proxy.port, upgradeRequest('/other'))).error).toBe('SLUICE_NO_ROUTE');
    const badHost = upgradeRequest('/only/').replace('a.test', 'a b');
    expect(statusOf(await requestOnce(proxy.port, badHost))).toBe(400);
    await untilIdle(proxy);
  });

  it('is given up at the endpoint when its client leaves', async () => {
    const { proxy, endpoint } = await startRefusing(undefined);
    const client = await openClient(proxy);
    client.send(upgradeRequest());
    await until('the request is at the endpoint', () => endpoint.requests.length === 1);
    client.close();
    await until('the endpoint is let go', () => endpoint.last.socket.readableEnded || endpoint.last.socket.destroyed);
    await untilIdle(proxy);
  });

  it('is counted as an exchange while it is open, and ends with the endpoint', async () => {
    const endpoint = await kept(startWebSocketEndpoint());
    const proxy = await start([endpoint.port]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => kept(WebSocketPeer.open(proxy.port))));
    await until('the counts are there', async () => {
      const [worker] = (await statusFacts(proxy)).workers;
      return worker?.openExchanges === 20 && worker.upstreamConnections === 20;
    });
    await endpoint.close();
    for (const client of clients) expect((await client.ended()).code).toBe(1006);
    await untilIdle(proxy);
  });

  it('ends when nothing moves for the idle timeout, and not before', async () => {
    const endpoint = await kept(startWebSocketEndpoint());
    const proxy = await start([endpoint.port], { listener: { timeouts: { tunnelIdle: '1s' } } });
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    const openedAt = performance.now();
    for (let i = 0; i < 4; i++) {
      await until('half a second later', () => performance.now() - openedAt > i * 500);
      (i % 2 === 0 ? client : far).socket.send('still here');
    }
    await Promise.all([client.ended(), far.ended()]);
    expect(performance.now() - openedAt).toBeGreaterThan(2_400);
    await untilIdle(proxy);
  });
});
