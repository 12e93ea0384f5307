/** What an endpoint gets of a request: the client's own bytes, without what belongs to the client's connection, with what a proxy adds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, type SeenRequest, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;
  /** The same, but 127.0.0.1 is a trusted proxy. */
  let trusting: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint((request) =>
      request.method === 'HEAD' ? ok('').replace('Length: 0', 'Length: 9') : ok(),
    );
    [proxy, trusting] = await Promise.all([
      startProxy(configFor([endpoint.port], { frontend })),
      startProxy(configFor([endpoint.port], { frontend, listener: { trustedProxies: ['127.0.0.0/8'] } })),
    ]);
  });

  afterAll(async () => {
    await Promise.all([proxy?.stop(), trusting?.stop()]);
    await endpoint?.close();
  });

  /** What the endpoint saw of a request that was answered 200. */
  async function seenOf(bytes: string | Buffer, through = proxy): Promise<SeenRequest> {
    const isHead = bytes.toString('latin1').startsWith('HEAD ');
    const response = await requestOnce(through.port, bytes, { isHead });
    expect(statusOf(response)).toBe(200);
    return endpoint.last;
  }

  /** Names and values of the fields that a request to the endpoint always has, in lower case. */
  const ADDED = new Set([
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'via',
    'x-request-id',
    'host',
    'connection',
    'content-length',
  ]);

  /** Lines of a client as they reach the endpoint: uWebSockets.js has its names in lower case only. */
  function passed(lines: readonly string[]): string[] {
    return frontend === 'uws' ? lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())) : [...lines];
  }

  function clientLines(request: SeenRequest): string[] {
    return request.lines.filter((line) => !ADDED.has(line.slice(0, line.indexOf(':')).toLowerCase()));
  }

  describe('the request line', () => {
    it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])('keeps the method %s without a body', async (method) => {
      const seen = await seenOf(get('/m').replace('GET', method));
      expect(seen.startLine).toBe(`${method} /m HTTP/1.1`);
      expect(valuesOf(seen, 'transfer-encoding')).toEqual([]);
      expect(valuesOf(seen, 'content-length')).toEqual([]);
    });

    it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('keeps the method %s with its body', async (method) => {
      const seen = await seenOf(withBody(method, '/m', 'some bytes'));
      expect(seen.startLine).toBe(`${method} /m HTTP/1.1`);
      expect(seen.body.toString()).toBe('some bytes');
      expect(valuesOf(seen, 'content-length')).toEqual(['10']);
    });

    it.each([
      '/',
      '/a%20b/%e4%b8%ad?q=%26%3D+x&y',
      '/percent%2Fslash%00null%2e%2e',
      '/q?',
      '/q?a=1&a=2&&=',
      '/q?x=?y',
      '//double//slashes///',
      '/a/../b/./c/..',
      '/mark-_.!~*\'();:@&=+$,/[]|^`{}"<>',
      `/long/${'x'.repeat(3_000)}?${'y'.repeat(500)}`,
    ])('passes path and query on byte for byte: %s', async (target) => {
      const seen = await seenOf(get(target));
      expect(seen.startLine).toBe(`GET ${target} HTTP/1.1`);
    });
  });

  describe('the fields of a request', () => {
    it('keep their order, their values and their repetition', async () => {
      const lines = [
        'Accept: text/html;q=0.9, */*',
        'X-Twice: first',
        'X-Other: a  b\tc',
        'X-Twice: second',
        'X-Empty:',
        'X-Quote: "a, b"',
        'x-twice: third',
      ];
      const seen = await seenOf(get('/', lines));
      expect(clientLines(seen).map((line) => line.trimEnd())).toEqual(passed(lines));
    });

    it('keep cookies and credentials untouched', async () => {
      const lines = ['Cookie: a=1; b="x y"; c==', 'Authorization: Basic dTpw', 'Cookie: second=2'];
      expect(clientLines(await seenOf(get('/', lines)))).toEqual(passed(lines));
    });

    it('keep UTF-8 inside values', async () => {
      const seen = await seenOf(Buffer.from(get('/', ['X-Text: a é中 z']), 'utf8'));
      expect(Buffer.from(valuesOf(seen, 'x-text')[0] ?? '', 'latin1').toString('utf8')).toBe('a é中 z');
    });

    it('keep the Host as it came', async () => {
      const seen = await seenOf('GET / HTTP/1.1\r\nHost: Shop.Example.com:8080\r\n\r\n');
      expect(valuesOf(seen, 'host')).toEqual(['Shop.Example.com:8080']);
      expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['Shop.Example.com:8080']);
    });

    it('lose those that belong to one connection', async () => {
      const seen = await seenOf(
        get('/', [
          'Connection: keep-alive',
          'Keep-Alive: timeout=5',
          'Proxy-Connection: keep-alive',
          'Proxy-Authorization: Basic eDp5',
          'TE: trailers',
          'Trailer: X-Sum',
          'Upgrade: websocket',
          'X-Kept: yes',
        ]),
      );
      // Trailers, of which the client has said that it takes them, are passed on by the native front end only.
      expect(clientLines(seen)).toEqual([
        ...(frontend === 'native' ? ['te: trailers'] : []),
        ...passed(['X-Kept: yes']),
      ]);
      const options = frontend === 'native' ? ['te'] : [];
      expect(valuesOf(seen, 'connection').filter((value) => value !== 'keep-alive')).toEqual(options);
    });

    it.each([
      ['before them', ['Connection: X-Private, x-second', 'X-Private: 1', 'X-Second: 2', 'X-Kept: yes']],
      ['behind them', ['X-Private: 1', 'X-Second: 2', 'X-Kept: yes', 'Connection: close,X-Private ,  X-Second']],
      [
        'in several lines',
        ['Connection: x-private', 'X-Private: 1', 'X-Kept: yes', 'X-Second: 2', 'Connection: X-SECOND'],
      ],
    ])('lose those that Connection nominates %s', async (_, lines) => {
      expect(clientLines(await seenOf(get('/', lines)))).toEqual(passed(['X-Kept: yes']));
    });

    it('count Max-Forwards down', async () => {
      expect(valuesOf(await seenOf(get('/', ['Max-Forwards: 7']).replace('GET', 'OPTIONS')), 'max-forwards')).toEqual([
        '6',
      ]);
    });

    it('do not leak from one request to the next on a connection', async () => {
      const client = await WireClient.open(proxy.port);
      client.send(get('/1', ['X-First: 1', 'Cookie: secret']));
      await client.response();
      client.send(get('/2', ['X-Second: 2']));
      await client.response();
      client.close();
      expect(clientLines(endpoint.last)).toEqual(passed(['X-Second: 2']));
    });
  });

  describe('what a proxy adds to a request', () => {
    it('is the client address, scheme, host, Via and a request id', async () => {
      const seen = await seenOf(get('/'));
      expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
      expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
      expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['a.test']);
      expect(valuesOf(seen, 'via')).toEqual([expect.stringMatching(/^1\.1 sluice-[0-9a-f]{8}$/)]);
      expect(valuesOf(seen, 'x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    });

    it('gives each request an id of its own', async () => {
      const ids = new Set<string>();
      for (let i = 0; i < 20; i++) ids.add(valuesOf(await seenOf(get('/')), 'x-request-id')[0] as string);
      expect(ids.size).toBe(20);
    });

    it('takes the place of what an untrusted client claims', async () => {
      const seen = await seenOf(
        get('/', [
          'X-Forwarded-For: 10.1.1.1, 10.2.2.2',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: bank.example',
          'X-Forwarded-Port: 443',
          'X-Forwarded-Prefix: /x',
          'X-Real-IP: 10.1.1.1',
          'Forwarded: for=10.1.1.1',
          'X-Request-Id: chosen-by-the-client',
        ]),
      );
      expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
      expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
      expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['a.test']);
      for (const name of ['x-forwarded-port', 'x-forwarded-prefix', 'x-real-ip', 'forwarded'])
        expect(valuesOf(seen, name)).toEqual([]);
      expect(valuesOf(seen, 'x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    });

    it('goes behind what a trusted proxy says', async () => {
      const seen = await seenOf(
        get('/', [
          'X-Forwarded-For: 203.0.113.7',
          'X-Forwarded-For: 10.2.2.2',
          'X-Forwarded-Proto: https',
          'X-Forwarded-Host: shop.example',
          'X-Real-IP: 203.0.113.7',
          'Forwarded: for=203.0.113.7',
          'X-Request-Id: given-by-the-edge',
        ]),
        trusting,
      );
      expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['203.0.113.7, 10.2.2.2, 127.0.0.1']);
      expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['https']);
      expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['shop.example']);
      expect(valuesOf(seen, 'x-real-ip')).toEqual(['203.0.113.7']);
      expect(valuesOf(seen, 'forwarded')).toEqual(['for=203.0.113.7']);
      expect(valuesOf(seen, 'x-request-id')).toEqual(['given-by-the-edge']);
    });

    it('makes a new id where that of a trusted proxy is unusable', async () => {
      const seen = await seenOf(get('/', [`X-Request-Id: ${'x'.repeat(129)}`]), trusting);
      expect(valuesOf(seen, 'x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    });

    it('appends to the Via of proxies before it', async () => {
      const seen = await seenOf(get('/', ['Via: 1.0 fred', 'Via: 1.1 p.example (x)']));
      expect(valuesOf(seen, 'via')).toEqual([
        expect.stringMatching(/^1\.0 fred, 1\.1 p\.example \(x\), 1\.1 sluice-[0-9a-f]{8}$/),
      ]);
    });

    it('never shows the address that an unasked PROXY v2 header claims', async () => {
      const header = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c6336407c82201bb', 'hex');
      const client = await WireClient.open(proxy.port);
      endpoint.requests.length = 0;
      client.send(Buffer.concat([header, Buffer.from(get('/proxy-v2'))]));
      await client
        .has('an answer or the end', (rest) => rest !== '' || client.ending !== 'open')
        .finally(() => client.close());
      for (const seen of endpoint.requests) expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    });
  });

  describe('a listener behind a trusted range', () => {
    it('does not believe a peer outside of it', async () => {
      const narrow = await startProxy(
        configFor([endpoint.port], { frontend, listener: { trustedProxies: ['10.0.0.0/8', '192.0.2.1'] } }),
      );
      try {
        const seen = await seenOf(get('/', ['X-Forwarded-For: 10.1.1.1']), narrow);
        expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
      } finally {
        await narrow.stop();
      }
    });
  });
});
