/** What a client gets of an endpoint's response: status line and fields, without what belongs to the endpoint's connection. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { valuesOf, type WireMessage } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(configFor([endpoint.port], { frontend }));
  });

  afterAll(async () => {
    await proxy?.stop();
    await endpoint?.close();
  });

  /** The client's view of a raw response of the endpoint. */
  async function relayed(raw: string, request = get('/')): Promise<WireMessage> {
    endpoint.answerWith(raw);
    return requestOnce(proxy.port, request, { isHead: request.startsWith('HEAD ') });
  }

  /** The lines that came from the endpoint. */
  function endpointLines(response: WireMessage): string[] {
    return response.lines.filter((line) => !/^(date|content-length|transfer-encoding|connection):/i.test(line));
  }

  describe('the status line', () => {
    it.each([
      ['200 OK'],
      ['200 Fine By Me'],
      ['404 Nope, not here; (really)'],
      ['299 Made Up'],
      ["418 I'm a teapot"],
      ['500 Internal'],
      ['599 Last'],
      ['999 Beyond'],
    ])('is passed on: %s', async (line) => {
      const response = await relayed(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nok`);
      expect(response.startLine).toBe(`HTTP/1.1 ${line}`);
      expect(response.body.toString()).toBe('ok');
    });

    it('keeps bytes above 0x7F in a reason', async () => {
      const response = await relayed('HTTP/1.1 200 Tr\xe8s bien\r\nContent-Length: 2\r\n\r\nok');
      expect(response.startLine).toBe('HTTP/1.1 200 Tr\xe8s bien');
    });

    it.each(['HTTP/1.1 404 \r\n', 'HTTP/1.1 404\r\n'])(
      'gets the standard phrase where the endpoint has none: %j',
      async (line) => {
        const response = await relayed(`${line}Content-Length: 2\r\n\r\nok`);
        expect(response.startLine).toBe('HTTP/1.1 404 Not Found');
      },
    );

    it('is of HTTP/1.1 whatever the endpoint speaks', async () => {
      const response = await relayed('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
      expect(response.startLine).toBe('HTTP/1.1 200 OK');
    });
  });

  describe('the fields of a response', () => {
    it('keep spelling, order, values and repetition', async () => {
      const lines = [
        'Content-Type: text/plain; charset=utf-8',
        'Set-Cookie: a=1; Path=/',
        'X-Mixed-Case: V  a l',
        'Set-Cookie: b=2; HttpOnly',
        'ETag: "x,y"',
        'X-Empty:',
        'x-latin: \xe9\xff',
      ];
      const response = await relayed(ok('ok', lines));
      expect(endpointLines(response)).toEqual(lines);
    });

    it('pass in great number', async () => {
      const lines = Array.from({ length: 95 }, (_, index) => `X-Field-${index}: ${'v'.repeat(100)}${index}`);
      expect(endpointLines(await relayed(ok('ok', lines)))).toEqual(lines);
    });

    it('lose those that belong to one connection, and those that Connection nominates', async () => {
      const lines = [
        'Connection: keep-alive, X-Private',
        'Keep-Alive: timeout=9',
        'Proxy-Connection: keep-alive',
        'X-Private: 1',
        'Trailer: X-Sum',
        'Upgrade: h2c',
        'X-Kept: yes',
      ];
      expect(endpointLines(await relayed(ok('ok', lines)))).toEqual(['X-Kept: yes']);
    });

    it('cannot be stripped of what clients rely on', async () => {
      const lines = [
        'Connection: Set-Cookie, Content-Type, ETag',
        'Set-Cookie: a=1',
        'Content-Type: text/plain',
        'ETag: "1"',
      ];
      expect(endpointLines(await relayed(ok('ok', lines)))).toEqual(lines.slice(1));
    });

    it('have one Date, whether the endpoint sends one or not', async () => {
      expect(valuesOf(await relayed(ok('ok', ['Date: Mon, 01 Jan 2001 00:00:00 GMT'])), 'date')).toHaveLength(1);
      expect(valuesOf(await relayed(ok('ok')), 'date')).toHaveLength(1);
    });

    it('name no uWebSockets', async () => {
      endpoint.answerWith(ok());
      for (const request of [get('/'), get('/').replace('GET', 'HEAD'), get('/').replace('GET', 'TRACE')]) {
        const response = await requestOnce(proxy.port, request, { isHead: request.startsWith('HEAD') });
        expect(response.head.toLowerCase()).not.toContain('uwebsockets');
      }
    });

    it("have one Content-Length, the endpoint's", async () => {
      const response = await relayed(ok('twelve bytes'));
      expect(valuesOf(response, 'content-length')).toEqual(['12']);
      expect(valuesOf(response, 'transfer-encoding')).toEqual([]);
    });
  });

  describe('a response without a body', () => {
    it('to HEAD keeps the length that GET would have', async () => {
      const response = await relayed(
        'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: b\r\n\r\n',
        get('/').replace('GET', 'HEAD'),
      );
      expect(valuesOf(response, 'content-length')).toEqual(['12345']);
      expect(endpointLines(response)).toEqual(['X-A: b']);
    });

    it('to HEAD invents no length', async () => {
      const response = await relayed(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
        get('/').replace('GET', 'HEAD'),
      );
      expect(valuesOf(response, 'content-length')).toEqual([]);
    });

    it('of status 304 keeps its length', async () => {
      const response = await relayed('HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "1"\r\n\r\n');
      expect(response.startLine).toBe('HTTP/1.1 304 Not Modified');
      expect(valuesOf(response, 'content-length')).toEqual(['77']);
    });

    it('of status 204 has no length', async () => {
      const response = await relayed('HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n');
      expect(response.startLine).toBe('HTTP/1.1 204 No Content');
      expect(valuesOf(response, 'content-length')).toEqual([]);
      expect(valuesOf(response, 'transfer-encoding')).toEqual([]);
    });

    it('has Content-Length: 0 where it could have had one', async () => {
      const response = await relayed('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      expect(valuesOf(response, 'content-length')).toEqual(['0']);
      expect(response.body.length).toBe(0);
    });

    it('leaves the connection ready for the next request', async () => {
      const client = await WireClient.open(proxy.port);
      const rounds: [string, string][] = [
        ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
        ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
        ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
        ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
        ['GET', ok('last')],
      ];
      for (const [method, raw] of rounds) {
        endpoint.answerWith(raw);
        client.send(get('/').replace('GET', method));
        const response = await client.response({ isHead: method === 'HEAD' });
        if (raw.endsWith('last')) expect(response.body.toString()).toBe('last');
      }
      expect(client.ending).toBe('open');
      expect(client.rest).toBe('');
      client.close();
    });
  });

  describe('interim responses', () => {
    it('of 101 are not what was asked for: 502', async () => {
      const response = await relayed('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
      expect(response.startLine).toBe('HTTP/1.1 502 Bad Gateway');
    });
  });
});
