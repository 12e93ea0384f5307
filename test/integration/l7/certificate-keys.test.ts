/** Clients stay together by what they show as their certificate: over HTTP/1.1, HTTP/2, resumed connections and sessions. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { Readable } from 'node:stream';
import { connect, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { type MadeCertificate, makeCertificate } from '../../harness/certificate-maker.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const ENDPOINTS = 8;
const NAMES = Array.from({ length: 8 }, (_, index) => `client-${index}`);

const authority = makeCertificate({ name: 'authority', isAuthority: true });
const clients = NAMES.map((name) => makeCertificate({ name, issuer: authority }));
const files = new CertificateFiles();
const listening: Record<string, number> = {};
const sockets: TLSSocket[] = [];
let endpoints: RequestEndpoint[];
let proxy: ProxyProcess;

beforeAll(async () => {
  endpoints = await Promise.all(
    Array.from({ length: ENDPOINTS }, (_, index) => startRequestEndpoint(ok(String(index)))),
  );
  const tls = {
    certificates: [files.write('site', makeCertificate({ name: 'localhost', issuer: authority }))],
    clientAuth: { mode: 'optional', ca: files.write('authority', authority).cert },
  };
  const addresses = endpoints.map(({ port }) => ({ address: `127.0.0.1:${port}` }));
  const [first] = addresses;
  proxy = await startProxy({
    listeners: [
      {
        name: 'web',
        bind: '127.0.0.1:0',
        tls,
        routes: [
          { match: { path: '/print' }, upstream: 'print' },
          { match: { path: '/subject' }, upstream: 'subject' },
          { match: { path: '/home' }, upstream: 'home' },
          {
            match: { path: '/split' },
            split: [{ upstream: 'one' }, { upstream: 'print' }],
            splitKey: 'client-certificate:subject',
          },
        ],
      },
      { name: 'sessions', mode: 'l4', bind: '127.0.0.1:0', tls, upstream: 'print' },
      { name: 'homes', mode: 'l4', bind: '127.0.0.1:0', tls, upstream: 'home' },
    ],
    upstreams: {
      print: { balance: 'rendezvous', hashKey: 'client-certificate:fingerprint', endpoints: addresses },
      subject: { balance: 'ketama', hashKey: 'client-certificate:subject', endpoints: addresses },
      home: {
        balance: 'round-robin',
        affinity: { key: 'client-certificate:fingerprint' },
        endpoints: addresses,
      },
      one: { endpoints: [first] },
    },
  });
  await until('all listeners', () => proxy.log.filter(({ event }) => event === 'listening').length === 3);
  for (const line of proxy.log)
    if (line.event === 'listening') listening[String(line['listener'])] = Number(line['port']);
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await proxy?.stop();
  for (const endpoint of endpoints ?? []) await endpoint.close();
  files.close();
});

type Shown = MadeCertificate | undefined;
const shown = (client: Shown): SecureContextOptions =>
  client === undefined ? {} : { cert: client.cert, key: client.key };

/** One request of HTTP/1.1 over a connection of its own. @returns the endpoint that answered */
async function endpointFor(path: string, client: Shown, listener = 'web', session?: Buffer): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: listening[listener] as number,
    servername: 'localhost',
    ca: authority.cert,
    ALPNProtocols: listener === 'web' ? ['http/1.1'] : [],
    ...(session === undefined ? {} : { session }),
    ...shown(client),
  });
  sockets.push(socket);
  socket.on('session', (ticket: Buffer) => {
    lastTicket = ticket;
  });
  await once(socket, 'secureConnect');
  expect(socket.isSessionReused()).toBe(session !== undefined);
  const text = textOf(socket);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await until('the answer', () => /\r\n\r\n\d$/.test(text()));
  socket.destroy();
  return text().slice(-1);
}
let lastTicket: Buffer | undefined;

/** What has come so far. */
function textOf(stream: Readable): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

/** As many requests over one connection of HTTP/2, side by side. @returns the endpoints that answered */
async function endpointsOver2(path: string, client: Shown, streams = 4): Promise<string[]> {
  const session = connectHttp2(`https://localhost:${listening['web']}`, {
    host: '127.0.0.1',
    ca: authority.cert,
    ...shown(client),
  });
  const answers = await Promise.all(
    Array.from({ length: streams }, async () => {
      const stream = session.request({ ':path': path });
      const text = textOf(stream);
      await once(stream, 'end');
      return text();
    }),
  );
  session.destroy();
  return answers;
}

describe('requests of clients with certificates', () => {
  it.each(['/print', '/subject', '/home', '/split'])('go to one endpoint for each client: %s', async (path) => {
    const homes = await Promise.all(clients.map((client) => endpointFor(path, client)));
    expect(new Set(homes).size).toBeGreaterThan(2);
    expect(await Promise.all(clients.map((client) => endpointFor(path, client)))).toEqual(homes);
    const over2 = await Promise.all(clients.map((client) => endpointsOver2(path, client)));
    expect(over2).toEqual(homes.map((home) => [home, home, home, home]));
  });

  it('go there over resumed connections, too', async () => {
    const home = await endpointFor('/print', clients[0]);
    for (let turn = 0; turn < 3; turn++) expect(await endpointFor('/print', clients[0], 'web', lastTicket)).toBe(home);
  });

  it('are told apart by the certificate where the subject is the same', async () => {
    const others = Array.from({ length: 12 }, () => makeCertificate({ name: 'client-0', issuer: authority }));
    const bySubject = await Promise.all(others.map((client) => endpointFor('/subject', client)));
    expect(new Set(bySubject)).toEqual(new Set([await endpointFor('/subject', clients[0])]));
    const byPrint = await Promise.all(others.map((client) => endpointFor('/print', client)));
    expect(new Set(byPrint).size).toBeGreaterThan(1);
  });

  it('go where explain says', async () => {
    const fingerprint = clients[3]?.fingerprint256.replaceAll(':', '').toLowerCase();
    const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/api/v1/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ listener: 'web', target: '/print', clientCertificate: { fingerprint } }),
    });
    const { endpoint, policies } = (await answer.json()) as { endpoint: string; policies: string[] };
    expect(policies).toContain("balancer: hashes the fingerprint of the client's certificate");
    const home = Number(await endpointFor('/print', clients[3]));
    expect(endpoint).toBe(`127.0.0.1:${endpoints[home]?.port}`);
  });
});

describe('requests of clients without a certificate', () => {
  it.each(['/print', '/subject', '/home'])('are spread over the endpoints: %s', async (path) => {
    const one = await Promise.all(Array.from({ length: 8 }, () => endpointFor(path, undefined)));
    const two = await endpointsOver2(path, undefined, 16);
    expect(new Set([...one, ...two]).size).toBeGreaterThan(2);
  });
});

describe('sessions of clients with certificates', () => {
  it.each([
    ['sessions', '/print'],
    ['homes', '/home'],
  ])('go where their requests go: %s', async (listener, path) => {
    const homes = await Promise.all(clients.map((client) => endpointFor(path, client)));
    expect(await Promise.all(clients.map((client) => endpointFor('/', client, listener)))).toEqual(homes);
    const without = await Promise.all(Array.from({ length: 16 }, () => endpointFor('/', undefined, listener)));
    expect(new Set(without).size).toBeGreaterThan(2);
  });
});
