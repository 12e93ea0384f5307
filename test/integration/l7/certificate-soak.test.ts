/**
 * Certificates that change every second under load, EC and RSA in turn, while other clients abort their handshakes, reset records and leave within answers: no
 * request of a well-behaved client fails, no connection is touched, new handshakes see the new certificate, nothing is left behind. Some
 * seconds of it; with SLUICE_LONG=1 ten minutes, or SLUICE_SOAK_SECONDS (`npm run soak`).
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { memoryBytes, openSockets } from '../../harness/process-facts.js';
import { badLines, configFor, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const DURATION_MS = 1000 * Number(process.env['SLUICE_SOAK_SECONDS'] ?? (IS_LONG ? 600 : 4));
const WARM_UP_MS = IS_LONG ? 30_000 : 0;
const EVERY_MS = 1000;
const LANES = 4;
/** As in soak.test.ts: the heaps of two workers breathe by some MiB. */
const MEMORY_MARGIN_BYTES = 12 * 1024 * 1024;
/** Of a ClientHello of Node's, about; aborts come behind each of these bytes, one after the other. */
const HELLO_BYTES = 400;

const LARGE_PATH = '/large';
const SMALL = ok('x'.repeat(2_000));
const LARGE = Buffer.from(ok('y'.repeat(12 * 1024 * 1024)), 'latin1');

const NAME = 'soak.example';
const PAUSE = { rejectUnauthorized: false, servername: NAME };

/** A client that keeps its connection. Its number of closes is 0 to the end. */
interface Lane {
  closes: number;
  answers: number;
  ask(): Promise<void>;
  close(): void;
}

function http1Lane(port: number): Lane {
  const agent = new Agent({ ...PAUSE, keepAlive: true, maxSockets: 1 });
  const sockets = new Set<Socket>();
  const lane: Lane = {
    closes: 0,
    answers: 0,
    ask: () =>
      new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, agent }, (response) => {
          response.resume().once('end', () => {
            if (response.statusCode === 200) lane.answers += 1;
            else reject(new Error(`status ${response.statusCode}`));
            resolve();
          });
        });
        asked.once('socket', (socket) => {
          if (sockets.has(socket)) return;
          sockets.add(socket);
          socket.once('close', () => (lane.closes += 1));
        });
        asked.once('error', reject).end();
      }),
    close: () => agent.destroy(),
  };
  return lane;
}

function http2Lane(port: number): Lane {
  const session: ClientHttp2Session = connectHttp2(`https://127.0.0.1:${port}`, PAUSE);
  const lane: Lane = {
    closes: 0,
    answers: 0,
    ask: () =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/' });
        stream.once('response', (fields) => {
          if (fields[':status'] === 200) lane.answers += 1;
          else reject(new Error(`status ${fields[':status']}`));
        });
        stream.once('error', reject).once('end', resolve).resume();
      }),
    close: () => session.destroy(),
  };
  session.once('close', () => (lane.closes += 1));
  session.once('error', () => {});
  return lane;
}

/** Asks until it is told to stop. @returns how it ended */
async function keepAsking(lane: Lane, goesOn: () => boolean): Promise<unknown> {
  try {
    while (goesOn()) {
      await lane.ask();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What a handshake is shown now. @returns the certificate's serial number */
async function shownAt(port: number): Promise<number> {
  const socket = connectTls({ ...PAUSE, host: '127.0.0.1', port });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return Number.parseInt(serialNumber, 16);
}

/** The first bytes of a real client. */
async function recordHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connectTls({ ...PAUSE, host: '127.0.0.1', port });
  client.once('error', () => {});
  const [taker] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(taker, 'data')) as [Buffer];
  client.destroy();
  taker.destroy();
  server.close();
  return hello;
}

/** Leaves in the middle of its handshake. */
async function abortHandshake(port: number, hello: Buffer, bytes: number, resets: boolean): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.once('error', () => {});
  await once(socket, 'connect');
  socket.write(hello.subarray(0, bytes));
  await new Promise((resolve) => setImmediate(resolve));
  if (resets) socket.resetAndDestroy();
  else socket.destroy();
}

/** Leaves in the middle of a record, behind the handshake. */
async function cutRecord(port: number, resets: boolean): Promise<void> {
  const raw = connect(port, '127.0.0.1');
  raw.once('error', () => {});
  const socket: TLSSocket = connectTls({ ...PAUSE, socket: raw });
  socket.once('error', () => {});
  await once(socket, 'secureConnect');
  raw.write(Buffer.from('170303400068616c66', 'hex'));
  await new Promise((resolve) => setImmediate(resolve));
  if (resets) raw.resetAndDestroy();
  else raw.destroy();
}

/** Leaves while an answer stands still in the middle of a record of the proxy's: more of it than the sockets of both sides hold. */
async function cutAnswer(port: number, resets: boolean): Promise<void> {
  const raw = connect(port, '127.0.0.1');
  raw.once('error', () => {});
  const socket: TLSSocket = connectTls({ ...PAUSE, socket: raw });
  socket.once('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(`GET ${LARGE_PATH} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
  await once(socket, 'readable'); // and nothing is read
  await new Promise((resolve) => setTimeout(resolve, 30));
  if (resets) raw.resetAndDestroy();
  else raw.destroy();
}

async function keepCutting(port: number, goesOn: () => boolean): Promise<number> {
  const hello = await recordHello();
  let count = 0;
  for (; goesOn(); count += 1) {
    if (count % 32 === 31) await cutAnswer(port, count % 64 === 31);
    else if (count % 4 === 3) await cutRecord(port, count % 8 === 3);
    else await abortHandshake(port, hello, 1 + (count % Math.min(HELLO_BYTES, hello.length)), count % 2 === 0);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return count;
}

it(
  'serves all clients while certificates change every second',
  async () => {
    const files = new CertificateFiles();
    await started(files);
    const kinds = [makeCertificate({ name: NAME }), makeCertificate({ name: NAME, rsaBits: 2048 })];
    const paths = files.write('soak', kinds[0] as (typeof kinds)[0]);
    const endpoint = await started(startRequestEndpoint(({ target }) => (target === LARGE_PATH ? LARGE : SMALL)));
    // Connections are to outlive every change.
    const listener = { tls: { certificates: [paths] }, limits: { requestsPerConnection: 'unlimited' } };
    const proxy = await started(startProxy(configFor([endpoint.port], { listener, workers: 2 })));
    const pid = proxy.child.pid as number;
    const loaded = () => proxy.log.filter(({ event }) => event === 'certificates-loaded').length;
    const lanes = Array.from({ length: LANES }, () => [http1Lane(proxy.port), http2Lane(proxy.port)]).flat();
    let isOver = false;
    const asking = Promise.all(lanes.map((lane) => keepAsking(lane, () => !isOver)));
    const cutting = keepCutting(proxy.port, () => !isOver);
    await until('all lanes are served', () => lanes.every(({ answers }) => answers > 0));
    const firstSockets = openSockets(pid);

    const samples: number[] = [];
    const beganAtMs = performance.now();
    let changes = 0;
    while (performance.now() - beganAtMs < WARM_UP_MS + DURATION_MS) {
      const changedAtMs = performance.now();
      const before = loaded();
      changes += 1;
      // The same key, another certificate; of the other kind of key each time.
      const kind = kinds[changes % 2] as (typeof kinds)[0];
      const next = makeCertificate({ name: NAME, keyOf: kind });
      files.write('soak', next);
      if (changes % 4 >= 2) {
        const { status } = await fetch(`http://127.0.0.1:${proxy.adminPort}/api/v1/reload`, { method: 'POST' });
        expect(status).toBe(200);
      }
      await until('the change is told of', () => loaded() > before);
      await until('it is shown', async () => (await shownAt(proxy.port)) === next.serial);
      if (performance.now() - beganAtMs > WARM_UP_MS) {
        endpoint.requests.length = 0;
        samples.push(memoryBytes(pid));
      }
      if (IS_LONG && changes % 30 === 0) {
        const answers = lanes.reduce((sum, lane) => sum + lane.answers, 0);
        process.stderr.write(
          `soak certificates: ${changes} changes, ${answers} answers, ${memoryBytes(pid)} bytes, ${openSockets(pid)} sockets\n`,
        );
      }
      const restMs = changedAtMs + EVERY_MS - performance.now();
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
    isOver = true;

    expect(await asking).toEqual(lanes.map(() => undefined));
    expect(lanes.map(({ closes }) => closes)).toEqual(lanes.map(() => 0));
    expect(await cutting).toBeGreaterThan(10);
    expect(changes).toBeGreaterThan(2);
    // Those of lanes and their endpoint stay.
    await until('what was cut is closed', () => openSockets(pid) <= firstSockets + LANES, 15_000);
    for (const lane of lanes) lane.close();
    expect(badLines(proxy.log)).toEqual([]);
    if (IS_LONG) {
      const third = Math.floor(samples.length / 3);
      const growth = Math.max(...samples.slice(2 * third)) - Math.max(...samples.slice(third, 2 * third));
      expect(growth).toBeLessThan(MEMORY_MARGIN_BYTES);
    }
  },
  DURATION_MS + WARM_UP_MS + 60_000,
);
