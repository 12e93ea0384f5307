/** Limits of size, and limits of time. */
import { type ConformanceCase, GET, head, LIMITS, type Outcome, passed, refused } from '../case-format.js';

const limited = (
  name: string,
  source: string,
  client: readonly string[],
  expect: Outcome,
  ...allowed: Outcome[]
): ConformanceCase => ({
  name,
  source,
  profile: 'limits',
  client,
  expect,
  allowed,
});

const timed = (testCase: Omit<ConformanceCase, 'profile' | 'isTimed'>): ConformanceCase => ({
  ...testCase,
  profile: 'times',
  isTimed: true,
});

const { headBytes, requestLineBytes, headers, bodyBytes, requests } = LIMITS;
const lineOf = (bytes: number): string => `GET /${'x'.repeat(bytes - 'GET / HTTP/1.1\r\n'.length)} HTTP/1.1`;
const fields = (count: number): string[] => Array.from({ length: count }, (_, index) => `X-${index}: 1`);
const silent: Outcome = { endpoint: 'nothing', client: [], connection: 'closed' };

export const bounds: readonly ConformanceCase[] = [
  limited(
    'takes a request line of nearly the limit',
    'RFC 9112 section 3',
    [head(lineOf(requestLineBytes - 16), 'Host: a.test')],
    passed({}),
  ),
  limited(
    'answers 414 to a request line that is too long',
    'RFC 9110 section 15.5.15',
    [head(lineOf(requestLineBytes + 16), 'Host: a.test')],
    refused(414),
    refused(400, 431),
  ),
  limited(
    'answers 414 to a request line that never ends',
    'RFC 9110 section 15.5.15',
    [`GET /${'x'.repeat(4_000)}`],
    refused(414),
    refused(400, 431),
  ),
  limited(
    'takes a head of nearly the limit',
    'RFC 6585 section 5',
    [head('GET / HTTP/1.1', 'Host: a.test', `X-A: ${'x'.repeat(headBytes - 60)}`)],
    passed({}),
  ),
  limited(
    'answers 431 to a head that is too large',
    'RFC 6585 section 5',
    [head('GET / HTTP/1.1', 'Host: a.test', `X-A: ${'x'.repeat(headBytes)}`)],
    refused(431),
    refused(400),
  ),
  limited(
    'answers 431 to a head that never ends',
    'RFC 6585 section 5',
    [`GET / HTTP/1.1\r\nHost: a.test\r\nX-A: ${'x'.repeat(3 * headBytes)}`],
    refused(431),
    refused(400),
  ),
  limited(
    'takes as many fields as the limit',
    'RFC 6585 section 5',
    [head('GET / HTTP/1.1', 'Host: a.test', ...fields(headers - 1))],
    passed({}),
  ),
  limited(
    'answers 431 to one field more',
    'RFC 6585 section 5',
    [head('GET / HTTP/1.1', 'Host: a.test', ...fields(headers))],
    refused(431),
    refused(400),
  ),
  limited(
    'takes a body of the limit',
    'RFC 9110 section 15.5.14',
    [`${head('POST / HTTP/1.1', 'Host: a.test', `Content-Length: ${bodyBytes}`)}${'x'.repeat(bodyBytes)}`],
    passed({ body: 'x'.repeat(bodyBytes) }),
  ),
  limited(
    'answers 413 to a body that is announced too large',
    'RFC 9110 section 15.5.14',
    [head('POST / HTTP/1.1', 'Host: a.test', `Content-Length: ${bodyBytes + 1}`)],
    refused(413),
  ),
  limited(
    'answers 413 to chunks that become too large',
    'RFC 9110 section 15.5.14',
    [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked')}${`1f4\r\n${'x'.repeat(500)}\r\n`.repeat(3)}0\r\n\r\n`,
    ],
    { endpoint: [], partial: 'allowed', client: [{ status: 413 }], connection: 'closed' },
    { endpoint: [], partial: 'allowed', client: [], connection: 'closed' },
  ),
  limited('closes behind the last request that a connection may have', 'RFC 9112 section 9.5', [GET.repeat(requests)], {
    ...passed(...Array.from({ length: requests }, () => ({}))),
    connection: 'closed',
  }),
  timed({
    name: 'answers 408 to a head that does not become complete',
    source: 'RFC 9110 section 15.5.9',
    client: ['GET / HTTP/1.1\r\nHost: a.t', { wait: 'end' }],
    expect: refused(408),
    allowed: [silent],
  }),
  timed({
    name: 'closes a connection on which no request comes',
    source: 'RFC 9112 section 9.5',
    client: [{ wait: 'end' }],
    expect: silent,
    allowed: [refused(408)],
  }),
  timed({
    name: 'closes a connection on which no further request comes',
    source: 'RFC 9112 section 9.5',
    client: [GET, { wait: 'response' }, { wait: 'end' }],
    expect: { endpoint: [{}], client: [{ status: 200 }], connection: 'closed' },
  }),
  timed({
    name: 'answers 408 to a body that stops',
    source: 'RFC 9110 section 15.5.9',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 9')}abc`, { wait: 'end' }],
    expect: { endpoint: [], partial: 'required', client: [{ status: 408 }], connection: 'closed' },
    allowed: [{ endpoint: [], partial: 'allowed', client: [], connection: 'closed' }],
  }),
  timed({
    name: 'answers 504 where the endpoint does not answer',
    source: 'RFC 9110 section 15.6.5',
    client: [GET],
    answers: [[{ wait: 'end' }]],
    expect: { endpoint: [{}], client: [{ status: 504 }], connection: 'kept' },
    allowed: [{ endpoint: [{}], client: [{ status: 504 }], connection: 'closed' }],
  }),
  timed({
    name: 'breaks a response off that stops',
    source: 'RFC 9112 section 8',
    client: [GET],
    answers: [[`${head('HTTP/1.1 200 OK', 'Content-Length: 9')}abc`, { wait: 'end' }]],
    expect: { endpoint: [{}], client: [{ status: 200, isBroken: true }], connection: 'closed' },
  }),
];
