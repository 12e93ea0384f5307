/** Settings of l4 listeners: how they are read, and what is said of those that cannot be. */
import { describe, expect, it } from 'vitest';
import { l4RoutesOf } from '../../../../src/config/schema/l4-listener.js';
import { configOf, problemsOf, SMALLEST_L4 } from '../loading.js';

const withListener = (settings: string) => SMALLEST_L4.replace('name: db,', `name: db, ${settings},`);
const withMatch = (match: string) =>
  SMALLEST_L4.replace('upstream: pg', `routes: [ { match: { ${match} }, upstream: pg } ]`);
const listenerOf = (text: string) => {
  const [listener] = configOf(text).listeners;
  if (listener?.mode !== 'l4') throw new Error('no l4 listener');
  return listener;
};
/** Problems without the place, which is the line of the listener. */
const told = (text: string) =>
  problemsOf(text).map((problem) => problem.replace(/^sluice\.yaml:3:\d+ listeners\[0\]\./, ''));

describe('an l4 listener', () => {
  it('gets every default', () => {
    expect(listenerOf(SMALLEST_L4)).toEqual({
      name: 'db',
      mode: 'l4',
      accept: 'primary',
      bind: { kind: 'tcp', host: '127.0.0.1', port: 5432 },
      socketMode: 0o666,
      upstream: 'pg',
      relay: 'adaptive',
      halfClose: true,
      deferAccept: 0,
      proxyProtocol: false,
      trustedProxies: [],
      tls: 'off',
      keepAlive: { idle: 60_000, interval: 10_000, probes: 6 },
      accessLog: true,
      timeouts: { sessionIdle: 600_000, linger: 60_000, preface: 5_000 },
      limits: { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: 'unlimited' },
    });
  });

  it('may have routes, whose names are kept in lower case and whose protocols as they are', () => {
    const { routes } = listenerOf(withMatch('sni: "*.Example.COM", alpn: [ h2, X-own/1 ]'));
    expect(routes).toEqual([{ match: { sni: '*.example.com', alpn: ['h2', 'X-own/1'] }, upstream: 'pg' }]);
  });

  it('has one route for all connections with upstream', () => {
    expect(l4RoutesOf(listenerOf(SMALLEST_L4))).toEqual([{ match: { sni: '*', alpn: [] }, upstream: 'pg' }]);
  });

  it('has a route for all connections without a match', () => {
    const listener = listenerOf(SMALLEST_L4.replace('upstream: pg', 'routes: [ { upstream: pg } ]'));
    expect(l4RoutesOf(listener)).toEqual([{ match: { sni: '*', alpn: [] }, upstream: 'pg' }]);
  });

  it('fills in the burst of a rate', () => {
    const limits = (rate: string) => listenerOf(withListener(`limits: { newSessionsPerClient: ${rate} }`)).limits;
    expect(limits('{ perSecond: 5 }').newSessionsPerClient).toEqual({ perSecond: 5, burst: 5 });
    expect(limits('{ perSecond: 5, burst: 1 }').newSessionsPerClient).toEqual({ perSecond: 5, burst: 1 });
    expect(limits('unlimited').newSessionsPerClient).toBe('unlimited');
  });

  it.each([
    ['keepAlive: off', { keepAlive: 'off' }],
    ['keepAlive: { idle: 1s }', { keepAlive: { idle: 1_000, interval: 10_000, probes: 6 } }],
    ['deferAccept: off', { deferAccept: 0 }],
    ['deferAccept: 90s', null],
    ['deferAccept: 1m', { deferAccept: 60_000 }],
    ['halfClose: false', { halfClose: false }],
    ['limits: { sessions: 5, sessionsPerClient: unlimited }', { limits: { sessions: 5, sessionsPerClient: 0 } }],
    ['timeouts: { sessionIdle: 168h, linger: 100ms }', { timeouts: { sessionIdle: 604_800_000, linger: 100 } }],
  ])('reads %s', (settings, expected) => {
    if (expected === null) expect(told(withListener(settings))).toHaveLength(1);
    else expect(listenerOf(withListener(settings))).toMatchObject(expected);
  });

  it.each([
    ['"0660"', 0o660],
    ['"600"', 0o600],
    ['"0777"', 0o777],
  ])('reads socketMode: %s', (written, mode) => {
    const text = withListener(`socketMode: ${written}`).replace('127.0.0.1:5432', 'unix:/run/db.sock');
    expect(listenerOf(text)).toMatchObject({ bind: { kind: 'unix', path: '/run/db.sock' }, socketMode: mode });
  });
});

describe('a problem of an l4 listener', () => {
  it.each([
    ['relay: fast', 'relay is "fast", but must be one of adaptive, copy or splice'],
    [
      'relay: sockmap',
      'relay is "sockmap", but must be one of adaptive, copy or splice | sockmap is left out: the kernel promises no back-pressure there (docs/adr/0008-no-sockmap-relay.md)',
    ],
    ['relay: spilce', 'relay is "spilce", but must be one of adaptive, copy or splice | did you mean splice?'],
    ['halfClose: off', 'halfClose is "off", but must be true or false | write false'],
    ['proxyProtocol: v2', 'proxyProtocol is "v2", but must be true or false'],
    [
      'deferAccept: 1500ms',
      'deferAccept is "1500ms", but must be a duration of whole seconds such as 10s, 5m or 1h, from 1s to 1m, or off',
    ],
    [
      'deferAccept: 0s',
      'deferAccept is "0s", but must be a duration of whole seconds such as 10s, 5m or 1h, from 1s to 1m, or off | write off for no limit',
    ],
    [
      'keepAlive: { idle: 500ms }',
      'keepAlive.idle is "500ms", but must be a duration of whole seconds such as 10s, 5m or 1h, from 1s to 32767s',
    ],
    ['keepAlive: { probes: 128 }', 'keepAlive.probes is 128, but must be a whole number from 1 to 127'],
    ['keepAlive: { idel: 5s }', 'keepAlive.idel is not a known setting | did you mean idle?'],
    [
      'keepAlive: 60s',
      'keepAlive is "60s", but must be off or a section | a section has the keys idle, interval or probes',
    ],
    ['keepAlive: false', 'keepAlive is false, but must be off or a section | did you mean off?'],
    [
      'timeouts: { sessionIdle: off }',
      'timeouts.sessionIdle is "off", but must be a duration such as 500ms, 10s, 5m or 1h, from 100ms to 168h',
    ],
    [
      'limits: { sessions: 0 }',
      'limits.sessions is 0, but must be a whole number from 1 to 10000000, or unlimited | write unlimited',
    ],
    [
      'limits: { newSessionsPerClient: 10 }',
      'limits.newSessionsPerClient is 10, but must be unlimited or a section | a section has the keys perSecond or burst',
    ],
    [
      'limits: { newSessionsPerClient: { burst: 10 } }',
      'limits.newSessionsPerClient.perSecond is missing: it must be a whole number from 1 to 100000',
    ],
    [
      'limits: { newSessionsPerClient: { perSecond: 0.5 } }',
      'limits.newSessionsPerClient.perSecond is 0.5, but must be a whole number from 1 to 100000',
    ],
    [
      'limits: { newSessionsPerClient: { perSecnd: 1, perSecond: 1 } }',
      'limits.newSessionsPerClient.perSecnd is not a known setting | did you mean perSecond?',
    ],
    [
      'port: 80',
      'port is not a known setting | known here: name, mode, accept, bind, socketMode, upstream, routes, relay, halfClose, deferAccept, proxyProtocol, trustedProxies, keepAlive, accessLog, tls, timeouts, limits',
    ],
  ])('is told for %s', (settings, problem) => {
    expect(told(withListener(settings))).toEqual([problem]);
  });

  it.each([
    [
      '660',
      'socketMode is 660, but must be permissions in octal digits and in quotes, such as "0660" | put the digits in quotes: without them YAML reads a number',
    ],
    ['"rw-rw----"', 'socketMode is "rw-rw----", but must be permissions in octal digits and in quotes, such as "0660"'],
    ['"0880"', 'socketMode is "0880", but must be permissions in octal digits and in quotes, such as "0660"'],
    ['"04755"', 'socketMode is "04755", but must be permissions in octal digits and in quotes, such as "0660"'],
  ])('is told for socketMode: %s', (written, problem) => {
    const text = withListener(`socketMode: ${written}`).replace('127.0.0.1:5432', 'unix:/run/db.sock');
    expect(told(text)).toEqual([problem]);
  });

  const sni = 'must be a server name such as db.example.com, *.example.com or * for all';
  it.each([
    ['sni: "a.example:443"', `sni is "a.example:443", but ${sni} | leave out the port: a server name has none`],
    [
      'sni: 10.0.0.1',
      `sni is "10.0.0.1", but ${sni} | clients that connect to an address send no server name: a route without match takes them`,
    ],
    [
      'sni: "[::1]"',
      `sni is "[::1]", but ${sni} | clients that connect to an address send no server name: a route without match takes them`,
    ],
    ['sni: "https://a.example"', `sni is "https://a.example", but ${sni} | leave out the scheme`],
    ['sni: a.example.', `sni is "a.example.", but ${sni} | leave out the dot at the end`],
    ['sni: a.example/x', `sni is "a.example/x", but ${sni} | a server name has no path: TLS hides it`],
    ['sni: "a*.example"', `sni is "a*.example", but ${sni} | a wildcard is a whole first label: *.example.com`],
    [
      'sni: "bücher.example"',
      `sni is "bücher.example", but ${sni} | write international names in their ASCII form (xn--…)`,
    ],
    ['sni: ""', `sni is "", but ${sni} | write * for all names, or leave match out`],
    ['sni: a..example', `sni is "a..example", but ${sni}`],
    [`sni: ${'a'.repeat(64)}.example`, `sni is "${'a'.repeat(60)}…", but ${sni}`],
    [
      'alpn: h2',
      'alpn is "h2", but must be a list | ALPN protocols, of which the ClientHello must offer one; empty: any or none. Of routes with the same `sni`, one with `alpn` wins over one without; among those, the first.',
    ],
    [
      'alpn: [ "h2, http/1.1" ]',
      'alpn[0] is "h2, http/1.1", but must be an ALPN protocol such as h2, http/1.1 or postgresql | write a list: [h2, http/1.1]',
    ],
    ['alpn: [ "" ]', 'alpn[0] is "", but must be an ALPN protocol such as h2, http/1.1 or postgresql'],
    ['ssni: a.b', 'ssni is not a known setting | did you mean sni?'],
  ])('is told for a route with %s', (match, problem) => {
    expect(told(withMatch(match)).map((text) => text.replace(/^routes\[0\]\.match\./, ''))).toEqual([problem]);
  });

  it('is told for an address that is a name', () => {
    expect(told(SMALLEST_L4.replace('127.0.0.1:5432', 'db:5432'))).toEqual([
      'bind is "db:5432", but must be an address of this machine such as 127.0.0.1:8080, :8080 (all IPv4 addresses), [::1]:8080, unix:/run/db.sock or unix:@name | a listener needs an IP address, not a name: which of its addresses would be meant?',
    ]);
  });
});
