/** What the front end `uws` does with WebSockets that another one need not do: its limits, which docs/frontend-uws.md lists. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../../harness/process-facts.js';
import { endpointFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { startRequestEndpoint } from '../../harness/request-endpoint.js';
import { acceptFor } from '../../harness/web-socket-accept.js';
import {
  clientFrame,
  EXAMPLE_KEY,
  Opcode,
  socketOf,
  startWebSocketEndpoint,
  upgradeRequest,
  type WebSocketEndpoint,
  type WebSocketEndpointOptions,
  WebSocketPeer,
} from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';
import { requestOnce, WireClient } from '../../harness/wire-client.js';

const MIB = 1024 * 1024;
const kept = endAfterEach();

async function startUws(
  options: WebSocketEndpointOptions = {},
  listener: object = {},
  upstream: object = {},
): Promise<{ proxy: ProxyProcess; endpoint: WebSocketEndpoint }> {
  const endpoint = await kept(startWebSocketEndpoint(options));
  const config = configFor([endpoint.port], { workers: 1, listener: { frontend: 'uws', ...listener }, upstream });
  return { endpoint, proxy: await kept(startProxy(config)) };
}

/** An endpoint that answers each request for a WebSocket with a 101 of the test's own making, and what may follow it. */
async function startRawEndpoint(
  lines: (accept: string) => readonly string[],
  behind: Buffer = Buffer.alloc(0),
): Promise<{ proxy: ProxyProcess; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const endpoint = await kept(
    startRequestEndpoint((request) => {
      const [key = ''] = valuesOf(request, 'sec-websocket-key');
      sockets.push(request.socket);
      const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', ...lines(acceptFor(key))];
      return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), behind]);
    }),
  );
  return {
    sockets,
    proxy: await kept(startProxy(configFor([endpoint.port], { workers: 1, listener: { frontend: 'uws' } }))),
  };
}

describe('the handshake through uws', () => {
  it('is one of its own on each side, and negotiates no extension', async () => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WebSocketPeer.open(proxy.port, { perMessageDeflate: true }));
    await endpoint.next();
    expect(client.socket.extensions).toBe('');
    const [request] = endpoint.requests;
    expect(request?.headers['sec-websocket-extensions']).toBeUndefined();
    expect(request?.headers['sec-websocket-key']).not.toBe(EXAMPLE_KEY);
  });

  it.each([
    ['a wrong Sec-WebSocket-Accept', () => ['Upgrade: websocket', 'Sec-WebSocket-Accept: no']],
    ['another protocol', (accept: string) => ['Upgrade: chat', `Sec-WebSocket-Accept: ${accept}`]],
    [
      'a subprotocol that nobody offered',
      (accept: string) => ['Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: other'],
    ],
    [
      'an extension that nobody offered',
      (accept: string) => ['Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Extensions: x'],
    ],
  ])('answers 502 to an endpoint that switches with %s', async (_name, lines) => {
    const { proxy } = await startRawEndpoint(lines);
    const answer = await requestOnce(proxy.port, upgradeRequest('/', ['Sec-WebSocket-Protocol: chat']));
    expect(statusOf(answer)).toBe(502);
    expect(errorOf(answer).error).toBe('SLUICE_BAD_RESPONSE');
    await untilIdle(proxy);
    expect((await endpointFacts(proxy))[0]).toMatchObject({ failures: 1 });
  });

  it.each([
    ['another version', (request: string) => request.replace('Version: 13', 'Version: 8')],
    ['no Upgrade', (request: string) => request.replace('Upgrade: websocket\r\n', '')],
    ['no Connection: Upgrade', (request: string) => request.replace('Connection: Upgrade\r\n', '')],
    ['a malformed key', (request: string) => request.replace(EXAMPLE_KEY, 'short')],
    ['a body', (request: string) => request.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nhi')],
  ])('takes a request with %s for a plain one', async (_name, change) => {
    const endpoint = await kept(startRequestEndpoint());
    const proxy = await kept(startProxy(configFor([endpoint.port], { workers: 1, listener: { frontend: 'uws' } })));
    const answer = await requestOnce(proxy.port, change(upgradeRequest()));
    expect(answer.body.toString()).toBe('ok');
    expect(valuesOf(endpoint.last, 'upgrade')).toEqual([]);
    await untilIdle(proxy);
  });
});

describe('an open WebSocket through uws', () => {
  it('ends both sides with 1009 at a message of more than 16 MiB from the client, and carries one of 16 MiB', async () => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    client.socket.send(Buffer.alloc(16 * MIB));
    await until('the message', () => far.receivedBytes === 16 * MIB);
    client.socket.send(Buffer.alloc(16 * MIB + 1));
    expect((await client.ended()).code).toBe(1009);
    expect((await far.ended()).code).toBe(1009);
    await untilIdle(proxy);
  });

  it('ends both sides with 1009 at a message of more than 16 MiB from the endpoint, and carries one of 16 MiB', async () => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    far.socket.send(Buffer.alloc(16 * MIB));
    await until('the message', () => client.receivedBytes === 16 * MIB);
    far.socket.send(Buffer.alloc(16 * MIB + 1));
    expect((await client.ended()).code).toBe(1009);
    expect((await far.ended()).code).toBe(1009);
    await untilIdle(proxy);
  });

  it('drops the connection at a message of more than 32 MiB', async () => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    client.socket.send(Buffer.alloc(32 * MIB + 1));
    expect((await client.ended()).code).toBe(1006);
    expect((await far.ended()).code).toBe(1006);
    await untilIdle(proxy);
  });

  it.each([1012, 1014, 3000, 3999])(
    'shows close code %i of a client to the endpoint as an abrupt end',
    async (code) => {
      const { proxy, endpoint } = await startUws();
      const client = await kept(WebSocketPeer.open(proxy.port));
      const far = await endpoint.next();
      client.socket.close(code);
      expect((await far.ended()).code).toBe(1006);
      await client.ended();
      await untilIdle(proxy);
    },
  );

  it('tells the client 1014 when the endpoint breaks the protocol', async () => {
    const maskedFrame = clientFrame(Opcode.TEXT, 'endpoints do not mask');
    const { proxy } = await startRawEndpoint(
      (accept) => ['Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`],
      maskedFrame,
    );
    const client = await kept(WebSocketPeer.open(proxy.port));
    expect((await client.ended()).code).toBe(1014);
    await until('the failure is recorded', async () => (await endpointFacts(proxy))[0]?.failures === 1, 15_000);
  });

  it.each([
    ['a text that is not UTF-8', clientFrame(Opcode.TEXT, Buffer.from([0xff, 0xfe]))],
    ['a reserved opcode', clientFrame(3, 'x')],
    ['reserved bits', Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
  ])('ends both sides when the client sends %s', async (_name, frame) => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WireClient.open(proxy.port));
    client.send(upgradeRequest());
    await client.has('the 101', (rest) => rest.includes('\r\n\r\n'));
    const far = await endpoint.next();
    client.send(frame);
    await client.ended();
    expect((await far.ended()).code).toBe(1006);
    expect(far.messages).toEqual([]);
    await untilIdle(proxy);
  });

  it('is closed with 1001 when nothing moves for the idle timeout', async () => {
    const { proxy, endpoint } = await startUws({}, { timeouts: { tunnelIdle: '1s' } });
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    expect((await client.ended()).code).toBe(1001);
    expect((await far.ended()).code).toBe(1001);
  });

  it('ends with 1013 when its endpoint takes nothing, and holds no more for it than its bound', async () => {
    const { proxy, endpoint } = await startUws({}, {}, { timeouts: { idle: '1s' } });
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    socketOf(far.socket).pause();
    const pid = proxy.child.pid as number;
    forgetPeak(pid);
    const message = Buffer.alloc(MIB);
    let sent = 0;
    const send = (): void => {
      if (client.ending !== undefined || sent++ > 200) return;
      client.socket.send(message, send);
    };
    send();
    expect((await client.ended(15_000)).code).toBe(1013);
    await untilIdle(proxy);
    expect(peakMemoryBytes(pid)).toBeLessThan(250 * MIB);
    expect(proxy.log).toContainEqual(
      expect.objectContaining({ event: 'exchange-failed', code: 'SLUICE_TUNNEL_OVERFLOW' }),
    );
  });

  it('lets a client that floods it with pings and reads nothing have no more than its bound', async () => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    socketOf(client.socket).pause();
    const pid = proxy.child.pid as number;
    const before = memoryBytes(pid);
    forgetPeak(pid);
    const ping = clientFrame(Opcode.PING, 'p'.repeat(125));
    const flood = Buffer.concat(Array.from({ length: 1_000 }, () => ping));
    for (let i = 0; i < 800 && !socketOf(client.socket).destroyed; i++)
      await new Promise<void>((resolve) => socketOf(client.socket).write(flood, () => resolve()));
    // 100 MB of pongs were due.
    expect(peakMemoryBytes(pid) - before).toBeLessThan(64 * MIB);
    client.close();
    await far.ended();
    await untilIdle(proxy);
  });

  it('is closed with 1001 on both sides when the process is told to end, which then ends with 0', async () => {
    const endpoint = await kept(startWebSocketEndpoint());
    const proxy = await kept(startProxy(configFor([endpoint.port], { workers: 2, listener: { frontend: 'uws' } })));
    const clients = await Promise.all(Array.from({ length: 10 }, () => kept(WebSocketPeer.open(proxy.port))));
    expect(await proxy.stop('SIGTERM')).toBe(0);
    for (const client of clients) expect(await client.ended()).toEqual({ code: 1001, reason: '' });
    for (const far of endpoint.peers) expect(await far.ended()).toEqual({ code: 1001, reason: '' });
    expect(proxy.log.some(({ event }) => event === 'shutdown-timeout')).toBe(false);
  });

  it('stays open when a client that was stopped for its endpoint is silent for long', async () => {
    const { proxy, endpoint } = await startUws();
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    socketOf(far.socket).pause();
    const message = Buffer.alloc(MIB);
    for (let i = 0; i < 12; i++) client.socket.send(message);
    const stoppedAt = performance.now();
    await until('the client is stopped', () => performance.now() - stoppedAt > 500);
    socketOf(far.socket).resume();
    await until('all has come', () => far.receivedBytes === 12 * MIB);
    const goneOnAt = performance.now();
    // uWebSockets.js's own timeout of 10 s, in steps of 4 s, would be over.
    await until('16 s have passed', () => performance.now() - goneOnAt > 16_000, 20_000);
    expect(client.ending).toBeUndefined();
    far.socket.send('still there?');
    await client.gets(1);
    await untilIdleAfter(proxy, client);
  }, 40_000);
});

async function untilIdleAfter(proxy: ProxyProcess, client: WebSocketPeer): Promise<void> {
  client.socket.close();
  await untilIdle(proxy);
}
