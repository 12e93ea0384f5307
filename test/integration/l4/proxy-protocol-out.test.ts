/** PROXY headers on the way out: what endpoints are told of the client, before any byte of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { ProxyTlv, type ReadProxyHeader, readProxyHeader } from '../../harness/proxy-header.js';
import { startProxy } from '../../harness/proxy-process.js';
import { startSessionEndpoint } from '../../harness/session-endpoint.js';
import { endpointEntry, startSessionProxy } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { clientHelloOf } from '../../harness/tls-endpoint.js';

const started = endAfterEach();

/** Waits for a whole header. */
async function headerAt(peer: SocketPeer): Promise<ReadProxyHeader> {
  let header: ReadProxyHeader | undefined;
  await peer.when('a PROXY header', () => {
    try {
      header = readProxyHeader(peer.received);
    } catch {
      return false;
    }
    return true;
  });
  return header as ReadProxyHeader;
}

describe.each([
  ['v1', 1],
  ['v2', 2],
] as const)('an upstream with proxyProtocol %s', (proxyProtocol, version) => {
  it('tells the endpoint the addresses of the client and of the listener, before the client has said anything', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { upstream: { proxyProtocol } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    expect(await headerAt(peer)).toMatchObject({
      version,
      kind: 'TCP4',
      source: '127.0.0.1',
      sourcePort: client.socket.localPort,
      destination: '127.0.0.1',
      destinationPort: proxy.port,
    });
    client.send('and the message');
    await peer.when('the message', () => peer.text.endsWith('and the message'));
    expect(peer.receivedBytes).toBe((await headerAt(peer)).bytes + 'and the message'.length);
    peer.send('nothing before the answer');
    await client.gets('nothing before the answer');
  });

  it('is in front of what the client has sent early, on whichever endpoint takes it', async () => {
    const refusing = await startSessionEndpoint();
    await refusing.close();
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([refusing.port, endpoint.port], { upstream: { proxyProtocol } }));
    for (let round = 0; round < 4; round++) {
      const client = await started(SocketPeer.open(proxy.port));
      const text = 'early '.repeat(50_000);
      client.send(text);
      client.end();
      const peer = await endpoint.peer(round);
      await peer.ended();
      const header = readProxyHeader(peer.received);
      expect(header.sourcePort).toBe(client.socket.localPort);
      expect(peer.text.slice(header.bytes) === text).toBe(true);
    }
  });

  it('tells IPv6 addresses', async () => {
    const endpoint = await started(startSessionEndpoint());
    const listener = { bind: '[::1]:0' };
    const proxy = await started(startSessionProxy([endpoint.port], { listener, upstream: { proxyProtocol } }));
    const client = await started(SocketPeer.open({ host: '::1', port: proxy.port }));
    expect(await headerAt(await endpoint.peer(0))).toMatchObject({
      kind: 'TCP6',
      source: version === 1 ? '::1' : '00000000000000000000000000000001',
      sourcePort: client.socket.localPort,
      destinationPort: proxy.port,
    });
  });

  it('says that there is no address where the client came over a UNIX socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-unix-'));
    await started({ close: () => rmSync(directory, { recursive: true }) });
    const path = join(directory, 'in.sock');
    const endpoint = await started(startSessionEndpoint());
    await started(
      startSessionProxy([endpoint.port], { listener: { bind: `unix:${path}` }, upstream: { proxyProtocol } }),
    );
    await started(SocketPeer.open({ path }));
    const { kind } = await headerAt(await endpoint.peer(0));
    expect(kind).toBe(version === 1 ? 'UNKNOWN' : 'LOCAL');
  });
});

describe('an upstream with proxyProtocol v2', () => {
  it('tells the server name and the protocol of a TLS client', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(
      startProxy({
        listeners: [
          {
            name: 'tls',
            mode: 'l4',
            bind: '127.0.0.1:0',
            routes: [{ match: { sni: '*.example.com' }, upstream: 'app' }],
          },
        ],
        upstreams: { app: { endpoints: [endpointEntry(endpoint.port)], proxyProtocol: 'v2' } },
      }),
    );
    const hello = await clientHelloOf({ servername: 'www.example.com', ALPNProtocols: ['h2'] });
    const client = await started(SocketPeer.open(proxy.port));
    client.send(hello);
    const peer = await endpoint.peer(0);
    const header = await headerAt(peer);
    expect(header.tlvs.get(ProxyTlv.AUTHORITY)?.toString()).toBe('www.example.com');
    expect(header.tlvs.get(ProxyTlv.ALPN)?.toString()).toBe('h2');
    await peer.when('the hello', () => peer.receivedBytes === header.bytes + hello.length);
    expect(peer.received.subarray(header.bytes).equals(hello)).toBe(true);
  });
});
