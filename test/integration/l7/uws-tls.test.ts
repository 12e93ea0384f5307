/** TLS of the uws front end on the wire: certificates by server name, hot changes, WebSockets, and what answers say. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { type MadeCertificate, makeCertificate } from '../../harness/certificate-maker.js';
import { badLines, configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const directory = mkdtempSync(join(tmpdir(), 'sluice-uws-tls-'));
const sockets: TLSSocket[] = [];
let endpoint: RequestEndpoint;
let proxy: ProxyProcess;
const authority = makeCertificate({ name: 'clients', isAuthority: true });

const put = (name: string, { cert, key }: MadeCertificate): { cert: string; key: string } => {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
  return files;
};

/** A connection with its handshake done; rejects where it fails. */
const open = (options: object = {}): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    sockets.push(socket);
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });

const serialOf = (socket: TLSSocket): number => Number.parseInt(socket.getPeerCertificate().serialNumber, 16);

const ask = (socket: TLSSocket, path = '/'): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('data', (bytes) => resolve(bytes.toString('latin1')));
    socket.once('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  });

beforeAll(async () => {
  endpoint = await startRequestEndpoint();
  const certificates = [
    put('a', makeCertificate({ name: 'a.test', serial: 1 })),
    put('b', makeCertificate({ name: 'b.test', names: ['b.test', '*.w.test'], serial: 2 })),
  ];
  const ca = join(directory, 'clients.pem');
  writeFileSync(ca, authority.cert);
  proxy = await startProxy(
    configFor([endpoint.port], {
      frontend: 'uws',
      listener: {
        tls: { certificates, clientAuth: { mode: 'optional', ca } },
        hsts: '24h includeSubDomains',
      },
    }),
  );
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  endpoint.requests.length = 0;
});

afterAll(async () => {
  await proxy.stop();
  await endpoint.close();
  rmSync(directory, { recursive: true });
});

describe('a listener with uws and tls', () => {
  it('gives the certificate of the name that is asked for, else the first', async () => {
    const asked = [undefined, 'a.test', 'b.test', 'x.w.test', 'x.y.w.test', 'other.test'];
    const serials: number[] = [];
    for (const servername of asked) serials.push(serialOf(await open(servername === undefined ? {} : { servername })));
    expect(serials).toEqual([1, 1, 2, 2, 1, 1]);
  });

  it.each(['a.test', 'b.test'])('answers those who asked for %s, and says that they came by https', async (name) => {
    const answer = await ask(await open({ servername: name }), '/x');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(endpoint.requests[0]?.head).toMatch(/x-forwarded-proto: https\r\n/i);
  });

  it('says Strict-Transport-Security in answers of endpoints and in its own', async () => {
    const line = /strict-transport-security: max-age=86400; includeSubDomains\r\n/;
    const socket = await open();
    expect(await ask(socket)).toMatch(line);
    socket.write('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n');
    const refused = await new Promise<string>((resolve) =>
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1'))),
    );
    expect(refused).toMatch(/^HTTP\/1\.1 405 /);
    expect(refused).toMatch(line);
  });

  it('takes clients without a certificate, and with a good one, but not with a bad one', async () => {
    const good = makeCertificate({ name: 'client', issuer: authority });
    const bad = makeCertificate({ name: 'stranger' });
    expect(await ask(await open({ cert: good.cert, key: good.key }))).toMatch(/^HTTP\/1\.1 200 /);
    await expect(open({ cert: bad.cert, key: bad.key }).then((socket) => ask(socket))).rejects.toThrow();
  });

  it('gives new handshakes the new certificate, and touches no connection', async () => {
    const before = await open();
    expect(await ask(before)).toMatch(/ 200 /);
    put('a', makeCertificate({ name: 'a.test', serial: 3 }));
    process.kill(proxy.child.pid as number, 'SIGHUP');
    // What waits at the former socket when it closes is reset.
    const hasNew = () =>
      open().then(
        (socket) => serialOf(socket) === 3,
        () => false,
      );
    await until('new certificates', hasNew, 10_000);
    expect(serialOf(await open({ servername: 'b.test' }))).toBe(2);
    expect(await ask(before)).toMatch(/ 200 /);
  });

  it('writes nothing into the log that is no line of it', () => {
    expect(badLines(proxy.log)).toEqual([]);
  });
});

describe('a WebSocket over TLS', () => {
  it('is relayed', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.on('message', (message) => socket.send(`echo ${message}`)));
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const own = await startProxy(
      configFor([port], {
        frontend: 'uws',
        listener: { tls: { certificates: [put('ws', makeCertificate({ name: 'a.test' }))] } },
      }),
    );
    try {
      const client = new WebSocket(`wss://127.0.0.1:${own.port}/`, { rejectUnauthorized: false });
      const answer = await new Promise<string>((resolve, reject) => {
        client.on('open', () => client.send('hello'));
        client.on('message', (message) => resolve(String(message)));
        client.on('error', reject);
      });
      expect(answer).toBe('echo hello');
      client.terminate();
    } finally {
      await own.stop();
      server.close();
    }
  });
});
