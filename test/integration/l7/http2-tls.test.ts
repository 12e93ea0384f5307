/** HTTP/2 over TLS on the wire: which authorities a connection serves, hot changes of certificates, and that both protocols share a port. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type MadeCertificate, makeCertificate } from '../../harness/certificate-maker.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const directory = mkdtempSync(join(tmpdir(), 'sluice-http2-tls-'));
const sessions: ClientHttp2Session[] = [];
let endpoint: RequestEndpoint;
let proxy: ProxyProcess;

const put = (name: string, { cert, key }: MadeCertificate): { cert: string; key: string } => {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
  return files;
};

const open = async (servername: string): Promise<ClientHttp2Session> => {
  const session = connect(`https://127.0.0.1:${proxy.port}`, { rejectUnauthorized: false, servername });
  sessions.push(session);
  await once(session, 'connect');
  return session;
};

const statusOf = async (session: ClientHttp2Session, authority: string): Promise<number> => {
  const stream = session.request({ ':path': '/', ':authority': authority });
  stream.resume();
  const [fields] = await once(stream, 'response');
  return fields[':status'];
};

const serialOf = (session: ClientHttp2Session): number =>
  Number.parseInt((session.socket as TLSSocket).getPeerCertificate().serialNumber, 16);

beforeAll(async () => {
  endpoint = await startRequestEndpoint();
  const certificates = [
    put('a', makeCertificate({ name: 'a.test', names: ['a.test', '*.w.test'], serial: 1 })),
    put('b', makeCertificate({ name: 'b.test', serial: 2 })),
  ];
  proxy = await startProxy(
    configFor([endpoint.port], {
      frontend: 'native',
      listener: { tls: { certificates }, hsts: '24h includeSubDomains' },
    }),
  );
});

afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

afterAll(async () => {
  await proxy.stop();
  await endpoint.close();
  rmSync(directory, { recursive: true });
});

describe('Strict-Transport-Security', () => {
  const HSTS = 'max-age=86400; includeSubDomains';

  it.each([
    ['of an endpoint', 'a.test', 200],
    ['of the proxy’s own', 'b.test', 421],
  ])('stands in answers %s over HTTP/2', async (_whose, authority, status) => {
    const stream = (await open('a.test')).request({ ':path': '/', ':authority': authority });
    stream.resume();
    const [fields] = await once(stream, 'response');
    expect([fields[':status'], fields['strict-transport-security']]).toEqual([status, HSTS]);
  });

  it.each([
    ['of an endpoint', '/', 200],
    ['of the proxy’s own', '*', 400],
  ])('stands in answers %s over HTTP/1.1', async (_whose, path, status) => {
    const socket = connectTls({ port: proxy.port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false });
    let answer = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
    await once(socket, 'close');
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.toLowerCase().split(`strict-transport-security: ${HSTS.toLowerCase()}\r\n`).length).toBe(2);
  });
});

describe('a connection of HTTP/2 over TLS', () => {
  it('serves the name that was asked for, and those of its certificate', async () => {
    const session = await open('a.test');
    expect(await statusOf(session, 'a.test')).toBe(200);
    expect(await statusOf(session, 'A.TEST:8443')).toBe(200);
    expect(await statusOf(session, 'x.w.test')).toBe(200);
  });

  it('answers 421 to authorities of other certificates, and goes on', async () => {
    const session = await open('a.test');
    expect(await statusOf(session, 'b.test')).toBe(421);
    expect(await statusOf(session, 'x.y.w.test')).toBe(421);
    expect(await statusOf(session, 'a.test')).toBe(200);
  });

  it('takes any authority where the client asked for no name', async () => {
    expect(await statusOf(await open(''), 'c.test')).toBe(200);
  });

  it('goes on with its streams while new handshakes get a new certificate', async () => {
    const before = await open('a.test');
    expect(await statusOf(before, 'a.test')).toBe(200);
    put('a', makeCertificate({ name: 'a.test', names: ['a.test', '*.w.test'], serial: 3 }));
    process.kill(proxy.child.pid as number, 'SIGHUP');
    await until('the new certificate', async () => serialOf(await open('a.test')) === 3, 10_000);
    expect(await statusOf(before, 'a.test')).toBe(200);
  });
});
