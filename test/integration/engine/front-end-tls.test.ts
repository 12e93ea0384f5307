/** TLS with clients of the front end, as node:tls and curl speak it: answers, client certificates, resumption, plain HTTP on its port. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { TLS_CIPHER_SUITES, TLS_CIPHERS, TLS_CURVES } from '../../../src/config/tls-defaults.js';
import { HANDSHAKE_ENDS, type HandshakeEnd } from '../../../src/core/handshake-ends.js';
import { ClientEnd, FrontEndEventType } from '../../../src/engine/front-end-event.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import type { ClientCertificate, TlsServer, TlsServerSettings } from '../../../src/engine/tls.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { type RecordingFrontEnd, startFrontEnd } from './recording-front-end.js';

const ours = makeCertificate({ name: 'localhost' });
const SETTINGS: TlsServerSettings = {
  minVersion: '1.2',
  ciphers: TLS_CIPHERS,
  cipherSuites: TLS_CIPHER_SUITES,
  curves: TLS_CURVES,
  alpn: ['http/1.1'],
  clientAuth: 'none',
  clientCa: '',
  clientCrl: '',
  clientDepth: 1,
  tickets: true,
  sessionCache: 0,
  earlyDataBytes: 0,
};

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close();
});

/** An endpoint that says what it got, and a front end with TLS before it. */
async function stage(settings: Partial<TlsServerSettings> = {}): Promise<RecordingFrontEnd> {
  const endpoint = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  open.push({ close: () => void endpoint.close() });
  const { TlsServer } = loadEngine();
  const context: TlsServer = new TlsServer({ ...SETTINGS, ...settings });
  context.setCertificates([{ chain: ours.cert, key: ours.key, passphrase: '', ocsp: null, names: [] }]);
  open.push(context);
  const frontEnd = startFrontEnd((endpoint.address() as AddressInfo).port, {
    tls: {
      context: context.number,
      handshakeTimeoutMs: 5_000,
      handshakes: 0,
      handshakesPerClient: 0,
      subjectField: 'x-client-subject',
      fingerprintField: 'x-client-print',
    },
  });
  open.push(frontEnd);
  return frontEnd;
}

async function connected(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca: ours.cert, ...options });
  open.push({ close: () => void socket.destroy() });
  await once(socket, 'secureConnect');
  return socket;
}

/** The whole answer to a request that is the connection's last. */
async function ask(socket: TLSSocket, fields = ''): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${fields}\r\n`);
  await once(socket, 'end');
  return text;
}

function ended(frontEnd: RecordingFrontEnd, end: HandshakeEnd): number {
  return frontEnd.frontEnd.handshakes(0)[HANDSHAKE_ENDS.indexOf(end)] ?? 0;
}

describe('TLS of the front end', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('serves requests over %s', async (version) => {
    const frontEnd = await stage();
    const socket = await connected(frontEnd.port, { minVersion: version, maxVersion: version });
    expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*"x-forwarded-proto":"https"/);
    expect(ended(frontEnd, version)).toBe(1);
  });

  it('tells endpoints and TypeScript of client certificates', async () => {
    const theirs = makeCertificate({ name: 'someone' });
    const frontEnd = await stage({ clientAuth: 'required', clientCa: theirs.cert });
    let told: ClientCertificate | null = null;
    frontEnd.decide = ({ number }) => {
      told = frontEnd.frontEnd.clientCertificate(number);
      return 0;
    };
    const socket = await connected(frontEnd.port, { cert: theirs.cert, key: theirs.key });
    const answer = await ask(socket, 'X_Client-Subject: forged\r\n');
    const fingerprint = theirs.fingerprint256.replaceAll(':', '').toLowerCase();
    expect(told).toMatchObject({ subject: 'CN=someone', fingerprint });
    expect(answer).toContain('"x-client-subject":"CN=someone"');
    expect(answer).toContain(`"x-client-print":"${fingerprint}"`);
    expect(answer).not.toContain('forged');
  });

  it('takes up sessions again', async () => {
    const frontEnd = await stage();
    const first = await connected(frontEnd.port);
    const [[session]] = await Promise.all([once(first, 'session'), ask(first)]);
    const second = await connected(frontEnd.port, { session });
    expect(second.isSessionReused()).toBe(true);
    await ask(second);
    expect(ended(frontEnd, 'TLSv1.3 resumed')).toBe(1);
  });

  it('tells clients of plain HTTP that they need HTTPS', async () => {
    const frontEnd = await stage();
    const response = await fetch(`http://127.0.0.1:${frontEnd.port}/`);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('HTTPS')]);
    const closed = await frontEnd.untilType(FrontEndEventType.CLOSED);
    expect(closed.reason).toBe(ClientEnd.TLS_FAILED);
  });

  it('serves curl', async () => {
    const frontEnd = await stage();
    const { stdout } = await promisify(execFile)('curl', [
      ...['--silent', '--insecure', '--http1.1', '--max-time', '5'],
      `https://127.0.0.1:${frontEnd.port}/`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ 'x-forwarded-proto': 'https' });
  });
});
