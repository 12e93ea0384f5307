/** TLS to endpoints as users set it up, in one sluice: protocols, names, authorities, client certificates, resumption, large bodies, WebSockets. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { badLines, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type SecureEndpoint, type SecureEndpointWishes, startSecureEndpoint } from '../../harness/secure-endpoints.js';
import { WebSocketPeer } from '../../harness/web-socket-peers.js';

const NAME = 'endpoint.test';
const MEGABYTE = 1024 ** 2;

const files = new CertificateFiles();
const authority = makeCertificate({ name: 'Endpoints', isAuthority: true });
const clients = makeCertificate({ name: 'Clients', isAuthority: true });
const good = makeCertificate({ name: NAME, names: [NAME, 'localhost'], issuer: authority });
const wrongName = makeCertificate({ name: 'other.test', issuer: authority });
const unknown = makeCertificate({ name: NAME, issuer: makeCertificate({ name: 'Strangers', isAuthority: true }) });
const expired = makeCertificate({ name: NAME, issuer: authority, endsAt: new Date('2021-01-01') });

const ENDPOINTS = {
  h1: { speaks: 'h1', certificate: good },
  h2: { speaks: 'h2', certificate: good },
  both: { speaks: 'both', certificate: good },
  plain: { speaks: 'plain', certificate: good },
  mutual: { speaks: 'both', certificate: good, clientAuthority: clients },
  wrongName: { speaks: 'h1', certificate: wrongName },
  unknown: { speaks: 'both', certificate: unknown },
  expired: { speaks: 'h2', certificate: expired },
} as const satisfies Record<string, SecureEndpointWishes>;
type EndpointName = keyof typeof ENDPOINTS;

const ca = files.write('ca', authority).cert;
const shown = files.write('client', makeCertificate({ name: 'sluice', issuer: clients }));
const verified = { ca, serverName: NAME };

/** Upstreams by name, which is the first part of the path, too. */
const UPSTREAMS: Record<string, { to: readonly EndpointName[]; tls: object; protocol?: string; host?: string }> = {
  h1: { to: ['h1'], tls: verified },
  'h1-of-both': { to: ['both'], tls: verified, protocol: 'h1' },
  h2: { to: ['h2'], tls: verified, protocol: 'h2' },
  'auto-both': { to: ['both'], tls: verified, protocol: 'auto' },
  'auto-h1': { to: ['h1'], tls: verified, protocol: 'auto' },
  host: { to: ['h1'], tls: { ca }, host: 'localhost' },
  unverified: { to: ['unknown'], tls: { verify: false }, protocol: 'auto' },
  resumes: { to: ['h1'], tls: { ...verified } },
  'resumes-not': { to: ['h1'], tls: { ...verified, resume: false } },
  mutual: { to: ['mutual'], tls: { ...verified, cert: shown.cert, key: shown.key }, protocol: 'auto' },
  'mutual-h1': { to: ['mutual'], tls: { ...verified, cert: shown.cert, key: shown.key } },
  'no-certificate': { to: ['mutual'], tls: verified },
  'no-certificate-h2': { to: ['mutual'], tls: verified, protocol: 'h2' },
  'wrong-name': { to: ['wrongName'], tls: verified },
  unknown: { to: ['unknown'], tls: verified },
  world: { to: ['h1'], tls: { serverName: NAME } },
  expired: { to: ['expired'], tls: verified, protocol: 'h2' },
  'no-h2': { to: ['h1'], tls: verified, protocol: 'h2' },
  'no-tls': { to: ['plain'], tls: verified },
  elsewhere: { to: ['wrongName', 'unknown', 'expired', 'both'], tls: verified, protocol: 'auto' },
};

const endpoints = {} as Record<EndpointName, SecureEndpoint>;
let proxy: ProxyProcess;
const ports = {} as Record<(typeof FRONT_ENDS)[number], number>;

beforeAll(async () => {
  for (const [name, wishes] of Object.entries(ENDPOINTS))
    endpoints[name as EndpointName] = await startSecureEndpoint(wishes);
  const routes = Object.keys(UPSTREAMS).map((upstream) => ({ match: { path: `/${upstream}/` }, upstream }));
  const upstreams = Object.fromEntries(
    Object.entries(UPSTREAMS).map(([name, { to, tls, protocol = 'h1', host = '127.0.0.1' }]) => [
      name,
      {
        endpoints: to.map((endpoint) => ({ address: `${host}:${endpoints[endpoint].port}` })),
        tls,
        protocol,
        retry: { attempts: to.length, budget: 'off' },
        outlier: 'off',
      },
    ]),
  );
  proxy = await startProxy({
    workers: 1,
    listeners: FRONT_ENDS.map((frontend) => ({ name: frontend, mode: 'l7', bind: '127.0.0.1:0', frontend, routes })),
    upstreams,
  });
  for (const frontend of FRONT_ENDS) {
    const line = await proxy.lineWhere((each) => each.event === 'listening' && each['listener'] === frontend);
    ports[frontend] = Number(line['port']);
  }
});

afterAll(async () => {
  await proxy?.stop();
  for (const endpoint of Object.values(endpoints)) await endpoint.close();
  files.close();
});

describe.each(FRONT_ENDS)('TLS to endpoints, with the front end %s', (frontend) => {
  const ask = (path: string, options: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${ports[frontend]}${path}`, options);
  const told = async (path: string, options: RequestInit = {}): Promise<unknown> => (await ask(path, options)).json();
  /** Of the last attempt with an upstream that failed. */
  const reasonOf = async (upstream: string): Promise<unknown> => {
    const isIt = (line: object): boolean =>
      (line as { event?: string }).event === 'attempt-failed' && (line as { upstream?: string }).upstream === upstream;
    await proxy.lineWhere(isIt);
    return proxy.log.findLast(isIt)?.['reason'];
  };

  it.each([
    ['h1', { version: '1.1', name: NAME }],
    ['h1-of-both', { version: '1.1', alpn: 'http/1.1' }],
    ['h2', { version: '2.0', alpn: 'h2', name: NAME }],
    ['auto-both', { version: '2.0', alpn: 'h2' }],
    ['auto-h1', { version: '1.1', alpn: 'http/1.1' }],
    ['host', { version: '1.1', name: 'localhost' }],
    ['unverified', { version: '2.0', name: false }],
    ['mutual', { version: '2.0', client: 'sluice' }],
    ['mutual-h1', { version: '1.1', client: 'sluice' }],
  ])('serves the upstream %s', async (upstream, seen) => {
    expect(await told(`/${upstream}/`)).toMatchObject(seen);
    expect(await told(`/${upstream}/`, { method: 'POST', body: 'hello' })).toMatchObject({ ...seen, bytes: 5 });
  });

  it.each([
    ['wrong-name', /it has another name/],
    ['unknown', /its issuer is not known/],
    ['world', /its issuer is not known/],
    ['expired', /it has expired/],
    ['no-certificate', /refused the handshake: certificate_required/],
    ['no-certificate-h2', /refused the handshake: certificate_required/],
    ['no-h2', /\(ALPN\)|no_application_protocol/],
    ['no-tls', /not TLS/],
  ])('answers 502 for the upstream %s, and tells why in the log', async (upstream, reason) => {
    const answer = await ask(`/${upstream}/`, { method: 'POST', body: 'x' });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([502, 'SLUICE_ENDPOINT_TLS']);
    expect(await reasonOf(upstream)).toMatch(reason);
  });

  it('tries the next endpoint, with bodies that must not be sent twice, too', async () => {
    for (let round = 0; round < 4; round += 1)
      expect(await told('/elsewhere/', { method: 'POST', body: 'once' })).toMatchObject({
        endpoint: endpoints.both.port,
        bytes: 4,
      });
  });

  it('takes sessions up again, unless it is told not to', async () => {
    // Tickets of TLS 1.3 are for one connection each (RFC 8446 appendix C.4), and node gives two with a full handshake and none later.
    const resumptions = async (path: string): Promise<boolean[]> => {
      const seen: boolean[] = [];
      for (let round = 0; round < 3; round += 1) seen.push(((await told(path)) as { isResumed: boolean }).isResumed);
      return seen;
    };
    expect((await resumptions('/resumes/last')).filter((is) => is)).toHaveLength(2);
    expect(await resumptions('/resumes-not/last')).toEqual([false, false, false]);
  });

  it.each(['h1', 'h2'])('carries large bodies over %s', async (upstream) => {
    const body = Buffer.alloc(MEGABYTE, 'y');
    expect(await told(`/${upstream}/`, { method: 'POST', body })).toMatchObject({ bytes: MEGABYTE });
    const answer = Buffer.from(await (await ask(`/${upstream}/large/${10 * MEGABYTE}`)).arrayBuffer());
    expect(answer.equals(Buffer.alloc(10 * MEGABYTE, 'x'))).toBe(true);
  });

  it('tells nothing of what went wrong inside', () => {
    expect(badLines(proxy.log)).toEqual([]);
  });
});

describe('trailers of endpoints over TLS', () => {
  it.each(['h1', 'h2'])('pass over %s with the native front end', async (upstream) => {
    const trailers = await new Promise((resolve, reject) => {
      const headers = { te: 'trailers', connection: 'te' };
      const options = { host: '127.0.0.1', port: ports.native, path: `/${upstream}/trailers`, headers, agent: false };
      request(options as object, (response) => response.resume().on('end', () => resolve(response.trailers)))
        .on('error', reject)
        .end();
    });
    expect(trailers).toEqual({ 'x-sum': '7' });
  });
});

describe.each(FRONT_ENDS)('a WebSocket to an endpoint with TLS, with the front end %s', (frontend) => {
  it.each(['h1', 'h1-of-both', 'auto-both', 'auto-h1', 'unverified', 'mutual', 'elsewhere'])(
    'is relayed for the upstream %s',
    async (upstream) => {
      const peer = await WebSocketPeer.open(ports[frontend], { path: `/${upstream}/` });
      peer.socket.send('hello');
      const [message] = await peer.gets(1);
      expect(message?.bytes.toString()).toBe('hello');
      peer.close();
    },
  );

  it.each(['wrong-name', 'unknown', 'no-certificate', 'no-tls'])(
    'is answered with 502 for the upstream %s',
    async (upstream) => {
      await expect(WebSocketPeer.open(ports[frontend], { path: `/${upstream}/` })).rejects.toThrow('502');
    },
  );
});
