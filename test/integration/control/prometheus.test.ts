/** A real Prometheus scrapes a running sluice, in both formats, and answers with what was sent. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { hasPrometheus, type Prometheus, startPrometheus } from '../../harness/prometheus.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';

if (!hasPrometheus) console.log('prometheus is missing (Debian: apt-get install prometheus): its tests are skipped');

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Asks sluice in the plain format, whatever it is asked for: Prometheus 2.42 cannot be told to. */
async function plainFormatOf(proxy: ProxyProcess): Promise<Server> {
  const server = createServer((_, response) => {
    void fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`, { headers: { accept: 'text/plain' } }).then(
      async (answer) => {
        response.setHeader('content-type', answer.headers.get('content-type') ?? '');
        response.end(await answer.text());
      },
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function stage(frontend: (typeof FRONT_ENDS)[number]): Promise<ProxyProcess> {
  const endpoints: RequestEndpoint[] = [];
  for (let each = 0; each < 2; each++) {
    const endpoint = await startRequestEndpoint(({ target }) =>
      target === '/gone' ? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n' : ok('hello'),
    );
    endpoints.push(endpoint);
    closing.push(() => endpoint.close());
  }
  const proxy = await startProxy(
    configFor(
      endpoints.map(({ port }) => port),
      { frontend },
    ),
  );
  closing.push(() => proxy.stop());
  const url = `http://127.0.0.1:${proxy.port}`;
  for (let each = 0; each < 30; each++) await (await fetch(`${url}/`)).text();
  for (let each = 0; each < 10; each++) await (await fetch(`${url}/gone`)).text();
  return proxy;
}

describe.each(FRONT_ENDS)('GET /metrics with front end %s', (frontend) => {
  it.skipIf(!hasPrometheus)('gives Prometheus what was sent, in both formats', { timeout: 40_000 }, async () => {
    const proxy = await stage(frontend);
    const plain = await plainFormatOf(proxy);
    closing.push(() => plain.close());
    const prometheus: Prometheus = await startPrometheus({
      open: `127.0.0.1:${proxy.adminPort}`,
      plain: `127.0.0.1:${(plain.address() as AddressInfo).port}`,
    });
    closing.push(() => prometheus.stop());
    await prometheus.untilValues('sum by (job, class) (sluice_requests_total) > 0', {
      '{"class":"2xx","job":"open"}': 30,
      '{"class":"4xx","job":"open"}': 10,
      '{"class":"2xx","job":"plain"}': 30,
      '{"class":"4xx","job":"plain"}': 10,
    });
    const both = (figure: number) => ({ '{"job":"open"}': figure, '{"job":"plain"}': figure });
    await prometheus.untilValues('sum by (job) (up)', both(1));
    await prometheus.untilValues('sum by (job) (sluice_endpoint_attempts_total)', both(40));
    await prometheus.untilValues('sum by (job) (sluice_request_duration_seconds_count)', both(40));
    await prometheus.untilValues('sum by (job) (sluice_request_duration_seconds_bucket{le="10.0"})', both(40));
    await prometheus.untilValues('sum by (job) (sluice_route_requests_total{route="*/", upstream="app"})', both(40));
    await prometheus.untilValues('sum by (job) (sluice_endpoint_responses_total{class="4xx"})', both(10));
    await prometheus.untilValues('sum by (job) (sluice_to_clients_bytes_total) >= bool 150', both(1));
    await prometheus.untilValues('sum by (job) (sluice_ready)', both(1));
    await prometheus.untilValues('count by (job) (sluice_endpoint_up == 1)', both(2));
    await prometheus.untilValues('count by (job) (sluice_thread_heap_bytes > 0)', both(3));
  });

  it('answers what promtool finds nothing wrong with (skipped where it is missing)', async ({ skip }) => {
    if (spawnSync('promtool', ['--version']).status !== 0) skip();
    const proxy = await stage(frontend);
    const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const check = spawnSync('promtool', ['check', 'metrics'], { input: await answer.text(), encoding: 'utf8' });
    expect([check.status, check.stdout, check.stderr]).toEqual([0, '', '']);
  });
});
