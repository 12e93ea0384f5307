/** TLS that ends at an L4 listener: certificates, routes by what was agreed on, client certificates, limits and failures. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { startProxy } from '../../harness/proxy-process.js';
import { echo, type SessionEndpoint, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { endpointEntry, untilFailed, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { openTls } from '../../harness/tls-peer.js';
import { until } from '../../harness/wire.js';

const authority = makeCertificate({ name: 'authority', isAuthority: true });
const other = makeCertificate({ name: 'other authority', isAuthority: true });
const ca = authority.cert;
const NAMES = ['www.example.com', 'mail.example.com'] as const;

const files = new CertificateFiles();
const listening: Record<string, number> = {};
let greeters: SessionEndpoint[];
let echoing: SessionEndpoint;
let proxy: ProxyProcess;

function listenerOf(name: string, tls: object, more: object): object {
  const certificates = NAMES.map((host) => files.write(host, makeCertificate({ name: host, issuer: authority })));
  return { name, mode: 'l4', bind: '127.0.0.1:0', tls: { certificates, ...tls }, ...more };
}

let config: object;

beforeAll(async () => {
  echoing = await startSessionEndpoint(echo);
  greeters = await Promise.all(
    ['www', 'mail', 'h2'].map((name) =>
      startSessionEndpoint((peer) => {
        peer.send(name);
        peer.end();
      }),
    ),
  );
  const [www, mail, h2] = greeters.map(({ port }) => ({ endpoints: [endpointEntry(port)] }));
  const clients = files.write('clients', authority);
  config = {
    log: { level: 'debug' },
    shutdownTimeout: '200ms',
    listeners: [
      listenerOf('echo', { handshakes: 3, handshakeTimeout: '500ms' }, { upstream: 'echo' }),
      listenerOf(
        'routed',
        { alpn: ['h2', 'http/1.1'] },
        {
          routes: [
            { match: { sni: 'www.example.com', alpn: ['h2'] }, upstream: 'h2' },
            { match: { sni: 'www.example.com' }, upstream: 'www' },
            { match: { sni: 'mail.example.com' }, upstream: 'mail' },
          ],
        },
      ),
      listenerOf('mutual', { clientAuth: { ca: clients.cert } }, { upstream: 'echo' }),
      listenerOf('proxied', {}, { upstream: 'told', proxyProtocol: true, trustedProxies: ['127.0.0.1/32'] }),
    ],
    upstreams: {
      echo: { endpoints: [endpointEntry(echoing.port)] },
      told: { endpoints: [endpointEntry(echoing.port)], proxyProtocol: 'v1' },
      www,
      mail,
      h2,
    },
  };
  proxy = await startProxy(config);
  await until('all listeners', () => proxy.log.filter(({ event }) => event === 'listening').length === 4);
  for (const line of proxy.log)
    if (line.event === 'listening') listening[String(line['listener'])] = Number(line['port']);
});

afterAll(async () => {
  await proxy?.stop();
  await echoing?.close();
  for (const greeter of greeters ?? []) await greeter.close();
  files.close();
});

const to = (listener: string): { readonly port: number; readonly ca: string; readonly servername: string } => ({
  port: listening[listener] as number,
  ca,
  servername: 'www.example.com',
});

describe('a client of an L4 listener with tls', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'sends and receives over %s, and each side ends by itself',
    async (version) => {
      const client = await openTls({ ...to('echo'), minVersion: version, maxVersion: version });
      client.send('x'.repeat(300_000));
      await client.when('its echo', () => client.receivedBytes === 300_000);
      client.send('last words');
      client.end();
      await client.gets(`${'x'.repeat(300_000)}last words`);
      expect(await client.ended()).toBe('ended');
      client.close();
      await untilNoSessions(proxy, 5_000, ['echo']);
    },
  );

  it.each([
    ['www.example.com', ['h2'], 'h2'],
    ['www.example.com', ['http/1.1'], 'www'],
    ['WWW.example.com', undefined, 'www'],
    ['mail.example.com', ['h2'], 'mail'],
  ])('that asks for %s with ALPN %s is routed by what was agreed on', async (servername, alpn, name) => {
    const client = await openTls({ ...to('routed'), servername, ...(alpn && { ALPNProtocols: alpn }) });
    await client.gets(name);
    expect(client.socket.getPeerCertificate().subject.CN).toBe(servername.toLowerCase());
    if (alpn !== undefined) expect(client.socket.alpnProtocol).toBe(alpn[0]);
    client.close();
  });

  it('is served behind a PROXY header, whose address is passed on', async () => {
    const socket = connectTcp(listening['proxied'] as number, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\n');
    const client = new SocketPeer(connect({ ...to('proxied'), socket }));
    client.send('hello');
    await client.gets('PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\nhello');
    client.close();
  });

  it('has to show a certificate where one is required, and one that is believed', async () => {
    const good = makeCertificate({ name: 'a client', issuer: authority });
    const client = await openTls({ ...to('mutual'), key: good.key, cert: good.cert });
    client.send('hello');
    await client.gets('hello');
    client.close();

    const bad = makeCertificate({ name: 'a client', issuer: other });
    for (const shown of [{}, { key: bad.key, cert: bad.cert }]) {
      // With TLS 1.3 the client is done before it is refused.
      const socket = connect({ host: '127.0.0.1', ...to('mutual'), ...shown });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toMatch(/^ERR_SSL_/);
    }
    await untilFailed(proxy, 'SLUICE_TLS_HANDSHAKE', 2);
    const told = () => proxy.log.filter(({ code }) => code === 'SLUICE_TLS_HANDSHAKE');
    await until('the log has both', () => told().length >= 2);
    const reasons = told().map((line) => line['reason']);
    expect(reasons[0]).toMatch(/no certificate was shown/);
    expect(reasons[1]).toMatch(/not believed: .+/);
  });

  it('that does not speak TLS is hung up on, and one that is too slow is reset', async () => {
    const plain = await SocketPeer.open(listening['echo'] as number);
    plain.send('GET / HTTP/1.1\r\n\r\n');
    await plain.ended();
    plain.close();
    await until('the failure', () => proxy.log.some((line) => line['reason'] === 'what came is not TLS'));

    const slow = await SocketPeer.open(listening['echo'] as number);
    slow.send(Buffer.from('160301', 'hex'));
    expect(await slow.ended()).toBe('reset');
    slow.close();
    await untilFailed(proxy, 'SLUICE_TLS_TIMEOUT', 1);
  });

  it('is reset where too many handshakes are in progress', async () => {
    const clients: SocketPeer[] = [];
    // Three in each of the two workers.
    for (let i = 0; i < 8; i++) {
      const client = await SocketPeer.open(listening['echo'] as number);
      client.send(Buffer.from('16', 'hex'));
      clients.push(client);
    }
    await until('a refusal', async () => clients.some(({ ending }) => ending === 'reset'));
    for (const client of clients) client.close();
    await until('the failure', () => proxy.log.some(({ code }) => code === 'SLUICE_TLS_LIMIT'));
  });

  it('that leaves without close_notify has its endpoint reset', async () => {
    const before = echoing.peers.length;
    const socket = connectTcp(listening['echo'] as number, '127.0.0.1');
    const client = new SocketPeer(connect({ ...to('echo'), socket }));
    client.send('half of it');
    await client.gets('half of it');
    const peer = await echoing.peer(before);
    socket.end();
    expect(await peer.ended()).toBe('reset');
    client.close();
    await untilNoSessions(proxy, 5_000, ['echo']);
  });

  it('goes on with the certificate it has got when another one takes its place', async () => {
    const client = await openTls(to('echo'));
    const renewed = makeCertificate({ name: 'www.example.com', issuer: authority });
    files.write('www.example.com', renewed);
    proxy.reload(config);
    await until('the new certificate', async () => {
      const next = await openTls(to('echo'));
      const { fingerprint256 } = next.socket.getPeerCertificate();
      next.close();
      return fingerprint256 === renewed.fingerprint256;
    });
    client.send('still here');
    await client.gets('still here');
    client.close();
  });
});
