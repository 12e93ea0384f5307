/** The head that goes to the endpoint, and the facts collected while it is built. */
import { describe, expect, it } from 'vitest';
import { CHUNKED_BODY, NO_BODY } from '../../../src/engine/engine.js';
import { peerAt } from '../../../src/l7/client-address.js';
import { RequestHead } from '../../../src/l7/request-head.js';

const stranger = peerAt('203.0.113.9', false);
const proxy = peerAt('10.0.0.1', true);

/** Runs fields through as a front end does. */
function build(fields: [string, string][], peer = stranger, requestId = 'id-1') {
  const head = new RequestHead({ scheme: 'http', viaName: 'sluice-test' });
  const all: [string, string][] = fields.some(([name]) => name === 'host') ? fields : [['host', 'a.test'], ...fields];
  head.begin(peer);
  for (const [name, value] of all) head.field(name, value);
  const nominated = head.nominations();
  if (typeof nominated !== 'string') {
    head.beginWithout(nominated);
    for (const [name, value] of all) head.field(name, value);
  }
  if (head.requestId === '') head.requestId = requestId;
  const problem = head.problem();
  return { head, nominated, problem, lines: head.finish('GET', '/x?y=1').split('\r\n').slice(0, -1) };
}

describe('request head', () => {
  it('puts the request line, Host and what the proxy adds first, keeps order and values of the rest', () => {
    const { lines } = build([
      ['accept', '*/*'],
      ['host', 'a.test:80'],
      ['x-b', '1'],
      ['cookie', 'a=b; c=d'],
      ['x-b', '2'],
    ]);
    expect(lines).toEqual([
      'GET /x?y=1 HTTP/1.1',
      'host: a.test:80',
      'x-forwarded-for: 203.0.113.9',
      'x-forwarded-proto: http',
      'x-forwarded-host: a.test:80',
      'via: 1.1 sluice-test',
      'x-request-id: id-1',
      'accept: */*',
      'x-b: 1',
      'cookie: a=b; c=d',
      'x-b: 2',
    ]);
  });

  it.each([
    'te',
    'trailer',
    'upgrade',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'proxy-authenticate',
    'transfer-encoding',
    'content-length',
    'expect',
  ])('does not pass %s on', (name) => {
    expect(
      build([[name, name === 'content-length' ? '0' : 'chunked']]).lines.some((line) => line.startsWith(`${name}:`)),
    ).toBe(false);
  });

  it('removes what Connection names, wherever it stands, and Connection itself', () => {
    const { lines } = build([
      ['x-one', '1'],
      ['connection', 'X-One, keep-alive'],
      ['x-two', '2'],
      ['connection', 'x-three'],
      ['x-three', '3'],
    ]);
    expect(lines.filter((line) => /^(x-(one|two|three)|connection)/.test(line))).toEqual(['x-two: 2']);
  });

  it.each(['host', 'Content-Length', 'x-forwarded-for', 'Authorization', 'close, cookie'])(
    'refuses Connection: %s',
    (value) => {
      expect(build([['connection', value]]).nominated).toBe('refused');
    },
  );

  it.each(['keep-alive', 'close', 'Keep-Alive', 'Upgrade', ''])('needs no second pass for Connection: %j', (value) => {
    expect(build([['connection', value]]).nominated).toBe('none');
  });

  it('does not believe a stranger', () => {
    const { lines } = build([
      ['x-forwarded-for', '1.1.1.1'],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-host', 'evil'],
      ['x-forwarded-port', '1'],
      ['x-forwarded-prefix', '/evil'],
      ['forwarded', 'for=1.1.1.1'],
      ['x-real-ip', '1.1.1.1'],
      ['x-request-id', 'evil'],
    ]);
    expect(lines.slice(2)).toEqual([
      'x-forwarded-for: 203.0.113.9',
      'x-forwarded-proto: http',
      'x-forwarded-host: a.test',
      'via: 1.1 sluice-test',
      'x-request-id: id-1',
    ]);
  });

  it('believes a trusted proxy and adds its address', () => {
    const { lines } = build(
      [
        ['x-forwarded-for', '1.1.1.1'],
        ['x-forwarded-for', '2.2.2.2'],
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-host', 'shop.test'],
        ['x-forwarded-port', '443'],
        ['x-real-ip', '1.1.1.1'],
        ['x-request-id', 'abc'],
      ],
      proxy,
    );
    expect(lines.slice(2)).toEqual([
      'x-forwarded-for: 1.1.1.1, 2.2.2.2, 10.0.0.1',
      'x-forwarded-proto: https',
      'x-forwarded-host: shop.test',
      'via: 1.1 sluice-test',
      'x-request-id: abc',
      'x-forwarded-port: 443',
      'x-real-ip: 1.1.1.1',
    ]);
  });

  it.each(['', 'a b', 'x'.repeat(129), 'é'])('makes its own id where a trusted proxy sent %j', (value) => {
    expect(build([['x-request-id', value]], proxy).lines).toContain('x-request-id: id-1');
  });

  it('adds itself to Via and knows itself there', () => {
    const { lines, head } = build([
      ['via', '1.0 fred'],
      ['via', '1.1 other'],
    ]);
    expect(lines).toContain('via: 1.0 fred, 1.1 other, 1.1 sluice-test');
    expect(head.hasLoop).toBe(false);
    expect(build([['via', '1.0 fred, 1.1 sluice-test']]).head.hasLoop).toBe(true);
  });

  it.each<[string, [string, string][], string | undefined, number]>([
    ['no body', [], undefined, NO_BODY],
    ['a length', [['content-length', '12']], undefined, 12],
    ['zero', [['content-length', '0']], undefined, 0],
    ['chunked', [['transfer-encoding', 'chunked']], undefined, CHUNKED_BODY],
    [
      'both',
      [
        ['content-length', '3'],
        ['transfer-encoding', 'chunked'],
      ],
      'SLUICE_BAD_FRAMING',
      NO_BODY,
    ],
    [
      'two lengths',
      [
        ['content-length', '3'],
        ['content-length', '5'],
      ],
      'SLUICE_BAD_FRAMING',
      NO_BODY,
    ],
    [
      'the same length twice',
      [
        ['content-length', '3'],
        ['content-length', '3'],
      ],
      'SLUICE_BAD_FRAMING',
      NO_BODY,
    ],
    [
      'two codings',
      [
        ['transfer-encoding', 'chunked'],
        ['transfer-encoding', 'chunked'],
      ],
      'SLUICE_BAD_FRAMING',
      NO_BODY,
    ],
    ...['+3', '-3', '3, 3', '0x3', '', ' 3', '3 ', '1e3', '9'.repeat(16)].map(
      (length): [string, [string, string][], string, number] => [
        `length ${JSON.stringify(length)}`,
        [['content-length', length]],
        'SLUICE_BAD_FRAMING',
        NO_BODY,
      ],
    ),
    ...['Chunked', 'xchunked', 'gzip, chunked', 'chunked, identity', 'identity', '', 'chunked;q=1'].map(
      (coding): [string, [string, string][], string, number] => [
        `coding ${JSON.stringify(coding)}`,
        [['transfer-encoding', coding]],
        'SLUICE_BAD_FRAMING',
        NO_BODY,
      ],
    ),
    [
      'two hosts',
      [
        ['host', 'a'],
        ['host', 'a'],
      ],
      'SLUICE_BAD_HOST',
      NO_BODY,
    ],
  ])('judges framing: %s', (_, fields, problem, bodyBytes) => {
    const built = build(fields);
    expect(built.problem).toBe(problem);
    expect(built.head.bodyBytes).toBe(bodyBytes);
  });

  it.each([
    ['OPTIONS', '5', '4'],
    ['GET', '5', '5'],
    ['GET', '0', '0'],
  ])('writes for %s with Max-Forwards: %s what is left: %s', (method, came, goes) => {
    expect(build([['max-forwards', came]]).head.finish(method, '/')).toContain(`max-forwards: ${goes}\r\n`);
  });
  it('writes the same for the next request of a peer, and another Host for another', () => {
    const head = new RequestHead({ scheme: 'http', viaName: 'sluice-test' });
    const hostLines = ['a', 'a', 'b', 'a'].map((host) => {
      head.begin(stranger);
      head.field('host', host);
      head.requestId = 'n';
      return head
        .finish('GET', '/')
        .split('\r\n')
        .filter((line) => line.includes('host'));
    });
    expect(hostLines).toEqual(['a', 'a', 'b', 'a'].map((host) => [`host: ${host}`, `x-forwarded-host: ${host}`]));
  });

  it('remembers nothing of the request before', () => {
    const head = new RequestHead({ scheme: 'http', viaName: 'sluice-test' });
    head.begin(proxy);
    for (const [name, value] of [
      ['host', 'a'],
      ['content-length', '1'],
      ['x-forwarded-for', '1.1.1.1'],
      ['via', 'sluice-test'],
      ['x-request-id', 'q'],
    ] as const)
      head.field(name, value);
    head.problem();
    head.begin(stranger);
    head.field('host', 'b');
    head.requestId = 'n';
    expect(head.problem()).toBeUndefined();
    expect([head.bodyBytes, head.hasLoop, head.fields]).toEqual([NO_BODY, false, 1]);
    expect(head.finish('GET', '/').split('\r\n')).toHaveLength(8);
  });
});
