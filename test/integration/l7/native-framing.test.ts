/** What the native front end takes that uWebSockets.js does not: connections go on, interim responses and trailers pass. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const CHUNKED_HEAD = 'POST /first HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n';

let endpoint: RequestEndpoint;
let proxy: ProxyProcess;

beforeAll(async () => {
  endpoint = await startRequestEndpoint();
  proxy = await startProxy(configFor([endpoint.port], { frontend: 'native' }));
});

beforeEach(() => endpoint.answerWith(ok()));

afterAll(async () => {
  await proxy?.stop();
  await endpoint?.close();
});

/** The endpoint's connection to which something of what is sent comes. */
async function connectionOf(send: () => void): Promise<Socket> {
  const before = new Map(endpoint.connections.map((socket) => [socket, socket.bytesRead]));
  send();
  let found: Socket | undefined;
  await until('the request is at the endpoint', () => {
    found = endpoint.connections.find((socket) => socket.bytesRead > (before.get(socket) ?? 0));
    return found !== undefined;
  });
  return found as Socket;
}

describe('a chunked request', () => {
  it.each(['chunked', 'Chunked', '  CHUNKED '])('leaves the connection ready for the next one: %j', async (coding) => {
    endpoint.answerWith((request) => ok(request.body.toString()));
    const client = await WireClient.open(proxy.port);
    for (const body of ['first', 'other']) {
      client.send(CHUNKED_HEAD.replace('chunked', coding));
      client.send(`2\r\n${body.slice(0, 2)}\r\n3\r\n${body.slice(2)}\r\n0\r\n\r\n`);
      const response = await client.response();
      expect([response.body.toString(), valuesOf(response, 'connection')]).toEqual([body, []]);
    }
    expect([client.ending, client.rest]).toEqual(['open', '']);
    client.close();
  });

  it.each([' 5', '5 ', 'x', '-1', '0x5', ''])(
    'with the chunk size %j is answered 400 and is the last one',
    async (size) => {
      const client = await WireClient.open(proxy.port);
      client.send(`${CHUNKED_HEAD}${size}\r\nhello\r\n0\r\n\r\n${get('/smuggled')}`);
      const response = await client.response();
      expect([statusOf(response), errorOf(response).error]).toEqual([400, 'SLUICE_BAD_FRAMING']);
      expect(valuesOf(response, 'connection')).toEqual(['close']);
      await client.ended();
      expect(client.rest).toBe('');
      await untilIdle(proxy);
      expect(endpoint.requests).toEqual([]);
    },
  );

  it('of which trailers are wanted has them passed on, and the answer its own', async () => {
    endpoint.answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n');
    const client = await WireClient.open(proxy.port);
    client.send(get('/', ['TE: trailers', 'Connection: TE']));
    await client.has('the trailer', (rest) => rest.endsWith('\r\n0\r\nX-Sum: 7\r\n\r\n'));
    client.close();
  });
});

describe('a request', () => {
  it('may have bytes above 0x7F in a value, and the endpoint gets them', async () => {
    const client = await WireClient.open(proxy.port);
    client.send(get('/', ['X-Latin: a\xe9b']));
    expect(statusOf(await client.response())).toBe(200);
    expect(valuesOf(endpoint.last, 'x-latin')).toEqual(['a\xe9b']);
    client.close();
  });

  it('may announce more than nine digits of body', async () => {
    const client = await WireClient.open(proxy.port);
    const socket = await connectionOf(() =>
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50000000000\r\n\r\nthe beginning'),
    );
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
    });
    client.send(' of it');
    await until('what has come of the body', () => seen.endsWith(' of it'));
    expect(client.ending).toBe('open');
    client.close();
    await untilIdle(proxy);
  });
});

describe('interim responses', () => {
  it('100 Continue is asked of the endpoint, and the body waits for it', async () => {
    endpoint.answerWith(ok('thanks'));
    const client = await WireClient.open(proxy.port);
    const socket = await connectionOf(() =>
      client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'),
    );
    expect(client.rest).toBe('');
    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    expect((await client.response()).startLine).toBe('HTTP/1.1 100 Continue');
    client.send('12345');
    const response = await client.response();
    expect([statusOf(response), response.body.toString()]).toEqual([200, 'thanks']);
    expect(endpoint.last.body.toString()).toBe('12345');
    expect(valuesOf(endpoint.last, 'expect')).toEqual(['100-continue']);
    client.close();
  });

  it.each([
    ['100 Continue', ['100 Continue'], []],
    ['103 Early Hints', ['103 Early Hints'], ['Link: </a.css>; rel=preload']],
    ['several of them', ['102 Processing', '103 Early Hints', '102 Processing'], ['X-A: b']],
  ])('of an endpoint are passed on: %s', async (_, statuses, lines) => {
    const interim = statuses.map((status) => `HTTP/1.1 ${[status, ...lines].join('\r\n')}\r\n\r\n`).join('');
    endpoint.answerWith(`${interim}${ok('final')}`);
    const client = await WireClient.open(proxy.port);
    client.send(get('/'));
    for (const status of statuses) {
      const response = await client.response();
      expect(response.startLine).toBe(`HTTP/1.1 ${status}`);
      expect(response.lines).toEqual(lines);
    }
    const response = await client.response();
    expect([statusOf(response), response.body.toString()]).toEqual([200, 'final']);
    client.close();
  });

  it('never come to a client of HTTP/1.0', async () => {
    endpoint.answerWith(`HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${ok('final')}`);
    const client = await WireClient.open(proxy.port);
    client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n');
    const response = await client.response();
    expect([statusOf(response), response.body.toString()]).toEqual([200, 'final']);
    expect(await client.ended()).toBe('closed');
  });
});
