/** What a proxy says of itself and of the client, and what it believes of others. */
import { type ConformanceCase, GET, head, type ProfileName, passed } from '../case-format.js';

const told = (
  name: string,
  source: string,
  lines: readonly string[],
  fields: Record<string, string | RegExp | null>,
  profile: ProfileName = 'usual',
): ConformanceCase => ({
  name,
  source,
  profile,
  client: [head('GET / HTTP/1.1', 'Host: a.test', ...lines)],
  expect: passed({ fields }),
});

const X_FORWARDED = 'MDN, X-Forwarded-For, security and privacy concerns';

export const forwarded: readonly ConformanceCase[] = [
  told('tells the address of the client, the scheme and the host', X_FORWARDED, [], {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'a.test',
  }),
  told('adds Via', 'RFC 9110 section 7.6.3', [], { via: /^1\.1 \S+$/ }),
  told('appends to the Via of others', 'RFC 9110 section 7.6.3', ['Via: 1.0 fred', 'Via: 1.1 p.test'], {
    via: /^1\.0 fred, 1\.1 p\.test, 1\.1 \S+$/,
  }),
  {
    name: 'names the version that it got in Via',
    source: 'RFC 9110 section 7.6.3',
    client: [head('GET / HTTP/1.0', 'Host: a.test')],
    expect: { endpoint: [{ fields: { via: /^1\.0 \S+$/ } }], client: [{ status: 200 }], connection: 'closed' },
  },
  told('gives a request an id', 'semantics.md 10', [], { 'x-request-id': /^[0-9a-f-]{32,36}$/ }),
  told(
    'replaces X-Forwarded-For of a client',
    X_FORWARDED,
    ['X-Forwarded-For: 10.1.1.1', 'x-forwarded-for: 10.2.2.2'],
    {
      'x-forwarded-for': '127.0.0.1',
    },
  ),
  told(
    'replaces X-Forwarded-Proto and -Host of a client',
    X_FORWARDED,
    ['X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.test'],
    {
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test',
    },
  ),
  told(
    'removes other claims of a client',
    X_FORWARDED,
    ['X-Forwarded-Port: 443', 'X-Real-IP: 10.1.1.1', 'Forwarded: for=10.1.1.1'],
    {
      'x-forwarded-port': null,
      'x-real-ip': null,
      forwarded: null,
    },
  ),
  told('replaces the request id of a client', 'semantics.md 10', ['X-Request-Id: mine'], {
    'x-request-id': /^[0-9a-f-]{32,36}$/,
  }),
  told(
    'appends to X-Forwarded-For of a trusted proxy',
    X_FORWARDED,
    ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 10.2.2.2'],
    { 'x-forwarded-for': '203.0.113.7, 10.2.2.2, 127.0.0.1' },
    'trusting',
  ),
  told(
    'believes what else a trusted proxy says',
    'RFC 7239 section 4',
    [
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.test',
      'Forwarded: for=203.0.113.7',
      'X-Real-IP: 203.0.113.7',
      'X-Request-Id: given',
    ],
    {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.test',
      forwarded: 'for=203.0.113.7',
      'x-real-ip': '203.0.113.7',
      'x-request-id': 'given',
    },
    'trusting',
  ),
  {
    name: 'keeps nothing of one request for the next',
    source: 'RFC 9112 section 9.3',
    client: [head('GET /1 HTTP/1.1', 'Host: a.test', 'Cookie: secret', 'X-A: 1'), { wait: 'response' }, GET],
    expect: passed({ line: 'GET /1 HTTP/1.1' }, { line: 'GET / HTTP/1.1', fields: { cookie: null, 'x-a': null } }),
  },
  {
    name: 'tells the host of an absolute target',
    source: 'RFC 9112 section 3.2.2',
    client: [head('GET http://b.test/ HTTP/1.1', 'Host: a.test')],
    expect: passed({ fields: { host: 'b.test', 'x-forwarded-host': 'b.test' } }),
  },
];
