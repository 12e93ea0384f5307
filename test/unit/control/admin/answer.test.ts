/** What the admin API answers. */
import { describe, expect, it } from 'vitest';
import { type AdminSource, answerAdmin, type Readiness } from '../../../../src/control/admin/answer.js';

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
      },
      failuresByCode: {},
    }),
    upstreams: () => [],
    endpoints: (name) => (name === 'a b' ? [] : undefined),
  };
}

describe('admin API', () => {
  it.each([
    '/healthz',
    '/readyz',
    '/api/v1/status',
    '/api/v1/upstreams',
    '/api/v1/upstreams/a%20b/endpoints',
    '/healthz?verbose',
  ])('answers GET and HEAD %s', (path) => {
    expect(answerAdmin(source(), 'GET', path).status).toBe(200);
    expect(answerAdmin(source(), 'HEAD', path).status).toBe(200);
  });

  it.each([
    ['starting', 503],
    ['ready', 200],
    ['degraded', 200],
    ['draining', 503],
  ] as const)('is alive while %s, and answers /readyz with %d', (readiness, status) => {
    expect(answerAdmin(source(readiness), 'GET', '/healthz').status).toBe(200);
    expect(answerAdmin(source(readiness), 'GET', '/readyz')).toMatchObject({ status, body: { status: readiness } });
  });

  it.each(['/', '/metrics', '/api/v1/upstreams/none/endpoints', '/api/v1/upstreams/%ff/endpoints', '/healthz/', ''])(
    'knows nothing at "%s"',
    (path) => {
      expect(answerAdmin(source(), 'GET', path)).toMatchObject({ status: 404, body: { error: 'not-found' } });
    },
  );

  it('refuses to change anything', () => {
    expect(answerAdmin(source(), 'POST', '/api/v1/status')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
      body: { error: 'method-not-allowed' },
    });
  });
});
