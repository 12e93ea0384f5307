/** Writes to the admin API on the wire: who may write what. */
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminApi } from '../../../src/control/admin/admin-api.js';
import { SourceDouble, startTestApi } from '../../harness/admin-source.js';

const source = new SourceDouble();
const { changes } = source;
let api: AdminApi;

beforeEach(async () => {
  changes.length = 0;
  api = await startTestApi(source);
});
afterEach(() => api.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const PATH = '/api/v1/upstreams/a%20b/endpoints/unix:%2Fs';

/** @returns status and error of the answer, or its whole body */
function put(body: string, headers: Record<string, string> = JSON_TYPE): Promise<[number, unknown]> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: api.port, path: PATH, method: 'PUT', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString());
        resolve([response.statusCode ?? 0, answer.error ?? answer]);
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('write to the admin API', () => {
  it('changes an endpoint and answers with it', async () => {
    expect(await put('{"weight":3}')).toEqual([200, { upstream: 'a b', endpoint: { address: 'unix:/s' } }]);
    expect(changes).toEqual([['a b', 'unix:/s', { weight: 3 }]]);
  });

  it('is taken from a page of its own origin', async () => {
    const [status] = await put('{"weight":3}', { ...JSON_TYPE, origin: `http://127.0.0.1:${api.port}` });
    expect(status).toBe(200);
  });

  it.each([
    ['a page of a stranger', '{"weight":3}', { ...JSON_TYPE, origin: 'http://evil.test' }, 403, 'origin-not-allowed'],
    ['a name that is not its own', '{"weight":3}', { ...JSON_TYPE, host: 'evil.test' }, 403, 'host-not-allowed'],
    ['a form', 'weight=3', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported-media-type'],
    ['nobody who says what it is', '{"weight":3}', {}, 415, 'unsupported-media-type'],
    ['a body that is too large', `{"weight":3${' '.repeat(20_000)}}`, JSON_TYPE, 413, 'body-too-large'],
    ['a body that says nothing', '', JSON_TYPE, 400, 'bad-change'],
  ])('is not taken from %s', async (_whom, body, headers, status, error) => {
    expect(await put(body, headers as Record<string, string>)).toEqual([status, error]);
    expect(changes).toEqual([]);
  });
});
