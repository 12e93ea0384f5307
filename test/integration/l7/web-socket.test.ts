/** WebSockets through the proxy: messages, subprotocols, pings, close codes and abrupt ends, over real sockets, with each front end. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { valuesOf } from '../../harness/http-message.js';
import { endpointFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { WEB_SOCKET_FRONT_ENDS, type WebSocketFrontEnd } from '../../harness/web-socket-front-ends.js';
import {
  clientFrame,
  EXAMPLE_ACCEPT,
  Opcode,
  startWebSocketEndpoint,
  upgradeRequest,
  type WebSocketEndpoint,
  type WebSocketEndpointOptions,
  WebSocketPeer,
} from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const kept = endAfterEach();

async function startWith(
  frontend: WebSocketFrontEnd,
  options: WebSocketEndpointOptions = {},
  more: Parameters<typeof configFor>[1] = {},
): Promise<{ proxy: ProxyProcess; endpoint: WebSocketEndpoint }> {
  const endpoint = await kept(startWebSocketEndpoint(options));
  const { listener, ...rest } = more;
  const config = configFor([endpoint.port], { workers: 1, listener: { frontend, ...listener }, ...rest });
  return { endpoint, proxy: await kept(startProxy(config)) };
}

/** Both ends of one WebSocket. */
async function joined(
  { proxy, endpoint }: { proxy: ProxyProcess; endpoint: WebSocketEndpoint },
  options: Parameters<typeof WebSocketPeer.open>[1] = {},
): Promise<{ client: WebSocketPeer; far: WebSocketPeer }> {
  const client = await kept(WebSocketPeer.open(proxy.port, options));
  return { client, far: await endpoint.next() };
}

describe.each(WEB_SOCKET_FRONT_ENDS)('a WebSocket through %s', (frontend) => {
  it('carries text and binary messages of all lengths both ways, in order', async () => {
    const { client } = await joined(await startWith(frontend, { echoes: true }));
    const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000];
    const sent = lengths.flatMap((length) => [
      { bytes: randomBytes(length), isBinary: true },
      { bytes: Buffer.from('é'.repeat(length / 2)), isBinary: false },
    ]);
    for (const { bytes, isBinary } of sent) client.socket.send(bytes, { binary: isBinary });
    const got = await client.gets(sent.length);
    expect(got.map(({ bytes, isBinary }) => [bytes.length, isBinary])).toEqual(
      sent.map(({ bytes, isBinary }) => [bytes.length, isBinary]),
    );
    expect(got.every(({ bytes }, at) => bytes.equals(sent[at]?.bytes as Buffer))).toBe(true);
  });

  it('carries fragmented messages, with a ping between the fragments', async () => {
    const { proxy, endpoint } = await startWith(frontend, { echoes: true });
    const client = await kept(WireClient.open(proxy.port));
    client.send(upgradeRequest());
    await client.has('the 101', (rest) => rest.includes('\r\n\r\n'));
    client.send(clientFrame(Opcode.TEXT, 'one ', false));
    client.send(clientFrame(Opcode.PING, 'alive?'));
    client.send(clientFrame(Opcode.CONTINUATION, 'two ', false));
    client.send(clientFrame(Opcode.CONTINUATION, '', false));
    client.send(clientFrame(Opcode.CONTINUATION, 'three'));
    const far = await endpoint.next();
    await far.gets(1);
    expect(far.texts).toEqual(['one two three']);
    await client.has('pong and echo', (rest) => rest.includes('\x8a\x06alive?') && rest.includes('one two three'));
  });

  it('carries a fragmented message of the endpoint', async () => {
    const { client, far } = await joined(await startWith(frontend));
    far.socket.send('one ', { fin: false });
    far.socket.send('', { fin: false });
    far.socket.send('two', { fin: true });
    await client.gets(1);
    expect(client.texts).toEqual(['one two']);
  });

  it('takes messages that come together with the 101', async () => {
    const { proxy, endpoint } = await startWith(frontend);
    const opening = WebSocketPeer.open(proxy.port);
    const far = await endpoint.next();
    for (let i = 0; i < 20; i++) far.socket.send(String(i));
    const client = await kept(opening);
    await until('all messages', () => client.texts.length === 20);
    expect(client.texts).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  it('answers the key of the client, and passes on what the endpoint adds to its 101', async () => {
    const { proxy } = await startWith(frontend, { fields: ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-From: far'] });
    const client = await kept(WireClient.open(proxy.port));
    client.send(upgradeRequest());
    const answer = await client.response();
    expect(answer.startLine).toBe('HTTP/1.1 101 Switching Protocols');
    expect(valuesOf(answer, 'sec-websocket-accept')).toEqual([EXAMPLE_ACCEPT]);
    expect(valuesOf(answer, 'upgrade')).toEqual(['websocket']);
    expect(valuesOf(answer, 'connection').map((value) => value.toLowerCase())).toEqual(['upgrade']);
    expect(valuesOf(answer, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(valuesOf(answer, 'x-from')).toEqual(['far']);
    expect(valuesOf(answer, 'sec-websocket-protocol')).toEqual([]);
  });

  it('passes the target, the fields and who the client is on', async () => {
    const { proxy, endpoint } = await startWith(frontend);
    const client = await kept(WireClient.open(proxy.port));
    client.send(
      upgradeRequest('/a/./b/..;x/%2e%2E?q=1&q=%00', [
        'X-Forwarded-For: 9.9.9.9',
        'X-One: 1',
        'X-One: 2',
        'Cookie: c=1',
        'X-Umlaut: a\u00c3\u00a9b',
      ]),
    );
    await client.response();
    await endpoint.next();
    const [request] = endpoint.requests;
    expect(request?.url).toBe('/a/./b/..;x/%2e%2E?q=1&q=%00');
    expect(request?.headers).toMatchObject({
      host: 'a.test',
      'x-one': '1, 2',
      cookie: 'c=1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-umlaut': 'a\u00c3\u00a9b',
    });
    expect(request?.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(request?.headers.via).toMatch(/^1\.1 sluice-/);
  });

  it('lets client and endpoint agree on a subprotocol', async () => {
    const started = await startWith(frontend, { chooseProtocol: (offered) => [...offered][1] ?? false });
    const { client, far } = await joined(started, { protocols: ['chat.v1', 'chat.v2', 'chat.v3'] });
    expect(client.socket.protocol).toBe('chat.v2');
    expect(far.socket.protocol).toBe('chat.v2');
  });

  it('leaves it to the client whether it goes on where the endpoint chooses no subprotocol', async () => {
    const { proxy } = await startWith(frontend, { chooseProtocol: () => false });
    const client = await kept(WireClient.open(proxy.port));
    client.send(upgradeRequest('/', ['Sec-WebSocket-Protocol: chat.v1']));
    const answer = await client.response();
    expect(answer.startLine).toContain('101');
    expect(valuesOf(answer, 'sec-websocket-protocol')).toEqual([]);
  });

  it('passes the close codes of clients on, with their reasons', async () => {
    const started = await startWith(frontend);
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999]) {
      const { client, far } = await joined(started);
      client.socket.close(code, 'wegen Größe');
      expect(await far.ended()).toEqual({ code, reason: 'wegen Größe' });
      expect(await client.ended()).toMatchObject({ code });
    }
    await untilIdle(started.proxy);
  });

  it('passes the close codes of endpoints on, with their reasons', async () => {
    const started = await startWith(frontend);
    const known = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    for (const code of known) {
      const { client, far } = await joined(started);
      far.socket.close(code, 'r'.repeat(123));
      expect(await client.ended()).toEqual({ code, reason: 'r'.repeat(123) });
      expect(await far.ended()).toMatchObject({ code });
    }
    await untilIdle(started.proxy);
  });

  it('passes a close frame without a code on, both ways', async () => {
    const started = await startWith(frontend);
    const first = await joined(started);
    first.client.socket.close();
    expect(await first.far.ended()).toEqual({ code: 1005, reason: '' });
    const second = await joined(started);
    second.far.socket.close();
    expect(await second.client.ended()).toEqual({ code: 1005, reason: '' });
  });

  it('delivers what was sent before a close frame', async () => {
    const started = await startWith(frontend);
    const { client, far } = await joined(started);
    const message = randomBytes(3_000_000);
    far.socket.send(message);
    far.socket.close(1000);
    await client.ended();
    expect(client.messages.map(({ bytes }) => bytes.equals(message))).toEqual([true]);
    const back = await joined(started);
    back.client.socket.send(message);
    back.client.socket.close(1000);
    await back.far.ended();
    expect(back.far.messages.map(({ bytes }) => bytes.equals(message))).toEqual([true]);
  });

  it.each(['reset', 'close'] as const)('shows an abrupt end (%s) of one side to the other as one', async (how) => {
    const started = await startWith(frontend);
    const first = await joined(started);
    first.client[how]();
    expect(await first.far.ended()).toEqual({ code: 1006, reason: '' });
    const second = await joined(started);
    second.far[how]();
    expect(await second.client.ended()).toEqual({ code: 1006, reason: '' });
    await untilIdle(started.proxy);
    expect(started.proxy.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('answers a ping of the client with its payload, once', async () => {
    const { client, far } = await joined(await startWith(frontend, { echoes: true }));
    client.socket.ping('one');
    client.socket.ping('two');
    client.socket.send('behind');
    await client.gets(1);
    expect(client.pongs).toEqual(['one', 'two']);
    expect(far.pings).toEqual(['one', 'two']);
  });

  it("brings a ping of the endpoint to the client, and the client's own pong back", async () => {
    const { client, far } = await joined(await startWith(frontend));
    far.socket.ping('are you there?');
    await until('the pong', () => far.pongs.length > 0);
    expect(client.pings).toEqual(['are you there?']);
    expect(far.pongs).toEqual(['are you there?']);
  });

  it('counts as in flight at its endpoint until it ends, and holds its place below the cap', async () => {
    const endpoint = await kept(startWebSocketEndpoint());
    const capped = { endpoints: [{ address: `127.0.0.1:${endpoint.port}`, maxConns: 1 }] };
    const config = configFor([], { workers: 1, listener: { frontend }, upstream: capped });
    const proxy = await kept(startProxy(config));
    const client = await kept(WebSocketPeer.open(proxy.port));
    expect((await endpointFacts(proxy))[0]).toMatchObject({ inFlight: 1, requests: 1 });
    expect((await requestOnce(proxy.port, get('/'))).startLine).toContain('503');
    expect((await requestOnce(proxy.port, upgradeRequest())).startLine).toContain('503');
    client.socket.close(1000);
    await untilIdle(proxy);
    await kept(WebSocketPeer.open(proxy.port));
  });

  it('reaches an endpoint at a UNIX socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-ws-'));
    await kept({ close: () => rmSync(directory, { recursive: true, force: true }) });
    const path = join(directory, 'endpoint.sock');
    const endpoint = await kept(startWebSocketEndpoint({ echoes: true, listen: { path } }));
    const upstream = { endpoints: [{ address: `unix:${path}` }] };
    const proxy = await kept(startProxy(configFor([], { workers: 1, listener: { frontend }, upstream })));
    const { client } = await joined({ proxy, endpoint });
    client.socket.send('over a path');
    await client.gets(1);
    expect(client.texts).toEqual(['over a path']);
  });

  it('leaves plain requests on the same listener as they are', async () => {
    const started = await startWith(frontend);
    await joined(started);
    const answer = await requestOnce(started.proxy.port, get('/'));
    expect(answer.body.toString()).toBe('plain');
  });
});
