/** Traces as endpoints and a collector see them, over both front ends. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly events: readonly { readonly name: string }[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

let endpoint: Server;
let collector: Server;
let seen: IncomingHttpHeaders[];
let exports: Export[];
let keys: unknown[];
beforeAll(async () => {
  endpoint = createServer((request, response) => {
    seen.push(request.headers);
    response.statusCode = request.url === '/fails' ? 500 : 200;
    response.end('hello');
  });
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      exports.push(JSON.parse(Buffer.concat(chunks).toString()) as Export);
      keys.push(request.headers['x-key']);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  for (const server of [endpoint, collector])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  seen = [];
  exports = [];
  keys = [];
});
afterAll(() => {
  for (const server of [endpoint, collector]) {
    server.close();
    server.closeAllConnections();
  }
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const spansOf = (): readonly Span[] =>
  exports.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );
const attributesOf = ({ attributes }: Pick<Span, 'attributes'>): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Sends requests one after the other, ends the proxy, and with it everything has been exported. */
async function traced(
  more: object,
  requests: readonly { path?: string; headers?: Record<string, string> }[],
): Promise<void> {
  const tracing = {
    endpoint: `http://127.0.0.1:${portOf(collector)}/v1/traces`,
    headers: { 'x-key': 'secret' },
    service: 'edge',
  };
  const proxy = await startProxy(configFor([portOf(endpoint)], { workers: 1, tracing, ...more }));
  for (const { path = '/', headers = {} } of requests)
    await (await fetch(`http://127.0.0.1:${proxy.port}${path}`, { headers })).text();
  expect(await proxy.stop()).toBe(0);
}

describe.each(FRONT_ENDS)('traces of the %s front end', (frontend) => {
  it('go on where a client has begun them, and begin where none has', async () => {
    await traced({ frontend }, [
      { path: '/a?secret=1', headers: { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'a=1, b=2' } },
      { path: '/fails', headers: { traceparent: 'rubbish', tracestate: 'a=1' } },
      { headers: { traceparent: `00-${TRACE}-${SPAN}-00` } },
    ]);
    const [first, second, ...others] = spansOf();
    expect(others).toEqual([]);
    expect(keys).toContain('secret');
    expect(seen.map(({ traceparent }) => traceparent)).toEqual([
      `00-${TRACE}-${first!.spanId}-01`,
      `00-${second!.traceId}-${second!.spanId}-01`,
      expect.stringMatching(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-00$`)),
    ]);
    expect(seen.map(({ tracestate }) => tracestate)).toEqual(['a=1,b=2', undefined, undefined]);
    expect(first).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, name: 'GET */', kind: 2, status: { code: 0 } });
    expect(second).not.toHaveProperty('parentSpanId');
    expect(second).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), status: { code: 2 } });
    expect(Number(first!.endTimeUnixNano)).toBeGreaterThan(Number(first!.startTimeUnixNano));
    expect(Math.abs(Number(first!.endTimeUnixNano) / 1e6 - Date.now())).toBeLessThan(60_000);
    expect(attributesOf(first!)).toMatchObject({
      'http.request.method': 'GET',
      'url.path': '/a',
      'server.address': '127.0.0.1',
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'http.response.status_code': 200,
      'http.route': '*/',
      'sluice.upstream': 'app',
      'sluice.endpoint': `127.0.0.1:${portOf(endpoint)}`,
      'sluice.attempts': 1,
    });
    expect(JSON.stringify(exports)).not.toContain('secret=1');
    expect(attributesOf(second!)).toMatchObject({ 'error.type': '500', 'http.response.status_code': 500 });
    expect(attributesOf(exports[0]!.resourceSpans[0]!.resource)).toEqual({ 'service.name': 'edge' });
  });

  it('tell of attempts that failed', async () => {
    const upstream = {
      endpoints: [{ address: '127.0.0.1:1' }, { address: `127.0.0.1:${portOf(endpoint)}` }],
      balance: 'first',
    };
    await traced({ frontend, upstream }, [{}]);
    const [span] = spansOf();
    expect(span?.events.map(({ name }) => name)).toEqual(['sluice.attempt_failed']);
    expect(attributesOf(span!)).toMatchObject({ 'sluice.attempts': 2, 'http.response.status_code': 200 });
    expect(seen[0]?.['traceparent']).toBe(`00-${span!.traceId}-${span!.spanId}-01`);
  });
});

describe('tracing', () => {
  it('tells what is lost when nobody collects, and goes on', async () => {
    const tracing = { endpoint: 'http://127.0.0.1:1/v1/traces' };
    const proxy = await startProxy(configFor([portOf(endpoint)], { workers: 1, tracing }));
    await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text();
    await proxy.stop();
    expect(proxy.log.filter(({ event }) => event === 'tracing-failed')).toEqual([expect.objectContaining({ lost: 1 })]);
  });
});
