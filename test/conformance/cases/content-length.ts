/** Bodies framed by Content-Length, and the lengths that smuggle. */
import { type ConformanceCase, head, type Outcome, passed, refused } from '../case-format.js';

const bad = (
  name: string,
  lines: readonly string[],
  source = 'RFC 9112 section 6.3',
  ...allowed: Outcome[]
): ConformanceCase => ({
  name: `refuses ${name}`,
  source,
  client: [`${head('POST / HTTP/1.1', 'Host: a.test', ...lines)}abcde`],
  expect: refused(400),
  allowed,
});
const five = passed({ body: 'abcde', fields: { 'content-length': '5' } });

export const contentLength: readonly ConformanceCase[] = [
  {
    name: 'passes a body of known length on',
    source: 'RFC 9112 section 6.2',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 5')}abcde`],
    expect: five,
  },
  {
    name: 'passes a body on that comes behind its head',
    source: 'RFC 9112 section 6.2',
    client: [head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 5'), { wait: 'request' }, 'ab', 'cde'],
    answers: [[{ wait: 'request' }, `${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`]],
    expect: five,
    allowed: [five],
  },
  {
    name: 'passes Content-Length 0 on',
    source: 'RFC 9110 section 8.6',
    client: [head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 0')],
    expect: passed({ body: '', fields: { 'content-length': '0' } }),
  },
  {
    name: 'passes the body of GET on',
    source: 'RFC 9110 section 9.3.1',
    client: [`${head('GET / HTTP/1.1', 'Host: a.test', 'Content-Length: 5')}abcde`],
    expect: five,
  },
  {
    name: 'takes leading zeros of a length',
    source: 'RFC 9110 section 8.6',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 0005')}abcde`],
    expect: passed({ body: 'abcde', fields: { 'content-length': /^0*5$/ } }),
    allowed: [refused(400)],
  },
  {
    name: 'passes 40,000 bytes of a body on',
    source: 'RFC 9112 section 6.2',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 40000')}${'0123456789'.repeat(4_000)}`],
    expect: passed({ body: '0123456789'.repeat(4_000) }),
  },
  {
    name: 'takes a body that looks like a request as a body',
    source: 'RFC 9112 section 6.3',
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 40')}GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n\r\n\r\n`,
    ],
    expect: passed({ line: 'POST / HTTP/1.1', body: 'GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n\r\n\r\n' }),
  },
  bad('two lengths that differ', ['Content-Length: 5', 'Content-Length: 6']),
  bad('two lengths that are the same', ['Content-Length: 5', 'Content-Length: 5'], 'RFC 9112 section 6.3', five),
  bad('a list of equal lengths', ['Content-Length: 5, 5'], 'RFC 9112 section 6.3', five),
  bad('a list of lengths that differ', ['Content-Length: 5, 6']),
  bad('a length with a plus', ['Content-Length: +5'], 'Kallus and Smith, HTTP Garden (2024)'),
  bad('a negative length', ['Content-Length: -5']),
  bad('a negative zero', ['Content-Length: -0']),
  bad('a length in hexadecimal', ['Content-Length: 0x5']),
  bad('a length with a fraction', ['Content-Length: 5.0']),
  bad('a length with an exponent', ['Content-Length: 5e0']),
  bad('a length with an underscore', ['Content-Length: 0_5'], 'Kallus and Smith, HTTP Garden (2024)'),
  bad('a length with letters behind it', ['Content-Length: 5abc']),
  bad('a length with a blank in it', ['Content-Length: 0 5']),
  bad('a length in quotes', ['Content-Length: "5"']),
  bad('a length with a vertical tab', ['Content-Length: \x0b5'], 'Klein, HTTP request smuggling in 2020'),
  bad('an empty length', ['Content-Length:']),
  bad('a length of 2^63', ['Content-Length: 9223372036854775808']),
  bad('a length of 2^64 + 5', ['Content-Length: 18446744073709551621'], 'Kallus and Smith, HTTP Garden (2024)'),
  bad('a length of 40 digits', [`Content-Length: ${'9'.repeat(40)}`]),
  bad(
    'a length with a blank before its colon',
    ['Content-Length : 5'],
    'Linhart et al., HTTP Request Smuggling (2005)',
  ),
  bad('a folded length', ['Content-Length:\r\n 5'], 'RFC 9112 section 5.2', five),
  {
    name: 'tells the endpoint when a body breaks off',
    source: 'RFC 9112 section 8',
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 9')}abc`,
      { wait: 'request' },
      { act: 'reset' },
    ],
    expect: { endpoint: [], partial: 'required', client: [], connection: 'closed' },
    allowed: [{ endpoint: 'any', partial: 'allowed', client: [], connection: 'closed' }],
  },
];
