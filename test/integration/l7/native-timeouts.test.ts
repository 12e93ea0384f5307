/** The native front end's timeouts toward clients: each ends what it is about, in time, and says so; nothing else. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startWebSocketEndpoint, WebSocketPeer } from '../../harness/web-socket-peers.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();

/** What a timeout may come later, on a machine that has much to do. */
const LATENESS_MS = 2_500;

async function startWith(listener: object): Promise<{ proxy: ProxyProcess; endpoint: RequestEndpoint }> {
  const endpoint = await started(startRequestEndpoint(ok()));
  return { endpoint, proxy: await proxyFor(endpoint.port, listener) };
}

/** At this level the log tells of clients' faults, too. */
function proxyFor(port: number, listener: object): Promise<ProxyProcess> {
  return started(startProxy(configFor([port], { frontend: 'native', workers: 1, listener, log: { level: 'debug' } })));
}

/** How often something has failed with a code since the start. */
async function failuresOf(proxy: ProxyProcess, code: string): Promise<number> {
  const { failuresByCode } = await proxy.admin<{ failuresByCode: Record<string, number> }>('/api/v1/status');
  return failuresByCode[code] ?? 0;
}

async function expectTimeout(client: WireClient, code: string): Promise<void> {
  const response = await client.response();
  expect([statusOf(response), errorOf(response).error]).toEqual([408, code]);
  expect(valuesOf(response, 'connection')).toEqual(['close']);
  await client.ended();
  expect(client.rest).toBe('');
}

function expectElapsed(sinceMs: number, timeoutMs: number): void {
  const elapsedMs = performance.now() - sinceMs;
  expect(elapsedMs).toBeGreaterThan(timeoutMs - 30);
  expect(elapsedMs).toBeLessThan(timeoutMs + LATENESS_MS);
}

describe('timeouts.requestHead', () => {
  const listener = { timeouts: { requestHead: '700ms' } };

  it('answers 408 when a head is not complete in time, however often a byte comes', async () => {
    const { proxy, endpoint } = await startWith(listener);
    const client = await started(WireClient.open(proxy.port));
    const startedAt = performance.now();
    client.send('GET / HTTP/1.1\r\nX: ');
    const dripping = setInterval(() => client.send('x'), 100);
    await expectTimeout(client, 'SLUICE_HEAD_TIMEOUT').finally(() => clearInterval(dripping));
    expectElapsed(startedAt, 700);
    expect(endpoint.requests).toEqual([]);
    await until('it is counted', async () => (await failuresOf(proxy, 'SLUICE_HEAD_TIMEOUT')) === 1);
  });

  it('counts from the beginning of a head, also behind another request in one segment', async () => {
    const { proxy } = await startWith(listener);
    const client = await started(WireClient.open(proxy.port));
    client.send(`${get('/')}GET /half HTTP/1.1\r\nHo`);
    expect(statusOf(await client.response())).toBe(200);
    const startedAt = performance.now();
    await expectTimeout(client, 'SLUICE_HEAD_TIMEOUT');
    expectElapsed(startedAt, 700);
  });

  it('closes a connection on which nothing comes, without an answer', async () => {
    const { proxy } = await startWith(listener);
    const client = await started(WireClient.open(proxy.port));
    const startedAt = performance.now();
    expect(await client.ended()).toBe('closed');
    expectElapsed(startedAt, 700);
    expect(client.rest).toBe('');
    expect(proxy.log.filter(({ event }) => event === 'exchange-failed')).toEqual([]);
  });
});

describe('timeouts.bodyIdle', () => {
  const listener = { timeouts: { bodyIdle: '600ms' } };

  it.each([
    ['known length', 'Content-Length: 100', 'begin'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nbegin\r\n'],
  ])('answers 408 when a body of %s falls silent, and ends the attempt', async (_, framing, begin) => {
    const { proxy, endpoint } = await startWith(listener);
    const client = await started(WireClient.open(proxy.port));
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n${begin}`);
    const startedAt = performance.now();
    await expectTimeout(client, 'SLUICE_BODY_TIMEOUT');
    expectElapsed(startedAt, 600);
    await proxy.lineWhere(({ event, code }) => event === 'exchange-failed' && code === 'SLUICE_BODY_TIMEOUT');
    await untilIdle(proxy);
    expect(endpoint.requests).toEqual([]);
    expect((await statusFacts(proxy)).totals.openExchanges).toBe(0);
  });

  it('begins anew with each byte', async () => {
    const { proxy, endpoint } = await startWith(listener);
    const client = await started(WireClient.open(proxy.port));
    await client.sendPieces(['POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\n', ...'abcdef'], 250);
    expect(statusOf(await client.response())).toBe(200);
    expect(endpoint.last.body.toString()).toBe('abcdef');
  });

  it('does not run while the endpoint is what the body waits for', async () => {
    const slow = await started(startEndpoint((socket) => socket.pause()));
    const proxy = await proxyFor(slow.port, listener);
    const client = await started(WireClient.open(proxy.port));
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 30000000\r\n\r\n');
    client.send(Buffer.alloc(30_000_000));
    await until('nothing is taken any more', () =>
      isStanding(() => client.socket.bytesWritten - client.socket.writableLength),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([client.ending, client.rest]).toEqual(['open', '']);
    const [socket] = slow.connections;
    socket?.resume();
    await until('all has come', () => (socket?.bytesRead ?? 0) > 30_000_000);
    socket?.write(ok('taken'));
    expect((await client.response()).body.toString()).toBe('taken');
  });
});

describe('limits.minBodyRate', () => {
  it('answers 408 to a body that is slower on average, after its first seconds', async () => {
    const { proxy } = await startWith({ limits: { minBodyRate: '1KiB' } });
    const [slow, fast] = await Promise.all([
      started(WireClient.open(proxy.port)),
      started(WireClient.open(proxy.port)),
    ]);
    const startedAt = performance.now();
    slow.send('POST /slow HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n');
    fast.send('POST /fast HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n');
    const dripping = setInterval(() => {
      slow.send('x'.repeat(50));
      fast.send('x'.repeat(500));
    }, 200);
    try {
      await expectTimeout(slow, 'SLUICE_BODY_TIMEOUT');
      expectElapsed(startedAt, 5_000);
    } finally {
      clearInterval(dripping);
    }
    expect([fast.ending, fast.rest]).toEqual(['open', '']);
  });
});

describe('timeouts.writeStall', () => {
  it('cuts off a client that takes nothing, says SLUICE_CLIENT_STALLED and blames no endpoint', async () => {
    const body = Buffer.alloc(32 * 1024 * 1024);
    const big = await started(
      startEndpoint((socket) =>
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
          socket.write(body);
        }),
      ),
    );
    const proxy = await proxyFor(big.port, { timeouts: { writeStall: '1s' } });
    const client = await started(WireClient.open(proxy.port));
    client.socket.pause();
    client.send(get('/unread'));
    const line = await proxy.lineWhere(({ code }) => code === 'SLUICE_CLIENT_STALLED');
    expect(line).toMatchObject({ event: 'exchange-failed', path: '/unread' });
    await untilIdle(proxy);
    expect(await failuresOf(proxy, 'SLUICE_CLIENT_STALLED')).toBe(1);
    const view = await proxy.admin<{ endpoints: { failures: number }[] }>('/api/v1/upstreams/app/endpoints');
    expect(view.endpoints.map(({ failures }) => failures)).toEqual([0]);
    await until(
      'the endpoint is let go',
      () => big.connections[0]?.destroyed === true || big.connections[0]?.readableEnded === true,
    );
  });

  it('leaves a client alone that takes a little at a time', async () => {
    const endpoint = await started(startRequestEndpoint(ok('x'.repeat(8_000_000))));
    const proxy = await proxyFor(endpoint.port, { timeouts: { writeStall: '1s' } });
    const client = await started(WireClient.open(proxy.port));
    client.send(get('/'));
    // Looks away for half of the time, over and over.
    let isOver = false;
    const response = client.response().finally(() => {
      isOver = true;
    });
    for (let round = 0; round < 5 && !isOver; round++) {
      const before = client.socket.bytesRead;
      client.socket.resume();
      await until('a piece', () => isOver || client.socket.bytesRead > before + 1_000_000);
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    client.socket.resume();
    expect((await response).body.length).toBe(8_000_000);
  });
});

describe('timeouts.keepAlive', () => {
  it('closes an idle connection in order, and only when it has been idle for so long', async () => {
    const { proxy } = await startWith({ timeouts: { keepAlive: '900ms', requestHead: '200ms' } });
    const client = await started(WireClient.open(proxy.port));
    for (let round = 0; round < 3; round++) {
      client.send(get('/'));
      expect(valuesOf(await client.response(), 'connection')).toEqual([]);
      if (round < 2) await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const startedAt = performance.now();
    expect(await client.ended()).toBe('closed');
    expectElapsed(startedAt, 900);
  });
});

describe('limits.requestsPerConnection', () => {
  it('says close with the last one, and answers none behind it', async () => {
    const { proxy, endpoint } = await startWith({ limits: { requestsPerConnection: 3 } });
    const client = await started(WireClient.open(proxy.port));
    client.send([1, 2, 3, 4].map((number) => get(`/${number}`)).join(''));
    const said: string[][] = [];
    for (let number = 1; number <= 3; number++) said.push(valuesOf(await client.response(), 'connection'));
    expect(said).toEqual([[], [], ['close']]);
    await client.ended();
    expect(client.rest).toBe('');
    expect(endpoint.requests.map(({ target }) => target)).toEqual(['/1', '/2', '/3']);
  });
});

describe('timeouts.tunnelIdle', () => {
  it('ends a tunnel in which nothing moves, and says SLUICE_TUNNEL_IDLE', async () => {
    const endpoint = await started(startWebSocketEndpoint({ echoes: true }));
    const proxy = await proxyFor(endpoint.port, { timeouts: { tunnelIdle: '1s' } });
    const client = await started(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    for (let round = 1; round <= 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      client.socket.send('alive');
      await client.gets(round);
    }
    const startedAt = performance.now();
    expect((await client.ended()).code).toBe(1006);
    expectElapsed(startedAt, 900);
    expect((await far.ended()).code).toBe(1006);
    await until('it is counted', async () => (await failuresOf(proxy, 'SLUICE_TUNNEL_IDLE')) === 1);
    await untilIdle(proxy);
  });
});

/** Whether a number stays the same for a while. */
async function isStanding(read: () => number): Promise<boolean> {
  const before = read();
  await new Promise((resolve) => setTimeout(resolve, 300));
  return read() === before;
}
