/** Certificates of a running sluice: what a start refuses, how changed files come to count, and where they are told of. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MadeCertificate, makeCertificate } from '../../harness/certificate-maker.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { runSluice } from '../../harness/run-sluice.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();
const first = makeCertificate({ name: 'first.example' });
const second = makeCertificate({ name: 'second.example' });
const ended = makeCertificate({ name: 'ended.example', endsAt: new Date('2025-01-01') });
const third = makeCertificate({ name: 'third.example', endsAt: new Date(Date.now() + 3 * 86_400_000) });

let directory = '';
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));
  put(first);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Renames both files into their places. */
function put({ cert, key }: MadeCertificate): void {
  for (const [name, content] of [
    ['a.pem', cert],
    ['a.key', key],
  ] as const) {
    writeFileSync(at(`${name}.new`), content);
    renameSync(at(`${name}.new`), at(name));
  }
}

const config = (more: object = {}) =>
  configFor([1], {
    listener: { tls: { certificates: [{ cert: at('a.pem'), key: at('a.key') }] } },
    workers: 1,
    ...more,
  });

interface Listed {
  readonly certificates: readonly {
    readonly names: readonly string[];
    readonly source: string;
    readonly listener: string;
  }[];
}

async function start(more: object = {}) {
  const proxy = await startProxy(config(more));
  await started({ close: async () => void (await proxy.stop()) });
  const names = async () =>
    (await proxy.admin<Listed>('/api/v1/certificates')).certificates.map((each) => each.names.join());
  return { proxy, names };
}

describe('a certificate in use', () => {
  it('stands in what status prints, and in its JSON', async () => {
    const { proxy } = await start();
    const admin = ['--admin', `127.0.0.1:${proxy.adminPort}`];
    const { code, out } = await runSluice(['status', ...admin]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^first\.example +listener web +2049-12-31 +\d+ days +/m)]);
    const json = await runSluice(['status', '--json', ...admin]);
    expect((JSON.parse(json.out) as Listed).certificates).toMatchObject([
      { names: ['first.example'], listener: 'web' },
    ]);
  });
});

describe('a certificate that cannot be used', () => {
  it('is told by check and by the start, at its place', async () => {
    writeFileSync(at('a.key'), second.key);
    const file = at('sluice.json');
    writeFileSync(file, JSON.stringify(config()));
    const sentence =
      /error: listeners\[0\]\.tls\.certificates\[0\]\.key is ".*a\.key", which is not the key of the certificate first\.example/;
    for (const words of [['check'], ['run']]) {
      const { code, out, err } = await runSluice([...words, '-c', file]);
      expect([code, out + err]).toEqual([1, expect.stringMatching(sentence)]);
    }
  });

  it('keeps the one before in use', async () => {
    const { proxy, names } = await start();
    put(ended);
    const failed = await proxy.lineWhere(({ event }) => event === 'certificates-failed');
    expect(failed['reason']).toMatch(
      /tls\.certificates\[0\]\.cert is the certificate of ended\.example that ended on /,
    );
    proxy.child.kill('SIGHUP');
    const refused = await proxy.lineWhere(({ event }) => event === 'reload-failed');
    expect(refused['problems']).toEqual([
      expect.stringMatching(/sluice\.json:1:\d+: listeners\[0\]\.tls\.certificates\[0\]\.cert is /),
    ]);
    expect(await names()).toEqual(['first.example']);
  });
});

describe('changed certificates', () => {
  it('count when their files are replaced', async () => {
    const { proxy, names } = await start();
    expect(await names()).toEqual(['first.example']);
    put(second);
    const loaded = await proxy.lineWhere(({ event }) => event === 'certificates-loaded');
    expect(loaded).toMatchObject({ listener: 'web', names: ['second.example'] });
    expect(await names()).toEqual(['second.example']);
    expect(proxy.log.filter(({ event }) => event === 'certificates-failed')).toEqual([]);
  });

  it('count when a link beside them is swapped, as Kubernetes does', async () => {
    for (const [name, made] of [
      ['v1', first],
      ['v2', second],
    ] as const) {
      mkdirSync(at(name));
      writeFileSync(at(`${name}/a.pem`), made.cert);
      writeFileSync(at(`${name}/a.key`), made.key);
    }
    symlinkSync('v1', at('data'));
    rmSync(at('a.pem'));
    rmSync(at('a.key'));
    symlinkSync('data/a.pem', at('a.pem'));
    symlinkSync('data/a.key', at('a.key'));
    const { names } = await start();
    symlinkSync('v2', at('data.new'));
    renameSync(at('data.new'), at('data'));
    await until('the other one counts', async () => (await names())[0] === 'second.example');
  });

  it('count for who asks, also where the configuration says what it said', async () => {
    const { proxy, names } = await start({ watch: false });
    put(second);
    proxy.child.kill('SIGHUP');
    await proxy.lineWhere(({ event }) => event === 'reload-unchanged');
    expect(await names()).toEqual(['second.example']);
    put(first);
    const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/api/v1/reload`, { method: 'POST' });
    expect(await answer.json()).toMatchObject({ isUnchanged: true });
    expect(await names()).toEqual(['first.example']);
  });
});

describe('a certificate that ends soon', () => {
  it('is in the log and in the figures', async () => {
    put(third);
    const { proxy } = await start();
    const line = await proxy.lineWhere(({ event }) => event === 'certificate-expiring');
    expect(line).toMatchObject({ listener: 'web', names: ['third.example'], days: 2 });
    const metrics = await (await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`)).text();
    const endsAt = Date.parse(third.x509.validTo) / 1000;
    expect(metrics).toMatch(
      new RegExp(
        `sluice_certificate_expiry_seconds\\{listener="web",upstream="",name="third\\.example",serial="\\w+"\\} ${endsAt}`,
      ),
    );
  });
});
