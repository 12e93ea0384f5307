/** Expect, interim responses, answers that come early, and upgrades. */
import { type ConformanceCase, GET, head, OK, type Outcome } from '../case-format.js';

const EXPECTING = head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 3', 'Expect: 100-continue');
const CONTINUE = head('HTTP/1.1 100 Continue');
const UPGRADE = head(
  'GET /chat HTTP/1.1',
  'Host: a.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
);
const SWITCHING = head(
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
);

const hints = (interims: readonly number[], ...allowed: Outcome[]) => ({
  expect: {
    endpoint: [{}],
    client: [{ status: 200, body: 'ok', interims }],
    connection: 'kept',
  } as const satisfies Outcome,
  allowed,
});

export const interims: readonly ConformanceCase[] = [
  {
    name: 'passes Expect and 100 on',
    source: 'RFC 9110 section 10.1.1',
    client: [EXPECTING, { wait: 'interim' }, 'abc'],
    answers: [[CONTINUE, { wait: 'request' }, OK]],
    expect: {
      endpoint: [{ body: 'abc', fields: { expect: /^100-continue$/i } }],
      client: [{ status: 200, interims: [100] }],
      connection: 'kept',
    },
    allowed: [{ endpoint: [{ body: 'abc' }], client: [{ status: 200, interims: [100] }], connection: 'kept' }],
  },
  {
    name: 'passes the refusal of an expectation on',
    source: 'RFC 9110 section 10.1.1',
    client: [EXPECTING, { wait: 'response' }],
    answers: [[head('HTTP/1.1 417 Expectation Failed', 'Content-Length: 0')]],
    expect: { endpoint: [], partial: 'required', client: [{ status: 417 }], connection: 'any' },
  },
  {
    name: 'passes a body on that comes although nobody said 100',
    source: 'RFC 9110 section 10.1.1',
    client: [`${EXPECTING}abc`],
    expect: { endpoint: [{ body: 'abc' }], client: [{ status: 200 }], connection: 'kept' },
    allowed: [{ endpoint: [{ body: 'abc' }], client: [{ status: 200, interims: [100] }], connection: 'kept' }],
  },
  {
    name: 'takes Expect in any case',
    source: 'RFC 9110 section 10.1.1',
    client: [
      head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 3', 'eXPECT: 100-Continue'),
      { wait: 'interim' },
      'abc',
    ],
    answers: [[CONTINUE, { wait: 'request' }, OK]],
    expect: { endpoint: [{ body: 'abc' }], client: [{ status: 200, interims: [100] }], connection: 'kept' },
  },
  {
    name: 'refuses another expectation',
    source: 'RFC 9110 section 10.1.1',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Expect: tea')],
    expect: { endpoint: 'nothing', client: [{ status: [400, 417] }], connection: 'any' },
    allowed: [{ endpoint: [{}], client: [{ status: 200 }], connection: 'kept' }],
  },
  {
    name: 'passes 103 and its links on',
    source: 'RFC 8297 section 2',
    client: [GET],
    answers: [`${head('HTTP/1.1 103 Early Hints', 'Link: </a.css>; rel=preload', 'Connection: x-a', 'X-A: 1')}${OK}`],
    expect: {
      endpoint: [{}],
      client: [
        { status: 200, body: 'ok', interims: [103], interimFields: { link: '</a.css>; rel=preload', 'x-a': null } },
      ],
      connection: 'kept',
    },
  },
  {
    name: 'passes several interim responses on',
    source: 'RFC 9110 section 15.2',
    client: [GET],
    answers: [
      `${head('HTTP/1.1 102 Processing')}${head('HTTP/1.1 103 Early Hints')}${head('HTTP/1.1 103 Early Hints')}${OK}`,
    ],
    ...hints([102, 103, 103]),
  },
  {
    name: 'passes 100 on that nobody expected',
    source: 'RFC 9110 section 15.2',
    client: [GET],
    answers: [`${CONTINUE}${OK}`],
    ...hints([100], { endpoint: [{}], client: [{ status: 200, body: 'ok' }], connection: 'kept' }),
  },
  {
    name: 'gives an interim response before the final one comes',
    source: 'RFC 8297 section 2',
    client: [GET, { wait: 'interim' }],
    answers: [[head('HTTP/1.1 103 Early Hints', 'Link: </a>'), { wait: 'client' }, OK]],
    ...hints([103]),
  },
  {
    name: 'refuses an interim response with chunks',
    source: 'RFC 9112 section 6.1',
    client: [GET],
    answers: [`${head('HTTP/1.1 103 Early Hints', 'Transfer-Encoding: chunked')}0\r\n\r\n${OK}`],
    expect: { endpoint: [{}], client: [{ status: 502 }], connection: 'any' },
    allowed: [{ endpoint: [{}], client: [{ status: 502, interims: [103] }], connection: 'any' }],
  },
  {
    name: 'gives an answer that comes before the body is complete',
    source: 'RFC 9112 section 9.5',
    client: [`${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 9')}abc`, { wait: 'response' }],
    answers: [[head('HTTP/1.1 403 Forbidden', 'Content-Length: 0')]],
    expect: { endpoint: [], partial: 'required', client: [{ status: 403 }], connection: 'any' },
  },
  {
    name: 'takes no body for a request where the answer came early',
    source: 'RFC 9112 section 9.5',
    client: [
      `${head('POST / HTTP/1.1', 'Host: a.test', 'Content-Length: 50')}abc`,
      { wait: 'response' },
      head('GET /evil HTTP/1.1', 'Host: a.test', 'X: y'),
    ],
    answers: [[`${head('HTTP/1.1 403 Forbidden', 'Content-Length: 0')}`]],
    expect: { endpoint: [], partial: 'allowed', client: [{ status: 403 }], connection: 'any' },
    allowed: [{ endpoint: 'any', client: [{ status: 403 }], connection: 'any' }],
    isTimed: true,
  },
  {
    name: 'makes a tunnel of an upgrade',
    source: 'RFC 9110 section 7.8',
    client: [UPGRADE, { wait: 'response' }, 'ping\0\r\n\r\n', { wait: 'tunnel', bytes: 'pong\0' }],
    answers: [[SWITCHING, { act: 'switch' }, { wait: 'tunnel', bytes: 'ping\0\r\n\r\n' }, 'pong\0', { act: 'close' }]],
    expect: {
      endpoint: [{ line: 'GET /chat HTTP/1.1', fields: { upgrade: 'websocket', connection: /upgrade/i } }],
      tunnel: 'ping\0\r\n\r\n',
      client: [
        {
          status: 101,
          fields: {
            upgrade: 'websocket',
            connection: /upgrade/i,
            'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
          },
        },
      ],
      clientTunnel: 'pong\0',
      connection: 'any',
    },
  },
  {
    name: 'passes bytes on that the endpoint sends with its 101',
    source: 'RFC 9110 section 7.8',
    client: [UPGRADE, { wait: 'response' }, { wait: 'tunnel', bytes: 'hello' }],
    answers: [[`${SWITCHING}hello`, { act: 'switch' }, { wait: 'client' }, { act: 'close' }]],
    expect: { endpoint: [{}], client: [{ status: 101 }], clientTunnel: 'hello', connection: 'any' },
  },
  {
    name: 'passes the half-close of a tunnel on',
    source: 'RFC 9110 section 7.8',
    client: [UPGRADE, { wait: 'response' }, 'last words', { act: 'half-close' }, { wait: 'tunnel', bytes: 'heard' }],
    answers: [
      [
        SWITCHING,
        { act: 'switch' },
        { wait: 'tunnel', bytes: 'last words' },
        { wait: 'end' },
        'heard',
        { act: 'close' },
      ],
    ],
    expect: {
      endpoint: [{}],
      tunnel: 'last words',
      client: [{ status: 101 }],
      clientTunnel: 'heard',
      connection: 'closed',
    },
  },
  {
    name: 'closes a tunnel that the endpoint closes',
    source: 'RFC 9110 section 7.8',
    client: [UPGRADE, { wait: 'response' }, { wait: 'tunnel', bytes: 'bye' }, { act: 'half-close' }],
    answers: [[SWITCHING, { act: 'switch' }, 'bye', { act: 'close' }]],
    expect: { endpoint: [{}], client: [{ status: 101 }], clientTunnel: 'bye', connection: 'closed' },
  },
  {
    name: 'passes any other protocol on',
    source: 'RFC 9110 section 7.8',
    client: [
      head('GET /x HTTP/1.1', 'Host: a.test', 'Connection: upgrade', 'Upgrade: sluice-test/2'),
      { wait: 'response' },
      'ping',
      { wait: 'tunnel', bytes: 'pong' },
    ],
    answers: [
      [
        head('HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: sluice-test/2'),
        { act: 'switch' },
        { wait: 'tunnel', bytes: 'ping' },
        'pong',
        { act: 'close' },
      ],
    ],
    expect: {
      endpoint: [{ fields: { upgrade: 'sluice-test/2' } }],
      tunnel: 'ping',
      client: [{ status: 101, fields: { upgrade: 'sluice-test/2' } }],
      clientTunnel: 'pong',
      connection: 'any',
    },
  },
  {
    name: 'serves on where the endpoint does not upgrade',
    source: 'RFC 9110 section 7.8',
    client: [UPGRADE],
    expect: { endpoint: [{}], client: [{ status: 200, body: 'ok' }], connection: 'kept' },
  },
  {
    name: 'passes no Upgrade on that Connection does not name',
    source: 'RFC 9110 section 7.8',
    client: [head('GET / HTTP/1.1', 'Host: a.test', 'Upgrade: websocket')],
    expect: { endpoint: [{ fields: { upgrade: null } }], client: [{ status: 200 }], connection: 'kept' },
  },
  {
    name: 'passes no Upgrade of HTTP/1.0 on',
    source: 'RFC 9110 section 7.8',
    client: [head('GET / HTTP/1.0', 'Host: a.test', 'Connection: upgrade', 'Upgrade: websocket')],
    expect: { endpoint: [{ fields: { upgrade: null } }], client: [{ status: 200 }], connection: 'closed' },
  },
  {
    name: 'refuses a 101 that nobody asked for',
    source: 'RFC 9110 section 15.2.2',
    client: [GET],
    answers: [[`${SWITCHING}hello`, { act: 'close' }]],
    expect: { endpoint: 'any', client: [{ status: 502 }], connection: 'any' },
  },
];
