/** Listeners that come, move and go while the proxy runs: what is open on them goes on, or ends as was promised. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { valuesOf } from '../../harness/http-message.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { startWebSocketEndpoint, WebSocketPeer } from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();

const GRACE = '700ms';

interface Listener {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** A proxy of these listeners, and what reloads it with others. */
async function startWith(listeners: readonly Listener[], port: number) {
  const configOf = (of: readonly Listener[]): object => ({
    listeners: of,
    upstreams: { app: { endpoints: [{ address: `127.0.0.1:${port}` }] } },
    shutdownTimeout: GRACE,
  });
  const proxy = await started(startProxy(configOf(listeners)));
  await proxy.lineWhere(({ event }) => event === 'ready');
  let reloads = 0;
  const reload = async (...of: readonly Listener[]): Promise<void> => {
    reloads++;
    proxy.reload(configOf(of));
    await until(
      `reload ${reloads}`,
      () => proxy.log.filter(({ event }) => event === 'reloaded').length >= reloads,
      10_000,
    );
  };
  return { proxy, reload };
}

/** The port of a listener that said `listening` last. */
function portOf({ log }: ProxyProcess, name: string): number {
  return Number(log.findLast((line) => line.event === 'listening' && line['listener'] === name)?.['port']);
}

const isRefused = async (port: number): Promise<boolean> =>
  SocketPeer.open(port).then(
    (peer) => {
      peer.close();
      return false;
    },
    () => true,
  );

const tcp = (more: object = {}): Listener => ({
  name: 'tcp',
  mode: 'l4',
  bind: '127.0.0.1:0',
  upstream: 'app',
  ...more,
});
const keeper: Listener = tcp({ name: 'keeper' });

describe('an l4 listener', () => {
  it('that comes with a reload is accepted at', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const { proxy, reload } = await startWith([keeper], endpoint.port);
    await reload(keeper, tcp());
    await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === 'tcp');
    const client = await started(SocketPeer.open(portOf(proxy, 'tcp')));
    client.send('hello');
    await client.when('the echo', () => client.text === 'hello');
  });

  it('that goes accepts no more, leaves its sessions their time, and cuts them then', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const { proxy, reload } = await startWith([keeper, tcp()], endpoint.port);
    const [port, kept] = [portOf(proxy, 'tcp'), portOf(proxy, 'keeper')];
    const client = await started(SocketPeer.open(port));
    const other = await started(SocketPeer.open(kept));
    for (const peer of [client, other]) {
      peer.send('a');
      await peer.when('the echo', () => peer.text === 'a');
    }
    await reload(keeper);
    expect(await isRefused(port)).toBe(true);
    client.send('b');
    await client.when('the echo', () => client.text === 'ab');
    await client.when('the cut', () => client.ending === 'reset');
    await proxy.lineWhere((line) => line.event === 'session-failed' && line['code'] === 'SLUICE_SESSION_CUT');
    other.send('b');
    await other.when('the echo', () => other.text === 'ab');
  });
});

describe('a listener of another mode at the same port', () => {
  it('is accepted at, however often they take turns', async () => {
    const endpoint = await started(startRequestEndpoint(ok()));
    const requests = { name: 'web', mode: 'l7', routes: [{ upstream: 'app' }] };
    const { reload, proxy } = await startWith([{ ...requests, bind: '127.0.0.1:0' }], endpoint.port);
    const bind = `127.0.0.1:${proxy.port}`;
    for (const listener of [tcp({ bind }), { ...requests, bind }, tcp({ bind })]) {
      await reload(listener);
      const client = await started(WireClient.open(proxy.port));
      client.send(get('/'));
      expect((await client.response()).startLine).toContain('200');
    }
  });
});

describe.each(FRONT_ENDS)('an l7 listener (%s)', (frontend) => {
  const web = (more: object = {}): Listener => ({
    name: 'web',
    mode: 'l7',
    frontend,
    bind: '127.0.0.1:0',
    routes: [{ upstream: 'app' }],
    ...more,
  });

  it('that stays answers on open connections by the new plan', async () => {
    const endpoint = await started(startRequestEndpoint(ok()));
    const { proxy, reload } = await startWith([web()], endpoint.port);
    const client = await started(WireClient.open(proxy.port));
    client.send(get('/'));
    expect((await client.response()).startLine).toContain('200');
    const routes = [{ match: { path: '/only/' }, upstream: 'app' }];
    await reload(web({ routes }));
    client.send(get('/'));
    expect((await client.response()).startLine).toContain('404');
    client.send(get('/only/x'));
    expect((await client.response()).startLine).toContain('200');
  });

  it('that comes is accepted at, and that goes ends its connections behind their answers', async () => {
    const endpoint = await started(startRequestEndpoint(ok()));
    const { proxy, reload } = await startWith([keeper], endpoint.port);
    await reload(keeper, web());
    await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === 'web');
    const port = portOf(proxy, 'web');
    const client = await started(WireClient.open(port));
    const idle = await started(WireClient.open(port));
    for (const each of [client, idle]) {
      each.send(get('/'));
      expect((await each.response()).startLine).toContain('200');
    }
    endpoint.answerWith(() => undefined);
    client.send(get('/slow'));
    await until('the request at the endpoint', () => endpoint.requests.length === 1);
    await reload(keeper);
    expect(await isRefused(port)).toBe(true);
    endpoint.last.socket.write(ok('late'));
    const last = await client.response();
    expect([last.body.toString(), valuesOf(last, 'connection')]).toEqual(['late', ['close']]);
    await client.ended();
    await idle.ended();
  });

  it('that goes answers who has come just before', async () => {
    const endpoint = await started(startRequestEndpoint(ok()));
    const { reload, proxy } = await startWith([web(), keeper], endpoint.port);
    const client = await started(WireClient.open(portOf(proxy, 'web')));
    const other = await started(WireClient.open(portOf(proxy, 'web')));
    other.send(get('/'));
    expect((await other.response()).startLine).toContain('200');
    await reload(keeper);
    client.send(get('/'));
    const only = await client.response();
    expect([only.startLine, valuesOf(only, 'connection')]).toEqual(['HTTP/1.1 200 OK', ['close']]);
    await client.ended();
  });

  it('that goes leaves its WebSockets their time', async () => {
    const endpoint = await started(startWebSocketEndpoint({ echoes: true }));
    const { reload, proxy } = await startWith([web(), keeper], endpoint.port);
    const client = await started(WebSocketPeer.open(proxy.port));
    await reload(keeper);
    client.socket.send('still there?');
    await client.gets(1);
    await client.ended();
  });
});
