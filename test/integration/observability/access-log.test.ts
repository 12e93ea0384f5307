/** The access log as users have it: lines of both front ends and of sessions, rotation, and outputs that do not keep up. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';

let endpoint: Server;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-access-'));
  endpoint = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  endpoint.close();
  endpoint.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

const endpointPort = (): number => (endpoint.address() as AddressInfo).port;
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

async function get(port: number, path: string, headers: Record<string, string> = {}): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text();
}

/** Requests over kept connections, as fast as they are answered. @returns how many were */
async function load(port: number, requests: number, between: (done: number) => Promise<void>): Promise<number> {
  for (let done = 0; done < requests; done += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, at) => get(port, `/${done + at}`)));
    await between(done + 20);
  }
  return requests;
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 8_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what} has not happened in time`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.each(FRONT_ENDS)('access log of the %s front end', (frontend) => {
  it('has a line of JSON for each request, with what the client said escaped', async () => {
    const file = join(directory, `${frontend}.json`);
    const proxy = await startProxy(
      configFor([endpointPort()], { frontend, workers: 1, accessLog: { file, format: 'json' } }),
    );
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await get(proxy.port, '/a/b?c=%22d', { 'user-agent': 'x "y" \\', referer: 'http://from/', traceparent });
    expect(await proxy.stop()).toBe(0);
    const [line, ...others] = linesOf(file).map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      listener: 'web',
      client: '127.0.0.1',
      method: 'GET',
      path: '/a/b',
      query: 'c=%22d',
      protocol: 'HTTP/1.1',
      host: `127.0.0.1:${proxy.port}`,
      status: 200,
      route: '*/',
      upstream: 'app',
      endpoint: `127.0.0.1:${endpointPort()}`,
      attempts: 1,
      reused: false,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      referer: 'http://from/',
      userAgent: 'x "y" \\',
    });
    expect(line).toHaveProperty('requestId', expect.stringMatching(/^[0-9a-f]{32}$/));
    expect(line).toHaveProperty('durationMs', expect.any(Number));
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('has combined lines, and leaves out those of a listener that has none', async () => {
    const file = join(directory, `${frontend}.combined`);
    const config = configFor([endpointPort()], { frontend, workers: 1, accessLog: { file } }) as {
      listeners: { name: string }[];
    };
    config.listeners.push({ ...config.listeners[0]!, name: 'quiet', accessLog: false } as never);
    const proxy = await startProxy(config);
    const quiet = await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === 'quiet');
    await get(Number(quiet['port']), '/unseen');
    await get(proxy.port, '/seen', { 'user-agent': 'a\\b"c' });
    await proxy.stop();
    const [line, ...others] = linesOf(file);
    expect(others).toEqual([]);
    expect(line).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/seen HTTP\/1\.1" 200 \d+ "-" "a\\x5Cb\\x22c" [0-9a-f]{32} \d+\.\d{3}$/,
    );
  });

  it('writes failures whatever its share is', async () => {
    const file = join(directory, `${frontend}.share`);
    const config = configFor([1], { frontend, workers: 1, accessLog: { file, format: 'json', share: '0%' } });
    const proxy = await startProxy(config);
    await get(proxy.port, '/fails');
    await proxy.stop();
    expect(linesOf(file).map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ status: 502, code: 'SLUICE_CONNECT_REFUSED', path: '/fails' }),
    ]);
  });
});

describe('access log', () => {
  it('loses no line while logrotate moves its file', async () => {
    const file = join(directory, 'rotated.log');
    const proxy = await startProxy(
      configFor([endpointPort()], { accessLog: { file, format: 'json', fields: ['path'] } }),
    );
    let rotations = 0;
    const sent = await load(proxy.port, 1_000, async (done) => {
      if (done % 200 !== 0) return;
      rotations++;
      execFileSync('mv', [file, `${file}.${rotations}`]);
      proxy.child.kill('SIGUSR1');
      await until(() => proxy.log.filter(({ event }) => event === 'file-reopened').length === rotations, 'reopening');
    });
    await proxy.stop();
    const files = [file, ...Array.from({ length: rotations }, (_, at) => `${file}.${at + 1}`)];
    const paths = files.flatMap((one) => linesOf(one).map((line) => (JSON.parse(line) as { path: string }).path));
    expect(new Set(paths).size).toBe(sent);
    expect(paths).toHaveLength(sent);
  });

  it('goes on serving while its disk is full, tells that once, and counts what it drops', async () => {
    const accessLog = { file: '/dev/full', buffer: '64KiB' };
    const proxy = await startProxy(configFor([endpointPort()], { workers: 1, accessLog }));
    const agent = 'x'.repeat(2_000);
    for (let round = 0; round < 12; round++)
      await Promise.all(Array.from({ length: 10 }, () => get(proxy.port, '/', { 'user-agent': agent })));
    await proxy.lineWhere(({ event }) => event === 'access-log-dropped');
    expect(proxy.log.filter(({ event }) => event === 'access-log-failed')).toEqual([
      expect.objectContaining({ reason: 'ENOSPC', file: '/dev/full' }),
    ]);
    proxy.child.kill('SIGKILL');
    await proxy.stop();
  });

  it('writes whole lines of several workers to a slow reader of standard output, and traffic goes on', async () => {
    const accessLog = { file: '-', format: 'json', buffer: '64KiB' };
    const proxy = await startProxy(configFor([endpointPort()], { accessLog }));
    proxy.child.stdout?.pause();
    const agent = 'x'.repeat(350);
    for (let round = 0; round < 40; round++)
      await Promise.all(Array.from({ length: 20 }, () => get(proxy.port, '/', { 'user-agent': agent })));
    await proxy.lineWhere(({ event }) => event === 'access-log-dropped');
    let text = '';
    proxy.child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    proxy.child.stdout?.resume();
    expect(await proxy.stop()).toBe(0);
    const lines = text.split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ status: 200, userAgent: agent });
  });

  it('refuses to start with a file that it may not write', async () => {
    const accessLog = { file: join(directory, 'no', 'such', 'directory', 'a.log') };
    await expect(startProxy(configFor([endpointPort()], { accessLog }))).rejects.toThrow(
      /ended with 1:[\s\S]*does not exist/,
    );
  });
});
