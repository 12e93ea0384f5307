/** What a running proxy has recorded equals what was sent: answers, errors by code, retries, connections and bytes. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import type { WireMessage } from '../../harness/http-message.js';
import { type Samples, scrape, sumOf } from '../../harness/metric-samples.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Answer, ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointOf(answer: Answer | string): Promise<RequestEndpoint> {
  const endpoint = await startRequestEndpoint(answer);
  open.push(() => endpoint.close());
  return endpoint;
}

const breaksOff: Answer = ({ socket }) => void socket.destroy();
const REQUESTS = 12;

/** Of a message whose length is announced, as it was on the wire. */
function bytesOf({ startLine, lines, body }: WireMessage): number {
  return [startLine, ...lines, ''].reduce((bytes, line) => bytes + line.length + 2, body.length);
}

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function proxyFor(endpoints: readonly RequestEndpoint[]): Promise<ProxyProcess> {
    const upstream = { balance: 'first', healthCheck: 'off', outlier: 'off', retry: { backoff: { base: 'off' } } };
    const ports = endpoints.map(({ port }) => port);
    const proxy = await startProxy(configFor(ports, { frontend, workers: 1, upstream }));
    open.push(() => proxy.stop());
    return proxy;
  }

  async function samplesOf(proxy: ProxyProcess): Promise<Samples> {
    await untilIdle(proxy);
    return scrape(proxy);
  }

  it('counts answers by class, connections, and bytes to the byte', async () => {
    const endpoint = await endpointOf(({ target, body }) =>
      target.startsWith('/gone')
        ? 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone'
        : ok(`${'x'.repeat(1_000)}${body.length}`),
    );
    const proxy = await proxyFor([endpoint]);
    let received = 0;
    let sent = 0;
    for (let number = 0; number < REQUESTS; number++) {
      const isGone = number % 3 === 0;
      const request = isGone ? get('/gone') : withBody('POST', '/', 'a body');
      const answer = await requestOnce(proxy.port, request);
      // Over uWebSockets.js heads are not counted.
      sent += frontend === 'native' ? request.length : isGone ? 0 : 6;
      received += frontend === 'native' ? bytesOf(answer) : answer.body.length;
    }
    const samples = await samplesOf(proxy);
    expect(sumOf(samples, 'sluice_requests_total', { class: '2xx' })).toBe(8);
    expect(sumOf(samples, 'sluice_requests_total', { class: '4xx' })).toBe(4);
    expect(sumOf(samples, 'sluice_route_requests_total', { class: '2xx' })).toBe(8);
    expect(sumOf(samples, 'sluice_endpoint_responses_total', { class: '4xx' })).toBe(4);
    expect(sumOf(samples, 'sluice_route_request_duration_seconds_count')).toBe(REQUESTS);
    expect(sumOf(samples, 'sluice_endpoint_first_byte_seconds_count')).toBe(REQUESTS);
    const connects = sumOf(samples, 'sluice_endpoint_connects_total');
    expect(connects).toBe(new Set(endpoint.requests.map(({ connection }) => connection)).size);
    expect(connects + sumOf(samples, 'sluice_endpoint_reuses_total')).toBe(REQUESTS);
    expect(sumOf(samples, 'sluice_endpoint_connect_seconds_count')).toBe(connects);
    expect(sumOf(samples, 'sluice_endpoint_from_clients_bytes_total')).toBe(sent);
    expect(sumOf(samples, 'sluice_endpoint_to_clients_bytes_total')).toBe(received);
  });

  it('counts what failed where, and what was tried again', async () => {
    const bad = await endpointOf(breaksOff);
    const good = await endpointOf(ok());
    const proxy = await proxyFor([bad, good]);
    for (let number = 0; number < 3; number++) await requestOnce(proxy.port, get());
    await requestOnce(proxy.port, withBody('POST', '/', 'once'));
    const samples = await samplesOf(proxy);
    const atBad = { endpoint: `127.0.0.1:${bad.port}` };
    expect(sumOf(samples, 'sluice_endpoint_failures_total', { ...atBad, code: 'SLUICE_ENDPOINT_RESET' })).toBe(4);
    expect(sumOf(samples, 'sluice_endpoint_responses_total', { endpoint: `127.0.0.1:${good.port}` })).toBe(3);
    expect(sumOf(samples, 'sluice_upstream_retries_total')).toBe(3);
    expect(sumOf(samples, 'sluice_route_errors_total', { code: 'SLUICE_ENDPOINT_RESET' })).toBe(1);
    expect(sumOf(samples, 'sluice_errors_total')).toBe(1);
  });
});
