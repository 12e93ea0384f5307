/** What is loaded of OpenTelemetry: nothing where tracing is off, and nothing in workers, by what V8 says it has compiled. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor, startProxy } from '../../harness/proxy-process.js';

const PROGRAMS = ['dist', 'bundle'].map((folder) => ({
  folder,
  main: fileURLToPath(new URL(`../../../${folder}/cli/main.js`, import.meta.url)),
}));

let server: Server;
beforeAll(async () => {
  // Endpoint and collector in one.
  server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** Serves a request and ends. @returns the URLs of all scripts that were loaded, thread by thread */
async function scriptsOf(main: string, more: object): Promise<readonly (readonly string[])[]> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-coverage-'));
  try {
    const { port } = server.address() as AddressInfo;
    const wrap = ['env', `NODE_V8_COVERAGE=${directory}`];
    const proxy = await startProxy(configFor([port], { workers: 1, ...more }), {
      wrap,
      main: [process.execPath, main],
    });
    await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text();
    expect(await proxy.stop()).toBe(0);
    return readdirSync(directory).map((file) => {
      const { result } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { result: { url: string }[] };
      return result.map(({ url }) => url);
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const threadOf = (threads: readonly (readonly string[])[], entry: string): readonly string[] =>
  threads.find((scripts) => scripts.some((url) => url.endsWith(entry))) ?? [];
const openTelemetryIn = (scripts: readonly string[]): readonly string[] =>
  scripts.filter((url) => url.includes('@opentelemetry'));

describe.each(PROGRAMS)('OpenTelemetry in $folder', ({ folder, main }) => {
  const isBuilt = existsSync(main);
  if (!isBuilt) console.info(`skipped: ${folder}/cli/main.js is not built (npm run build)`);

  it.skipIf(!isBuilt)('is not loaded while tracing is off', async () => {
    const threads = await scriptsOf(main, {});
    expect(threadOf(threads, '/cli/main.js')).not.toEqual([]);
    expect(threadOf(threads, '/worker/entry.js')).not.toEqual([]);
    expect(openTelemetryIn(threads.flat())).toEqual([]);
  });

  it.skipIf(!isBuilt)('is loaded for the first span, in the primary alone', async () => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
    const threads = await scriptsOf(main, { tracing: { endpoint } });
    expect(openTelemetryIn(threadOf(threads, '/cli/main.js'))).toContainEqual(
      expect.stringContaining('@opentelemetry/exporter-trace-otlp-http'),
    );
    expect(threadOf(threads, '/worker/entry.js')).not.toEqual([]);
    expect(openTelemetryIn(threadOf(threads, '/worker/entry.js'))).toEqual([]);
  });
});
