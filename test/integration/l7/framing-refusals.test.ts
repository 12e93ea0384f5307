/** Requests whose end, host or path through proxies is in doubt: refused, and nothing behind them ever reaches an endpoint. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';

interface Row {
  readonly what: string;
  /** Fields of a POST besides the Host. */
  readonly lines: readonly string[];
  readonly body: string;
  readonly code: string;
}

const BAD_FRAMING: readonly Row[] = [
  { what: 'two Content-Lengths that differ', lines: ['Content-Length: 5', 'Content-Length: 6'], body: 'hello' },
  {
    what: 'two that differ, the shorter one first',
    lines: ['Content-Length: 0', `Content-Length: ${SMUGGLED.length}`],
    body: '',
  },
  { what: 'two that are the same', lines: ['Content-Length: 5', 'Content-Length: 5'], body: 'hello' },
  { what: 'an empty Content-Length', lines: ['Content-Length:'], body: '' },
  { what: 'Transfer-Encoding: xchunked', lines: ['Transfer-Encoding: xchunked'], body: '0\r\n\r\n' },
  { what: 'Transfer-Encoding: gzip, chunked', lines: ['Transfer-Encoding: gzip, chunked'], body: '0\r\n\r\n' },
  { what: 'Transfer-Encoding: chunked, chunked', lines: ['Transfer-Encoding: chunked, chunked'], body: '0\r\n\r\n' },
  { what: 'Transfer-Encoding: identity', lines: ['Transfer-Encoding: identity'], body: '0\r\n\r\n' },
  { what: 'an empty Transfer-Encoding', lines: ['Transfer-Encoding:'], body: '0\r\n\r\n' },
  { what: 'chunked twice', lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], body: '0\r\n\r\n' },
  {
    what: 'chunked and identity',
    lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    body: '0\r\n\r\n',
  },
].map((row) => ({ ...row, code: 'SLUICE_BAD_FRAMING' }));

/** uWebSockets.js itself closes the connection of these, without an answer; the native front end answers. */
const CLOSED: readonly Row[] = [
  {
    what: 'Content-Length, then Transfer-Encoding',
    lines: ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    body: '0\r\n\r\n',
  },
  {
    what: 'Transfer-Encoding, then Content-Length',
    lines: ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    body: '0\r\n\r\n',
  },
  { what: 'a length that is a list', lines: ['Content-Length: 5, 5'], body: 'hello' },
  ...['-1', '0x5', '5 5', '+5', '5a', '99999999999999999999'].map((length) => ({
    what: `Content-Length: ${length}`,
    lines: [`Content-Length: ${length}`],
    body: 'hello',
  })),
].map((row) => ({ ...row, code: 'SLUICE_BAD_FRAMING' }));

const BAD_HOST: readonly Row[] = [
  { what: 'two Hosts', lines: ['Host: b.test'], body: '' },
  { what: 'the same Host twice', lines: ['Host: a.test'], body: '' },
].map((row) => ({ ...row, code: 'SLUICE_BAD_HOST' }));

const BAD_REQUEST: readonly Row[] = ['host', 'content-length', 'x-forwarded-for', 'via', 'cookie', 'authorization']
  .map((name) => ({
    what: `Connection: ${name}`,
    lines: [`Connection: ${name}`],
    body: '',
    code: 'SLUICE_BAD_REQUEST',
  }))
  .concat([
    { what: 'Connection: close, HOST', lines: ['Connection: close, HOST'], body: '', code: 'SLUICE_BAD_REQUEST' },
  ]);

const DOUBTFUL = [...BAD_FRAMING, ...BAD_HOST, ...BAD_REQUEST];
const REFUSED = [...DOUBTFUL, ...CLOSED];

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(configFor([endpoint.port], { frontend }));
  });

  afterEach(() => {
    endpoint.requests.length = 0;
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  function headOf({ lines }: Row): string {
    return `POST /first HTTP/1.1\r\n${['Host: a.test', ...lines].join('\r\n')}\r\n\r\n`;
  }

  /** Proves that whatever was sent before has been dealt with: a request behind it was answered, and nothing else came. */
  async function nothingReachedTheEndpoint(): Promise<void> {
    await untilIdle(proxy);
    expect(statusOf(await requestOnce(proxy.port, get('/after')))).toBe(200);
    expect(endpoint.requests.map(({ target }) => target)).toEqual(['/after']);
  }

  describe('a request whose framing is in doubt', () => {
    it.each(frontend === 'uws' ? DOUBTFUL : REFUSED)(
      'is answered 400 and the connection closed: $what',
      async (row) => {
        const client = await WireClient.open(proxy.port);
        client.send(headOf(row));
        const response = await client.response();
        expect(statusOf(response)).toBe(400);
        expect(errorOf(response).error).toBe(row.code);
        await client.ended(1_000);
        expect(client.rest).toBe('');
        await nothingReachedTheEndpoint();
      },
    );

    it.each(REFUSED)('smuggles nothing in one segment: $what', async (row) => {
      const client = await WireClient.open(proxy.port);
      client.send(`${headOf(row)}${row.body}${SMUGGLED}`);
      await client.ended(1_000);
      expect(client.rest).toMatch(/^(HTTP\/1\.1 400 [\s\S]*)?$/);
      expect(client.rest.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
      await nothingReachedTheEndpoint();
    });

    it.each(REFUSED)('smuggles nothing in several segments: $what', async (row) => {
      const whole = `${headOf(row)}${row.body}${SMUGGLED}`;
      const headEnd = headOf(row).length;
      // In the request line, in a field, before the head's last byte, behind the head, behind the body, inside the smuggled request.
      const places = [5, 40, headEnd - 1, headEnd, headEnd + row.body.length, headEnd + row.body.length + 10];
      const clients = await Promise.all(places.map(() => WireClient.open(proxy.port)));
      await Promise.all(
        clients.map((client, index) => client.sendPieces([whole.slice(0, places[index]), whole.slice(places[index])])),
      );
      await Promise.all(clients.map((client) => client.ended(1_000)));
      for (const client of clients) expect(client.rest.match(/HTTP\/1\.1 (?!400)/g)).toBeNull();
      await nothingReachedTheEndpoint();
    });

    it('is refused on a connection that has served before, too', async () => {
      const client = await WireClient.open(proxy.port);
      client.send(get('/good'));
      expect(statusOf(await client.response())).toBe(200);
      client.send(`${headOf(BAD_FRAMING[0] as Row)}hello${SMUGGLED}`);
      await client.ended(1_000);
      expect(endpoint.requests.map(({ target }) => target)).toEqual(['/good']);
    });
  });

  describe('a chunk size that is malformed', () => {
    async function expectUnread(size: string): Promise<void> {
      const client = await WireClient.open(proxy.port);
      client.send(
        `POST /first HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\nhello\r\n0\r\n\r\n${SMUGGLED}`,
      );
      await Promise.race([client.ended(1_000), client.response()]).catch(() => {});
      client.close();
      await untilIdle(proxy);
      expect(endpoint.requests.map(({ target }) => target)).not.toContain('/smuggled');
      for (const { body } of endpoint.requests) expect(['', 'hello']).toContain(body.toString());
    }

    // uWebSockets.js 20.30 reads the last one as 0, and what follows as a request: the connection is closed behind the answer.
    it.each(['x', '-1', '0x5', 'ffffffffffffffffff', '5 ', ' 5'])(
      'reaches no endpoint as another request: %j',
      expectUnread,
    );
  });

  describe('a Host that is malformed', () => {
    it.each(['a b', 'a.test/x', 'http://a.test', 'a.test:80:80', 'a@b', '[::1', 'a.test:x'])(
      'is answered 400: %s',
      async (host) => {
        const response = await requestOnce(proxy.port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
        expect(statusOf(response)).toBe(400);
        expect(errorOf(response).error).toBe('SLUICE_BAD_HOST');
        expect(endpoint.requests).toEqual([]);
      },
    );
  });

  describe('a method that must not pass', () => {
    it('TRACE is answered 405 and says what is allowed', async () => {
      const response = await requestOnce(proxy.port, get('/').replace('GET', 'TRACE'));
      expect(response.startLine).toBe('HTTP/1.1 405 Method Not Allowed');
      expect(errorOf(response).error).toBe('SLUICE_METHOD_REFUSED');
      expect(valuesOf(response, 'allow')).toEqual(['GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']);
      expect(endpoint.requests).toEqual([]);
    });
  });

  describe('a request that has passed this proxy before', () => {
    it('is answered 508', async () => {
      await requestOnce(proxy.port, get('/'));
      const [via] = valuesOf(endpoint.last, 'via');
      endpoint.requests.length = 0;
      const response = await requestOnce(proxy.port, get('/', ['Via: 1.1 other', `Via: ${via}`]));
      expect(response.startLine).toBe('HTTP/1.1 508 Loop Detected');
      expect(errorOf(response).error).toBe('SLUICE_LOOP_DETECTED');
      expect(endpoint.requests).toEqual([]);
    });

    it('goes round once, no more, when an endpoint leads back here', async () => {
      const inner = await startProxy(configFor([proxy.port], { frontend }));
      endpoint.answerWith((request) => {
        const via = valuesOf(request, 'via')[0] ?? '';
        expect(via).toMatch(/^1\.1 sluice-[0-9a-f]{8}, 1\.1 sluice-[0-9a-f]{8}$/);
        return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
      });
      try {
        expect(statusOf(await requestOnce(inner.port, get('/')))).toBe(200);
      } finally {
        await inner.stop();
      }
    });
  });

  describe('after all refusals', () => {
    it('nothing is open', async () => {
      await untilIdle(proxy);
      expect((await statusFacts(proxy)).totals.openExchanges).toBe(0);
    });
  });
});
