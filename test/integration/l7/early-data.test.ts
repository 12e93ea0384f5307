/** Early data (0-RTT) as openssl sends it: what is served, what is answered 425, what is refused, and what endpoints are told. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { valuesOf } from '../../harness/http-message.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const BODY = 'served-by-the-endpoint';
const hasOpenssl = (() => {
  try {
    return execFileSync('openssl', ['version']).toString().startsWith('OpenSSL ');
  } catch {
    return false;
  }
})();

const files = new CertificateFiles();
const certificates = [files.write('site', makeCertificate({ name: 'localhost' }))];
const children: ChildProcess[] = [];
const ports: Record<string, number> = {};
let endpoint: RequestEndpoint;
let proxy: ProxyProcess;
let runs = 0;

const configWith = (earlyData: string) => ({
  workers: 1,
  listeners: [
    { name: 'early', bind: '127.0.0.1:0', tls: { certificates, earlyData }, routes: [{ upstream: 'api' }] },
    { name: 'late', bind: '127.0.0.1:0', tls: { certificates }, routes: [{ upstream: 'api' }] },
  ],
  upstreams: { api: { endpoints: [{ address: `127.0.0.1:${endpoint.port}` }] } },
});

beforeAll(async () => {
  endpoint = await startRequestEndpoint(ok(BODY));
  proxy = await startProxy(configWith('4KiB'));
  await until('both listeners', () => proxy.log.filter(({ event }) => event === 'listening').length === 2);
  for (const line of proxy.log) if (line.event === 'listening') ports[String(line['listener'])] = Number(line['port']);
});

beforeEach(() => endpoint.answerWith(ok(BODY)));

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
  files.close();
});

interface Turn {
  readonly listener?: string;
  readonly alpn?: string;
  /** A session of an earlier turn. */
  readonly session?: string;
  readonly early?: string | Buffer;
  /** Sent once the handshake is complete. */
  readonly late?: string | Buffer;
  /** What ends it. */
  readonly end?: RegExp;
}

interface Told {
  /** All that openssl has printed, what came from the proxy among it; a character for each byte. */
  readonly text: string;
  readonly isAccepted: boolean;
  /** File of the session that it got, if it got one. */
  readonly session: string;
}

/** Runs one connection of `openssl s_client`. */
async function speak(turn: Turn): Promise<Told> {
  const { listener = 'early', alpn = 'http/1.1', session, early, late, end = new RegExp(BODY) } = turn;
  const place = join(files.directory, String(runs++));
  const words = ['s_client', '-connect', `127.0.0.1:${ports[listener]}`, '-servername', 'localhost'];
  words.push('-tls1_3', '-alpn', alpn, '-ign_eof', '-nocommands', '-sess_out', `${place}.session`);
  if (session !== undefined) words.push('-sess_in', session);
  if (early !== undefined) {
    writeFileSync(`${place}.early`, early);
    words.push('-early_data', `${place}.early`);
  }
  const child = spawn('openssl', words);
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
  }
  if (late !== undefined) child.stdin.write(late);
  await until('the end of the connection', () => end.test(text), 5_000).catch((error: Error) => {
    throw new Error(`${error.message}\n${text}`);
  });
  // A copy: who goes on writes tickets that come later.
  if (existsSync(`${place}.session`)) copyFileSync(`${place}.session`, `${place}.kept`);
  return { text, isAccepted: text.includes('Early data was accepted'), session: `${place}.kept` };
}

const request = (method: string, path: string, lines: readonly string[] = []) =>
  `${[`${method} ${path} HTTP/1.1`, 'host: localhost', ...lines].join('\r\n')}\r\n\r\n`;

/** How much early data a session allows. */
function earlyBytesOf(session: string): string | undefined {
  const text = execFileSync('openssl', ['sess_id', '-in', session, '-noout', '-text']).toString();
  return /Max Early Data: (\d+)/.exec(text)?.[1];
}

/** A session that allows early data. */
async function visited(more: Partial<Turn> = {}): Promise<string> {
  const { session } = await speak({ late: request('GET', '/first'), ...more });
  expect(earlyBytesOf(session)).toBe('4096');
  endpoint.answerWith(ok(BODY));
  return session;
}

const seen = () =>
  endpoint.requests.map((one) => [one.method, one.target, valuesOf(one, 'early-data').join('|')].join(' ').trim());

describe.skipIf(!hasOpenssl)('early data', () => {
  it('is served where the request is safe, and the endpoint learns of it', async () => {
    const session = await visited();
    const told = await speak({ session, early: request('GET', '/early') });
    expect(told.isAccepted).toBe(true);
    expect(seen()).toEqual(['GET /early 1']);
  });

  it('is answered 425 where it is a POST, which no endpoint gets', async () => {
    const session = await visited();
    const early = request('POST', '/pay', ['content-length: 2']).concat('42');
    const told = await speak({ session, early, end: /SLUICE_TOO_EARLY/ });
    expect(told.isAccepted).toBe(true);
    expect(told.text).toContain('HTTP/1.1 425 Too Early');
    expect(seen()).toEqual([]);
  });

  it('is answered 425 where a GET has a body', async () => {
    const session = await visited();
    const early = request('GET', '/search', ['content-length: 2']);
    await speak({ session, early, late: '42', end: /HTTP\/1\.1 425 [\s\S]*SLUICE_TOO_EARLY/ });
    expect(seen()).toEqual([]);
  });

  it('ends with the handshake: what comes after it is any request', async () => {
    const session = await visited();
    const late = request('POST', '/pay', ['content-length: 2']).concat('42');
    const told = await speak({ session, early: request('GET', '/one'), late, end: /(?:served-by[\s\S]*){2}/ });
    expect(told.isAccepted).toBe(true);
    expect(seen()).toEqual(['GET /one 1', 'POST /pay']);
  });

  it('counts once: played again, it is refused, and served after the handshake', async () => {
    const session = await visited();
    const early = request('GET', '/once');
    expect((await speak({ session, early })).isAccepted).toBe(true);
    const again = await speak({ session, early, late: request('GET', '/again') });
    expect(again.isAccepted).toBe(false);
    expect(seen()).toEqual(['GET /once 1', 'GET /again']);
  });

  it('is not offered by listeners that do not have it, and refused there', async () => {
    const plain = await speak({ listener: 'late', late: request('GET', '/first') });
    expect(earlyBytesOf(plain.session)).toBe('0');
    const session = await visited();
    const told = await speak({
      listener: 'late',
      session,
      early: request('GET', '/early'),
      late: request('GET', '/l'),
    });
    expect(told.isAccepted).toBe(false);
    expect(seen()).toEqual(['GET /l']);
  });

  it('may be said of a request by the client, of one that came later, too', async () => {
    await speak({ late: request('GET', '/said', ['Early-Data: 1']) });
    expect(seen()).toEqual(['GET /said 1']);
    const session = await visited();
    await speak({ session, early: request('GET', '/both', ['early-data: 1', 'Early-Data: 1']) });
    expect(seen()).toEqual(['GET /both 1']);
  });

  it('is served over HTTP/2, and a POST is answered 425 there', async () => {
    const alpn = 'h2';
    const session = await visited({ alpn, late: http2(GET) });
    const told = await speak({ alpn, session, early: http2(GET) });
    expect(told.isAccepted).toBe(true);
    expect(seen()).toEqual(['GET / 1']);
    const other = await visited({ alpn, late: http2(GET) });
    await speak({ alpn, session: other, early: http2(POST), end: /SLUICE_TOO_EARLY/ });
    expect(seen()).toEqual([]);
  });
});

/** Indices of HPACK's static table (RFC 7541 appendix A). */
const GET = 0x82;
const POST = 0x83;

/** Preface, SETTINGS, and the head of a whole request for "/". */
function http2(method: number): Buffer {
  const authority = Buffer.from('localhost');
  const fields = Buffer.concat([Buffer.of(method, 0x87, 0x84, 0x41, authority.length), authority]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
    Buffer.of(0, 0, fields.length, 1, 0x5, 0, 0, 0, 1),
    fields,
  ]);
}
