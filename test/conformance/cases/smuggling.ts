/** Published vectors of request smuggling: whatever the client sends, proxy and endpoint may not differ about where a request ends. */
import { type ConformanceCase, GET, head, type Outcome, passed, refused } from '../case-format.js';

const KETTLE = 'Kettle, HTTP Desync Attacks (2019)';
const LINHART = 'Linhart et al., HTTP Request Smuggling (2005)';
const SMUGGLER = 'defparam/smuggler, mutations of Transfer-Encoding';

const CHUNKS = '5\r\nabcde\r\n0\r\n\r\n';
const EVIL = 'GET /evil HTTP/1.1\r\nX: ';

/** A Transfer-Encoding that one reader takes as chunked and another does not, beside a length. */
const mutation = (name: string, line: string, source = SMUGGLER): ConformanceCase => ({
  name: `refuses ${name}`,
  source,
  client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 15', line)}${CHUNKS}${EVIL}`],
  expect: refused(400),
  allowed: [refused(501)],
});

/** The same without a length. */
const coding = (name: string, lines: readonly string[], ...allowed: Outcome[]): ConformanceCase => ({
  name: `refuses ${name}`,
  source: 'RFC 9112 section 6.1',
  client: [`${head('POST / HTTP/1.1', 'Host: a.test', ...lines)}${CHUNKS}`],
  expect: refused(400),
  allowed: [refused(501), ...allowed],
});

export const smuggling: readonly ConformanceCase[] = [
  {
    name: 'refuses both framings, length first (CL.TE)',
    source: KETTLE,
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\nG`],
    expect: refused(400),
  },
  {
    name: 'refuses both framings, coding first (TE.CL)',
    source: KETTLE,
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked', 'Content-Length: 4')}5c\r\nGPOST / HTTP/1.1\r\nContent-Length: 15\r\n\r\nx=1\r\n0\r\n\r\n`,
    ],
    expect: refused(400),
  },
  {
    name: 'refuses both framings although they agree',
    source: 'RFC 9112 section 6.1',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 15', 'Transfer-Encoding: chunked')}${CHUNKS}`],
    expect: refused(400),
    allowed: [{ ...passed({ body: 'abcde' }), connection: 'closed' }],
  },
  {
    name: 'refuses a length of 0 beside chunks (CL.0)',
    source: 'Kettle, Browser-Powered Desync Attacks (2022)',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 0', 'Transfer-Encoding: chunked')}${CHUNKS}`],
    expect: refused(400),
    allowed: [{ ...passed({ body: 'abcde' }), connection: 'closed' }],
  },
  {
    name: 'takes what stands behind Content-Length 0 as a request of its own (CL.0)',
    source: 'Kettle, Browser-Powered Desync Attacks (2022)',
    client: [
      `${head('POST /a HTTP/1.1', 'Host: a.test', 'Content-Length: 0')}${head('GET /b HTTP/1.1', 'Host: a.test')}`,
    ],
    expect: passed({ line: 'POST /a HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }),
  },
  {
    name: 'takes what stands behind a GET without framing as a request of its own',
    source: 'RFC 9112 section 6.3',
    client: [`${head('GET /a HTTP/1.1', 'Host: a.test')}${head('GET /b HTTP/1.1', 'Host: a.test')}`],
    expect: passed({ line: 'GET /a HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }),
  },
  {
    name: 'refuses two lengths that hide a request',
    source: LINHART,
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 0', 'Content-Length: 44')}GET /evil HTTP/1.1\r\nHost: a.test\r\nX-Foo: bar\r\n\r\n`,
    ],
    expect: refused(400),
  },
  mutation('xchunked beside a length', 'Transfer-Encoding: xchunked'),
  mutation('a blank before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked'),
  mutation('a tab before the colon of Transfer-Encoding', 'Transfer-Encoding\t: chunked'),
  mutation('a tab before chunked', 'Transfer-Encoding:\tchunked'),
  mutation('a vertical tab before chunked', 'Transfer-Encoding:\x0bchunked'),
  mutation('a form feed behind chunked', 'Transfer-Encoding: chunked\x0c'),
  mutation('NUL behind chunked', 'Transfer-Encoding: chunked\0'),
  mutation('a bare CR behind chunked', 'Transfer-Encoding: chunked\r'),
  mutation('a bare CR before Transfer-Encoding', 'X: y\rTransfer-Encoding: chunked', KETTLE),
  mutation('a bare LF before Transfer-Encoding', 'X: y\nTransfer-Encoding: chunked', KETTLE),
  mutation('a folded Transfer-Encoding', 'Transfer-Encoding:\r\n chunked', KETTLE),
  mutation('a folded line that holds Transfer-Encoding', 'X: y\r\n Transfer-Encoding: chunked', KETTLE),
  mutation('chunked in quotes', 'Transfer-Encoding: "chunked"'),
  mutation('chunked with a comma', 'Transfer-Encoding: chunked,'),
  mutation('a comma before chunked', 'Transfer-Encoding: ,chunked'),
  mutation('chunked with a parameter', 'Transfer-Encoding: chunked;a=b'),
  mutation('chunked with a semicolon', 'Transfer-Encoding: chunked;'),
  mutation('identity before chunked', 'Transfer-Encoding: identity, chunked'),
  mutation('chunked before identity', 'Transfer-Encoding: chunked, identity'),
  mutation('chunked twice in a list', 'Transfer-Encoding: chunked, chunked'),
  mutation('chunked with a byte above 0x7f', 'Transfer-Encoding: chunked\xff'),
  mutation('cow before chunked', 'Transfer-Encoding: cow, chunked', KETTLE),
  mutation('a colon in the name', 'Transfer-Encoding:: chunked'),
  mutation('the coding on a line without its name', 'Transfer-Encoding:\r\nchunked'),
  coding('an unknown coding', ['Transfer-Encoding: xchunked']),
  coding('gzip behind chunked', ['Transfer-Encoding: chunked, gzip']),
  coding('gzip before chunked', ['Transfer-Encoding: gzip, chunked'], passed({})),
  coding('an empty Transfer-Encoding', ['Transfer-Encoding:']),
  coding('two Transfer-Encodings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']),
  coding('chunked and then another Transfer-Encoding', ['Transfer-Encoding: chunked', 'Transfer-Encoding: x']),
  coding('another Transfer-Encoding and then chunked', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']),
  {
    name: 'refuses chunks in HTTP/1.0',
    source: 'RFC 9112 section 6.1',
    client: [`${head('POST / HTTP/1.0', 'Host: a.test', 'Transfer-Encoding: chunked')}${CHUNKS}`],
    expect: refused(400),
    allowed: [{ ...passed({ body: 'abcde' }), connection: 'closed' }],
  },
  ...['Content-Length', 'Host', 'Cookie', 'X-Forwarded-For', 'Authorization'].map(
    (name): ConformanceCase => ({
      name: `refuses a Connection that nominates ${name}`,
      source: 'Davison, Abusing HTTP hop-by-hop request headers (2019); RFC 9110 section 7.6.1',
      client: [
        `${head('POST / HTTP/1.1', 'Host: a.test', `Connection: close, ${name}`, 'Cookie: a=1', 'Content-Length: 5')}abcde`,
      ],
      expect: refused(400),
      allowed: [{ ...passed({ body: 'abcde', fields: { host: 'a.test' } }), connection: 'closed' }],
    }),
  ),
  {
    name: 'is not misled by a Connection that nominates Transfer-Encoding',
    source: 'Davison, Abusing HTTP hop-by-hop request headers (2019); RFC 9110 section 7.6.1',
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Connection: Transfer-Encoding', 'Transfer-Encoding: chunked')}${CHUNKS}`,
    ],
    expect: passed({ body: 'abcde' }),
    allowed: [refused(400)],
  },
  {
    name: 'does not read on behind a request that it refuses',
    source: 'RFC 9112 section 11.2',
    client: [`${head('GET / HTTP/1.1', 'Host: a.test', 'Host: b.test')}${head('GET /evil HTTP/1.1', 'Host: a.test')}`],
    expect: refused(400),
  },
  {
    name: 'does not read on behind a request with a bad length',
    source: 'RFC 9112 section 11.2',
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 1x')}${head('GET /evil HTTP/1.1', 'Host: a.test')}`,
    ],
    expect: refused(400),
  },
  {
    name: 'does not read on behind chunks that it refuses',
    source: 'RFC 9112 section 11.2',
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked')}zz\r\n\r\n${head('GET /evil HTTP/1.1', 'Host: a.test')}`,
    ],
    expect: { endpoint: [], partial: 'allowed', client: [{ status: 400 }], connection: 'closed' },
    allowed: [{ endpoint: [], partial: 'allowed', client: [], connection: 'closed' }],
  },
  {
    name: 'answers a good request, then refuses the bad one behind it',
    source: 'RFC 9112 section 9.3.2',
    client: [`${GET}${head('GET / HTTP/1.1', 'Host : a.test')}`],
    expect: {
      endpoint: [{ line: 'GET / HTTP/1.1' }],
      client: [{ status: 200 }, { status: 400 }],
      connection: 'closed',
    },
  },
  {
    name: 'does not upgrade to HTTP/2 in clear text',
    source: 'Bishop Fox, h2c smuggling (2020); RFC 9113 section 3.1',
    client: [
      head(
        'GET /x HTTP/1.1',
        'Host: a.test',
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      ),
    ],
    expect: passed({ line: 'GET /x HTTP/1.1', fields: { upgrade: null, 'http2-settings': null } }),
    allowed: [refused(400, 501)],
  },
  {
    name: 'makes no tunnel of a WebSocket that the endpoint refuses',
    source: '0ang3el, WebSocket smuggling (2019)',
    client: [
      head(
        'GET /ws HTTP/1.1',
        'Host: a.test',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 1777',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ),
      { wait: 'response' },
      head('GET /next HTTP/1.1', 'Host: a.test', 'X-Forwarded-For: 10.9.9.9'),
    ],
    answers: [head('HTTP/1.1 426 Upgrade Required', 'Sec-WebSocket-Version: 13', 'Content-Length: 0')],
    expect: {
      endpoint: [
        { line: 'GET /ws HTTP/1.1' },
        { line: 'GET /next HTTP/1.1', fields: { 'x-forwarded-for': '127.0.0.1' } },
      ],
      client: [{ status: 426 }, { status: 200 }],
      connection: 'kept',
    },
  },
  {
    name: 'never gives the surplus of one answer to the next client',
    source: 'Kettle, HTTP/1.1 must die (2025), response queue poisoning',
    client: [GET],
    answers: [`${head('HTTP/1.1 200 OK', 'Content-Length: 4')}good${head('HTTP/1.1 200 OK', 'Content-Length: 4')}evil`],
    expect: { endpoint: [{}], client: [{ status: 200, body: 'good' }], connection: 'kept' },
    isTimed: true,
  },
];
