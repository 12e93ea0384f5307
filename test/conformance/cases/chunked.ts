/** Chunked bodies of requests: what is decoded, and what cannot be. */
import { type ConformanceCase, head, type Outcome, passed } from '../case-format.js';

const HEAD = head('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked');

const good = (
  name: string,
  chunks: string,
  body: string,
  source = 'RFC 9112 section 7.1',
  ...allowed: Outcome[]
): ConformanceCase => ({
  name,
  source,
  client: [`${HEAD}${chunks}`],
  expect: passed({ body }),
  allowed,
});

/** The head may have gone to the endpoint before the fault is seen: but nothing that is complete. */
const REFUSED: Outcome = { endpoint: [], partial: 'allowed', client: [{ status: 400 }], connection: 'closed' };

const bad = (
  name: string,
  chunks: string,
  source = 'RFC 9112 section 7.1',
  ...allowed: Outcome[]
): ConformanceCase => ({
  name: `refuses ${name}`,
  source,
  client: [`${HEAD}${chunks}`],
  expect: REFUSED,
  // An endpoint that has begun to get the request leaves the proxy no better way than to close.
  allowed: [{ ...REFUSED, client: [{ status: [400, 408, 413, 431, 502] }] }, { ...REFUSED, client: [] }, ...allowed],
});

const GARDEN = 'Kallus and Smith, HTTP Garden (2024)';
const FUNKY_CHUNKS = 'Weikop, Funky Chunks (2025)';

export const chunked: readonly ConformanceCase[] = [
  good('passes chunks on', '5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n', 'abcdefgh'),
  good('passes an empty chunked body on', '0\r\n\r\n', ''),
  good('takes sizes in either case', 'a\r\n0123456789\r\nB\r\n0123456789A\r\n0\r\n\r\n', '01234567890123456789A'),
  good('takes leading zeros of a size', '0005\r\nabcde\r\n000\r\n\r\n', 'abcde'),
  good('passes extensions over', '5;a\r\nabcde\r\n0;b=c\r\n\r\n', 'abcde', 'RFC 9112 section 7.1.1'),
  good('passes quoted extensions over', '5;a="x;y"\r\nabcde\r\n0\r\n\r\n', 'abcde', 'RFC 9112 section 7.1.1'),
  good('takes CR and LF inside of chunks', '6\r\n\r\n0\r\n\r\r\n0\r\n\r\n', '\r\n0\r\n\r'),
  good(
    'takes a chunk that looks like a request',
    '25\r\nGET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n+\r\n0\r\n\r\n',
    'GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n+',
  ),
  good('drops trailers of a request', '5\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n', 'abcde', 'RFC 9110 section 6.5.1'),
  good(
    'passes 40,000 bytes in chunks of 1,000',
    `${`3e8\r\n${'z'.repeat(1_000)}\r\n`.repeat(40)}0\r\n\r\n`,
    'z'.repeat(40_000),
  ),
  {
    name: 'never merges trailers into the fields',
    source: 'RFC 9110 section 6.5.1',
    client: [`${HEAD}5\r\nabcde\r\n0\r\nContent-Length: 9\r\nHost: evil.test\r\nX-Role: admin\r\n\r\n`],
    expect: passed({
      body: 'abcde',
      fields: { host: 'a.test', 'x-role': null },
      trailers: { host: null, 'content-length': null },
    }),
    allowed: [REFUSED],
  },
  {
    name: 'takes the coding in any case',
    source: 'RFC 9110 section 10.1.4',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: Chunked')}5\r\nabcde\r\n0\r\n\r\n`],
    expect: passed({ body: 'abcde' }),
  },
  {
    name: 'serves another request behind a chunked one',
    source: 'RFC 9112 section 9.3.2',
    client: [`${HEAD}1\r\na\r\n0\r\n\r\n${HEAD}1\r\nb\r\n0\r\n\r\n`],
    expect: passed({ body: 'a' }, { body: 'b' }),
  },
  bad('a size with 0x', '0x5\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('a size with a plus', '+5\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('a negative size', '-5\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('a size with an underscore', '0_5\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('an empty size', '\r\nabcde\r\n0\r\n\r\n'),
  bad('a size that is no number', 'z\r\nabcde\r\n0\r\n\r\n'),
  bad('a blank before a size', ' 5\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('a blank behind a size', '5 \r\nabcde\r\n0\r\n\r\n', GARDEN, passed({ body: 'abcde' })),
  bad('a size that overflows 64 bits', '10000000000000005\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('a size of 2^64 - 1', 'ffffffffffffffff\r\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('a size line that ends with LF alone', '5\nabcde\r\n0\r\n\r\n', GARDEN, passed({ body: 'abcde' })),
  bad('a size line with a bare CR', '5\rX\nabcde\r\n0\r\n\r\n', GARDEN),
  bad('an extension with a bare LF', '5;\nxabcde\r\n0\r\n\r\n', FUNKY_CHUNKS),
  bad('an extension with a bare CR', '5;a\rb\r\nabcde\r\n0\r\n\r\n', FUNKY_CHUNKS, passed({ body: 'abcde' })),
  bad('an extension with NUL', '5;a\0b\r\nabcde\r\n0\r\n\r\n', FUNKY_CHUNKS, passed({ body: 'abcde' })),
  bad('data that is longer than its size', '5\r\nabcdefg\r\n0\r\n\r\n', 'Weikop, Funky Chunks (2025)'),
  bad('data that is followed by other bytes than CRLF', '5\r\nabcdeXX0\r\n\r\n', GARDEN),
  bad('data that is followed by LF alone', '5\r\nabcde\n0\r\n\r\n', GARDEN, passed({ body: 'abcde' })),
  bad('data that is followed by CR alone', '5\r\nabcde\r0\r\n\r\n', GARDEN),
  bad(
    'a last chunk with LF alone behind it',
    '5\r\nabcde\r\n0\r\n\nGET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n',
    GARDEN,
  ),
  bad(
    'a trailer without a colon',
    '5\r\nabcde\r\n0\r\nX-Sum\r\n\r\n',
    'RFC 9112 section 7.1.2',
    passed({ body: 'abcde' }),
  ),
  bad(
    'a blank before the colon of a trailer',
    '5\r\nabcde\r\n0\r\nX-Sum : 1\r\n\r\n',
    'RFC 9112 section 5.1',
    passed({ body: 'abcde' }),
  ),
  bad(
    'a folded trailer',
    '5\r\nabcde\r\n0\r\nX-Sum: 1\r\n 2\r\n\r\n',
    'RFC 9112 section 5.2',
    passed({ body: 'abcde' }),
  ),
  bad(
    'a trailer with a bare LF',
    '5\r\nabcde\r\n0\r\nX: 1\nGET /evil HTTP/1.1\r\n\r\n',
    GARDEN,
    passed({ body: 'abcde' }),
  ),
  bad(
    'an extension without end',
    `5;${'a'.repeat(20_000)}\r\nabcde\r\n0\r\n\r\n`,
    'RFC 9112 section 7.1.1',
    passed({ body: 'abcde' }),
  ),
  bad(
    'trailers without end',
    `5\r\nabcde\r\n0\r\n${'X-Sum: 1\r\n'.repeat(3_000)}\r\n`,
    'RFC 9112 section 7.1.2',
    passed({ body: 'abcde' }),
  ),
  {
    name: 'tells the endpoint when chunks break off',
    source: 'RFC 9112 section 8',
    client: [`${HEAD}5\r\nabc`, { wait: 'request' }, { act: 'reset' }],
    expect: { endpoint: [], partial: 'required', client: [], connection: 'closed' },
    allowed: [{ endpoint: 'any', partial: 'allowed', client: [], connection: 'closed' }],
  },
];
