/** TLS with ends that come early: endpoints that answer and close within an upload, clients that finish sending before their answer. */
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { openTls } from '../../harness/tls-peer.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const UPLOAD_BYTES = 8 * 1024 ** 2;
/** How long the hasty endpoint stays behind its answer: the upload goes on for longer. */
const LINGER_MS = 25;
const TOO_LARGE = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig';

const certificate = makeCertificate({ name: 'localhost' });
const files = new CertificateFiles();

let hasty: Record<'tcp' | 'tls', HastyEndpoint>;
let endpoint: RequestEndpoint;
let proxy: ProxyProcess;
const ports = new Map<unknown, number>();

beforeAll(async () => {
  hasty = { tcp: await startHastyEndpoint(false), tls: await startHastyEndpoint(true) };
  endpoint = await startRequestEndpoint(() => undefined);
  const to = ({ port }: { port: number }, more: object = {}) => ({
    endpoints: [{ address: `127.0.0.1:${port}` }],
    retry: { attempts: 1 },
    outlier: 'off',
    ...more,
  });
  const bind = { mode: 'l7', bind: '127.0.0.1:0' };
  const routes = ['tcp', 'tls'].map((upstream) => ({ match: { path: `/${upstream}` }, upstream }));
  const tls = { certificates: [files.write('ours', certificate)] };
  proxy = await startProxy({
    workers: 1,
    listeners: [
      ...FRONT_ENDS.map((frontend) => ({ ...bind, name: frontend, frontend, routes })),
      { ...bind, name: 'edge', frontend: 'native', tls, routes: [{ match: { path: '/' }, upstream: 'late' }] },
    ],
    upstreams: { tcp: to(hasty.tcp), tls: to(hasty.tls, { tls: { verify: false } }), late: to(endpoint) },
  });
  for (const name of [...FRONT_ENDS, 'edge'])
    ports.set(
      name,
      Number((await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === name))['port']),
    );
});

afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
  for (const each of Object.values(hasty ?? {})) await each.close();
  files.close();
});

interface HastyEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers with 413 as soon as a head has come, reads no more, and closes: what it has not read makes that a reset. */
async function startHastyEndpoint(speaksTls: boolean): Promise<HastyEndpoint> {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket | TLSSocket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.pause();
      // Node calls back for its own tickets, too: what was written may still lie with it.
      socket.write(TOO_LARGE, () => setTimeout(() => socket.destroy(), LINGER_MS));
    });
  };
  const server = speaksTls ? createTls({ cert: certificate.cert, key: certificate.key }, serve) : createTcp(serve);
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    // Else the answer waits for the acknowledgement of the tickets before it, and that for 40 ms: it never leaves.
    socket.setNoDelay(true);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe.each(FRONT_ENDS)('an endpoint that answers within an upload and closes, with the front end %s', (frontend) => {
  it.each(['tcp', 'tls'])('is heard over %s', async (way) => {
    for (let round = 0; round < 5; round += 1) {
      const client = await WireClient.open(ports.get(frontend) ?? 0);
      client.send(`POST /${way} HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`);
      client.send(Buffer.alloc(UPLOAD_BYTES / 2, 'x'));
      const answer = await client.response();
      expect([statusOf(answer), answer.body.toString()]).toEqual([413, 'big']);
      client.close();
    }
    await untilIdle(proxy, 3_000, way);
  });
});

describe('a client over TLS that has finished sending', () => {
  it.each([
    ['with close_notify', true],
    ['without a word', false],
  ])('%s gets its answer, and then the end', async (_, isOrderly) => {
    endpoint.answerWith(() => undefined);
    // A way to end the sending side below TLS.
    const way = createTcp({ allowHalfOpen: true });
    const ways: Socket[] = [];
    way.on('connection', (near) => {
      const far = new (near.constructor as typeof Socket)({ allowHalfOpen: true }).connect(
        ports.get('edge') ?? 0,
        '127.0.0.1',
      );
      ways.push(near, far);
      for (const socket of [near, far]) socket.on('error', () => {});
      near.on('data', (bytes) => far.write(bytes)).on('end', () => far.end());
      far.on('data', (bytes) => near.write(bytes)).on('end', () => near.end());
    });
    way.listen(0, '127.0.0.1');
    await once(way, 'listening');
    try {
      const client = await openTls({
        port: (way.address() as AddressInfo).port,
        ca: certificate.cert,
        servername: 'localhost',
      });
      client.socket.write(get('/'));
      await until('the request is at the endpoint', () => endpoint.requests.length === 1);
      if (isOrderly) client.socket.end();
      else ways[1]?.end();
      await until('the end is sent', () => ways[1]?.writableFinished === true);
      endpoint.last.socket.write(ok('late'));
      await until('the answer', () => client.text.endsWith('late'));
      await until('the end', () => client.ending !== 'open');
      expect(client.ending).toBe('ended');
      client.close();
    } finally {
      for (const socket of ways) socket.destroy();
      way.close();
    }
    await untilIdle(proxy, 3_000, 'late');
  });
});
