/** What a listener takes at the most: larger heads and bodies are refused before, or while, they are passed on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(
      configFor([endpoint.port], {
        frontend,
        listener: { limits: { bodyBytes: '1000B', headBytes: '1KiB', headers: 10 } },
      }),
    );
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  describe('limits.bodyBytes', () => {
    it('lets a body of exactly that size through', async () => {
      endpoint.answerWith(ok());
      expect(statusOf(await requestOnce(proxy.port, withBody('POST', '/', 'x'.repeat(1_000))))).toBe(200);
      expect(endpoint.last.body.length).toBe(1_000);
    });

    it('refuses an announced larger one with 413 before the endpoint sees anything', async () => {
      endpoint.answerWith(ok());
      const client = await WireClient.open(proxy.port);
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1001\r\n\r\n');
      const response = await client.response();
      expect(response.startLine).toBe('HTTP/1.1 413 Payload Too Large');
      expect(errorOf(response).error).toBe('SLUICE_BODY_TOO_LARGE');
      expect(valuesOf(response, 'connection')).toEqual(['close']);
      await client.ended();
      expect(endpoint.requests).toEqual([]);
    });

    it('refuses a chunked one with 413 when it has grown too large, and the endpoint gets no complete request', async () => {
      endpoint.answerWith(ok());
      const client = await WireClient.open(proxy.port);
      const chunk = `190\r\n${'x'.repeat(400)}\r\n`;
      await client.sendPieces([
        'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n',
        chunk,
        chunk,
        chunk,
        '0\r\n\r\n',
      ]);
      const response = await client.response();
      expect(statusOf(response)).toBe(413);
      expect(errorOf(response).error).toBe('SLUICE_BODY_TOO_LARGE');
      await client.ended();
      expect(endpoint.requests).toEqual([]);
      await untilIdle(proxy);
    });
  });

  describe('limits.headers', () => {
    const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: v`);

    it('lets exactly that many fields through', async () => {
      endpoint.answerWith(ok());
      expect(statusOf(await requestOnce(proxy.port, get('/', lines(9))))).toBe(200);
    });

    it('refuses one more with 431', async () => {
      endpoint.answerWith(ok());
      const response = await requestOnce(proxy.port, get('/', lines(10)));
      expect(response.startLine).toBe('HTTP/1.1 431 Request Header Fields Too Large');
      expect(errorOf(response).error).toBe('SLUICE_HEAD_TOO_LARGE');
      expect(endpoint.requests).toEqual([]);
    });
  });

  describe('limits.headBytes', () => {
    it('refuses a larger head with 431', async () => {
      endpoint.answerWith(ok());
      expect(statusOf(await requestOnce(proxy.port, get('/', [`X-Long: ${'v'.repeat(900)}`])))).toBe(200);
      endpoint.answerWith(ok());
      const response = await requestOnce(proxy.port, get('/', [`X-Long: ${'v'.repeat(1_100)}`]));
      expect(statusOf(response)).toBe(431);
      expect(errorOf(response).error).toBe('SLUICE_HEAD_TOO_LARGE');
      expect(endpoint.requests).toEqual([]);
    });

    it('counts the request line, too', async () => {
      endpoint.answerWith(ok());
      const response = await requestOnce(proxy.port, get(`/${'p'.repeat(1_100)}`));
      expect(statusOf(response)).toBe(431);
      expect(endpoint.requests).toEqual([]);
    });
  });
});
