/** The laboratory as a process: a whole run against sluice alone, wrong answers, and stalls at a fixed rate. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bodyOf } from '../../../bench/load/endpoint/bodies.mjs';
import { autocannon } from '../../../bench/load/generators/autocannon.mjs';
import { openLoop } from '../../../bench/load/generators/open-loop.mjs';
import { allowedProcessors } from '../../../bench/load/measure/machine-figures.mjs';
import { family } from '../../../bench/load/measure/process-figures.mjs';
import { isInstalled, Programs } from '../../../bench/load/processes.mjs';
import { scenario } from '../../../bench/load/scenarios/scenario.mjs';
import { verifyAnswers, WrongAnswerError } from '../../../bench/load/verify.mjs';

vi.setConfig({ testTimeout: 60_000 });

const MAIN = fileURLToPath(new URL('../../../bench/load/main.mjs', import.meta.url));
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Runs the laboratory to its end. */
async function bench(...words: string[]): Promise<{ code: number; said: string; out: string }> {
  const out = mkdtempSync(join(tmpdir(), 'sluice-bench-test-'));
  ends.push(() => rmSync(out, { recursive: true, force: true }));
  const child = spawn(process.execPath, [MAIN, ...words, '--out', out], { stdio: ['ignore', 'pipe', 'pipe'] });
  ends.push(() => child.kill('SIGTERM'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  return { code, said, out };
}

/** @returns its port */
async function serverWith(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function programs(): Programs {
  const made = new Programs();
  ends.push(() => made.close());
  return made;
}

const TINY = ['--scenario', 'l7-slow-endpoint-c64', '--peers', 'direct', '--rounds', '1', '--duration', '1'];

describe.skipIf(!isInstalled('taskset'))('the laboratory', () => {
  it('runs a scenario to its reports', async () => {
    const { code, said, out } = await bench(...TINY, '--load', 'autocannon', '--connections', '4');
    expect(said).toMatch(/^sluice +[\d,]+ +\d+\.\d\d /m);
    expect(code).toBe(0);
    const files = readdirSync(out);
    const report = JSON.parse(readFileSync(join(out, files.find((name) => name.endsWith('.json')) as string), 'utf8'));
    const [{ result, summaries }] = report.scenarios;
    expect(report).toMatchObject({ machine: { node: process.version }, settings: { rounds: 1, durationS: 1 } });
    expect(result).toMatchObject({ generator: 'autocannon', endpoint: 'uWebSockets.js' });
    expect(summaries.map(({ name }: { name: string }) => name)).toEqual(['sluice', 'direct']);
    expect(result.candidates[0].rounds[0]).toMatchObject({ errors: 0, wrong: null });
    expect(result.candidates[0].rounds[0].cpuUsPerRequest).toBeGreaterThan(1);
    expect(result.candidates[0].checkedAnswers).toBeGreaterThan(0);
    expect(files.some((name) => name.endsWith('.html'))).toBe(true);
  });

  it('fails where a candidate gives wrong answers, and shows no figures', async () => {
    const port = await serverWith((_request, response) => response.end('wrong'));
    const { code, said, out } = await bench(...TINY, '--connections', '4', '--sluice', `--upstream 127.0.0.1:${port}`);
    expect(said).toContain('bench: sluice: the body of / has 5 bytes, not 43');
    expect(code).toBe(1);
    expect(readdirSync(out)).toEqual([]);
  });

  it('says why a candidate does not start', async () => {
    const { code, said } = await bench(...TINY, '--sluice', '--nonsense');
    expect(said).toMatch(/^bench: sluice ended before it answered: sluice: --nonsense is not a known flag/m);
    expect(code).toBe(2);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-test-'));
    ends.push(() => rmSync(directory, { recursive: true, force: true }));
    const words = [MAIN, ...TINY, '--duration', '60'];
    const child = spawn(process.execPath, words, { stdio: 'ignore', env: { ...process.env, TMPDIR: directory } });
    const scratch = () => readdirSync(directory).filter((name) => name.startsWith('sluice-bench-'));
    // Itself, three endpoints and sluice.
    const own = () => family(child.pid as number);
    await vi.waitUntil(() => own().length >= 5, { timeout: 20_000 });
    const started = own();
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(scratch()).toEqual([]);
    await vi.waitUntil(() => !started.some((pid) => existsSync(`/proc/${pid}`)), { timeout: 5_000 });
  });

  it.each([
    [['--scenario', 'nobody'], 'no scenario nobody: there are'],
    [['--peers', 'nobody'], 'no peer nobody: there are'],
    [['--load', 'nobody'], 'no load generator nobody: there are'],
    [['--set', 'nobody'], 'no scenario is in the set nobody'],
  ])('refuses %j', async (words, sentence) => {
    const { code, said } = await bench(...words);
    expect(said).toContain(`bench: ${sentence}`);
    expect(code).toBe(1);
  });
});

describe('the checked round', () => {
  const minimal = scenario({ name: 'l7-made', summary: 'made', connections: 4, request: { paths: ['/', '/1k'] } });
  const right: RequestListener = (request, response) => response.end(bodyOf(request.url as string));

  it('finds nothing where all is right, and counts the bytes of an answer', async () => {
    const port = await serverWith(right);
    const { answers, wireBytes } = await verifyAnswers('made', port, minimal, 0.1);
    expect(answers).toBeGreaterThanOrEqual(2);
    expect(wireBytes).toBeGreaterThan((43 + 1024) / 2);
  });

  it.each<[string, RequestListener, string]>([
    ['status', (_request, response) => response.writeHead(201).end(), 'made: / is answered with 201, not 200'],
    ['length', (_request, response) => response.end('short'), 'made: the body of / has 5 bytes, not 43'],
    [
      'body',
      (request, response) => {
        const body = Buffer.from(bodyOf(request.url as string));
        body[7] = 0;
        response.end(body);
      },
      'made: the body of / is not what the endpoint sent',
    ],
    ['missing answer', (_request, response) => response.destroy(), 'made: / is not answered: socket hang up'],
  ])('finds a wrong %s', async (_what, answer, sentence) => {
    const checking = verifyAnswers(
      'made',
      await serverWith(answer),
      { ...minimal, request: { ...minimal.request, paths: ['/'] } },
      0.1,
    );
    await expect(checking).rejects.toThrow(new WrongAnswerError(sentence));
  });
});

describe.skipIf(!isInstalled('taskset'))('a load', () => {
  const processors = allowedProcessors();
  const load = (generator: typeof openLoop, port: number, facts: object) => {
    const made = scenario({ name: 'l7-made', summary: 'made', ...facts });
    return generator.load({ programs: programs(), processors, port, scenario: made, durationS: 1 });
  };

  it('at a fixed rate counts a stall for every request that it held back', async () => {
    let hasStalled = false;
    const port = await serverWith((_request, response) => {
      const delayMs = hasStalled ? 0 : 600;
      hasStalled = true;
      setTimeout(() => response.end(bodyOf('/')), delayMs);
    });
    const result = await load(openLoop, port, { connections: 1, ratePerSecond: 200 });
    const at = (percentile: number) => result.latencyUs.find(([point]: readonly number[]) => point === percentile)?.[1];
    expect(result).toMatchObject({ requests: 200, errors: { status: 0, socket: 0, timeout: 0, body: 0 } });
    // 120 of 200 requests were due in the stall: the one in its middle waited for half of it at least.
    expect(at(99)).toBeGreaterThan(500_000);
    expect(at(75)).toBeGreaterThan(200_000);
    expect(result.eachSecond).toHaveLength(1);
    expect(result.eachSecond?.[0]).toBeGreaterThan(0);
  });

  it('at a fixed rate counts what is never answered', async () => {
    const port = await serverWith(() => undefined);
    const result = await load(openLoop, port, { connections: 2, ratePerSecond: 10 });
    expect(result).toMatchObject({ requests: 0, errors: { timeout: 10 } });
    expect(result.latencyUs.at(-1)?.[1]).toBeGreaterThan(9_000_000);
  });

  it('at a fixed rate finds wrong answers', async () => {
    const port = await serverWith((request, response) => response.writeHead(request.url === '/' ? 500 : 200).end());
    const result = await load(openLoop, port, { connections: 1, ratePerSecond: 20, request: { paths: ['/', '/1k'] } });
    expect(result.errors.status).toBeGreaterThan(0);
    expect(result.errors.body).toBeGreaterThan(0);
  });

  it('by autocannon counts bytes and latencies below a millisecond', async () => {
    const port = await serverWith((_request, response) => response.end(bodyOf('/')));
    const result = await load(autocannon, port, { connections: 1 });
    expect(result.bytes).toBeGreaterThan(result.requests * 43);
    expect(result.latencyUs[0]?.[1]).toBeGreaterThan(0);
    expect(result.latencyUs[0]?.[1]).not.toBe(1_000);
    expect(result.eachSecond?.[0]).toBeGreaterThan(result.requests / 2);
  });
});
