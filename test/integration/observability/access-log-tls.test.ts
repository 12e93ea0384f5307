/** What the access log says of requests that come over TLS and HTTP/2, and what Via says of them to endpoints. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { valuesOf } from '../../harness/http-message.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { startRequestEndpoint } from '../../harness/request-endpoint.js';

const directory = mkdtempSync(join(tmpdir(), 'sluice-access-tls-'));
const site = makeCertificate({ name: 'localhost' });
const files = new CertificateFiles();

afterAll(() => {
  files.close();
  rmSync(directory, { recursive: true, force: true });
});

async function getOver1(port: number, path: string): Promise<void> {
  const request = requestHttps({ host: '127.0.0.1', port, path, servername: 'localhost', ca: site.cert, agent: false });
  request.setHeader('host', 'localhost').end();
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
}

async function getOver2(url: string, path: string): Promise<void> {
  const session = connectHttp2(url, { ca: site.cert, servername: 'localhost' });
  const stream = session.request({ ':path': path, ':authority': 'localhost' });
  stream.resume();
  await once(stream, 'end');
  session.close();
  await once(session, 'close');
}

/** Runs requests through a listener. @returns lines of the log by their path, and what Via said */
async function logged(listener: object, fields: readonly string[], act: (port: number) => Promise<void>) {
  const file = join(directory, `${Math.random()}.json`);
  const endpoint = await startRequestEndpoint();
  const config = configFor([endpoint.port], { frontend: 'native', listener });
  const proxy = await startProxy({ ...config, workers: 1, accessLog: { file, format: 'json', fields } });
  await act(proxy.port);
  expect(await proxy.stop()).toBe(0);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').toSorted();
  const via = Object.fromEntries(endpoint.requests.map((one) => [one.target, valuesOf(one, 'via')[0]?.slice(0, 10)]));
  await endpoint.close();
  return { lines, via };
}

describe('requests over TLS', () => {
  const tls = { certificates: [files.write('site', site)], minVersion: '1.3', cipherSuites: 'TLS_AES_256_GCM_SHA384' };

  it('have version, cipher and protocol in their lines, and their version in Via', async () => {
    const { lines, via } = await logged({ tls }, ['path', 'protocol', 'tlsVersion', 'tlsCipher'], async (port) => {
      await getOver1(port, '/one');
      await getOver2(`https://127.0.0.1:${port}`, '/two');
    });
    const of = 'TLSv1.3","tlsCipher":"TLS_AES_256_GCM_SHA384"}';
    expect(lines).toEqual([
      `{"path":"/one","protocol":"HTTP/1.1","tlsVersion":"${of}`,
      `{"path":"/two","protocol":"HTTP/2.0","tlsVersion":"${of}`,
    ]);
    expect(via).toEqual({ '/one': '1.1 sluice', '/two': '2.0 sluice' });
  });
});

describe('requests without TLS', () => {
  it('have neither version nor cipher in their lines', async () => {
    const fields = ['path', 'protocol', 'tlsVersion', 'tlsCipher'];
    const { lines, via } = await logged({ http2: { clearText: true } }, fields, async (port) => {
      await (await fetch(`http://127.0.0.1:${port}/one`)).text();
      await getOver2(`http://127.0.0.1:${port}`, '/two');
    });
    expect(lines).toEqual(['{"path":"/one","protocol":"HTTP/1.1"}', '{"path":"/two","protocol":"HTTP/2.0"}']);
    expect(via).toEqual({ '/one': '1.1 sluice', '/two': '2.0 sluice' });
  });
});
