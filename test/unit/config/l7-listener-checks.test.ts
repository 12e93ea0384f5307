/** L7 listeners: settings that their front end does not have, limits that do not fit, and what only the native one can do wrong. */
import { describe, expect, it } from 'vitest';
import { NATIVE_SETTINGS } from '../../../src/config/schema/front-end.js';
import { l7ListenerSchema } from '../../../src/config/schema/l7-listener.js';
import { schemaAt } from '../../../src/config/schema/walk.js';
import { configOf, problemsOf, SMALLEST, warningsOf } from './loading.js';

const withListener = (settings: string) => SMALLEST.replace('name: web,', `name: web, ${settings},`);
const onSocket = (text: string) => text.replace('127.0.0.1:8080', 'unix:/run/web.sock');
const short = (finding: string) => finding.replace(/^sluice\.yaml:3:\d+ listeners\[0\]\./, '');
const told = (text: string) => problemsOf(text).map(short);
/** Without the hint. */
const warned = (text: string) => warningsOf(text).map((warning) => short(warning).split(' | ')[0]);

describe('a listener with the uws front end', () => {
  it.each([
    ['deferAccept: 5s', 'deferAccept needs the native front end: uWebSockets.js opens its socket itself'],
    ['keepAlive: off', 'keepAlive needs the native front end: uWebSockets.js opens its socket itself'],
    [
      'proxyProtocol: false',
      'proxyProtocol needs the native front end: uWebSockets.js as it is loaded here reads no PROXY header',
    ],
    [
      'timeouts: { writeStall: 60s }',
      'timeouts.writeStall needs the native front end: uWebSockets.js has a fixed time of about 14 s',
    ],
    [
      'limits: { connections: unlimited }',
      'limits.connections needs the native front end: uWebSockets.js does not ask whether it may accept',
    ],
  ])('is refused with %s, default or not', (settings, problem) => {
    expect(told(withListener(`frontend: uws, ${settings}`))).toEqual([
      `${problem} | write frontend: native, or remove it`,
    ]);
  });

  it('is refused on a UNIX socket', () => {
    expect(told(onSocket(withListener('frontend: uws')))).toEqual([
      'bind is "unix:/run/web.sock", but the uws front end listens on ports only | write frontend: native, or an address such as 127.0.0.1:8080',
    ]);
  });

  it('is told every setting that it lacks, and each is one of the schema', () => {
    for (const [path] of NATIVE_SETTINGS) expect(schemaAt(l7ListenerSchema, path, null), path.join('.')).not.toBeNull();
    const keys = (head: string) =>
      NATIVE_SETTINGS.filter(([path]) => path.slice(0, -1).join('.') === head).map(([path]) => `${path.at(-1)}: 1`);
    const flat = NATIVE_SETTINGS.filter(([path]) => path.length === 1).map(([path]) => `${path[0]}: 1`);
    const all = `${flat.join(', ')}, timeouts: { ${keys('timeouts').join(', ')} }, limits: { ${keys('limits').join(', ')} }, tls: { ${keys('tls').join(', ')}, clientAuth: { ${keys('tls.clientAuth').join(', ')} } }`;
    const named = problemsOf(withListener(`frontend: uws, ${all}`)).filter((problem) =>
      problem.includes('needs the native'),
    );
    expect(named).toHaveLength(NATIVE_SETTINGS.length);
  });
});

describe('a listener with the native front end', () => {
  const native = (settings: string) => withListener(`frontend: native, ${settings}`);

  it('is taken with all of them, on ports and on UNIX sockets', () => {
    const settings = 'deferAccept: 5s, keepAlive: off, limits: { connections: 9, minBodyRate: 1KiB }';
    expect(configOf(native(settings)).listeners[0]).toMatchObject({ deferAccept: 5_000, keepAlive: 'off' });
    expect(told(native('proxyProtocol: true'))).toHaveLength(1);
    expect(configOf(onSocket(native('proxyProtocol: true, socketMode: "0600"'))).listeners[0]).toMatchObject({
      bind: { kind: 'unix', path: '/run/web.sock' },
      socketMode: 0o600,
    });
  });

  it.each([
    [
      'limits: { targetBytes: 32KiB }',
      'limits.targetBytes is 32KiB, but the whole head may have 16KiB (headBytes) | the request line is part of the head: raise headBytes, or lower this',
    ],
    [
      'limits: { headBytes: 1KiB, targetBytes: 2KiB }',
      'limits.targetBytes is 2KiB, but the whole head may have 1KiB (headBytes) | the request line is part of the head: raise headBytes, or lower this',
    ],
    [
      'limits: { minBodyRate: 0B }',
      'limits.minBodyRate is "0B", but must be a size such as 512B, 16KiB or 1MiB, from 1B to 1GiB, or off',
    ],
    [
      'proxyProtocol: true',
      'proxyProtocol is true, but there are no trustedProxies, so nobody would be believed | name the addresses of the proxies in front: trustedProxies: [ 10.0.0.0/8 ]',
    ],
    ['socketMode: "0600"', 'socketMode has nothing to hold for: this listener has no UNIX socket | remove it'],
  ])('is refused with %s', (settings, problem) => {
    expect(told(native(settings))).toEqual([problem]);
  });

  it('is refused on a UNIX socket that each worker would listen on', () => {
    expect(told(onSocket(native('accept: reuseport')))).toEqual([
      'accept is reuseport, but a UNIX socket cannot be shared by several acceptors | write accept: primary, which is the default',
    ]);
  });

  it('takes a head below the default of the request line, which then is as long as the head', () => {
    expect(configOf(native('limits: { headBytes: 2KiB }')).listeners[0]).toMatchObject({
      limits: { headBytes: 2_048 },
    });
  });

  it.each([
    ['timeouts: { requestHead: 1s, tunnelIdle: 5m }, limits: { headBytes: 64KiB, headers: 500 }', []],
    [
      'timeouts: { preface: 1s }',
      ['timeouts.preface has no effect: nothing is read before the protocol of the client begins'],
    ],
    ['trustedProxies: [ 0.0.0.0/0 ]', ['trustedProxies[0] believes the forwarded headers of every client']],
  ])('is warned of with %s as it deserves', (settings, warnings) => {
    expect(warned(native(settings))).toEqual(warnings);
  });

  it('is warned of what a UNIX socket has no use for', () => {
    expect(warned(onSocket(native('deferAccept: 5s, limits: { connectionsPerClient: 5 }')))).toEqual([
      'deferAccept has no effect on a UNIX socket: it is an option of TCP',
      'limits.connectionsPerClient has no effect on a UNIX socket: its clients have no address',
    ]);
  });
});
