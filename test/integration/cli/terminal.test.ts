/** Commands to a running sluice: what they print, what they change, and how they end. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointView } from '../../../src/control/admin/endpoint-view.js';
import type { LiveFigures } from '../../../src/observability/live-figures.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Ended, runSluice, startSluice } from '../../harness/run-sluice.js';
import { until } from '../control/sluice-process.js';

const TOKEN = 'a-token-that-nobody-guesses';
const held: ServerResponse[] = [];
let endpoints: readonly Server[];
let names: readonly string[];
let proxy: ProxyProcess;
let directory: string;
let file: string;

beforeAll(async () => {
  endpoints = [0, 1].map(() =>
    createServer((request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('ok');
    }).listen(0, '127.0.0.1'),
  );
  await Promise.all(endpoints.map((each) => once(each, 'listening')));
  names = endpoints.map((each) => `127.0.0.1:${(each.address() as AddressInfo).port}`);
  proxy = await startProxy({
    admin: { bind: '127.0.0.1:0', token: TOKEN },
    listeners: [
      { name: 'web', bind: '127.0.0.1:0', routes: [{ upstream: 'app' }, { match: { path: '/two' }, upstream: 'two' }] },
    ],
    upstreams: {
      app: { endpoints: [{ address: names[0] }] },
      two: { endpoints: names.map((address) => ({ address })) },
    },
  });
  await proxy.lineWhere(({ event }) => event === 'ready');
  directory = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  file = join(directory, 'sluice.yaml');
  // What else is in the file does not matter here.
  writeFileSync(file, `listeners: nonsense\nadmin: { bind: "127.0.0.1:${proxy.adminPort}", token: "${TOKEN}" }\n`);
});

afterAll(async () => {
  for (const response of held) response.end();
  await proxy?.stop();
  for (const each of endpoints ?? []) each.close().closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

/** With address and token of the file. */
const sluice = (...words: string[]): Promise<Ended> => runSluice([...words, '-c', file]);

async function endpointOf(upstream: string, name: string): Promise<EndpointView> {
  const url = `http://127.0.0.1:${proxy.adminPort}/api/v1/upstreams/${upstream}/endpoints/${name}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
  return ((await response.json()) as { endpoint: EndpointView }).endpoint;
}

/** A request that the endpoint answers when the test lets it. */
async function holdOne(): Promise<{ readonly answer: Promise<Response>; release(): void }> {
  const before = held.length;
  const answer = fetch(`http://127.0.0.1:${proxy.port}/held`);
  const response = await until('a held request', () => held[before]);
  return { answer, release: () => response.end('ok') };
}

describe('a command to a running sluice', () => {
  it('says when nothing listens there', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const { code, out, err } = await runSluice(['status', '--admin', `127.0.0.1:${port}`]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`sluice: nothing answers at 127.0.0.1:${port} (connection refused): is sluice running`);
  });

  it('says when something else listens there', async () => {
    const { code, err } = await runSluice(['status', '--admin', names[0] ?? '']);
    expect([code, err]).toEqual([2, `sluice: what answers at ${names[0]} is not the admin API of sluice\n`]);
  });

  it('says that a token is missing, or wrong', async () => {
    const admin = ['--admin', `127.0.0.1:${proxy.adminPort}`];
    const without = await runSluice(['status', ...admin]);
    expect([without.code, without.err]).toMatchObject([1, expect.stringContaining('wants a token')]);
    const wrong = await runSluice(['status', ...admin, '--token', 'wrong']);
    expect([wrong.code, wrong.err]).toMatchObject([1, expect.stringContaining('has another token')]);
    expect((await runSluice(['status', ...admin], { SLUICE_TOKEN: TOKEN })).code).toBe(0);
  });

  it('needs neither the engine nor another binary', async () => {
    const noBinary = 'data:text/javascript,process.dlopen=()=>{throw(Error("binary"))}';
    const { code, err } = await runSluice(['status', '-c', file], { NODE_OPTIONS: `--import=${noBinary}` });
    expect([code, err]).toEqual([0, '']);
  });
});

describe('status', () => {
  it('shows listeners, upstreams, endpoints and workers', async () => {
    const { code, out } = await sluice('status');
    expect(code).toBe(0);
    expect(out).toMatch(/^sluice \S+ {2}ready {2}up /);
    expect(out).toMatch(new RegExp(`^web +l7 +native +127.0.0.1:${proxy.port} `, 'm'));
    expect(out).toMatch(/^upstream two {2}round-robin {2}2 of 2 endpoints/m);
    expect(out).toMatch(new RegExp(`^ {2}${names[1]} +healthy +1 +0 `, 'm'));
    expect(out).toMatch(/^0 +serving /m);
  });

  it('prints the figures as JSON', async () => {
    const { code, out } = await sluice('status', '--json');
    const figures = JSON.parse(out) as LiveFigures;
    expect([code, figures.upstreams.map(({ name }) => name)]).toEqual([0, ['app', 'two']]);
  });
});

describe('top without a terminal', () => {
  it('prints one snapshot', async () => {
    const { code, out } = await sluice('top', '--sort', 'rps', '--only', 'two');
    expect(code).toBe(0);
    expect(out).toContain('▾REQ/S');
    expect(out.match(/ healthy /g)).toHaveLength(2);
    expect(out).not.toContain('\u001b');
  });

  it('says which upstreams there are', async () => {
    const { code, err } = await sluice('top', '--only', 'none');
    expect([code, err]).toEqual([1, 'sluice: there is no upstream none; there are app, two\n']);
  });
});

describe('weight', () => {
  it('sets it', async () => {
    const { code, out } = await sluice('weight', names[1] ?? '', '7');
    expect([code, out]).toEqual([0, `two/${names[1]} has the weight 7\n`]);
    expect((await endpointOf('two', names[1] ?? '')).weight).toBe(7);
  });
});

describe('the name of an endpoint', () => {
  it('has to be clear', async () => {
    const { code, err } = await sluice('drain', names[0] ?? '');
    expect([code, err]).toEqual([
      1,
      `sluice: ${names[0]} is in several upstreams: write app/${names[0]} or two/${names[0]}\n`,
    ]);
  });

  it.each([
    ['nearly.right:1', 'there is no endpoint nearly.right:1: sluice status lists them'],
    ['two', 'two is an upstream; its endpoints are two/127.0.0.1:'],
  ])('is not %s', async (name, sentence) => {
    const { code, err } = await sluice('undrain', name);
    expect([code, err]).toMatchObject([1, expect.stringContaining(sentence)]);
  });
});

describe('drain', () => {
  it('waits until nothing is in flight', async () => {
    const { answer, release } = await holdOne();
    const drain = startSluice(['drain', `app/${names[0]}`, '--wait', '-c', file]);
    await until('progress', () => (drain.out().includes('drains: 1 of 1 in flight') ? true : undefined));
    release();
    expect((await answer).status).toBe(200);
    const { code, out } = await drain.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/is drained after \d+\.\d s, it can be stopped\n$/);
    expect((await sluice('undrain', `app/${names[0]}`)).out).toBe(`app/${names[0]} takes work again\n`);
    expect((await endpointOf('app', names[0] ?? '')).state).toBe('enabled');
  });

  it('says what is in flight, and that its time was over', async () => {
    const { answer, release } = await holdOne();
    const begun = await sluice('drain', `app/${names[0]}`);
    expect([begun.code, begun.out]).toEqual([0, `app/${names[0]} drains: 1 of 1 in flight\n`]);
    const cut = await sluice('drain', `app/${names[0]}`, '--timeout', '100ms', '--wait');
    expect([cut.code, cut.out]).toMatchObject([0, expect.stringContaining('what was left in flight')]);
    expect((await answer).status).toBeGreaterThanOrEqual(500);
    release();
    await sluice('undrain', `app/${names[0]}`);
  });

  it('says so, too, of a drain that had begun long before', async () => {
    const { answer, release } = await holdOne();
    await sluice('drain', `app/${names[0]}`);
    const since = Date.parse((await endpointOf('app', names[0] ?? '')).drain?.since ?? '');
    await until('its time to be over', () => (Date.now() - since > 1_000 ? true : undefined));
    const cut = await sluice('drain', `app/${names[0]}`, '--timeout', '1s', '--wait');
    expect([cut.code, cut.out]).toMatchObject([0, expect.stringContaining('what was left in flight')]);
    expect((await answer).status).toBeGreaterThanOrEqual(500);
    release();
    await sluice('undrain', `app/${names[0]}`);
  });

  it('ends when somebody else takes it back', async () => {
    const { answer, release } = await holdOne();
    const drain = startSluice(['drain', `app/${names[0]}`, '--wait', '-c', file]);
    await until('progress', () => (drain.out().includes('in flight') ? true : undefined));
    await sluice('undrain', `app/${names[0]}`);
    const { code, err } = await drain.ended;
    expect([code, err]).toEqual([
      1,
      `sluice: the drain of app/${names[0]} is over: somebody else has made it enabled\n`,
    ]);
    release();
    await answer;
  });
});

describe('reload', () => {
  it('says that nothing has changed', async () => {
    const { code, out } = await sluice('reload');
    expect([code, out]).toEqual([0, expect.stringMatching(/^nothing has changed: plan 1 counts on\n/)]);
  });
});

describe('explain', () => {
  it('says where a request would go', async () => {
    const { code, out } = await sluice('explain', 'GET', 'http://example.com/two/a?b=c');
    expect(code).toBe(0);
    expect(out).toMatch(/^GET example.com\/two\/a\?b=c at listener web, as worker \d sees it\n/);
    expect(out).toMatch(/^upstream {2}two, balance round-robin$/m);
    expect(out).toMatch(new RegExp(`${names[1]} +yes`));
  });

  it('prints JSON, and says that there is no such listener', async () => {
    const { out } = await sluice('explain', 'GET', '/', '--json');
    expect(JSON.parse(out)).toMatchObject({ listener: 'web', upstream: 'app', endpoint: names[0] });
    const { code, err } = await sluice('explain', 'GET', '/', '--listener', 'none');
    expect([code, err]).toEqual([1, 'sluice: there is no listener "none" of mode l7\n']);
  });
});
