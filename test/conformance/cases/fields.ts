/** Field lines and Host: what is passed on as it came, and what no recipient agrees about. */
import { type ConformanceCase, head, type Outcome, passed, refused } from '../case-format.js';

const bad = (name: string, line: string, source = 'RFC 9112 section 5', ...allowed: Outcome[]): ConformanceCase => ({
  name,
  source,
  client: [head('GET / HTTP/1.1', 'Host: a.test', line, 'X-Last: 1')],
  expect: refused(400),
  allowed,
});

const good = (
  name: string,
  lines: readonly string[],
  fields: Record<string, string | readonly string[]>,
): ConformanceCase => ({
  name,
  source: 'RFC 9110 section 5',
  client: [head('GET / HTTP/1.1', 'Host: a.test', ...lines)],
  expect: passed({ fields }),
});

const host = (name: string, value: string, ...allowed: Outcome[]): ConformanceCase => ({
  name: `refuses a Host ${name}`,
  source: 'RFC 9110 section 7.2',
  client: [head('GET / HTTP/1.1', `Host: ${value}`)],
  expect: refused(400),
  allowed,
});

export const fields: readonly ConformanceCase[] = [
  good('keeps the order of fields of one name', ['X-A: 1', 'X-B: 2', 'x-a: 3'], { 'x-a': ['1', '3'], 'x-b': '2' }),
  good('strips white space around a value', ['X-A: \t  v w \t '], { 'x-a': 'v w' }),
  good('takes a value without white space before it', ['X-A:v'], { 'x-a': 'v' }),
  good('keeps tabs and blanks inside a value', ['X-A: a \t b'], { 'x-a': 'a \t b' }),
  good('keeps bytes above 0x7f inside a value', ['X-A: a\xe9\xffb'], { 'x-a': 'a\xe9\xffb' }),
  good('keeps quotes and commas', ['X-A: "a, \\"b", c'], { 'x-a': '"a, \\"b", c' }),
  good('keeps an empty field', ['X-A:', 'X-B: 1'], { 'x-a': [''], 'x-b': '1' }),
  good('takes every character of a token in a name', ["!#$%&'*+-.^`|~09az: v"], { "!#$%&'*+-.^`|~09az": 'v' }),
  good('keeps credentials and cookies', ['Authorization: Basic dTpw', 'Cookie: a=1; b="x"', 'Cookie: c=2'], {
    authorization: 'Basic dTpw',
    cookie: ['a=1; b="x"', 'c=2'],
  }),
  good(
    'passes 60 fields on',
    Array.from({ length: 60 }, (_, index) => `X-${index}: ${index}`),
    { 'x-0': '0', 'x-59': '59' },
  ),
  bad('refuses a blank before the colon', 'X-A : v', 'RFC 9112 section 5.1'),
  bad('refuses a tab before the colon', 'X-A\t: v', 'RFC 9112 section 5.1'),
  bad('refuses a blank in a name', 'X A: v'),
  bad('refuses an empty name', ': v'),
  bad('refuses a line without a colon', 'X-A'),
  bad('refuses a control character in a name', 'X\x01A: v'),
  bad('refuses a byte above 0x7f in a name', 'X\xe9: v'),
  bad('refuses a delimiter in a name', 'X(A: v'),
  bad('refuses NUL in a value', 'X-A: a\0b', 'RFC 9110 section 5.5'),
  bad('refuses a bare CR in a value', 'X-A: a\rb', 'RFC 9112 section 2.2'),
  bad('refuses a bare LF in a value', 'X-A: a\nX-B: b', 'RFC 9112 section 2.2', passed({ fields: { 'x-b': 'b' } })),
  bad('refuses a control character in a value', 'X-A: a\x02b', 'RFC 9110 section 5.5', passed({})),
  bad('refuses DEL in a value', 'X-A: a\x7fb', 'RFC 9110 section 5.5', passed({})),
  bad('refuses a folded line', 'X-A: a\r\n b', 'RFC 9112 section 5.2', passed({ fields: { 'x-a': /^a +b$/ } })),
  bad(
    'refuses a line folded by a tab',
    'X-A: a\r\n\tb',
    'RFC 9112 section 5.2',
    passed({ fields: { 'x-a': /^a\s+b$/ } }),
  ),
  bad('refuses two carriage returns at a line end', 'X-A: a\r\r\nX-B: b', 'RFC 9112 section 2.2'),
  {
    name: 'refuses white space between the request line and the first field',
    source: 'RFC 9112 section 2.2',
    client: [head('GET / HTTP/1.1', ' Host: a.test', 'X-A: 1')],
    expect: refused(400),
  },
  {
    name: 'refuses HTTP/1.1 without a Host',
    source: 'RFC 9112 section 3.2',
    client: [head('GET / HTTP/1.1', 'Accept: */*')],
    expect: refused(400),
  },
  {
    name: 'refuses two Hosts that differ',
    source: 'RFC 9112 section 3.2',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Host: b.test')],
    expect: refused(400),
  },
  {
    name: 'refuses two Hosts that are the same',
    source: 'RFC 9112 section 3.2',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Host: a.test')],
    expect: refused(400),
  },
  host('that is empty', '', passed({})),
  host('with a blank', 'a.test b.test'),
  host('with a path', 'a.test/x'),
  host('with user information', 'user@a.test'),
  host('with a comma and a second host', 'a.test, b.test'),
  host('with a port that is no number', 'a.test:8o'),
  host('with two ports', 'a.test:80:81'),
  host('with an open bracket', '[::1'),
  host('with a scheme', 'http://a.test'),
  host('with a byte above 0x7f', 'a\xe9.test', passed({})),
  {
    name: 'keeps the Host with its port and its letters',
    source: 'RFC 9110 section 7.2',
    client: [head('GET / HTTP/1.1', 'hOST: Shop.Example.TEST:8080')],
    expect: passed({ fields: { host: 'Shop.Example.TEST:8080' } }),
  },
  {
    name: 'takes an IPv6 address as Host',
    source: 'RFC 3986 section 3.2.2',
    client: [head('GET / HTTP/1.1', 'Host: [2001:db8::1]:80')],
    expect: passed({ fields: { host: '[2001:db8::1]:80' } }),
  },
];
