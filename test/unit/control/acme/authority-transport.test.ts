/** How an authority is asked: what its answers say of pauses, and what is refused of it, against a small https server. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthorityError, authorityTransport } from '../../../../src/control/acme/authority-transport.js';
import { makeCertificate } from '../../../harness/certificate-maker.js';

const certificate = makeCertificate({ name: 'localhost' });
/** What it answers next. */
let next: { status: number; headers?: Record<string, string>; body?: string } = { status: 200 };
const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
  request.resume();
  response.writeHead(next.status, next.headers);
  response.end(next.body ?? '');
});
let url = '';

const asked = (to = url) => ({ url: to, method: 'post', data: '{}', headers: { toJSON: () => ({ accept: '*/*' }) } });

const failure = async (ca: string | null = certificate.cert, to = url): Promise<AuthorityError> => {
  try {
    await authorityTransport(ca)(asked(to));
  } catch (error) {
    if (error instanceof AuthorityError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://localhost:${(server.address() as AddressInfo).port}/order`;
});
afterAll(() => void server.close());

describe('an authority', () => {
  it('is verified with its own roots, and its answer handed on with its fields', async () => {
    next = { status: 201, headers: { 'replay-nonce': 'abc' }, body: '{"status":"pending"}' };
    const { status, headers, data } = await authorityTransport(certificate.cert)(asked());
    expect([status, headers['replay-nonce'], data]).toEqual([201, 'abc', '{"status":"pending"}']);
  });

  it('that refuses a request is no failure of the transport', async () => {
    next = { status: 403, body: '{"detail":"no"}' };
    expect((await authorityTransport(certificate.cert)(asked())).status).toBe(403);
  });

  it.each([
    ['seconds', '7200', 7_200_000],
    ['nothing', '', 0],
    ['what is no time', 'soon', 0],
  ])('at its limit is left alone as long as it asks: %s', async (_, retryAfter, pauseMs) => {
    const detail = 'too many certificates already issued for edge.test';
    const problem = JSON.stringify({ type: 'urn:ietf:params:acme:error:rateLimited', detail });
    const headers = retryAfter === '' ? undefined : { 'retry-after': retryAfter };
    next = { status: 429, body: problem, ...(headers === undefined ? {} : { headers }) };
    const { message, retryAfterMs } = await failure();
    expect(message).toBe(`the authority answers 429: ${detail}`);
    expect(retryAfterMs).toBe(pauseMs);
  });

  it('that is out of order until a date is left alone until then', async () => {
    const until = new Date(Date.now() + 600_000).toUTCString();
    next = { status: 503, headers: { 'retry-after': until }, body: '<h1>Maintenance</h1>' };
    const { message, retryAfterMs } = await failure();
    expect(message).toBe('the authority answers 503: <h1>Maintenance</h1>');
    expect(retryAfterMs).toBeGreaterThan(590_000);
    expect(retryAfterMs).toBeLessThanOrEqual(600_000);
  });

  it('whose answer is endless is not read to the end', async () => {
    next = { status: 200, body: 'x'.repeat(1024 * 1024 + 1) };
    expect((await failure()).message).toMatch(/its answer is longer than 1 MiB/);
  });

  it('that nobody vouches for is not believed', async () => {
    next = { status: 200 };
    expect((await failure(null)).message).toMatch(/cannot be asked: .*self.signed/);
  });

  it('is asked over https alone', async () => {
    const { message } = await failure(null, 'http://localhost/order');
    expect(message).toBe('the authority names http://localhost/order, which is not https');
  });
});
