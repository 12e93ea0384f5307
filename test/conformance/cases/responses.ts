/** Answers of endpoints: framing toward the client, statuses without a body, trailers, Date, and what is no answer. */
import {
  type ConformanceCase,
  type EndpointStep,
  type ExpectedResponse,
  GET,
  head,
  OK,
  type Outcome,
  relayed,
} from '../case-format.js';

type Answer = string | readonly EndpointStep[];

const through = (
  name: string,
  source: string,
  answer: Answer,
  response: Omit<ExpectedResponse, 'status'> & { status?: number },
): ConformanceCase => ({
  name,
  source,
  client: [GET],
  answers: [answer],
  expect: relayed(response),
});

/** Not a response: 502, never a guess. An attempt may be made again, since GET is idempotent. */
const bad = (
  name: string,
  answer: Answer,
  source = 'RFC 9112 section 6.3',
  ...allowed: Outcome[]
): ConformanceCase => ({
  name: `answers 502 to ${name}`,
  source,
  client: [GET],
  answers: [answer, answer, answer, answer],
  expect: { endpoint: 'any', client: [{ status: 502 }], connection: 'any' },
  allowed,
});

/** The response has begun: all that is left is to break it off. */
const broken = (
  name: string,
  begin: string,
  end: readonly EndpointStep[],
  source = 'RFC 9112 section 8',
): ConformanceCase => ({
  name,
  source,
  client: [GET, { wait: 'head' }],
  answers: [[begin, { wait: 'client' }, ...end]],
  expect: { endpoint: [{}], client: [{ status: 200, isBroken: true }], connection: 'closed' },
});

const ok = (...lines: readonly string[]): string => `${head('HTTP/1.1 200 OK', ...lines)}ok`;
const EVIL = ok('Content-Length: 2');
const CHUNKED = head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked');
const CHUNKS = '2\r\nok\r\n0\r\n\r\n';

export const responses: readonly ConformanceCase[] = [
  through('passes a response of known length on', 'RFC 9112 section 6.2', ok('Content-Length: 2'), {
    body: 'ok',
    framing: 'length',
    fields: { 'content-length': '2' },
  }),
  through('passes a chunked body on', 'RFC 9112 section 7.1', `${CHUNKED}${CHUNKS}`, { body: 'ok' }),
  through(
    'passes chunk extensions of an endpoint over',
    'RFC 9112 section 7.1.1',
    `${CHUNKED}2;a="b"\r\nok\r\n0;c\r\n\r\n`,
    { body: 'ok' },
  ),
  through(
    'passes 100,000 bytes on',
    'RFC 9112 section 6.2',
    `${head('HTTP/1.1 200 OK', 'Content-Length: 100000')}${'0123456789'.repeat(10_000)}`,
    { body: '0123456789'.repeat(10_000) },
  ),
  through(
    'frames a body that lasts until the close anew',
    'RFC 9112 section 6.3',
    [head('HTTP/1.1 200 OK'), 'o', 'k', { act: 'close' }],
    { body: 'ok', framing: 'chunked' },
  ),
  through('takes an answer of HTTP/1.0', 'RFC 9112 section 2.3', [head('HTTP/1.0 200 OK'), 'ok', { act: 'close' }], {
    body: 'ok',
    framing: 'chunked',
  }),
  through(
    'takes an answer of HTTP/1.0 with a length',
    'RFC 9112 section 2.3',
    [`${head('HTTP/1.0 200 OK', 'Content-Length: 2')}ok`, { act: 'close' }],
    { body: 'ok', framing: 'length' },
  ),
  {
    name: 'gives an HTTP/1.0 client a body until the close',
    source: 'RFC 9112 section 6.3',
    client: [head('GET / HTTP/1.0', 'Host: a.test')],
    answers: [[head('HTTP/1.1 200 OK'), 'ok', { act: 'close' }]],
    expect: { endpoint: [{}], client: [{ status: 200, body: 'ok', framing: 'until-end' }], connection: 'closed' },
  },
  through('passes 204 on without a body', 'RFC 9110 section 15.3.5', head('HTTP/1.1 204 No Content', 'X-A: 1'), {
    status: 204,
    fields: { 'x-a': '1' },
  }),
  through(
    'removes Content-Length from 204',
    'RFC 9110 section 8.6',
    head('HTTP/1.1 204 No Content', 'Content-Length: 0'),
    { status: 204, fields: { 'content-length': null } },
  ),
  through(
    'passes 304 on with its length',
    'RFC 9110 section 15.4.5',
    head('HTTP/1.1 304 Not Modified', 'Content-Length: 77', 'ETag: "x"'),
    { status: 304, fields: { 'content-length': '77', etag: '"x"' } },
  ),
  through('passes 304 on without a length', 'RFC 9110 section 15.4.5', head('HTTP/1.1 304 Not Modified', 'ETag: "x"'), {
    status: 304,
    fields: { 'content-length': null, 'transfer-encoding': null },
  }),
  through(
    'passes 205 on with length 0',
    'RFC 9110 section 15.3.6',
    head('HTTP/1.1 205 Reset Content', 'Content-Length: 0'),
    { status: 205, body: '' },
  ),
  through(
    'passes an empty body of known length on',
    'RFC 9110 section 8.6',
    head('HTTP/1.1 200 OK', 'Content-Length: 0'),
    { body: '', fields: { 'content-length': '0' } },
  ),
  through(
    'passes a status on that it does not know',
    'RFC 9110 section 15',
    `${head('HTTP/1.1 299 Made Up', 'Content-Length: 2')}ok`,
    { status: 299, body: 'ok' },
  ),
  through(
    'passes a redirect on as it is',
    'RFC 9110 section 10.2.2',
    head('HTTP/1.1 302 Found', 'Location: http://a.test/x?y#z', 'Content-Length: 0'),
    { status: 302, fields: { location: 'http://a.test/x?y#z' } },
  ),
  through('takes an empty reason', 'RFC 9112 section 4', `${head('HTTP/1.1 200 ', 'Content-Length: 2')}ok`, {
    body: 'ok',
  }),
  through('strips a blank before the colon of a response', 'RFC 9112 section 5.1', ok('X-A : 1', 'Content-Length: 2'), {
    body: 'ok',
    fields: { 'x-a': '1' },
  }),
  through(
    'keeps the order of fields of one name in a response',
    'RFC 9110 section 5.3',
    ok('Set-Cookie: a=1', 'X-B: 2', 'Set-Cookie: c=3', 'Content-Length: 2'),
    { fields: { 'set-cookie': ['a=1', 'c=3'], 'x-b': '2' } },
  ),
  through(
    'removes the fields of one hop from a response',
    'RFC 9110 section 7.6.1',
    ok(
      'Connection: keep-alive, X-A',
      'X-A: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: x',
      'X-B: 2',
      'Content-Length: 2',
    ),
    { fields: { 'x-a': null, 'keep-alive': null, 'proxy-connection': null, 'x-b': '2' } },
  ),
  through(
    'removes Upgrade from a response',
    'RFC 9110 section 7.8',
    ok('Connection: upgrade', 'Upgrade: h2c', 'Content-Length: 2'),
    { fields: { upgrade: null } },
  ),
  through(
    'keeps the Date of the endpoint',
    'RFC 9110 section 6.6.1',
    ok('Date: Sun, 06 Nov 1994 08:49:37 GMT', 'Content-Length: 2'),
    { fields: { date: 'Sun, 06 Nov 1994 08:49:37 GMT' } },
  ),
  through('adds a Date where the endpoint sends none', 'RFC 9110 section 6.6.1', ok('Content-Length: 2'), {
    fields: {
      date: /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/,
    },
  }),
  {
    name: 'dates its own answers',
    source: 'RFC 9110 section 6.6.1',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Host: b.test')],
    expect: { endpoint: 'nothing', client: [{ status: 400, fields: { date: / GMT$/ } }], connection: 'closed' },
  },
  through('keeps the Server of the endpoint', 'RFC 9110 section 10.2.4', ok('Server: Test/1', 'Content-Length: 2'), {
    fields: { server: 'Test/1' },
  }),
  through(
    'keeps WWW-Authenticate',
    'RFC 9110 section 11.6.1',
    `${head('HTTP/1.1 401 Unauthorized', 'WWW-Authenticate: Basic realm="x"', 'Content-Length: 0')}`,
    { status: 401, fields: { 'www-authenticate': 'Basic realm="x"' } },
  ),
  {
    name: 'passes trailers on to a client that takes them',
    source: 'RFC 9110 section 6.5.1',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Connection: TE', 'TE: trailers')],
    answers: [
      `${head('HTTP/1.1 200 OK', 'Trailer: X-Sum', 'Transfer-Encoding: chunked')}2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n`,
    ],
    expect: {
      endpoint: [{ fields: { te: /trailers/ } }],
      client: [{ status: 200, body: 'ok', framing: 'chunked', fields: { 'x-sum': null }, trailers: { 'x-sum': '42' } }],
      connection: 'kept',
    },
    allowed: [{ endpoint: [{}], client: [{ status: 200, body: 'ok', fields: { 'x-sum': null } }], connection: 'kept' }],
  },
  through(
    'drops trailers for a client that does not take them',
    'RFC 9110 section 6.5.1',
    `${CHUNKED}2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n`,
    { body: 'ok', fields: { 'x-sum': null }, trailers: { 'x-sum': null } },
  ),
  {
    name: 'does not pass trailers on that frame or route',
    source: 'RFC 9110 section 6.5.1',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Connection: TE', 'TE: trailers')],
    answers: [`${CHUNKED}2\r\nok\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n`],
    expect: {
      endpoint: [{}],
      client: [{ status: 200, body: 'ok', trailers: { 'content-length': null, 'transfer-encoding': null } }],
      connection: 'kept',
    },
    allowed: [{ endpoint: [{}], client: [{ status: 200, isBroken: true }], connection: 'closed' }],
  },
  bad('two lengths that differ', ok('Content-Length: 2', 'Content-Length: 3')),
  bad('a list of lengths that differ', ok('Content-Length: 2, 3')),
  bad('a negative length', ok('Content-Length: -2')),
  bad('a length with a plus', ok('Content-Length: +2'), 'Kallus and Smith, HTTP Garden (2024)'),
  bad(
    'both framings',
    `${head('HTTP/1.1 200 OK', 'Content-Length: 2', 'Transfer-Encoding: chunked')}${CHUNKS}`,
    'RFC 9112 section 6.3',
    relayed({ body: 'ok' }),
  ),
  bad('an unknown coding', `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: xchunked')}${CHUNKS}`),
  bad(
    'a coding in HTTP/1.0',
    [`${head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}${CHUNKS}`, { act: 'close' }],
    'RFC 9112 section 6.1',
    relayed({}),
  ),
  bad('a folded line', ok('X-A: 1\r\n 2', 'Content-Length: 2'), 'RFC 9112 section 5.2', relayed({ body: 'ok' })),
  bad('a bare CR in a value', ok('X-A: 1\r2', 'Content-Length: 2'), 'RFC 9112 section 2.2', relayed({})),
  bad('NUL in a value', ok('X-A: 1\0', 'Content-Length: 2'), 'RFC 9110 section 5.5'),
  bad('a line without a colon', ok('X-A', 'Content-Length: 2'), 'RFC 9112 section 5'),
  bad(
    'line feeds without carriage returns',
    'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    'RFC 9112 section 2.2',
    relayed({ body: 'ok' }),
  ),
  bad('another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'RFC 9112 section 4'),
  bad('a status of two digits', `${head('HTTP/1.1 20 OK', 'Content-Length: 2')}ok`, 'RFC 9112 section 4'),
  bad('HTTP/2', `${head('HTTP/2.0 200 OK', 'Content-Length: 2')}ok`, 'RFC 9112 section 2.3'),
  bad('a close before the head is complete', ['HTTP/1.1 200 OK\r\nContent-Le', { act: 'close' }], 'RFC 9112 section 8'),
  bad('a close without an answer', [{ wait: 'request' }, { act: 'close' }], 'RFC 9110 section 15.6.3'),
  bad('a reset without an answer', [{ wait: 'request' }, { act: 'reset' }], 'RFC 9110 section 15.6.3'),
  {
    name: 'does not repeat a request that is not idempotent',
    source: 'RFC 9110 section 9.2.2',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 3')}abc`],
    answers: [[{ wait: 'request' }, { act: 'close' }]],
    expect: { endpoint: [{ body: 'abc' }], client: [{ status: 502 }], connection: 'any' },
  },
  broken('breaks a response off whose length is not reached', `${head('HTTP/1.1 200 OK', 'Content-Length: 9')}abc`, [
    { act: 'close' },
  ]),
  broken('breaks a response off whose chunks do not end', `${CHUNKED}3\r\nabc\r\n`, [{ act: 'close' }]),
  broken('breaks a response off whose last chunk lacks its end', `${CHUNKED}3\r\nabc\r\n`, ['0\r\n', { act: 'close' }]),
  broken('breaks a response off that is reset', `${head('HTTP/1.1 200 OK', 'Content-Length: 9')}abc`, [
    { act: 'reset' },
  ]),
  broken(
    'breaks a response off whose chunks are malformed',
    `${CHUNKED}3\r\nabc\r\n`,
    ['zz\r\n', { wait: 'end' }],
    'RFC 9112 section 7.1',
  ),
  broken('breaks a body without a length off that is reset', `${head('HTTP/1.1 200 OK')}abc`, [{ act: 'reset' }]),
  {
    ...through('passes over bytes behind a 204', 'RFC 9112 section 6.3', `${head('HTTP/1.1 204 No Content')}${EVIL}`, {
      status: 204,
    }),
    isTimed: true,
  },
  {
    ...through('passes over bytes behind chunks', 'RFC 9112 section 6.3', `${CHUNKED}${CHUNKS}${EVIL}`, { body: 'ok' }),
    isTimed: true,
  },
  {
    name: 'passes over the body that an endpoint sends with HEAD',
    source: 'RFC 9110 section 9.3.2',
    client: [`${head('HEAD / HTTP/1.1', 'Host: a.test')}${head('GET /next HTTP/1.1', 'Host: a.test')}`],
    answers: [
      `${head('HTTP/1.1 200 OK', `Content-Length: ${OK.length}`)}${OK}`,
      `${head('HTTP/1.1 200 OK', 'Content-Length: 4')}next`,
    ],
    expect: {
      endpoint: [{ line: 'HEAD / HTTP/1.1' }, { line: 'GET /next HTTP/1.1' }],
      client: [
        { status: 200, isForHead: true },
        { status: 200, body: 'next' },
      ],
      connection: 'kept',
    },
    isTimed: true,
  },
];
