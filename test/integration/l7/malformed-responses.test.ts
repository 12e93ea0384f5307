/** Endpoints whose responses break the rules of HTTP: 502, never a guess, and their connection is not used again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(
      configFor([endpoint.port], {
        frontend,
        workers: 1,
        upstream: { responseLimits: { headBytes: '2KiB', headers: 20 } },
      }),
    );
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  const BODY = 'Content-Length: 2\r\n\r\nok';

  describe('a response that is not valid HTTP', () => {
    it.each([
      ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46'],
      ['HTTP/0.9', '<html>hello</html>'],
      ['HTTP/2', `HTTP/2 200 OK\r\n${BODY}`],
      ['HTTP/1.2', `HTTP/1.2 200 OK\r\n${BODY}`],
      ['a lower case version', `http/1.1 200 OK\r\n${BODY}`],
      ['a status of two digits', `HTTP/1.1 20 OK\r\n${BODY}`],
      ['a status of four digits', `HTTP/1.1 2000 OK\r\n${BODY}`],
      ['a status below 100', `HTTP/1.1 099 OK\r\n${BODY}`],
      ['two spaces before the status', `HTTP/1.1  200 OK\r\n${BODY}`],
      ['a control character in the reason', `HTTP/1.1 200 O\x01K\r\n${BODY}`],
      ['two Content-Lengths that differ', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok`],
      ['a negative Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
      ['a Content-Length in hex', 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok'],
      ['a Content-Length of 20 digits', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok'],
      ['an empty Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n'],
      [
        'both framings',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ],
      ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
      ['gzip and chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
      ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
      ['a bare line feed', `HTTP/1.1 200 OK\nX-A: b\r\n${BODY}`],
      ['a bare line feed in the fields', `HTTP/1.1 200 OK\r\nX-A: b\n${BODY}`],
      ['a bare carriage return in a value', `HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c\r\n${BODY}`],
      ['a NUL in a value', `HTTP/1.1 200 OK\r\nX-A: b\0c\r\n${BODY}`],
      ['a folded line', `HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n${BODY}`],
      ['a line without a colon', `HTTP/1.1 200 OK\r\nX-A\r\n${BODY}`],
      ['a line without a name', `HTTP/1.1 200 OK\r\n: b\r\n${BODY}`],
      ['a space in a name', `HTTP/1.1 200 OK\r\nX A: b\r\n${BODY}`],
      ['a 204 with chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ])('gives 502 SLUICE_BAD_RESPONSE: %s', async (_, raw) => {
      endpoint.answerWith(raw);
      const response = await requestOnce(proxy.port, get('/'));
      expect(statusOf(response)).toBe(502);
      expect(errorOf(response).error).toBe('SLUICE_BAD_RESPONSE');
      expect(endpoint.requests).toHaveLength(1);
      const spoiled = endpoint.last.connection;
      endpoint.answerWith(ok('next'));
      expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('next');
      expect(endpoint.last.connection).not.toBe(spoiled);
      await untilIdle(proxy);
    });
  });

  describe('a response head that is too large', () => {
    it.each([
      ['one long value', `HTTP/1.1 200 OK\r\nX-Long: ${'v'.repeat(2_048)}\r\n${BODY}`],
      ['a long reason', `HTTP/1.1 200 ${'r'.repeat(2_048)}\r\n${BODY}`],
      ['many fields', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(21)}${BODY}`],
      ['a head that never ends', `HTTP/1.1 200 OK\r\n${'X-Y: z\r\n'.repeat(19)}X: ${'v'.repeat(3_000)}`],
    ])('gives 502 SLUICE_RESPONSE_HEAD_TOO_LARGE: %s', async (_, raw) => {
      endpoint.answerWith(raw);
      const response = await requestOnce(proxy.port, get('/'));
      expect(statusOf(response)).toBe(502);
      expect(errorOf(response).error).toBe('SLUICE_RESPONSE_HEAD_TOO_LARGE');
      await untilIdle(proxy);
    });
  });

  describe('bytes behind a response', () => {
    it.each([
      ['with a length', `${ok('good')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
      [
        'in chunks',
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
      ],
      ['of 204', 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    ])('never become the answer to the next request: %s', async (_, raw) => {
      endpoint.answerWith(raw);
      expect([200, 204]).toContain(statusOf(await requestOnce(proxy.port, get('/'))));
      const spoiled = endpoint.last.connection;
      endpoint.answerWith(ok('next'));
      expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('next');
      expect(endpoint.last.connection).not.toBe(spoiled);
    });

    it('that come while the connection is idle never become the answer to the next request', async () => {
      endpoint.answerWith(ok('first'));
      await requestOnce(proxy.port, get('/'));
      const { socket, connection } = endpoint.last;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      endpoint.answerWith(ok('next'));
      expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('next');
      expect(endpoint.last.connection).not.toBe(connection);
    });
  });
});
