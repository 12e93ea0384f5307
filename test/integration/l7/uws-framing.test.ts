/** What uWebSockets.js reads in its own way (docs/frontend-uws.md): nothing of it lets a request through that was not sent. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const CHUNKED_HEAD = 'POST /first HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n';
const SMUGGLED = get('/smuggled');

let endpoint: RequestEndpoint;
let proxy: ProxyProcess;

beforeAll(async () => {
  endpoint = await startRequestEndpoint();
  proxy = await startProxy(configFor([endpoint.port], { frontend: 'uws' }));
});

beforeEach(() => endpoint.answerWith(ok()));

afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
});

describe('a chunked request', () => {
  it('ends the connection behind its answer', async () => {
    endpoint.answerWith((request) => ok(request.body.toString()));
    const client = await WireClient.open(proxy.port);
    client.send(`${CHUNKED_HEAD}2\r\nfi\r\n3\r\nrst\r\n0\r\n\r\n`);
    const response = await client.response();
    expect([response.body.toString(), valuesOf(response, 'connection')]).toEqual(['first', ['close']]);
    await client.ended(1_000);
  });

  it('ends the connection behind an answer that comes before the rest of the request', async () => {
    const client = await WireClient.open(proxy.port);
    // uWebSockets.js 20.30 reads this size as 0.
    client.send(`${CHUNKED_HEAD} 5\r\n`);
    const response = await client.response();
    expect(valuesOf(response, 'connection')).toEqual(['close']);
    client.send(`hello\r\n0\r\n\r\n${SMUGGLED}`);
    await client.ended(1_000);
    expect(endpoint.requests.map(({ target }) => target)).toEqual(['/first']);
  });
});

describe('a request that is refused', () => {
  it.each([
    ['Transfer-Encoding: Chunked', 'SLUICE_BAD_FRAMING'],
    ['X-Latin: a\xe9b', 'SLUICE_BAD_REQUEST'],
  ])('although it means what it says: %s', async (line, code) => {
    const head = `POST /first HTTP/1.1\r\nHost: a.test\r\n${line}\r\n\r\n`;
    const client = await WireClient.open(proxy.port);
    client.send(head);
    const response = await client.response();
    expect([statusOf(response), errorOf(response).error]).toEqual([400, code]);
    await client.ended(1_000);
    const inOne = await WireClient.open(proxy.port);
    inOne.send(`${head}0\r\n\r\n${SMUGGLED}`);
    await inOne.ended(1_000);
    expect(inOne.rest.match(/HTTP\/1\.1 (?!400)/g)).toBeNull();
    await untilIdle(proxy);
    expect(endpoint.requests).toEqual([]);
  });

  it('by closing: a Content-Length of more than nine digits, and no endpoint gets one that is complete', async () => {
    const client = await WireClient.open(proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\nthe beginning');
    await client.ended(1_000);
    await untilIdle(proxy);
    expect(endpoint.requests).toEqual([]);
  });
});

describe('interim responses', () => {
  it('100 Continue is said by the proxy, and what asked for it goes no further', async () => {
    endpoint.answerWith(ok('thanks'));
    const client = await WireClient.open(proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const interim = await client.response();
    expect(interim.startLine).toBe('HTTP/1.1 100 Continue');
    client.send('12345');
    const response = await client.response();
    expect(statusOf(response)).toBe(200);
    expect(response.body.toString()).toBe('thanks');
    client.close();
    expect(endpoint.last.body.toString()).toBe('12345');
    expect(valuesOf(endpoint.last, 'expect')).toEqual([]);
  });

  it.each([
    ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['103 Early Hints', 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'],
    [
      'several of them',
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n',
    ],
  ])('of an endpoint are dropped: %s', async (_, interim) => {
    endpoint.answerWith(`${interim}${ok('final', ['X-A: b'])}`);
    const response = await requestOnce(proxy.port, get('/'));
    expect(response.startLine).toBe('HTTP/1.1 200 OK');
    expect(response.body.toString()).toBe('final');
    expect(valuesOf(response, 'link')).toEqual([]);
  });
});
