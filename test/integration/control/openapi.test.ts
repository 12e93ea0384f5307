/** The OpenAPI document of a running sluice, held against what it answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_ROUTES } from '../../../src/control/admin/route-list.js';
import { misfits, type Schema } from '../../harness/json-schema.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { startEndpoint, type TestEndpoint } from './sluice-process.js';

let proxy: ProxyProcess;
let endpoint: TestEndpoint;
let document: Schema & { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

beforeAll(async () => {
  endpoint = await startEndpoint((_request, response) => response.end('ok'));
  const { port } = new URL(`http://${endpoint.address}`);
  proxy = await startProxy(
    configFor([Number(port), 1], {
      upstream: { healthCheck: { path: '/' }, outlier: {}, breaker: {}, queue: { length: 10 } },
    }),
  );
  await proxy.lineWhere(({ event }) => event === 'ready');
  for (let times = 0; times < 5; times++) await (await fetch(`http://127.0.0.1:${proxy.port}/`)).arrayBuffer();
  document = await proxy.admin('/api/v1/openapi.json');
});
afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
});

/** Asks, and holds the answer against the document. @returns its status and body */
async function checked(method: string, template: string, path = template, body?: unknown): Promise<[number, unknown]> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const request = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`http://127.0.0.1:${proxy.adminPort}${path}`, request);
  const described = document.paths[template]?.[method.toLowerCase()]?.responses[response.status];
  const text = await response.text();
  expect(described, `${method} ${path} answers ${response.status}: ${text}`).toBeDefined();
  const [kind = ''] = (response.headers.get('content-type') ?? '').split(';');
  const content = described?.content?.[kind];
  expect(content, `${method} ${path} answers ${kind}`).toBeDefined();
  if (kind !== 'application/json') return [response.status, text];
  const value: unknown = JSON.parse(text);
  expect(misfits(content?.schema ?? {}, value, document), `${method} ${path}`).toEqual([]);
  return [response.status, value];
}

const ENDPOINT = '/api/v1/upstreams/{upstream}/endpoints/{endpoint}';
const oneEndpoint = () => `/api/v1/upstreams/app/endpoints/${endpoint.address}`;

describe('the OpenAPI document', () => {
  it('has every route, each with a name of its own', () => {
    const inDocument = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = [...ADMIN_ROUTES.map(({ method, path }) => `${method} ${path}`), 'GET /api/v1/openapi.json'];
    expect(inDocument.toSorted()).toEqual(routes.toSorted());
    const names = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/v1/status',
    '/api/v1/upstreams',
    '/api/v1/live/now',
    '/api/v1/timeline',
    '/api/v1/config',
    '/api/v1/openapi.json',
  ])('describes what GET %s answers', async (path) => {
    expect(await checked('GET', path)).toMatchObject([200, expect.anything()]);
  });

  it('describes endpoints, changes of them, and refusals', async () => {
    const list = '/api/v1/upstreams/{upstream}/endpoints';
    expect(await checked('GET', list, '/api/v1/upstreams/app/endpoints')).toMatchObject([200, { upstream: 'app' }]);
    expect(await checked('GET', list, '/api/v1/upstreams/none/endpoints')).toMatchObject([404, {}]);
    expect(await checked('GET', ENDPOINT, oneEndpoint())).toMatchObject([200, {}]);
    expect(await checked('GET', ENDPOINT, '/api/v1/upstreams/app/endpoints/none')).toMatchObject([404, {}]);
    expect(await checked('PUT', ENDPOINT, oneEndpoint(), { drainTimeout: '1s' })).toMatchObject([409, {}]);
    expect(await checked('PUT', ENDPOINT, oneEndpoint(), { wight: 1 })).toMatchObject([400, {}]);
    const drained = { state: 'draining', drainTimeout: '10s' };
    expect(await checked('PUT', ENDPOINT, oneEndpoint(), drained)).toMatchObject([
      200,
      { endpoint: { draining: true } },
    ]);
    expect(await checked('PUT', ENDPOINT, oneEndpoint(), { state: 'enabled' })).toMatchObject([200, {}]);
    const withoutType = await fetch(`http://127.0.0.1:${proxy.adminPort}${oneEndpoint()}`, {
      method: 'PUT',
      body: '{}',
    });
    expect(withoutType.status).toBe(415);
    expect(Object.keys(document.paths[ENDPOINT]?.['put']?.responses ?? {})).toContain('415');
  });

  it('describes the timeline', async () => {
    const [, timeline] = await checked('GET', '/api/v1/timeline');
    expect(timeline).toMatchObject({ entries: expect.arrayContaining([expect.objectContaining({ event: 'ready' })]) });
    expect(await checked('GET', '/api/v1/timeline', '/api/v1/timeline?after=1000')).toMatchObject([
      200,
      { entries: [] },
    ]);
    expect(await checked('GET', '/api/v1/timeline', '/api/v1/timeline?after=x')).toMatchObject([400, {}]);
  });

  it('describes the configuration', async () => {
    const [, json] = await checked('GET', '/api/v1/config');
    expect(json).toMatchObject({ listeners: [{ name: 'web' }], upstreams: { app: { balance: 'round-robin' } } });
    const [, yaml] = await checked('GET', '/api/v1/config', '/api/v1/config?format=yaml');
    expect(yaml).toContain('balance: round-robin');
    expect(await checked('GET', '/api/v1/config', '/api/v1/config?format=xml')).toMatchObject([400, {}]);
  });

  it('describes reloads and explanations', async () => {
    expect(await checked('POST', '/api/v1/reload')).toMatchObject([200, { isUnchanged: true }]);
    expect(await checked('POST', '/api/v1/explain', undefined, { target: '/a' })).toMatchObject([
      200,
      { listener: 'web', upstream: 'app' },
    ]);
    expect(await checked('POST', '/api/v1/explain', undefined, { target: '/a', listener: 'none' })).toMatchObject([
      404,
      {},
    ]);
    expect(await checked('POST', '/api/v1/explain', undefined, { target: 'a', wat: 1 })).toMatchObject([400, {}]);
  });

  it('would notice an answer that it does not describe', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] };
    expect(misfits(schema, { a: 1 }, {})).toEqual([]);
    expect(misfits(schema, { a: 'x' }, {})).toHaveLength(1);
    expect(misfits(schema, { a: 1, b: 2 }, {})).toHaveLength(1);
    expect(misfits(schema, {}, {})).toHaveLength(1);
  });
});
