/** `sluice bench` as a process, against a small endpoint of this test. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { SluiceProcess, startEndpoint, until } from '../control/sluice-process.js';

const keep = endAfterEach();

async function endpointWith(status: number): Promise<{ url: string; answered: () => number }> {
  let answered = 0;
  const endpoint = await keep(
    startEndpoint((_request, response) => {
      answered++;
      response.writeHead(status).end('well');
    }),
  );
  return { url: `http://${endpoint.address}/`, answered: () => answered };
}

const bench = (...words: string[]): Promise<SluiceProcess> => keep(SluiceProcess.command('bench', ...words));

describe('sluice bench', () => {
  it('reports what came back, without a progress line where nobody watches', async () => {
    const { url } = await endpointWith(200);
    const process = await bench('--url', url, '--duration', '1', '--connections', '2');
    expect(await process.exit()).toBe(0);
    expect(process.stderr).toBe('');
    expect(process.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/: 2 connections, \d+\.\d s\n\nanswers {3}[1-9]/);
    expect(process.stdout).toMatch(/^latency +p50 +p90 +p99 +p99\.9 +max$/m);
    expect(process.stdout).toMatch(/^≤ .* █+/m);
  });

  it('exits with 1 where answers are errors', async () => {
    const { url } = await endpointWith(503);
    const process = await bench('--url', url, '--duration', '1');
    expect(await process.exit()).toBe(1);
    expect(process.stdout).toMatch(/^errors {4}[\d,]+ answers with a status of 400 and above$/m);
  });

  it('ends on Ctrl-C with what was measured', async () => {
    const { url, answered } = await endpointWith(200);
    const process = await bench('--url', url, '--duration', '600');
    await until('answers', () => (answered() > 100 ? true : undefined));
    process.signal('SIGINT');
    expect(await process.exit()).toBe(0);
    expect(process.stdout).toMatch(/^answers {3}[1-9]/m);
  });

  it('says in one sentence that nobody listens', async () => {
    const process = await bench('--url', 'http://127.0.0.1:1/');
    expect(await process.exit()).toBe(1);
    expect(process.stderr).toMatch(/^sluice: nobody listens on 127\.0\.0\.1:1: .*\n$/);
    expect(process.stdout).toBe('');
  });
});
