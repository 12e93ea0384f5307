/** What endpoints say of themselves in response heads: Retry-After and reports of load, on the wire. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const REPORT = 'Endpoint-Load-Metrics: TEXT cpu_utilization=0.5, rps_fractional=10';
const BUSY = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 60\r\n\r\n';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoints: RequestEndpoint[];
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoints = [await startRequestEndpoint(), await startRequestEndpoint()];
    const settings = { balance: 'round-robin', weights: 'reported' };
    const addresses = endpoints.map(({ port }) => ({ address: `127.0.0.1:${port}` }));
    proxy = await startProxy(configFor([], { frontend, upstream: { ...settings, endpoints: addresses } }));
  });

  afterEach(() => {
    for (const endpoint of endpoints) endpoint.answerWith(ok());
  });

  afterAll(async () => {
    await proxy?.stop();
    for (const endpoint of endpoints ?? []) await endpoint.close();
  });

  it('a report of load stays with the proxy', async () => {
    for (const endpoint of endpoints) endpoint.answerWith(ok('ok', ['X-Other: 1', REPORT]));
    const response = await requestOnce(proxy.port, get());
    expect([valuesOf(response, 'x-other'), valuesOf(response, 'endpoint-load-metrics')]).toEqual([['1'], []]);
  });

  it('Retry-After reaches the client, and keeps the requests of all workers away from the endpoint', async () => {
    const [first, second] = endpoints as [RequestEndpoint, RequestEndpoint];
    first.answerWith(BUSY);
    let refused = await requestOnce(proxy.port, get());
    while (statusOf(refused) !== 503) refused = await requestOnce(proxy.port, get());
    expect(valuesOf(refused, 'retry-after')).toEqual(['60']);
    // The client has its answer before the other worker can know of it: one more may get there in between.
    await until('twelve in a row are kept away', async () => {
      const statuses: number[] = [];
      for (let turn = 0; turn < 12; turn++) statuses.push(statusOf(await requestOnce(proxy.port, get())));
      return statuses.every((status) => status === 200);
    });
    expect(first.requests.length).toBeLessThanOrEqual(2);
    expect(second.requests.length).toBeGreaterThanOrEqual(12);
  });
});
