/** Requests wait in one line over all workers for a place at an endpoint. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { startProxy } from '../../harness/proxy-process.js';
import { ok, type SeenRequest, startRequestEndpoint } from '../../harness/request-endpoint.js';

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

  it('are answered with 503 when their time is over', async () => {
    const endpoint = await started(startRequestEndpoint(() => undefined));
    const proxy = await proxyFor(frontend, endpoint.port, { timeouts: { queue: '200ms', firstByte: '3s' } });
    const ask = () => fetch(`http://127.0.0.1:${proxy.port}/`);
    const held = [ask(), ask()];
    const late = await ask();
    expect([late.status, (await late.text()).includes('SLUICE_QUEUE_TIMEOUT')]).toEqual([503, true]);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    await Promise.all(held);
  });
});
