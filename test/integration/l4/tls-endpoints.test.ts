/** TLS that begins at sluice: endpoints are verified, and such as are not believed get no session. */
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, startSessionProxy, untilFailed, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { openTls, startTlsPeers, type TlsPeers } from '../../harness/tls-peer.js';

const files = new CertificateFiles();
const authority = makeCertificate({ name: 'authority', isAuthority: true });
const ca = files.write('authority', authority).cert;
const good = makeCertificate({ name: 'db.internal', issuer: authority });
const open: (TlsPeers | ProxyProcess | { close(): Promise<void> })[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await ('stop' in each ? each.stop() : each.close());
});
afterAll(() => files.close());

async function tlsEndpoint(...options: Parameters<typeof startTlsPeers>): Promise<TlsPeers> {
  const endpoint = await startTlsPeers(...options);
  open.push(endpoint);
  return endpoint;
}

async function proxyTo(
  ports: number[],
  tls: object,
  more: { listener?: object; upstream?: object } = {},
): Promise<ProxyProcess> {
  const proxy = await startSessionProxy(ports, {
    listener: more.listener ?? {},
    upstream: { tls: { ca, serverName: 'db.internal', ...tls }, ...more.upstream },
    workers: 1,
  });
  open.push(proxy);
  return proxy;
}

describe('an L4 upstream with tls', () => {
  it('speaks TLS with an endpoint that it believes, both ways and to both ends', async () => {
    let spoken: unknown[] = [];
    const endpoint = await tlsEndpoint({ key: good.key, cert: good.cert }, (peer) => {
      const socket = peer.socket as TLSSocket & { readonly servername?: string };
      spoken = [socket.getProtocol(), socket.servername];
      echo(peer);
    });
    const proxy = await proxyTo([endpoint.port], {});
    const client = await SocketPeer.open(proxy.port);
    client.send('x'.repeat(300_000));
    client.end();
    await client.when('its echo', () => client.receivedBytes === 300_000);
    expect(await client.ended()).toBe('ended');
    client.close();
    expect(spoken).toEqual(['TLSv1.3', 'db.internal']);
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({});
  });

  it.each([
    ['has another name', makeCertificate({ name: 'web.internal', issuer: authority }), /name|host/i],
    ['is of an unknown authority', makeCertificate({ name: 'db.internal' }), /self-signed|issuer/i],
    [
      'has expired',
      makeCertificate({ name: 'db.internal', issuer: authority, endsAt: new Date('2021-01-01') }),
      /expired/i,
    ],
  ])('gives sessions to the next endpoint where the certificate of one %s', async (_, bad, words) => {
    const first = await tlsEndpoint({ key: bad.key, cert: bad.cert }, echo);
    const second = await tlsEndpoint({ key: good.key, cert: good.cert }, echo);
    const proxy = await proxyTo([first.port, second.port], {});
    for (let round = 0; round < 2; round++) {
      const client = await SocketPeer.open(proxy.port);
      client.send('hello');
      await client.gets('hello');
      client.close();
    }
    expect(first.peers.every(({ receivedBytes }) => receivedBytes === 0)).toBe(true);
    const line = await proxy.lineWhere(({ event }) => event === 'attempt-failed');
    expect(line).toMatchObject({ code: 'SLUICE_ENDPOINT_TLS', endpoint: `127.0.0.1:${first.port}` });
    expect(line['reason']).toMatch(words);
  });

  it('refuses a session whose only endpoint does not speak TLS', async () => {
    const plain = await startSessionEndpoint((peer) => peer.send('220 welcome\r\n'));
    open.push(plain);
    const proxy = await proxyTo([plain.port], {});
    const client = await SocketPeer.open(proxy.port);
    expect(await client.ended()).toBe('reset');
    client.close();
    await untilFailed(proxy, 'SLUICE_ENDPOINT_TLS', 1);
  });

  it('takes up TLS sessions again, and does not where it is told not to', async () => {
    for (const resume of [true, false]) {
      const reused: boolean[] = [];
      // A byte of the endpoint, so that its tickets are read before the client leaves.
      const endpoint = await tlsEndpoint({ key: good.key, cert: good.cert }, (peer) => {
        reused.push((peer.socket as TLSSocket).isSessionReused());
        peer.send('.');
        echo(peer);
      });
      const proxy = await proxyTo([endpoint.port], { resume });
      for (let round = 0; round < 2; round++) {
        const client = await SocketPeer.open(proxy.port);
        await client.gets('.');
        client.close();
        await untilNoSessions(proxy);
      }
      expect(reused).toEqual([false, resume]);
    }
  });

  it('shows its own certificate, and tells endpoints of the client before TLS begins', async () => {
    const own = files.write('own', makeCertificate({ name: 'sluice', issuer: authority }));
    const endpoint = await tlsEndpoint(
      { key: good.key, cert: good.cert, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      echo,
    );
    const proxy = await proxyTo([endpoint.port], own);
    const client = await SocketPeer.open(proxy.port);
    client.send('hello');
    await client.gets('hello');
    client.close();
    expect(endpoint.peers[0]?.socket.getPeerCertificate().subject.CN).toBe('sluice');
  });

  it('speaks the protocol with endpoints that it has agreed on with the client', async () => {
    const endpoint = await tlsEndpoint({ key: good.key, cert: good.cert, ALPNProtocols: ['one', 'two'] }, echo);
    const listenerTls = {
      certificates: [files.write('edge', makeCertificate({ name: 'edge.test', issuer: authority }))],
      alpn: ['two', 'one'],
    };
    const proxy = await proxyTo([endpoint.port], {}, { listener: { tls: listenerTls } });
    const client = await openTls({
      port: proxy.port,
      ca: authority.cert,
      servername: 'edge.test',
      ALPNProtocols: ['one'],
    });
    client.send('hello');
    client.end();
    await client.gets('hello');
    expect(await client.ended()).toBe('ended');
    expect(endpoint.peers[0]?.socket.alpnProtocol).toBe('one');
    client.close();
    await untilNoSessions(proxy);
  });
});
