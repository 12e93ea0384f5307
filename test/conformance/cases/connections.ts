/** Connections of clients: options, keep-alive, pipelining, half-close, and HTTP/1.0. */
import { type ConformanceCase, GET, head, OK, type Outcome, passed } from '../case-format.js';

const get = (path: string, ...lines: readonly string[]): string =>
  head(`GET ${path} HTTP/1.1`, 'Host: a.test', ...lines);
const post = (path: string, body: string): string =>
  `${head(`POST ${path} HTTP/1.1`, 'Host: a.test', `Content-Length: ${body.length}`)}${body}`;
const answer = (body: string): string => `${head('HTTP/1.1 200 OK', `Content-Length: ${body.length}`)}${body}`;

const closes = (name: string, ...lines: readonly string[]): ConformanceCase => ({
  name,
  source: 'RFC 9112 section 9.6',
  client: [get('/', ...lines)],
  expect: {
    endpoint: [{ line: 'GET / HTTP/1.1' }],
    client: [{ status: 200, body: 'ok', fields: { connection: /^close$/i } }],
    connection: 'closed',
  },
});

const stripped = (name: string, lines: readonly string[], fields: Record<string, string | null>): ConformanceCase => ({
  name,
  source: 'RFC 9110 section 7.6.1',
  client: [get('/', ...lines)],
  expect: passed({ fields }),
});

/** Of an HTTP/1.0 client that did not ask to keep its connection. */
const oldStyle = (status = 200): Outcome => ({
  endpoint: [{ line: 'GET / HTTP/1.1' }],
  client: [{ status, body: 'ok' }],
  connection: 'closed',
});

export const connections: readonly ConformanceCase[] = [
  closes('closes behind the answer where the client says close', 'Connection: close'),
  closes('takes close in any case', 'Connection: CLOSE'),
  closes('finds close in a list', 'Connection: x-a , close'),
  closes('finds close in a second Connection', 'Connection: keep-alive', 'Connection: close'),
  closes('lets close win over keep-alive', 'Connection: keep-alive, close'),
  stripped('keeps a connection whose client says keep-alive', ['Connection: keep-alive'], { 'keep-alive': null }),
  stripped('removes fields that Connection nominates', ['Connection: X-A, x-b', 'X-A: 1', 'x-B: 2', 'X-C: 3'], {
    'x-a': null,
    'x-b': null,
    'x-c': '3',
  }),
  stripped('removes nominated fields that came before', ['X-A: 1', 'X-C: 3', 'Connection: x-a'], {
    'x-a': null,
    'x-c': '3',
  }),
  stripped('takes empty elements in Connection', ['Connection: ,, x-a ,', 'X-A: 1'], { 'x-a': null }),
  stripped(
    'removes the fields of one hop although nobody nominates them',
    [
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: gzip',
      'Upgrade: x',
      'Proxy-Authorization: Basic eDp5',
    ],
    { 'keep-alive': null, 'proxy-connection': null, te: null, upgrade: null, 'proxy-authorization': null },
  ),
  stripped(
    'keeps fields that only look like those of one hop',
    ['Upgrade-Insecure-Requests: 1', 'TE-X: 1', 'Keep-Alive-X: 2'],
    {
      'upgrade-insecure-requests': '1',
      'te-x': '1',
      'keep-alive-x': '2',
    },
  ),
  {
    name: 'serves many requests on one connection',
    source: 'RFC 9112 section 9.3',
    client: [get('/1'), { wait: 'response' }, post('/2', 'abc'), { wait: 'response' }, get('/3'), { wait: 'response' }],
    expect: passed({ line: 'GET /1 HTTP/1.1' }, { line: 'POST /2 HTTP/1.1', body: 'abc' }, { line: 'GET /3 HTTP/1.1' }),
  },
  {
    name: 'answers pipelined requests in their order',
    source: 'RFC 9112 section 9.3.2',
    client: [`${get('/1')}${get('/2')}${get('/3')}`],
    answers: [answer('one'), answer('two'), answer('three')],
    expect: {
      endpoint: [{ line: 'GET /1 HTTP/1.1' }, { line: 'GET /2 HTTP/1.1' }, { line: 'GET /3 HTTP/1.1' }],
      client: [
        { status: 200, body: 'one' },
        { status: 200, body: 'two' },
        { status: 200, body: 'three' },
      ],
      connection: 'kept',
    },
  },
  {
    name: 'answers pipelined requests with bodies',
    source: 'RFC 9112 section 9.3.2',
    client: [
      `${post('/1', 'abc')}${head('POST /2 HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked')}3\r\ndef\r\n0\r\n\r\n${get('/3')}`,
    ],
    expect: passed(
      { line: 'POST /1 HTTP/1.1', body: 'abc' },
      { line: 'POST /2 HTTP/1.1', body: 'def' },
      { line: 'GET /3 HTTP/1.1' },
    ),
  },
  {
    name: 'answers 20 pipelined requests',
    source: 'RFC 9112 section 9.3.2',
    client: [Array.from({ length: 20 }, (_, index) => get(`/${index}`)).join('')],
    expect: passed(...Array.from({ length: 20 }, (_, index) => ({ line: `GET /${index} HTTP/1.1` }))),
  },
  {
    name: 'takes a pipelined request that comes while the first waits',
    source: 'RFC 9112 section 9.3.2',
    client: [get('/1'), { wait: 'request' }, get('/2')],
    answers: [[{ wait: 'client' }, answer('one')], answer('two')],
    expect: {
      endpoint: [{ line: 'GET /1 HTTP/1.1' }, { line: 'GET /2 HTTP/1.1' }],
      client: [
        { status: 200, body: 'one' },
        { status: 200, body: 'two' },
      ],
      connection: 'kept',
    },
  },
  {
    name: 'does not take a request behind one that says close',
    source: 'RFC 9112 section 9.6',
    client: [`${get('/1', 'Connection: close')}${get('/2')}`],
    expect: { endpoint: [{ line: 'GET /1 HTTP/1.1' }], client: [{ status: 200 }], connection: 'closed' },
  },
  {
    name: 'keeps the order where HEAD is pipelined before GET',
    source: 'RFC 9112 section 9.3.2',
    client: [`${head('HEAD /1 HTTP/1.1', 'Host: a.test')}${get('/2')}`],
    answers: [head('HTTP/1.1 200 OK', 'Content-Length: 100'), OK],
    expect: {
      endpoint: [{ line: 'HEAD /1 HTTP/1.1' }, { line: 'GET /2 HTTP/1.1' }],
      client: [
        { status: 200, isForHead: true, fields: { 'content-length': '100' } },
        { status: 200, body: 'ok' },
      ],
      connection: 'kept',
    },
  },
  {
    name: 'keeps the connection of a client whose endpoint closes its own',
    source: 'RFC 9112 section 9.6',
    client: [GET],
    answers: [`${head('HTTP/1.1 200 OK', 'Content-Length: 2', 'Connection: close')}ok`],
    expect: passed({ line: 'GET / HTTP/1.1' }),
  },
  {
    name: 'answers a client that has closed its half',
    source: 'RFC 9112 section 9.6',
    client: [GET, { act: 'half-close' }],
    answers: [[{ wait: 'client' }, OK]],
    expect: { endpoint: [{ line: 'GET / HTTP/1.1' }], client: [{ status: 200, body: 'ok' }], connection: 'closed' },
  },
  {
    name: 'answers a slow response to a client that has closed its half',
    source: 'RFC 9112 section 9.6',
    client: [GET, { wait: 'request' }, { act: 'half-close' }],
    answers: [[{ wait: 'client' }, head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'), '2\r\nok\r\n', '0\r\n\r\n']],
    expect: { endpoint: [{ line: 'GET / HTTP/1.1' }], client: [{ status: 200, body: 'ok' }], connection: 'closed' },
  },
  {
    name: 'answers all pipelined requests of a client that has closed its half',
    source: 'RFC 9112 section 9.6',
    client: [`${get('/1')}${post('/2', 'abc')}`, { act: 'half-close' }],
    expect: { ...passed({ line: 'GET /1 HTTP/1.1' }, { line: 'POST /2 HTTP/1.1', body: 'abc' }), connection: 'closed' },
  },
  {
    name: 'closes where a client closes its half without a request',
    source: 'RFC 9112 section 9.6',
    client: [{ act: 'half-close' }],
    expect: { endpoint: 'nothing', client: [], connection: 'closed' },
  },
  {
    name: 'passes nothing on of a head that a half-close cuts',
    source: 'RFC 9112 section 8',
    client: ['GET / HTTP/1.1\r\nHost: a.te', { act: 'half-close' }],
    expect: { endpoint: 'nothing', client: [], connection: 'closed' },
    allowed: [{ endpoint: 'nothing', client: [{ status: [400, 408] }], connection: 'closed' }],
  },
  {
    name: 'does not let an endpoint take a body for complete that a half-close cuts',
    source: 'RFC 9112 section 8',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 9')}abc`, { act: 'half-close' }],
    expect: { endpoint: [], partial: 'allowed', client: [], connection: 'closed' },
    allowed: [{ endpoint: [], partial: 'allowed', client: [{ status: [400, 408, 502] }], connection: 'closed' }],
  },
  {
    name: 'takes its request back where the client resets',
    source: 'RFC 9110 section 7.5',
    client: [GET, { wait: 'request' }, { act: 'reset' }],
    answers: [[{ wait: 'end' }]],
    expect: { endpoint: [{ line: 'GET / HTTP/1.1' }], client: [], connection: 'closed' },
  },
  {
    name: 'answers HTTP/1.0 and closes',
    source: 'RFC 9112 section 9.3',
    client: [head('GET / HTTP/1.0', 'Host: a.test')],
    expect: oldStyle(),
  },
  {
    name: 'answers HTTP/1.0 without a Host',
    source: 'RFC 9112 section 3.2',
    client: [head('GET / HTTP/1.0')],
    expect: oldStyle(),
    allowed: [{ endpoint: 'nothing', client: [{ status: 400 }], connection: 'closed' }],
  },
  {
    name: 'keeps a connection of HTTP/1.0 that asks for it',
    source: 'RFC 9112 appendix C.2.2',
    client: [head('GET / HTTP/1.0', 'Host: a.test', 'Connection: keep-alive')],
    expect: {
      endpoint: [{ line: 'GET / HTTP/1.1' }],
      client: [{ status: 200, body: 'ok', fields: { connection: /^keep-alive$/i } }],
      connection: 'kept',
    },
    allowed: [oldStyle()],
  },
  {
    name: 'passes a body of HTTP/1.0 on',
    source: 'RFC 9112 section 6.3',
    client: [`${head('POST / HTTP/1.0', 'Host: a.test', 'Content-Length: 3')}abc`],
    expect: {
      endpoint: [{ line: 'POST / HTTP/1.1', body: 'abc' }],
      client: [{ status: 200, body: 'ok' }],
      connection: 'closed',
    },
  },
  {
    name: 'sends no chunks to HTTP/1.0',
    source: 'RFC 9112 section 6.1',
    client: [head('GET / HTTP/1.0', 'Host: a.test'), { wait: 'head' }],
    answers: [
      [`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}1\r\no\r\n`, { wait: 'client' }, '1\r\nk\r\n0\r\n\r\n'],
    ],
    expect: {
      endpoint: [{ line: 'GET / HTTP/1.1' }],
      client: [{ status: 200, body: 'ok', framing: 'until-end', fields: { 'transfer-encoding': null } }],
      connection: 'closed',
    },
  },
  {
    name: 'closes a kept connection of HTTP/1.0 behind a body of unknown length',
    source: 'RFC 9112 section 9.3',
    client: [head('GET / HTTP/1.0', 'Host: a.test', 'Connection: keep-alive'), { wait: 'head' }],
    answers: [
      [`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}1\r\no\r\n`, { wait: 'client' }, '1\r\nk\r\n0\r\n\r\n'],
    ],
    expect: { endpoint: [{}], client: [{ status: 200, body: 'ok', framing: 'until-end' }], connection: 'closed' },
  },
  {
    name: 'sends no interim response to HTTP/1.0',
    source: 'RFC 9110 section 15.2',
    client: [head('GET / HTTP/1.0', 'Host: a.test')],
    answers: [`${head('HTTP/1.1 103 Early Hints', 'Link: </a>')}${OK}`],
    expect: oldStyle(),
  },
  {
    name: 'passes over Expect of HTTP/1.0',
    source: 'RFC 9110 section 10.1.1',
    client: [`${head('POST / HTTP/1.0', 'Host: a.test', 'Content-Length: 3', 'Expect: 100-continue')}abc`],
    answers: [[head('HTTP/1.1 100 Continue'), { wait: 'request' }, OK]],
    expect: { endpoint: [{ body: 'abc' }], client: [{ status: 200, body: 'ok' }], connection: 'closed' },
  },
];
