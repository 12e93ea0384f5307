/** WebSockets of clients over TLS (wss), as `ws` speaks them, through the native front end to plain endpoints. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { openTls } from '../../harness/tls-peer.js';
import {
  clientFrame,
  Opcode,
  startWebSocketEndpoint,
  upgradeRequest,
  type WebSocketEndpoint,
  WebSocketPeer,
} from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';

const ours = makeCertificate({ name: 'localhost' });
const files = new CertificateFiles();
let endpoint: WebSocketEndpoint;
let proxy: ProxyProcess;

beforeAll(async () => {
  endpoint = await startWebSocketEndpoint();
  const listener = { frontend: 'native', tls: { certificates: [files.write('ours', ours)] } };
  proxy = await startProxy(configFor([endpoint.port], { workers: 1, listener }));
});

afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
  files.close();
});

/** Both ends of one WebSocket. */
async function joined(): Promise<{ client: WebSocketPeer; far: WebSocketPeer }> {
  const client = await WebSocketPeer.open(proxy.port, { ca: ours.cert, servername: 'localhost', scheme: 'wss' });
  return { client, far: await endpoint.next() };
}

describe('a WebSocket over TLS', () => {
  it('carries messages of all lengths both ways, in order', async () => {
    const { client, far } = await joined();
    const sent = [0, 1, 125, 126, 16_384, 65_536, 1_000_000].map((length) => randomBytes(length));
    for (const bytes of sent) {
      client.socket.send(bytes);
      far.socket.send(bytes);
    }
    for (const peer of [client, far]) {
      const got = await peer.gets(sent.length);
      expect(got.map(({ bytes }, at) => bytes.equals(sent[at] as Buffer))).toEqual(sent.map(() => true));
    }
    expect(endpoint.requests.at(-1)?.headers['x-forwarded-proto']).toBe('https');
    client.socket.close(1000);
    await far.ended();
    await untilIdle(proxy);
  });

  it('takes frames that come together with the request', async () => {
    const client = await openTls({ port: proxy.port, ca: ours.cert, servername: 'localhost' });
    client.socket.write(Buffer.concat([Buffer.from(upgradeRequest()), clientFrame(Opcode.TEXT, 'early bird')]));
    const far = await endpoint.next();
    await far.gets(1);
    expect(far.texts).toEqual(['early bird']);
    far.socket.send('caught');
    await until('the message', () => client.text.includes('caught'));
    client.close();
    await untilIdle(proxy);
  });

  it('passes close codes on, from either side', async () => {
    const first = await joined();
    first.client.socket.close(4000, 'wegen Größe');
    expect(await first.far.ended()).toEqual({ code: 4000, reason: 'wegen Größe' });
    expect(await first.client.ended()).toMatchObject({ code: 4000 });
    const second = await joined();
    second.far.socket.close(4999, 'done');
    expect(await second.client.ended()).toEqual({ code: 4999, reason: 'done' });
    await untilIdle(proxy);
  });

  it('shows an abrupt end of one side to the other as one', async () => {
    const first = await joined();
    first.client.close();
    expect(await first.far.ended()).toEqual({ code: 1006, reason: '' });
    const second = await joined();
    second.far.reset();
    expect(await second.client.ended()).toEqual({ code: 1006, reason: '' });
    await untilIdle(proxy);
  });
});
