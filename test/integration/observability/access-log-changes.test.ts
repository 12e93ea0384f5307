/** Access log and tracing that change while traffic goes on: by a reload, and with the reader of a FIFO. */
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();
let directory: string;
let endpoint: Server;
let collector: Server;
/** Paths of the collector, and of the requests whose spans came there. */
let collected: string[];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-access-'));
  collected = [];
  endpoint = createServer((_, response) => response.end('hello'));
  collector = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      for (const [, path] of text.matchAll(/"url\.path","value":\{"stringValue":"([^"]*)"/g))
        collected.push(`${request.url} ${path}`);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  for (const server of [endpoint, collector])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  for (const server of [endpoint, collector]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(directory, { recursive: true, force: true });
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
const pathOf = (line: string): string =>
  line.startsWith('{') ? (JSON.parse(line) as { path: string }).path : (/"GET (\S+) /.exec(line)?.[1] ?? line);

async function get(port: number, path: string, headers: Record<string, string> = {}): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  expect(response.status).toBe(200);
  await response.text();
}

/** Requests one after the other over some connections until it is told to stop. @returns the paths that were answered */
function traffic(port: number): { readonly answered: string[]; stop(): Promise<void> } {
  const answered: string[] = [];
  let isOver = false;
  const clients = Array.from({ length: 4 }, async (_, client) => {
    for (let number = 0; !isOver; number++) {
      await get(port, `/${client}-${number}`);
      answered.push(`/${client}-${number}`);
    }
  });
  return {
    answered,
    stop: async () => {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

/** Reloads, and waits until that counts. */
async function reload(proxy: ProxyProcess, config: object): Promise<void> {
  const count = (): number => proxy.log.filter(({ event }) => event === 'reloaded').length;
  const before = count();
  proxy.reload(config);
  await until('the reload', () => count() === before + 1);
}

describe.each(FRONT_ENDS)('access log of the %s front end', (frontend) => {
  it('changes file and format with a reload, and no line is lost or written twice', async () => {
    const [first, second] = ['one', 'two'].map((name) => join(directory, `${frontend}-${name}.log`)) as [
      string,
      string,
    ];
    const configOf = (accessLog: object): object => configFor([portOf(endpoint)], { frontend, accessLog });
    const proxy = await started(startProxy(configOf({ file: first })));
    const { answered, stop } = traffic(proxy.port);
    const someMore = async (): Promise<void> => {
      const enough = answered.length + 40;
      await until('some requests', () => answered.length >= enough);
    };
    await someMore();
    for (const next of [
      { file: second },
      { file: second, format: 'json' },
      { file: first, format: 'json', fields: ['status', 'path'] },
    ]) {
      await reload(proxy, configOf(next));
      await someMore();
    }
    await stop();
    expect(await proxy.stop()).toBe(0);
    const [before, after] = [linesOf(first), linesOf(second)];
    for (const lines of [before, after]) {
      // Those of the four clients that were under way with the reload may be the other format's.
      expect(lines.filter((line) => line.startsWith('{')).length).toBeGreaterThan(30);
      expect(lines.filter((line) => line.startsWith('127.0.0.1 - - [')).length).toBeGreaterThan(30);
    }
    expect([...before, ...after].map(pathOf).sort()).toEqual([...answered].sort());
  });

  it('is turned off and on again by a reload', async () => {
    const file = join(directory, `${frontend}-off.log`);
    const configOf = (accessLog: object | 'off'): object =>
      configFor([portOf(endpoint)], { frontend, workers: 1, accessLog });
    const proxy = await started(startProxy(configOf({ file })));
    await get(proxy.port, '/logged');
    await reload(proxy, configOf('off'));
    await get(proxy.port, '/unseen');
    await reload(proxy, configOf({ file }));
    await get(proxy.port, '/again');
    expect(await proxy.stop()).toBe(0);
    expect(linesOf(file).map(pathOf)).toEqual(['/logged', '/again']);
  });

  it('names the client that a trusted proxy tells of, and believes nobody else', async () => {
    const file = join(directory, `${frontend}-client.json`);
    const accessLog = { file, format: 'json', fields: ['path', 'client'] };
    const listener = { trustedProxies: ['127.0.0.1', '198.51.100.0/24'] };
    const config = configFor([portOf(endpoint)], { frontend, workers: 1, listener, accessLog }) as {
      listeners: object[];
    };
    config.listeners.push({ ...config.listeners[0], name: 'wary', trustedProxies: [] });
    const proxy = await started(startProxy(config));
    const wary = await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === 'wary');
    const told = { 'x-forwarded-for': '192.0.2.66, 203.0.113.9, 198.51.100.4' };
    await get(proxy.port, '/plain');
    await get(proxy.port, '/told', told);
    await get(proxy.port, '/rubbish', { 'x-forwarded-for': 'nobody "at" all' });
    await get(Number(wary['port']), '/wary', told);
    await proxy.stop();
    expect(linesOf(file).map((line) => JSON.parse(line) as object)).toEqual([
      { path: '/plain', client: '127.0.0.1' },
      { path: '/told', client: '203.0.113.9' },
      { path: '/rubbish', client: '127.0.0.1' },
      { path: '/wary', client: '127.0.0.1' },
    ]);
  });
});

describe('access log', () => {
  it('stays as it is where a reload names a file that cannot be opened', async () => {
    const file = join(directory, 'stays.log');
    const configOf = (path: string): object => configFor([portOf(endpoint)], { workers: 1, accessLog: { file: path } });
    const proxy = await started(startProxy(configOf(file)));
    const missing = join(directory, 'no', 'such.log');
    proxy.reload(configOf(missing));
    const refused = await proxy.lineWhere(({ event }) => event === 'reload-failed');
    expect(refused['problems']).toEqual([
      `the directory of the access log ${missing} does not exist (accessLog.file): make it, or choose another path`,
    ]);
    await get(proxy.port, '/still');
    expect(await proxy.stop()).toBe(0);
    expect(linesOf(file).map(pathOf)).toEqual(['/still']);
  });

  it('waits for the reader of a FIFO, tells that once, and holds no request up', async () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const proxy = await started(startProxy(configFor([portOf(endpoint)], { workers: 1, accessLog: { file: fifo } })));
    const paths = Array.from({ length: 50 }, (_, number) => `/${number}`);
    for (const path of paths) await get(proxy.port, path);
    const failed = await proxy.lineWhere(({ event }) => event === 'access-log-failed');
    expect(failed).toMatchObject({ file: fifo, reason: 'ENXIO' });
    let text = '';
    const reader = createReadStream(fifo, 'utf8').on('data', (part) => {
      text += part;
    });
    await until('the lines', () => text.split('\n').length > paths.length);
    expect(text.split('\n').slice(0, -1).map(pathOf)).toEqual(paths);
    expect(proxy.log.filter(({ event }) => event === 'access-log-failed')).toHaveLength(1);
    expect(await proxy.stop()).toBe(0);
    reader.destroy();
  });
});

describe('tracing', () => {
  it('is turned on, moved to another collector and turned off by a reload, and no span is lost', async () => {
    const configOf = (tracing: object | 'off'): object => configFor([portOf(endpoint)], { workers: 1, tracing });
    const at = (path: string): object => ({ endpoint: `http://127.0.0.1:${portOf(collector)}${path}` });
    const proxy = await started(startProxy(configOf('off')));
    await get(proxy.port, '/before');
    await reload(proxy, configOf(at('/one')));
    await get(proxy.port, '/a');
    await reload(proxy, configOf(at('/two')));
    await get(proxy.port, '/b');
    await reload(proxy, configOf('off'));
    await get(proxy.port, '/after');
    expect(await proxy.stop()).toBe(0);
    expect(collected).toEqual(['/one /a', '/two /b']);
    expect(proxy.log.filter(({ event }) => event === 'tracing-failed')).toEqual([]);
  });
});
