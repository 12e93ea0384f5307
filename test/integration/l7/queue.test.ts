/** Requests wait in one line over all workers for a place at an endpoint. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusFacts } from '../../harness/proxy-counts.js';
import { startProxy } from '../../harness/proxy-process.js';
import { ok, type SeenRequest, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

async function proxyFor(frontend: string, port: number, upstream: object = {}) {
  return started(
    startProxy({
      workers: 2,
      listeners: [{ name: 'web', bind: '127.0.0.1:0', mode: 'l7', frontend, routes: [{ upstream: 'app' }] }],
      upstreams: { app: { endpoints: [{ address: `127.0.0.1:${port}`, maxConns: 2 }], ...upstream } },
    }),
  );
}

describe.each(FRONT_ENDS)('requests above the cap of their endpoint (%s)', (frontend) => {
  it('wait, and are all served, never more than the cap at a time', async () => {
    let inFlight = 0;
    let most = 0;
    const endpoint = await started(
      startRequestEndpoint((request: SeenRequest) => {
        most = Math.max(most, ++inFlight);
        setTimeout(() => {
          inFlight -= 1;
          request.socket.write(ok());
        }, 10);
        return undefined;
      }),
    );
    const proxy = await proxyFor(frontend, endpoint.port);
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch(`http://127.0.0.1:${proxy.port}/`)).status),
    );
    expect([new Set(statuses), most]).toEqual([new Set([200]), 2]);
  });

  // 20 bytes come with the head; more than is held comes while the request waits, and its client is read no further until it has its place.
  it.each([20, 300_000])('keep a body of %i bytes that comes while they wait', async (bytes) => {
    const bodies: number[] = [];
    const held: (() => void)[] = [];
    const endpoint = await started(
      startRequestEndpoint(({ method, body, socket }: SeenRequest) => {
        if (method === 'GET') held.push(() => void socket.write(ok()));
        else bodies.push(body.length);
        return method === 'GET' ? undefined : ok();
      }),
    );
    const proxy = await proxyFor(frontend, endpoint.port);
    const url = `http://127.0.0.1:${proxy.port}/`;
    const asked = [fetch(url), fetch(url)];
    await until('both places are taken', () => held.length === 2);
    const waiting = Array.from({ length: 4 }, () => fetch(url, { method: 'POST', body: 'b'.repeat(bytes) }));
    await until('all are there', async () => (await statusFacts(proxy)).totals.openExchanges === 6);
    for (const answer of held) answer();
    const statuses = await Promise.all([...asked, ...waiting].map(async (answer) => (await answer).status));
    expect([new Set(statuses), bodies]).toEqual([new Set([200]), Array(4).fill(bytes)]);
  });

  it('are answered with 503 when their time is over', async () => {
    const endpoint = await started(startRequestEndpoint(() => undefined));
    const proxy = await proxyFor(frontend, endpoint.port, { timeouts: { queue: '200ms', firstByte: '3s' } });
    const ask = () => fetch(`http://127.0.0.1:${proxy.port}/`);
    const held = [ask(), ask()];
    await until('both places are taken', () => endpoint.requests.length === 2);
    const late = await ask();
    expect([late.status, (await late.text()).includes('SLUICE_QUEUE_TIMEOUT')]).toEqual([503, true]);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    await Promise.all(held);
  });
});
