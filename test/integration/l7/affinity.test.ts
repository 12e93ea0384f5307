/** Clients stay with their endpoints by cookie, as browsers and endpoints see it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf, type WireMessage } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startWebSocketEndpoint, upgradeRequest } from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

const SECRET = 'a secret that all machines share';
const BINDING = /^sluice-endpoint=([\w-]{8}\.[\w-]{22}); Path=\/; HttpOnly; SameSite=Lax$/;

const named = (name: string): string => ok(name, ['X-Own: 1']);
const nameIn = (response: WireMessage): string => response.body.toString();
/** What a response binds to, as a Cookie line; undefined: it binds to nobody. */
function cookieOf(response: WireMessage): string | undefined {
  const [value, ...more] = valuesOf(response, 'set-cookie');
  expect(more).toEqual([]);
  const [, pair] = BINDING.exec(value ?? '') ?? [];
  return pair === undefined ? undefined : `Cookie: sluice-endpoint=${pair}`;
}

describe.each(FRONT_ENDS)('affinity by cookie with the front end %s', (frontend) => {
  let endpoints: RequestEndpoint[];
  let proxy: ProxyProcess;
  const open: (() => unknown)[] = [];

  const upstreamOf = (ports: readonly number[], more: object = {}, cap = 0): object => ({
    balance: 'round-robin',
    affinity: { cookie: { name: 'sluice-endpoint', secret: SECRET } },
    endpoints: ports.map((port) => ({ address: `127.0.0.1:${port}`, ...(cap > 0 ? { maxConns: cap } : {}) })),
    ...more,
  });
  async function started(config: object): Promise<ProxyProcess> {
    const other = await startProxy(config);
    open.push(() => other.stop());
    return other;
  }
  async function endpointNamed(name: string): Promise<RequestEndpoint> {
    const endpoint = await startRequestEndpoint(named(name));
    open.push(() => endpoint.close());
    return endpoint;
  }
  const ask = (lines: readonly string[] = [], to = proxy): Promise<WireMessage> =>
    requestOnce(to.port, get('/', lines));
  /** A client that has been bound to each of the three. */
  async function bound(to = proxy): Promise<Map<string, string>> {
    const cookies = new Map<string, string>();
    while (cookies.size < 3) {
      const response = await ask([], to);
      cookies.set(nameIn(response), cookieOf(response) as string);
    }
    return cookies;
  }

  beforeAll(async () => {
    endpoints = await Promise.all(['a', 'b', 'c'].map((name) => startRequestEndpoint(named(name))));
    proxy = await startProxy(configFor([], { frontend, upstream: upstreamOf(endpoints.map(({ port }) => port)) }));
  });

  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
    for (const [index, endpoint] of endpoints.entries()) endpoint.answerWith(named('abc'.charAt(index)));
  });

  afterAll(async () => {
    await proxy?.stop();
    for (const endpoint of endpoints ?? []) await endpoint.close();
  });

  it('binds a new client, and brings it back over connections and workers without another cookie', async () => {
    for (const [name, cookie] of await bound()) {
      for (let turn = 0; turn < 6; turn++) {
        const response = await ask(['Cookie: other=1', cookie]);
        expect([nameIn(response), valuesOf(response, 'set-cookie')]).toEqual([name, []]);
      }
    }
  });

  it('adds its cookie to responses of every framing, beside the endpoint\u2019s own', async () => {
    const answers: readonly [answer: string, request: string | Buffer, isHead?: boolean][] = [
      [ok('x', ['Set-Cookie: own=1']), get()],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n', get()],
      ['HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', get().replace('GET', 'HEAD'), true],
      ['HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', get()],
      ['HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n', withBody('POST', '/', 'body')],
      [ok('x'.repeat(100_000)), get()],
    ];
    for (const [answer, request, isHead = false] of answers) {
      for (const endpoint of endpoints) endpoint.answerWith(answer);
      const response = await requestOnce(proxy.port, request, { isHead });
      expect(valuesOf(response, 'set-cookie').filter((value) => BINDING.test(value))).toHaveLength(1);
      expect(valuesOf(response, 'set-cookie').filter((value) => value === 'own=1')).toHaveLength(
        answer.includes('own=1') ? 1 : 0,
      );
    }
  });

  it('is of one request only, be the next one on its heels', async () => {
    const [[name = '', cookie = ''] = []] = await bound();
    const client = await WireClient.open(proxy.port);
    const requests = [get(), get('/', [cookie]), get('/', [cookie])];
    // uWebSockets.js closes a connection on which a request comes before the last answer is out.
    if (frontend === 'native') client.send(requests.splice(0).join(''));
    for (const turn of [0, 1, 2]) {
      const request = requests.shift();
      if (request !== undefined) client.send(request);
      const response = await client.response();
      if (turn === 0) expect(cookieOf(response)).toBeDefined();
      else expect([nameIn(response), cookieOf(response)]).toEqual([name, undefined]);
    }
    client.close();
  });

  it('binds anew who comes with a forged or cut cookie, or one of another upstream', async () => {
    const elsewhere = await started({
      listeners: [{ name: 'web', mode: 'l7', bind: '127.0.0.1:0', frontend, routes: [{ upstream: 'other' }] }],
      upstreams: { other: upstreamOf(endpoints.map(({ port }) => port)) },
    });
    const foreign = cookieOf(await ask([], elsewhere)) as string;
    const [cookie = ''] = (await bound()).values();
    const forged = `${cookie.slice(0, -4)}AAAA`;
    for (const line of [
      foreign,
      forged,
      cookie.slice(0, -1),
      `${cookie}A`,
      'Cookie: sluice-endpoint=',
      'Cookie: sluice-endpoint',
    ]) {
      const response = await ask([line]);
      expect([line, statusOf(response), cookieOf(response) !== undefined]).toEqual([line, 200, true]);
    }
  });

  it('takes the first of two cookies that names an endpoint', async () => {
    const [[name = '', cookie = ''] = [], [, other = ''] = []] = await bound();
    const value = (line: string) => line.slice('Cookie: '.length);
    const response = await ask([`Cookie: sluice-endpoint=x; ${value(cookie)}; ${value(other)}`]);
    expect([nameIn(response), cookieOf(response)]).toEqual([name, undefined]);
  });

  it('names nobody once the endpoint has left the configuration, and goes on where it stays', async () => {
    const cookies = await bound();
    const [a, b] = endpoints;
    const smaller = await started(configFor([], { frontend, upstream: upstreamOf([b!.port, a!.port]) }));
    for (const name of ['a', 'b']) expect(nameIn(await ask([cookies.get(name) as string], smaller))).toBe(name);
    const moved = await ask([cookies.get('c') as string], smaller);
    expect(cookieOf(moved)).toBe(cookies.get(nameIn(moved)));
  });

  it('follows nobody to a dead endpoint: the one that answers binds', async () => {
    const mortal = await endpointNamed('mortal');
    const [a] = endpoints;
    const dying = await started(configFor([], { frontend, upstream: upstreamOf([mortal.port, a!.port]) }));
    let cookie: string | undefined;
    await until('a client of the mortal', async () => {
      const response = await ask([], dying);
      cookie = nameIn(response) === 'mortal' ? cookieOf(response) : undefined;
      return cookie !== undefined;
    });
    await mortal.close();
    const moved = await ask([cookie as string], dying);
    expect([statusOf(moved), nameIn(moved)]).toEqual([200, 'a']);
    const home = cookieOf(moved) as string;
    const stayed = await ask([home], dying);
    expect([nameIn(stayed), cookieOf(stayed)]).toEqual(['a', undefined]);
  });

  it('goes elsewhere while the endpoint is full, and binds there', async () => {
    const capped = await started(
      configFor([], {
        frontend,
        upstream: upstreamOf(
          endpoints.map(({ port }) => port),
          {},
          1,
        ),
      }),
    );
    const [[name = '', cookie = ''] = []] = await bound(capped);
    const holder = endpoints['abc'.indexOf(name)] as RequestEndpoint;
    holder.answerWith(() => undefined);
    const client = await WireClient.open(capped.port);
    client.send(get('/', [cookie]));
    await until('the endpoint is full', () => holder.requests.length === 1);
    const moved = await ask([cookie], capped);
    expect(nameIn(moved)).not.toBe(name);
    expect(cookieOf(moved)).toBeDefined();
    holder.requests[0]!.socket.write(named(name));
    expect(nameIn(await client.response())).toBe(name);
    client.close();
  });

  it('is never on an answer of the proxy', async () => {
    const gone = await endpointNamed('gone');
    const lonely = await started(configFor([], { frontend, upstream: upstreamOf([gone.port]) }));
    const cookie = cookieOf(await ask([], lonely)) as string;
    await gone.close();
    for (const lines of [[], [cookie]]) {
      const response = await ask(lines, lonely);
      expect([statusOf(response), valuesOf(response, 'set-cookie')]).toEqual([502, []]);
    }
  });

  it('comes with the 101 of a WebSocket, which then goes to its endpoint', async () => {
    const sockets = await Promise.all([startWebSocketEndpoint(), startWebSocketEndpoint()]);
    for (const endpoint of sockets) open.push(() => endpoint.close());
    const tunnels = await started(configFor([], { frontend, upstream: upstreamOf(sockets.map(({ port }) => port)) }));
    const switched = await requestOnce(tunnels.port, upgradeRequest());
    expect(statusOf(switched)).toBe(101);
    const first = sockets.findIndex(({ requests }) => requests.length === 1);
    const cookie = cookieOf(switched) as string;
    for (let turn = 0; turn < 3; turn++) {
      const again = await requestOnce(tunnels.port, upgradeRequest('/', [cookie]));
      expect([statusOf(again), valuesOf(again, 'set-cookie')]).toEqual([101, []]);
    }
    expect(sockets[first]!.requests).toHaveLength(4);
  });
});
