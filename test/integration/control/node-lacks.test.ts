/** A Node that does not export what TLS or HTTP/2 needs: the start says so, and configurations that need it are refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { runSluice } from '../../harness/run-sluice.js';

const MAIN = process.env['SLUICE_MAIN'] ?? fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'sluice-node-lacks-'));
const files = new CertificateFiles();

/** Has the engine find that functions are missing, in each thread that loads it. */
function lacking(support: object): string {
  const script = `const load = process.dlopen;
process.dlopen = (module, ...more) => {
  load.call(process, module, ...more);
  if (module.exports.tlsSupport !== undefined) module.exports.tlsSupport = () => (${JSON.stringify(support)});
};`;
  const file = join(directory, `${Math.random()}.mjs`);
  writeFileSync(file, script);
  return `--import=${file}`;
}

const WITHOUT_HTTP2 = {
  tls: 'OpenSSL 3.0.19',
  http2: null,
  missing: ['nghttp2_session_server_new3', 'nghttp2_version'],
};
const WITHOUT_TLS = { tls: null, http2: '1.61.0', missing: ['SSL_new'] };

afterAll(() => {
  files.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('a Node that lacks functions', () => {
  it.each([
    [WITHOUT_TLS, 'TLS cannot be used: this Node does not export SSL_new; HTTP/2 nghttp2 1.61.0'],
    [
      WITHOUT_HTTP2,
      'TLS OpenSSL 3.0.19; HTTP/2 cannot be used: this Node does not export nghttp2_session_server_new3 and 1 more',
    ],
  ])('is told of at the start, in the sentence of --version: %j', async (support, sentence) => {
    const main = [process.execPath, lacking(support), MAIN];
    const proxy = await startProxy(configFor([9]), { main });
    await proxy.lineWhere(({ event }) => event === 'ready');
    expect(await proxy.stop()).toBe(0);
    expect(proxy.log.filter(({ event }) => event === 'node-lacks').map(({ msg }) => msg)).toEqual([sentence]);
  });

  it.each([
    [WITHOUT_TLS, 'listeners[0].tls needs TLS, and this Node does not export SSL_new'],
    [
      WITHOUT_HTTP2,
      'listeners[0].tls.alpn needs HTTP/2, and this Node does not export nghttp2_session_server_new3 and 1 more',
    ],
  ])('does not start with TLS and HTTP/2: %j', async (support, sentence) => {
    const tls = { certificates: [files.write('site', makeCertificate({ name: 'localhost' }))] };
    const file = join(directory, 'sluice.json');
    writeFileSync(file, JSON.stringify(configFor([9], { frontend: 'native', listener: { tls } })));
    const { code, err } = await runSluice(['run', '-c', file], { NODE_OPTIONS: lacking(support) });
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  });
});

describe('a Node that lacks nothing', () => {
  it('is not told of', async () => {
    const proxy = await startProxy(configFor([9]));
    await proxy.lineWhere(({ event }) => event === 'ready');
    expect(await proxy.stop()).toBe(0);
    expect(proxy.log.filter(({ event }) => event === 'node-lacks')).toEqual([]);
  });
});
