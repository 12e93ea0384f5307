/** Targets with a scheme and an authority, and OPTIONS with its asterisk and Max-Forwards. */
import { type ConformanceCase, head, passed, refused } from '../case-format.js';

const absolute = (name: string, line: string, endpointLine: string, host: string): ConformanceCase => ({
  name,
  source: 'RFC 9112 section 3.2.2',
  client: [head(line, 'Host: other.test')],
  expect: passed({ line: endpointLine, fields: { host } }),
});

export const absoluteForm: readonly ConformanceCase[] = [
  absolute(
    'takes an absolute target and its host',
    'GET http://a.test/x?y=1 HTTP/1.1',
    'GET /x?y=1 HTTP/1.1',
    'a.test',
  ),
  absolute(
    'keeps the port of an absolute target',
    'GET http://a.test:8080/x HTTP/1.1',
    'GET /x HTTP/1.1',
    'a.test:8080',
  ),
  absolute('adds the slash that an absolute target lacks', 'GET http://a.test HTTP/1.1', 'GET / HTTP/1.1', 'a.test'),
  absolute('takes a scheme in any case', 'GET HTTP://a.test/x HTTP/1.1', 'GET /x HTTP/1.1', 'a.test'),
  absolute('adds the slash before a query', 'GET http://a.test?y=1 HTTP/1.1', 'GET /?y=1 HTTP/1.1', 'a.test'),
  absolute('takes an IPv6 address as the host', 'GET http://[::1]:80/x HTTP/1.1', 'GET /x HTTP/1.1', '[::1]:80'),
  {
    name: 'refuses an absolute target beside two Hosts',
    source: 'RFC 9112 section 3.2',
    client: [head('GET http://a.test/ HTTP/1.1', 'Host: a.test', 'Host: b.test')],
    expect: refused(400),
  },
  {
    name: 'refuses an absolute target without a Host',
    source: 'RFC 9112 section 3.2',
    client: [head('GET http://a.test/ HTTP/1.1', 'Accept: */*')],
    expect: refused(400),
    allowed: [passed({ line: 'GET / HTTP/1.1', fields: { host: 'a.test' } })],
  },
  ...[
    ['user information in the authority', 'GET http://user@a.test/ HTTP/1.1'],
    ['another scheme', 'GET ftp://a.test/ HTTP/1.1'],
    ['an absolute target without an authority', 'GET http:///x HTTP/1.1'],
    ['a port that is no number', 'GET http://a.test:x/ HTTP/1.1'],
  ].map(
    ([name, line]): ConformanceCase => ({
      name: `refuses ${name}`,
      source: 'RFC 9110 section 4.2',
      client: [head(line ?? '', 'Host: a.test')],
      expect: refused(400),
    }),
  ),
  {
    name: 'passes OPTIONS with an asterisk on',
    source: 'RFC 9112 section 3.2.4',
    client: [head('OPTIONS * HTTP/1.1', 'Host: a.test')],
    expect: passed({ line: 'OPTIONS * HTTP/1.1' }),
  },
  {
    name: 'makes an asterisk of an absolute OPTIONS without a path',
    source: 'RFC 9112 section 3.2.4',
    client: [head('OPTIONS http://a.test HTTP/1.1', 'Host: a.test')],
    expect: passed({ line: 'OPTIONS * HTTP/1.1', fields: { host: 'a.test' } }),
  },
  {
    name: 'counts Max-Forwards of OPTIONS down',
    source: 'RFC 9110 section 7.6.2',
    client: [head('OPTIONS /x HTTP/1.1', 'Host: a.test', 'Max-Forwards: 5')],
    expect: passed({ line: 'OPTIONS /x HTTP/1.1', fields: { 'max-forwards': '4' } }),
  },
  {
    name: 'answers OPTIONS itself where Max-Forwards is 0',
    source: 'RFC 9110 section 7.6.2',
    client: [head('OPTIONS /x HTTP/1.1', 'Host: a.test', 'Max-Forwards: 0')],
    expect: { endpoint: 'nothing', client: [{ status: [200, 204], fields: { allow: /GET/ } }], connection: 'kept' },
  },
  {
    name: 'passes GET on where Max-Forwards is 0',
    source: 'RFC 9110 section 7.6.2',
    client: [head('GET /x HTTP/1.1', 'Host: a.test', 'Max-Forwards: 0')],
    expect: passed({ line: 'GET /x HTTP/1.1' }),
  },
];
