/** TLS passthrough: sessions go to upstreams by the server name and ALPN of the ClientHello, and nobody but the endpoint holds a key. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { echo, type SessionEndpoint, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { endpointEntry, sessionFailures, untilFailed, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { clientHelloOf, greetOverTls, startTlsEndpoint, type TlsEndpoint } from '../../harness/tls-endpoint.js';

const TLS_UPSTREAMS = ['exact', 'wildcard', 'deeper', 'http2', 'default'] as const;

const endpoints = new Map<string, TlsEndpoint>();
let plain: SessionEndpoint;
let proxy: ProxyProcess;
let proxyWithoutDefault: ProxyProcess;

const ROUTES = [
  { match: { sni: 'www.example.com' }, upstream: 'exact' },
  { match: { sni: '*.example.com' }, upstream: 'wildcard' },
  { match: { sni: '*.deep.example.com' }, upstream: 'deeper' },
  { match: { sni: '*.example.com', alpn: ['h2', 'h3'] }, upstream: 'http2' },
  { match: { sni: 'raw.test' }, upstream: 'plain' },
];

beforeAll(async () => {
  for (const name of TLS_UPSTREAMS) endpoints.set(name, await startTlsEndpoint(name, ['h2', 'http/1.1']));
  plain = await startSessionEndpoint();
  const upstreams: Record<string, object> = { plain: { endpoints: [endpointEntry(plain.port)] } };
  for (const [name, { port }] of endpoints) upstreams[name] = { endpoints: [endpointEntry(port)] };
  const start = (routes: object[]): Promise<ProxyProcess> =>
    startProxy({ listeners: [{ name: 'tls', mode: 'l4', bind: '127.0.0.1:0', routes }], upstreams });
  proxy = await start([...ROUTES, { upstream: 'default' }]);
  const { default: unused, ...others } = upstreams;
  expect(unused).toBeDefined();
  proxyWithoutDefault = await startProxy({
    listeners: [{ name: 'tls', mode: 'l4', bind: '127.0.0.1:0', routes: ROUTES }],
    upstreams: others,
  });
});

afterAll(async () => {
  await proxy?.stop();
  await proxyWithoutDefault?.stop();
  for (const endpoint of endpoints.values()) await endpoint.close();
  await plain?.close();
});

describe('a TLS client', () => {
  it.each([
    ['www.example.com', undefined, 'exact'],
    ['WWW.Example.COM', undefined, 'exact'],
    ['api.example.com', undefined, 'wildcard'],
    ['api.example.com', ['http/1.1'], 'wildcard'],
    ['api.example.com', ['http/1.1', 'h2'], 'http2'],
    ['www.example.com', ['h2'], 'exact'],
    ['a.b.example.com', undefined, 'wildcard'],
    ['a.deep.example.com', undefined, 'deeper'],
    ['a.deep.example.com', ['h2'], 'deeper'],
    ['example.com', undefined, 'default'],
    ['www.example.com.evil.test', undefined, 'default'],
    ['other.test', undefined, 'default'],
    [undefined, undefined, 'default'],
    [undefined, ['h2'], 'default'],
  ])(
    'that asks for %s with ALPN %s reaches the endpoint of %s, and its certificate',
    async (servername, alpn, name) => {
      const options = { port: proxy.port, ...(servername && { servername }), ...(alpn && { ALPNProtocols: alpn }) };
      const greeting = await greetOverTls(options);
      expect(greeting.name).toBe(name);
      expect(greeting.fingerprint256).toBe(endpoints.get(name)?.fingerprint256);
      if (alpn !== undefined) expect(greeting.alpn).toBe(alpn.includes('h2') ? 'h2' : 'http/1.1');
    },
  );

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('of %s reaches the endpoint it asks for', async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    const greeting = await greetOverTls({ port: proxy.port, servername: 'www.example.com', ...versions });
    expect(greeting.name).toBe('exact');
  });

  it('is one of many with different names at the same time', async () => {
    const names = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? 'www' : 'api'));
    const greetings = await Promise.all(
      names.map((name) => greetOverTls({ port: proxy.port, servername: `${name}.example.com` })),
    );
    expect(greetings.map(({ name }) => name)).toEqual(names.map((name) => (name === 'www' ? 'exact' : 'wildcard')));
    await untilNoSessions(proxy, 5_000, [...TLS_UPSTREAMS, 'plain']);
  });

  it.each([['other.test'], [undefined]])('that asks for %s is reset where there is no default', async (servername) => {
    const options = { port: proxyWithoutDefault.port, ...(servername && { servername }) };
    const before = (await sessionFailures(proxyWithoutDefault))['SLUICE_NO_ROUTE'] ?? 0;
    await expect(greetOverTls(options)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await untilFailed(proxyWithoutDefault, 'SLUICE_NO_ROUTE', before + 1);
  });
});

describe('a client without TLS', () => {
  it('takes the default route as soon as its first bytes show it', async () => {
    const attempts = (): Promise<number> =>
      proxy
        .admin<{ endpoints: { requests: number }[] }>('/api/v1/upstreams/default/endpoints')
        .then((view) => view.endpoints[0]?.requests ?? 0);
    const before = await attempts();
    const client = await SocketPeer.open(proxy.port);
    client.send('GET / HTTP/1.1\r\n\r\n');
    // The endpoint speaks TLS, does not understand a word, and hangs up.
    await client.ended();
    expect(await attempts()).toBe(before + 1);
    client.close();
  });

  it('is reset where there is no default', async () => {
    const client = await SocketPeer.open(proxyWithoutDefault.port);
    client.send('GET / HTTP/1.1\r\n\r\n');
    expect(await client.ended()).toBe('reset');
    client.close();
  });

  it('is reset when what begins like a ClientHello is none', async () => {
    for (const bytes of ['160301000401000000', '1603010004020000001603', '16030100050100000001', '1603010000']) {
      const client = await SocketPeer.open(proxy.port);
      client.send(Buffer.from(bytes, 'hex'));
      expect(await client.ended()).toBe('reset');
      client.close();
    }
    await untilFailed(proxy, 'SLUICE_BAD_CLIENT_HELLO', 4);
    await untilNoSessions(proxy, 5_000, [...TLS_UPSTREAMS, 'plain']);
  });

  it('is reset when its ClientHello is longer than 16 KiB', async () => {
    const client = await SocketPeer.open(proxy.port);
    // Records of 4 KiB, all of one handshake message of 1 MiB.
    const message = Buffer.concat([Buffer.from('01100000', 'hex'), Buffer.alloc(20 * 1024)]);
    for (let at = 0; at < message.length; at += 4096) {
      const part = message.subarray(at, at + 4096);
      client.send(Buffer.concat([Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 255]), part]));
    }
    expect(await client.ended()).toBe('reset');
    client.close();
  });
});

describe('a ClientHello', () => {
  let hello: Buffer;

  beforeAll(async () => {
    hello = await clientHelloOf({ servername: 'raw.test', ALPNProtocols: ['h2'] });
  });

  /** Sends the pieces in segments of their own. @returns what the endpoint of raw.test got of it */
  async function sentInPieces(pieces: readonly Buffer[]): Promise<Buffer> {
    const client = await SocketPeer.open(proxy.port);
    // The endpoint tells its connections apart by what the client sends behind its hello.
    const mark = Buffer.from(`<${client.socket.localPort}>`);
    for (const piece of pieces) {
      client.send(piece);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    client.send(mark);
    const isOurs = (peer: SocketPeer): boolean => peer.received.subarray(-mark.length).equals(mark);
    await client.when('anything', () => plain.peers.some(isOurs) || client.ending !== 'open', 50).catch(() => {});
    const deadline = Date.now() + 10_000;
    while (!plain.peers.some(isOurs)) {
      if (Date.now() > deadline || client.ending !== 'open')
        throw new Error(`no session for ${pieces[0]?.length} bytes`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    client.close();
    return (plain.peers.find(isOurs) as SocketPeer).received.subarray(0, -mark.length);
  }

  it('may be split at every byte, and reaches the endpoint whole', async () => {
    const splits = Array.from({ length: hello.length - 1 }, (_, index) => index + 1);
    while (splits.length > 0) {
      const batch = splits.splice(0, 50);
      const received = await Promise.all(batch.map((at) => sentInPieces([hello.subarray(0, at), hello.subarray(at)])));
      expect(received.every((bytes) => bytes.equals(hello))).toBe(true);
    }
  }, 60_000);

  it('may come byte by byte', async () => {
    const received = await sentInPieces(Array.from(hello, (byte) => Buffer.of(byte)));
    expect(received.equals(hello)).toBe(true);
  }, 30_000);

  it('may be split over several records', async () => {
    const message = hello.subarray(5);
    const records = [message.subarray(0, 3), message.subarray(3, 50), message.subarray(50)].map((part) =>
      Buffer.concat([hello.subarray(0, 3), Buffer.from([part.length >> 8, part.length & 255]), part]),
    );
    const received = await sentInPieces(records);
    expect(received.equals(Buffer.concat(records))).toBe(true);
  });

  it('may be followed by more in the same segment', async () => {
    const received = await sentInPieces([Buffer.concat([hello, Buffer.from('early data')])]);
    expect(received.toString('latin1')).toBe(`${hello.toString('latin1')}early data`);
  });
});

describe('an upstream whose protocol lets the endpoint speak first', () => {
  it('is served by a listener that reads no ClientHello, without waiting for one', async () => {
    const endpoint = await startSessionEndpoint((peer) => {
      peer.send('hello first');
      echo(peer);
    });
    const other = await startProxy({
      listeners: [{ name: 'tcp', mode: 'l4', bind: '127.0.0.1:0', routes: [{ upstream: 'app' }] }],
      upstreams: { app: { endpoints: [endpointEntry(endpoint.port)] } },
    });
    const client = await SocketPeer.open(other.port);
    await client.gets('hello first');
    client.close();
    await other.stop();
    await endpoint.close();
  });
});
