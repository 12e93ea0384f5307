/** Who may ask the admin API on the wire: tokens, names, origins, rates, and what answers say to browsers. */
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminApi, AdminApiOptions } from '../../../src/control/admin/admin-api.js';
import { SourceDouble, startTestApi } from '../../harness/admin-source.js';

const TOKEN = 'a-token-that-nobody-guesses';
const open: AdminApi[] = [];

afterEach(() => {
  for (const api of open.splice(0)) api.close();
});

async function start(more: Partial<AdminApiOptions> = {}): Promise<AdminApi> {
  const api = await startTestApi(new SourceDouble(), more);
  open.push(api);
  return api;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** With any headers, which fetch does not allow. */
function ask(
  { port }: AdminApi,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const locked = (): Partial<AdminApiOptions> => ({ access: () => ({ token: TOKEN, hosts: [] }) });

describe('the token', () => {
  it('is needed everywhere but for probes and the page', async () => {
    const api = await start({
      ...locked(),
      page: () => ({ contentType: 'text/html', body: Buffer.from('<p>'), etag: '"1"' }),
    });
    for (const path of ['/healthz', '/readyz', '/', '/assets/main.js']) {
      expect((await ask(api, path)).status, path).toBe(200);
    }
    for (const path of ['/metrics', '/api/v1/status', '/api/v1/live', '/api/v1/openapi.json', '/nothing']) {
      const { status, headers } = await ask(api, path);
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, 'Bearer realm="sluice"']);
    }
    expect((await ask(api, '/api/v1/reload', { method: 'POST' })).status).toBe(401);
  });

  it('lets in who brings it', async () => {
    const api = await start(locked());
    expect((await ask(api, '/metrics', withToken(TOKEN))).status).toBe(200);
    expect((await ask(api, '/metrics', { headers: { authorization: `bEARER  ${TOKEN}` } })).status).toBe(200);
  });

  it.each([TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase(), 'x'])('keeps out who brings %s', async (wrong) => {
    const { status, headers } = await ask(await start(locked()), '/metrics', withToken(wrong));
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="sluice", error="invalid_token"']);
  });

  it('cannot be guessed quickly, and who mistyped it comes in again later', async () => {
    let nowMs = 0;
    const api = await start({ ...locked(), nowMs: () => nowMs });
    for (let times = 0; times < 10; times++) expect((await ask(api, '/metrics', withToken('x'))).status).toBe(401);
    const refused = await ask(api, '/metrics', withToken('x'));
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '2']);
    expect((await ask(api, '/metrics', withToken(TOKEN))).status).toBe(429);
    expect((await ask(api, '/healthz')).status).toBe(200);
    nowMs = 2_000;
    expect((await ask(api, '/metrics', withToken(TOKEN))).status).toBe(200);
  });

  it('of a reload counts at once; one that a reload takes away does where others reach the API', async () => {
    let token: string | null = TOKEN;
    const api = await start({ host: '0.0.0.0', access: () => ({ token, hosts: [] }) });
    token = 'another-token-of-a-reload';
    expect((await ask(api, '/metrics', withToken(TOKEN))).status).toBe(401);
    expect((await ask(api, '/metrics', withToken(token))).status).toBe(200);
    token = null;
    expect((await ask(api, '/metrics')).status).toBe(401);
    expect((await ask(api, '/metrics', withToken('another-token-of-a-reload'))).status).toBe(200);
  });
});

describe('requests', () => {
  it('are bounded for each address', async () => {
    const api = await start({ nowMs: () => 0 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => burst(api, 25)));
    const statuses = answers.flat();
    expect(statuses.filter((status) => status === 200)).toHaveLength(400);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
  });

  it('are taken for names of the configuration', async () => {
    const api = await start({ access: () => ({ token: null, hosts: ['sluice.internal'] }) });
    expect((await ask(api, '/metrics', { headers: { host: 'sluice.internal:9900' } })).status).toBe(200);
    expect((await ask(api, '/metrics', { headers: { host: 'evil.test' } })).status).toBe(403);
  });

  it('of other origins get no permission and change nothing', async () => {
    const api = await start();
    const headers = { origin: 'http://evil.test', 'access-control-request-method': 'PUT' };
    const asked = await ask(api, '/api/v1/reload', { method: 'OPTIONS', headers });
    expect([asked.status, asked.headers['access-control-allow-origin'], asked.headers.allow]).toEqual([
      204,
      undefined,
      'POST, OPTIONS',
    ]);
    expect((await ask(api, '/api/v1/reload', { method: 'POST', headers })).status).toBe(403);
    expect((await ask(api, '/api/v1/reload', { method: 'POST' })).status).toBe(200);
  });

  it('are answered so that browsers keep everything apart', async () => {
    const { headers } = await ask(await start(), '/api/v1/status');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
  });
});

describe('the page', () => {
  const file = { contentType: 'text/html; charset=utf-8', body: Buffer.from('<p>'), etag: '"abc"' };

  it('is served with a policy of its own, and not again where it is known', async () => {
    const api = await start({ page: (path) => (path === '/' ? file : null) });
    const { status, headers, text } = await ask(api, '/?x');
    expect([status, text, headers['content-type'], headers.etag]).toEqual([200, '<p>', file.contentType, '"abc"']);
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    const known = await ask(api, '/', { headers: { 'if-none-match': 'W/"x", "abc"' } });
    expect([known.status, known.text]).toEqual([304, '']);
    expect((await ask(api, '/assets/none.js')).status).toBe(404);
    expect((await ask(api, '/', { method: 'POST' })).status).toBe(405);
  });
});

/** One after the other. @returns the statuses */
async function burst(api: AdminApi, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let time = 0; time < times; time++) statuses.push((await ask(api, '/metrics')).status);
  return statuses;
}
