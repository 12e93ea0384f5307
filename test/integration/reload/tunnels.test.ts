/** Tunnels over reloads: they go on where their route, their endpoint and their upstream are gone, and are cut only with their listener. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { badLines, startProxy } from '../../harness/proxy-process.js';
import { BY_SIGNAL_ONLY, reloadWith } from '../../harness/reloads.js';
import { startRequestEndpoint } from '../../harness/request-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { WEB_SOCKET_FRONT_ENDS } from '../../harness/web-socket-front-ends.js';
import {
  EXAMPLE_ACCEPT,
  startWebSocketEndpoint,
  upgradeRequest,
  type WebSocketEndpoint,
  WebSocketPeer,
} from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const started = endAfterEach();

const MESSAGE = 'm'.repeat(2_000);

/** Requests of a path at one port; the name of their upstream says which. */
function configOf(frontend: string, upstream: string, port: number, more: object = {}): object {
  return {
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        frontend,
        bind: '127.0.0.1:0',
        routes: [{ match: { path: `/${upstream}` }, upstream }],
        ...more,
      },
    ],
    upstreams: { [upstream]: { endpoints: [{ address: `127.0.0.1:${port}` }] } },
    ...BY_SIGNAL_ONLY,
  };
}

/** Sends one message after the other, each once the one before is back. */
function keepSpeaking(client: WebSocketPeer): { readonly rounds: number; end(): Promise<void> } {
  let isEnding = false;
  const spoken = { rounds: 0, end: async () => {} };
  const running = (async () => {
    while (!isEnding) {
      client.socket.send(`${spoken.rounds} ${MESSAGE}`);
      await client.gets(spoken.rounds + 1);
      spoken.rounds++;
    }
  })();
  spoken.end = () => {
    isEnding = true;
    return running;
  };
  return spoken;
}

describe.each(WEB_SOCKET_FRONT_ENDS)('a WebSocket (%s)', (frontend) => {
  it('goes on before, during and after reloads that take its route, upstream and endpoint away', async () => {
    const [old, fresh] = (await Promise.all([0, 1].map(() => started(startWebSocketEndpoint({ echoes: true }))))) as [
      WebSocketEndpoint,
      WebSocketEndpoint,
    ];
    const proxy = await started(startProxy(configOf(frontend, 'old', old.port)));
    // Some in each worker.
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => started(WebSocketPeer.open(proxy.port, { path: '/old' }))),
    );
    const speaking = clients.map(keepSpeaking);
    const moreRounds = (): Promise<void> => {
      const before = speaking.map(({ rounds }) => rounds);
      return until('three more messages', () => speaking.every(({ rounds }, at) => rounds >= (before[at] ?? 0) + 3));
    };
    await moreRounds();
    for (let reload = 0; reload < 4; reload++) {
      const [upstream, { port }] = reload % 2 === 0 ? (['fresh', fresh] as const) : (['old', old] as const);
      await reloadWith(proxy, configOf(frontend, upstream, port));
      await moreRounds();
    }
    await reloadWith(proxy, configOf(frontend, 'fresh', fresh.port));
    await moreRounds();
    expect(statusOf(await requestOnce(proxy.port, get('/old')))).toBe(404);
    const late = await started(WebSocketPeer.open(proxy.port, { path: '/fresh' }));
    late.socket.send('late');
    expect((await late.gets(1))[0]?.bytes.toString()).toBe('late');
    expect([old.peers.length, fresh.peers.length]).toEqual([4, 1]);

    await Promise.all(speaking.map((each) => each.end()));
    for (const [at, client] of clients.entries()) {
      const sent = Array.from({ length: speaking[at]?.rounds ?? 0 }, (_, round) => `${round} ${MESSAGE}`);
      expect(client.texts).toEqual(sent);
      client.socket.close(1000, 'done');
    }
    late.socket.close(1000, 'done');
    for (const peer of [...old.peers, ...fresh.peers])
      expect(await peer.ended()).toEqual({ code: 1000, reason: 'done' });
    await untilIdle(proxy, 3_000, 'fresh');
    expect(badLines(proxy.log)).toEqual([]);
  });

  it('is cut after shutdownTimeout when its listener is gone, not before, and those of others stay', async () => {
    const endpoint = await started(startWebSocketEndpoint({ echoes: true }));
    const config = (...names: string[]): object => ({
      ...configOf(frontend, 'ws', endpoint.port),
      listeners: names.map((name) => ({
        name,
        mode: 'l7',
        frontend,
        bind: '127.0.0.1:0',
        routes: [{ match: { path: '/' }, upstream: 'ws' }],
      })),
      shutdownTimeout: '900ms',
    });
    const proxy = await started(startProxy(config('web', 'other')));
    const other = await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === 'other');
    const gone = await started(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    const kept = await started(WebSocketPeer.open(Number(other['port'])));
    const beganAtMs = performance.now();
    await reloadWith(proxy, config('other'));
    const reloadedAtMs = performance.now();
    gone.socket.send('still there?');
    await gone.gets(1);
    // uWebSockets.js says goodbye (going away), the native front end knows nothing of frames.
    expect((await gone.ended()).code).toBe(frontend === 'uws' ? 1001 : 1006);
    expect(performance.now() - beganAtMs).toBeGreaterThan(850);
    expect(performance.now() - reloadedAtMs).toBeLessThan(900 + 2_500);
    await far.ended();
    kept.socket.send('and here?');
    await kept.gets(1);
    kept.socket.close();
    await untilIdle(proxy, 3_000, 'ws');
    expect(badLines(proxy.log)).toEqual([]);
  });
});

describe('a tunnel of bytes that are no frames (native)', () => {
  it('goes on both ways, byte by byte, over reloads that take its route and its endpoint away', async () => {
    const old = await started(
      startRequestEndpoint(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${EXAMPLE_ACCEPT}\r\n\r\n`,
      ),
    );
    const fresh = await started(startRequestEndpoint());
    const proxy = await started(startProxy(configOf('native', 'old', old.port)));
    const client = await started(SocketPeer.open(proxy.port));
    client.send(upgradeRequest('/old'));
    await client.when('the 101', () => client.text.includes('\r\n\r\n'));
    const far = old.last.socket;
    const arrived: Buffer[] = [];
    far.removeAllListeners('data');
    far.on('data', (chunk: Buffer) => arrived.push(chunk));
    const headBytes = client.receivedBytes;
    let sent = '';
    const speak = async (): Promise<void> => {
      const said = `\0\xff${sent.length} not a frame\r\n`;
      sent += said;
      client.send(said);
      far.write(Buffer.from(said, 'latin1'));
      await until('it at the endpoint', () => Buffer.concat(arrived).toString('latin1') === sent);
      await client.when('it at the client', () => client.text.slice(headBytes) === sent);
    };
    await speak();
    for (const [upstream, { port }] of [['fresh', fresh] as const, ['other', fresh] as const]) {
      const reloading = reloadWith(proxy, configOf('native', upstream, port));
      await speak();
      await reloading;
      await speak();
    }
    // Each side ends by itself, as without a reload.
    client.end();
    await until('the end at the endpoint', () => far.readableEnded);
    far.end();
    expect(await client.ended()).toBe('ended');
    await untilIdle(proxy, 3_000, 'other');
    expect(badLines(proxy.log)).toEqual([]);
  });
});
