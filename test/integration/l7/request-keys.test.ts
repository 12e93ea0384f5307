/** Keys of requests on the wire: whatever front end reads them, the same key goes to the same endpoint. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { upgradeRequest } from '../../harness/web-socket-peers.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const ENDPOINTS = 8;

/** One upstream for each way to hash, all over the same endpoints; a route leads to it by the first segment of its path. */
const UPSTREAMS: Readonly<Record<string, object>> = {
  client: { balance: 'hash' },
  network: { balance: 'ip-hash' },
  header: { balance: 'rendezvous', hashKey: 'header:X-User' },
  host: { balance: 'rendezvous', hashKey: 'header:host' },
  cookie: { balance: 'ketama', hashKey: 'cookie:sid' },
  query: { balance: 'maglev', hashKey: 'query:id' },
  path: { balance: 'rendezvous', hashKey: 'path' },
  uri: { balance: 'hash', hashKey: 'uri' },
};

const open: (() => unknown)[] = [];
const proxies: ProxyProcess[] = [];

beforeAll(async () => {
  const endpoints: RequestEndpoint[] = await Promise.all(
    Array.from({ length: ENDPOINTS }, (_, index) => startRequestEndpoint(ok(String(index)))),
  );
  open.push(...endpoints.map((endpoint) => () => endpoint.close()));
  const addresses = endpoints.map(({ port }) => ({ address: `127.0.0.1:${port}` }));
  const upstreams = Object.fromEntries(
    Object.entries(UPSTREAMS).map(([name, picking]) => [name, { ...picking, endpoints: addresses }]),
  );
  const routes = [
    ...Object.keys(UPSTREAMS).map((name) => ({ match: { path: `/${name}` }, upstream: name })),
    {
      match: { path: '/split' },
      split: [
        { upstream: 'client', weight: 1 },
        { upstream: 'header', weight: 1 },
      ],
      splitKey: 'header:x-user',
    },
  ];
  for (const frontend of FRONT_ENDS) {
    const config = configFor([], { frontend, listener: { trustedProxies: ['127.0.0.1'], routes } });
    const proxy = await startProxy({ ...config, upstreams });
    open.push(() => proxy.stop());
    proxies.push(proxy);
  }
});

afterAll(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Sends the same requests through both front ends. @returns the numbers of the endpoints that answered; they must agree */
async function endpointsOf(requests: readonly (readonly [path: string, ...lines: string[]])[]): Promise<number[]> {
  const [first, second] = await Promise.all(
    proxies.map(async (proxy) => {
      const client = await WireClient.open(proxy.port);
      const seen: number[] = [];
      for (const [path, ...lines] of requests) {
        client.send(get(path, lines));
        const response = await client.response();
        expect(statusOf(response)).toBe(200);
        seen.push(Number(response.body.toString()));
      }
      client.close();
      return seen;
    }),
  );
  expect(first).toEqual(second);
  return first!;
}

/** Values go to several endpoints, and each always to its own. */
async function expectKeyed(request: (value: string) => readonly [string, ...string[]]): Promise<void> {
  const values = Array.from({ length: 12 }, (_, index) => `value-${index}`);
  const homes = await endpointsOf(values.map(request));
  expect(new Set(homes).size).toBeGreaterThan(2);
  expect(await endpointsOf(values.map(request))).toEqual(homes);
}

/** All requests go where the first one goes. */
async function expectSame(requests: readonly (readonly [string, ...string[]])[]): Promise<void> {
  expect(new Set(await endpointsOf([...requests, ...requests])).size).toBe(1);
}

/** Requests without a key do not all go to one endpoint. */
async function expectSpread([path, ...lines]: readonly [string, ...string[]]): Promise<void> {
  for (const proxy of proxies) {
    const client = await WireClient.open(proxy.port);
    const seen = new Set<string>();
    for (let time = 0; time < 40; time++) {
      client.send(get(path, lines));
      seen.add((await client.response()).body.toString());
    }
    client.close();
    expect(seen.size).toBeGreaterThan(3);
  }
}

describe('requests with the same key', () => {
  it.each<[string, (value: string) => readonly [string, ...string[]]]>([
    ['header', (value) => ['/header', `x-user: ${value}`]],
    ['cookie', (value) => ['/cookie', `cookie: a=b; sid=${value}`]],
    ['query parameter', (value) => [`/query?a=b&id=${value}`]],
    ['path', (value) => [`/path/${value}?any=${Math.random()}`]],
    ['uri', (value) => [`/uri?${value}`]],
    ['address of the client', (value) => ['/client', `x-forwarded-for: 9.9.9.9, 192.0.2.${value.slice(6)}, 127.0.0.1`]],
    ['network of the client', (value) => ['/network', `x-forwarded-for: 192.0.${value.slice(6)}.${value.slice(6)}`]],
  ])('go to the same endpoint: %s', async (_, request) => {
    await expectKeyed(request);
  });

  it('are told apart by all values of a header, cookies and parameters by the first', async () => {
    await expectSame([
      ['/header', 'x-user: 1', 'x-user: 2'],
      ['/header', 'x-user: 1, 2'],
    ]);
    await expectSame([
      ['/cookie', 'cookie: sid=1'],
      ['/cookie', 'cookie: x=y', 'cookie: sid="1"; sid=2'],
    ]);
    await expectSame([['/query?id=1'], ['/query?x&id=1&id=2']]);
  });

  it('may be of one network of IPv4, but of one address of IPv6', async () => {
    const of = (client: string): readonly [string, string] => ['/network', `x-forwarded-for: ${client}`];
    await expectSame([of('192.0.2.1'), of('192.0.2.254'), of('192.0.2.9:443'), of('::ffff:192.0.2.3')]);
    await expectSame([of('2001:db8::1'), of('2001:DB8:0:0::1'), of('[2001:db8::1]:99')]);
    const homes = await endpointsOf(Array.from({ length: 12 }, (_, last) => of(`2001:db8::${last}`)));
    expect(new Set(homes).size).toBeGreaterThan(2);
  });

  it('have it in UTF-8, and Host is a header', async () => {
    // uWebSockets.js cuts bytes above 0x7f off the end of a value.
    await expectSame([['/header', `x-user: ${Buffer.from('aé€z', 'utf8').toString('latin1')}`]]);
    await expectSame([['/host', 'x: 1'], ['/host']]);
  });

  it('may ask for a WebSocket', async () => {
    for (let user = 0; user < 8; user++) {
      const lines = [`x-user: ${user}`];
      const [home] = await endpointsOf([['/header', ...lines]]);
      // These endpoints refuse the handshake, each with its number.
      for (const { port } of proxies) {
        const refusal = await requestOnce(port, upgradeRequest('/header', lines));
        expect(Number(refusal.body.toString())).toBe(home);
      }
    }
  });

  it('of their own connection go to one endpoint without X-Forwarded-For', async () => {
    await expectSame([['/client'], ['/client?x'], ['/client', 'x-forwarded-for: unknown']]);
  });
});

describe('requests without the key', () => {
  it.each([
    ['header', '/header'],
    ['empty header', '/header', 'x-user:'],
    ['cookie', '/cookie', 'cookie: x=y'],
    ['empty cookie', '/cookie', 'cookie: sid=""'],
    ['query parameter', '/query?id='],
  ])('are spread over the endpoints: %s', async (_, ...request) => {
    await expectSpread(request as [string, ...string[]]);
  });
});

describe('a split', () => {
  it('leads a key to one of its upstreams, where the key of that one picks', async () => {
    const users = Array.from({ length: 16 }, (_, user) => `x-user: ${user}`);
    const [ofClient] = await endpointsOf([['/client']]);
    const ofUsers = await endpointsOf(users.map((user) => ['/header', user]));
    const homes = await endpointsOf(users.map((user) => ['/split', user]));
    expect(await endpointsOf(users.map((user) => ['/split', user]))).toEqual(homes);
    expect(homes.filter((home, user) => home !== ofClient && home !== ofUsers[user])).toEqual([]);
    expect(homes).toContain(ofClient);
    expect(new Set(homes).size).toBeGreaterThan(2);
  });
});
