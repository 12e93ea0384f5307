/** Programs that people have: curl with both versions of HTTP and client certificates, nghttp and h2load, over TLS and without. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { valuesOf } from '../../harness/http-message.js';
import { endOfProgram, findProgram, runProgram } from '../../harness/programs.js';
import { badLines, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until, type WireEndpoint } from '../../harness/wire.js';

const curl = findProgram('curl', 'curl');
const nghttp = findProgram('nghttp', 'nghttp2-client');
const h2load = findProgram('h2load', 'nghttp2-client');

const PROGRAM_TIMEOUT_MS = 15_000;
const MOST_HEAD_BYTES = 16_384;

const files = new CertificateFiles();
const authority = makeCertificate({ name: 'Test Authority', isAuthority: true });
const ca = join(files.directory, 'ca.pem');
const alice = makeCertificate({ name: 'alice', issuer: authority });
let endpoint: RequestEndpoint;
/** Answers as soon as it is asked, without content: behind content, curl 7.88 reads nothing of a stream any more, behind any proxy. */
let hasty: WireEndpoint;
let proxy: ProxyProcess;
/** Of the listeners by name. */
const ports = new Map<string, number>();

/** As configurations and curl take them. */
const write = (name: string, { cert, key }: { cert: string; key: string }): readonly string[] => {
  const paths = files.write(name, { cert, key });
  return ['--cert', paths.cert, '--key', paths.key];
};

beforeAll(async () => {
  writeFileSync(ca, authority.cert);
  endpoint = await startRequestEndpoint();
  hasty = await startEndpoint((socket) => socket.once('data', () => socket.write(ok(''))));
  const certificate = files.write('localhost', makeCertificate({ name: 'localhost', issuer: authority }));
  const listener = (name: string, settings: object) => ({
    name,
    mode: 'l7',
    bind: '127.0.0.1:0',
    frontend: 'native',
    routes: [{ upstream: 'app' }],
    ...settings,
  });
  const tls = (mode: string) => ({
    tls: {
      certificates: [certificate],
      clientAuth: { mode, ca, headers: { subject: 'x-client', fingerprint: 'x-fingerprint' } },
    },
  });
  proxy = await startProxy({
    upstreams: Object.fromEntries(
      Object.entries({ app: endpoint, hasty }).map(([name, { port }]) => [
        name,
        { endpoints: [{ address: `127.0.0.1:${port}` }] },
      ]),
    ),
    log: { level: 'debug' },
    workers: 1,
    listeners: [
      listener('optional', tls('optional')),
      listener('required', tls('required')),
      listener('hasty', { ...tls('optional'), routes: [{ upstream: 'hasty' }] }),
      listener('clear', { http2: { clearText: true } }),
    ],
  });
  for (const line of proxy.log) {
    if (line.event === 'listening') ports.set(String(line['listener']), Number(line['port']));
  }
});

afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
  await hasty?.close();
  files.close();
});

/** @returns status and version of the answer, and its body; curl's exit code */
async function curled(listener: string, args: readonly string[]) {
  const url = `https://localhost:${ports.get(listener)}/`;
  const common = ['-sS', '--cacert', ca, '--resolve', `localhost:${ports.get(listener)}:127.0.0.1`];
  const told = ['-w', '\n%{http_code} %{http_version}'];
  return await endOfProgram(curl as string, [...common, ...told, ...args, url], PROGRAM_TIMEOUT_MS);
}

describe.skipIf(curl === undefined)('curl', () => {
  describe.each([
    ['--http1.1', '1.1'],
    ['--http2', '2'],
  ])('with %s', (flag, version) => {
    it('verifies the certificate and gets its answer', async () => {
      endpoint.answerWith(ok('hello'));
      const { code, output } = await curled('optional', [flag]);
      expect([code, output]).toEqual([0, `hello\n200 ${version}`]);
    });

    it('uploads a megabyte and is told what came', async () => {
      endpoint.answerWith(({ body }) => ok(`${body.length} bytes`));
      const file = join(files.directory, 'upload');
      writeFileSync(file, randomBytes(1_000_000));
      const { code, output } = await curled('optional', [flag, '--data-binary', `@${file}`]);
      expect([code, output]).toEqual([0, `1000000 bytes\n200 ${version}`]);
    });

    it('gets an answer that comes before its upload is there, and ends well', async () => {
      const file = join(files.directory, 'refused');
      writeFileSync(file, Buffer.alloc(50_000_000, 'x'));
      const { code, output } = await curled('hasty', [flag, '-T', file]);
      expect([code, output]).toEqual([0, `\n200 ${version}`]);
    });

    it.each(['optional', 'required'])(
      'shows its certificate where it is %s, and the endpoint is told',
      async (mode) => {
        endpoint.answerWith(ok());
        const { code, output } = await curled(mode, [flag, '-H', 'x-client: forged', ...write('alice', alice)]);
        expect([code, output]).toEqual([0, `ok\n200 ${version}`]);
        expect(valuesOf(endpoint.last, 'x-client')).toEqual(['CN=alice']);
        expect(valuesOf(endpoint.last, 'x-fingerprint').join().replaceAll(':', '').toLowerCase()).toBe(
          alice.x509.fingerprint256.replaceAll(':', '').toLowerCase(),
        );
      },
    );

    it('may come without a certificate where it is optional, and claims none by a header', async () => {
      endpoint.answerWith(ok());
      const { code } = await curled('optional', [flag, '-H', 'x-client: forged']);
      expect(code).toBe(0);
      expect(valuesOf(endpoint.last, 'x-client')).toEqual([]);
    });

    it('is refused without a certificate where one is required, and the log says so', async () => {
      const before = proxy.log.length;
      const { code, output } = await curled('required', [flag]);
      expect(code).not.toBe(0);
      expect(output).toMatch(/certificate required/);
      await until('the log says why', () =>
        proxy.log
          .slice(before)
          .some(({ event, reason }) => event === 'tls-handshake-failed' && reason === 'no-certificate'),
      );
    });

    it.each(['optional', 'required'])(
      'is refused with a certificate of another authority where it is %s, and the log says so',
      async (mode) => {
        const stranger = makeCertificate({ name: 'Other Authority', isAuthority: true });
        const mallory = makeCertificate({ name: 'mallory', issuer: stranger });
        const before = proxy.log.length;
        const { code, output } = await curled(mode, [flag, ...write('mallory', mallory)]);
        expect(code).not.toBe(0);
        expect(output).toMatch(/unknown ca/);
        const line = await proxy.lineWhere(
          (each) => each.event === 'tls-handshake-failed' && proxy.log.indexOf(each) >= before,
        );
        expect(line).toMatchObject({ reason: 'bad-certificate', listener: mode });
        expect(line['certificate']).toMatch(/issuer/);
      },
    );
  });
});

describe.skipIf(nghttp === undefined)('nghttp', () => {
  /** @returns all that it saw and sent; it does not verify certificates */
  const seen = (args: readonly string[], listener = 'clear') =>
    runProgram(
      nghttp as string,
      ['-v', ...args, `${listener === 'clear' ? 'http' : 'https'}://127.0.0.1:${ports.get(listener)}/`],
      PROGRAM_TIMEOUT_MS,
    );

  it.each(['clear', 'optional'])('gets trailers of the endpoint at the listener %s', async (listener) => {
    endpoint.answerWith(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    const output = await seen(['-n', '-H', 'te: trailers'], listener);
    expect(output).toMatch(/recv \(stream_id=\d+\) :status: 200/);
    expect(output.slice(output.indexOf('DATA frame'))).toMatch(/recv \(stream_id=\d+\) x-sum: 7/);
  });

  it('uploads with trailers, which end the body and become no fields', async () => {
    endpoint.answerWith(({ body }) => ok(`${body.length} bytes`));
    const file = join(files.directory, 'trailed');
    writeFileSync(file, 'x'.repeat(300_000));
    const output = await seen(['-d', file, '--no-content-length', '--trailer', 'x-check: 42']);
    expect(output).toMatch(/^300000 bytes/m);
    expect(valuesOf(endpoint.last, 'x-check')).toEqual([]);
  });

  it('sends a field of 12 KiB, which the endpoint gets whole', async () => {
    endpoint.answerWith(ok());
    const value = 'v'.repeat(12_288);
    expect(await seen(['-n', '-H', `x-large: ${value}`])).toMatch(/:status: 200/);
    expect(valuesOf(endpoint.last, 'x-large')).toEqual([value]);
  });

  it('is answered 431 to a head that is larger than may be', async () => {
    endpoint.answerWith(ok());
    expect(await seen(['-n', '-H', `x-large: ${'v'.repeat(MOST_HEAD_BYTES)}`])).toMatch(/:status: 431/);
    expect(endpoint.requests).toEqual([]);
  });
});

describe.skipIf(h2load === undefined)('h2load', () => {
  it.each([
    ['optional', 'https'],
    ['clear', 'http'],
  ])('gets two thousand answers at the listener %s over %s, and no failure', async (listener, scheme) => {
    endpoint.answerWith(ok('x'.repeat(500)));
    const url = `${scheme}://127.0.0.1:${ports.get(listener)}/`;
    const output = await runProgram(h2load as string, ['-n', '2000', '-c', '8', '-m', '10', url], PROGRAM_TIMEOUT_MS);
    expect(output).toMatch(/2000 succeeded, 0 failed, 0 errored, 0 timeout/);
    expect(output).toMatch(/status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx/);
    expect(endpoint.requests).toHaveLength(2_000);
  });
});

describe('sluice, behind all of them,', () => {
  it('has nothing to complain about', () => {
    expect(badLines(proxy.log)).toEqual([]);
  });
});
