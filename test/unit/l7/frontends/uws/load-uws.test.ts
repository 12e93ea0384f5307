/** Which uWebSockets.js binary is taken, what its responses look like on the wire, and what a person reads when none loads. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProxyError } from '../../../../../src/core/proxy-error.js';
import {
  type LoadedUws,
  loadUws,
  removeUwsMark,
  UWS_CANDIDATES,
  UWS_FIXED_HEAD_BYTES,
  type UwsApp,
  type UwsCandidate,
  type UwsListenSocket,
} from '../../../../../src/l7/frontends/uws/load-uws.js';

const binaryName = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;

/** Listens on a free port of 127.0.0.1 with an app that answers every request with 'hello'. */
async function listenWith({ uws }: LoadedUws): Promise<{ app: UwsApp; port: number }> {
  const app = uws.App().any('/*', (response) => response.end('hello'));
  const socket = await new Promise<UwsListenSocket | false>((resolve) => app.listen('127.0.0.1', 0, 0, resolve));
  if (socket === false) throw new Error('could not listen on 127.0.0.1');
  return { app, port: uws.us_socket_local_port(socket) };
}

/** The bytes that come back for one plain GET, up to the body 'hello'. */
function bytesFrom(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'));
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
      if (received.endsWith('hello')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

describe('loadUws', () => {
  it('loads a native binary of one of the two packages', () => {
    const loaded = loadUws();
    expect(UWS_CANDIDATES.map((candidate) => candidate.packageName)).toContain(loaded.packageName);
    expect(loaded.binaryPath.endsWith(`/${binaryName}`)).toBe(true);
    expect(loaded.version).toMatch(/^20\.\d+\.\d+/);
  });

  it('serves a request with what it loaded', async () => {
    const { app, port } = await listenWith(loadUws());
    try {
      expect(await bytesFrom(port)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 5\r\n\r\nhello$/);
    } finally {
      app.close();
    }
  });

  it('says that child apps are there exactly where an app has them', () => {
    const loaded = loadUws();
    const app = loaded.uws.App();
    expect(loaded.hasChildApps).toBe(app.addChildAppDescriptor !== undefined);
    expect(loaded.hasFilter).toBe(app.filter !== undefined);
    app.close();
  });

  it('hands the wanted head size to a binary that reads one, and tells the fixed size of one that does not', () => {
    const loaded = loadUws({ headBytes: 16_384 });
    expect(process.env['UWS_HTTP_MAX_HEADERS_SIZE']).toBe('16384');
    const candidate = UWS_CANDIDATES.find(({ packageName }) => packageName === loaded.packageName);
    expect(loaded.headBytes).toBe(candidate?.readsHeadBytes ? 16_384 : UWS_FIXED_HEAD_BYTES);
  });
});

describe('removeUwsMark', () => {
  it('takes the uWebSockets header out of responses', async () => {
    const loaded = loadUws();
    const { app, port } = await listenWith(loaded);
    try {
      expect(await bytesFrom(port)).toMatch(/^uWebSockets: 20\r$/m);
      removeUwsMark(loaded.uws);
      expect(await bytesFrom(port)).not.toMatch(/uWebSockets/i);
    } finally {
      app.close();
    }
  });
});

describe('loadUws without a usable binary', () => {
  let folder: string;
  const candidate: UwsCandidate = {
    packageName: 'uws-planted',
    rootFromMain: '.',
    binaries: '.',
    readsHeadBytes: true,
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-load-uws-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes a package named as `candidate` says, whose main file would be the silent imitation. */
  function plantPackage(files: Record<string, string>): string {
    const root = join(folder, 'node_modules', candidate.packageName);
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'package.json'), JSON.stringify({ version: '1.2.3', main: 'main.js' }));
    writeFileSync(join(root, 'main.js'), 'module.exports = { App() {}, _cfg() {} };');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
    return root;
  }

  function failureWith(candidates: readonly UwsCandidate[]): ProxyError {
    try {
      loadUws({ candidates, resolveFrom: join(folder, 'from.js') });
    } catch (error) {
      if (error instanceof ProxyError) return error;
      throw error;
    }
    throw new Error('loadUws loaded something');
  }

  it('fails with its own code and says of each package that it is not installed', () => {
    const error = failureWith([candidate, { ...candidate, packageName: 'uws-other' }]);
    expect(error.code).toBe('SLUICE_UWS_MISSING');
    expect(error.detail['found']).toBe(
      'uws-planted: the package is not installed; uws-other: the package is not installed',
    );
    expect(error.detail['remedy']).toContain('npm ci');
  });

  it('names the binary that is missing and those that are there', () => {
    plantPackage({ [`uws_${process.platform}_${process.arch}_1.node`]: '' });
    expect(failureWith([candidate]).detail['found']).toBe(
      `uws-planted: has no ${binaryName}, only uws_${process.platform}_${process.arch}_1.node`,
    );
  });

  it("passes on the dynamic loader's own words for a binary that does not load", () => {
    plantPackage({ [binaryName]: 'not a shared object, but long enough to have its header looked at by the loader' });
    expect(failureWith([candidate]).detail['found']).toMatch(/does not load \(.*invalid ELF header\)/);
  });

  it('does not fall back to what the main file exports', () => {
    plantPackage({});
    expect(() => loadUws({ candidates: [candidate], resolveFrom: join(folder, 'from.js') })).toThrow(ProxyError);
  });

  it('goes on to the next candidate when the first does not load', () => {
    plantPackage({ [binaryName]: 'not a shared object' });
    const usable = loadUws();
    const next = UWS_CANDIDATES.find(({ packageName }) => packageName === usable.packageName)!;
    const usableRoot = join(dirname(usable.binaryPath), next.binaries === '.' ? '.' : '..');
    symlinkSync(usableRoot, join(folder, 'node_modules', next.packageName));

    const loaded = loadUws({ candidates: [candidate, next], resolveFrom: join(folder, 'from.js') });
    expect(loaded.packageName).toBe(next.packageName);
  });

  it('says what machine it failed on', () => {
    expect(failureWith([]).detail['machine']).toContain(`Node ${process.versions.node}`);
  });
});
