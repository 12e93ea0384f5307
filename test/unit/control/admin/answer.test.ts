/** What the admin API answers. */
import { describe, expect, it } from 'vitest';
import { type AdminSource, answerAdmin, type Readiness } from '../../../../src/control/admin/answer.js';
import type { EndpointView } from '../../../../src/control/admin/endpoint-view.js';

const changes: unknown[] = [];

function source(readiness: Readiness = 'ready'): AdminSource {
  return {
    readiness: () => readiness,
    status: () => ({
      version: '0.1.0',
      pid: 1,
      uptimeMs: 5,
      epoch: 1,
      readiness,
      listeners: [],
      workers: [],
      totals: {
        openConnections: 0,
        openExchanges: 0,
        openSessions: 0,
        requests: 0,
        sessions: 0,
        bytesFromClients: 0,
        bytesToClients: 0,
        attempts: 0,
        failures: 0,
        retries: 0,
        hedges: 0,
        retriesRefused: 0,
      },
      failuresByCode: {},
    }),
    upstreams: () => [],
    endpoints: (name) => (name === 'a b' ? [] : undefined),
    endpoint: (upstream, name) =>
      upstream === 'a b' && (name === 'h:1' || name === 'unix:/s') ? ({ address: name } as EndpointView) : undefined,
    change: (...change) => {
      changes.push(change);
      return change[2].weight !== 9;
    },
  };
}

describe('admin API', () => {
  it.each([
    '/healthz',
    '/readyz',
    '/api/v1/status',
    '/api/v1/upstreams',
    '/api/v1/upstreams/a%20b/endpoints',
    '/api/v1/upstreams/a%20b/endpoints/h:1',
    '/api/v1/upstreams/a%20b/endpoints/unix:%2Fs',
    '/healthz?verbose',
  ])('answers GET and HEAD %s', (path) => {
    expect(answerAdmin(source(), { method: 'GET', path }).status).toBe(200);
    expect(answerAdmin(source(), { method: 'HEAD', path }).status).toBe(200);
  });

  it.each([
    ['starting', 503],
    ['ready', 200],
    ['degraded', 200],
    ['draining', 503],
  ] as const)('is alive while %s, and answers /readyz with %d', (readiness, status) => {
    expect(answerAdmin(source(readiness), { method: 'GET', path: '/healthz' }).status).toBe(200);
    expect(answerAdmin(source(readiness), { method: 'GET', path: '/readyz' })).toMatchObject({
      status,
      body: { status: readiness },
    });
  });

  it.each([
    '/',
    '/metrics',
    '/api/v1/upstreams/none/endpoints',
    '/api/v1/upstreams/%ff/endpoints',
    '/api/v1/upstreams/a%20b/endpoints/h:2',
    '/api/v1/upstreams/a%20b/endpoints/',
    '/healthz/',
    '',
  ])('knows nothing at "%s"', (path) => {
    expect(answerAdmin(source(), { method: 'GET', path })).toMatchObject({ status: 404, body: { error: 'not-found' } });
  });

  it.each([
    ['/api/v1/status', 'PUT', 'GET, HEAD'],
    ['/api/v1/upstreams/a%20b/endpoints', 'PUT', 'GET, HEAD'],
    ['/api/v1/upstreams/a%20b/endpoints/h:1', 'DELETE', 'GET, HEAD, PUT'],
  ])('does nothing at %s with %s', (path, method, allow) => {
    expect(answerAdmin(source(), { method, path })).toMatchObject({
      status: 405,
      headers: { allow },
      body: { error: 'method-not-allowed' },
    });
  });
});

describe('change of an endpoint', () => {
  const put = (body: string, path = '/api/v1/upstreams/a%20b/endpoints/h:1') =>
    answerAdmin(source(), { method: 'PUT', path, body });

  it('is carried out, and answered with how the endpoint is then', () => {
    changes.length = 0;
    expect(put('{"weight":3}')).toMatchObject({ status: 200, body: { upstream: 'a b', endpoint: { address: 'h:1' } } });
    expect(changes).toEqual([['a b', 'h:1', { weight: 3 }]]);
  });

  it('is refused with what is wrong with it', () => {
    changes.length = 0;
    expect(put('{"weight":-1}')).toMatchObject({
      status: 400,
      body: { error: 'bad-change', message: expect.stringContaining('weight must be') },
    });
    expect(changes).toEqual([]);
  });

  it('is refused where there is nothing to change', () => {
    expect(put('{"weight":1}', '/api/v1/upstreams/none/endpoints/h:1')).toMatchObject({ status: 404 });
  });

  it('is refused where it needs a drain', () => {
    expect(put('{"weight":9}')).toMatchObject({ status: 409, body: { error: 'not-draining' } });
  });
});
