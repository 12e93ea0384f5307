/** Which route of the admin API a request finds, and what it answers. */
import { describe, expect, it } from 'vitest';
import type { AdminSource } from '../../../../src/control/admin/admin-source.js';
import type { AdminAnswer } from '../../../../src/control/admin/answer.js';
import { allowedMethods, resourceAt, routeFor } from '../../../../src/control/admin/router.js';
import { SourceDouble } from '../../../harness/admin-source.js';

/** The answer, or undefined: no such path, or no such method there. */
async function answerOf(
  source: AdminSource,
  target: string,
  { method = 'GET', body = '', accept = '' } = {},
): Promise<AdminAnswer | undefined> {
  const [path = '', query = ''] = target.split('?');
  const resource = resourceAt(path);
  const route = resource === undefined ? undefined : routeFor(resource, method);
  if (resource === undefined || route === undefined || route.answer === 'live') return undefined;
  return route.answer({ path: resource.path, query: new URLSearchParams(query), accept, body }, source);
}

describe('router', () => {
  it.each([
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/v1/status',
    '/api/v1/upstreams',
    '/api/v1/upstreams/a%20b/endpoints',
    '/api/v1/upstreams/a%20b/endpoints/h:1',
    '/api/v1/upstreams/a%20b/endpoints/unix:%2Fs',
    '/api/v1/live/now',
    '/api/v1/timeline',
    '/api/v1/openapi.json',
  ])('answers GET and HEAD %s', async (path) => {
    expect(await answerOf(new SourceDouble(), path)).toMatchObject({ status: 200 });
    expect(await answerOf(new SourceDouble(), path, { method: 'HEAD' })).toMatchObject({ status: 200 });
  });

  it.each([
    '/nothing',
    '/api/v1/upstreams/%ff/endpoints',
    '/api/v1/upstreams/a%20b/endpoints/',
    '/api/v1/upstreams/a%20b/endpoints/h:1/more',
    '/api/v1/openapiXjson',
    '/healthz/',
    '',
  ])('finds nothing at "%s"', (path) => {
    expect(resourceAt(path)).toBeUndefined();
  });

  it.each([
    ['/api/v1/status', 'GET, HEAD, OPTIONS'],
    ['/api/v1/upstreams/a%20b/endpoints/h:1', 'GET, HEAD, PUT, OPTIONS'],
    ['/api/v1/reload', 'POST, OPTIONS'],
  ])('knows the methods of %s', (path, allow) => {
    const resource = resourceAt(path);
    expect(resource && allowedMethods(resource)).toBe(allow);
    expect(resource && routeFor(resource, 'DELETE')).toBeUndefined();
  });
});

describe('readiness', () => {
  it.each([
    ['starting', 503],
    ['ready', 200],
    ['degraded', 200],
    ['draining', 503],
  ] as const)('of a proxy that is %s is %d, and it is alive', async (readiness, status) => {
    const source = new SourceDouble();
    source.isReadiness = readiness;
    expect(await answerOf(source, '/healthz')).toMatchObject({ status: 200 });
    expect(await answerOf(source, '/readyz')).toMatchObject({ status, body: { status: readiness } });
  });
});

describe('endpoint', () => {
  it.each([
    ['/api/v1/upstreams/none/endpoints', 'there is no upstream "none"'],
    ['/api/v1/upstreams/none/endpoints/h:1', 'there is no upstream "none"'],
    ['/api/v1/upstreams/a%20b/endpoints/h:2', 'upstream "a b" has no endpoint "h:2"'],
  ])('is said not to be at %s', async (path, message) => {
    expect(await answerOf(new SourceDouble(), path)).toMatchObject({ status: 404, body: { message } });
  });
});

describe('change of an endpoint', () => {
  const put = (source: SourceDouble, body: string, path = '/api/v1/upstreams/a%20b/endpoints/h:1') =>
    answerOf(source, path, { method: 'PUT', body });

  it('is carried out, and answered with how the endpoint is then', async () => {
    const source = new SourceDouble();
    expect(await put(source, '{"weight":3}')).toMatchObject({
      status: 200,
      body: { upstream: 'a b', endpoint: { address: 'h:1' } },
    });
    expect(source.changes).toEqual([['a b', 'h:1', { weight: 3 }]]);
  });

  it('is refused with what is wrong with it', async () => {
    const source = new SourceDouble();
    expect(await put(source, '{"weight":-1}')).toMatchObject({
      status: 400,
      body: { error: 'bad-change', message: expect.stringContaining('weight must be') },
    });
    expect(source.changes).toEqual([]);
  });

  it('is refused where there is nothing to change', async () => {
    expect(await put(new SourceDouble(), '{"weight":1}', '/api/v1/upstreams/none/endpoints/h:1')).toMatchObject({
      status: 404,
    });
  });

  it('is refused where it needs a drain', async () => {
    expect(await put(new SourceDouble(), '{"weight":9}')).toMatchObject({
      status: 409,
      body: { error: 'not-draining' },
    });
  });
});
