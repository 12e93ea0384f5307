/** What the settings of one l4 listener mean together. */
import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, SMALLEST_L4, warningsOf } from './loading.js';

const withListener = (settings: string) => SMALLEST_L4.replace('name: db,', `name: db, ${settings},`);
const withRoutes = (...routes: string[]) => SMALLEST_L4.replace('upstream: pg', `routes: [ ${routes.join(', ')} ]`);
const onSocket = (text: string, path = 'unix:/run/db.sock') => text.replace('127.0.0.1:5432', path);
const told = (text: string) =>
  problemsOf(text).map((problem) => problem.replace(/^sluice\.yaml:3:\d+ listeners\[0\]\./, ''));

describe('where sessions go', () => {
  it('must be said', () => {
    expect(told(SMALLEST_L4.replace(', upstream: pg', ''))).toEqual([
      'upstream is missing: it must be the name of an upstream | or write routes, which tell TLS clients apart by server name and ALPN',
    ]);
  });

  it('may be said in one way only', () => {
    expect(told(withListener('routes: [ { upstream: pg, match: { sni: a.b } } ]'))).toEqual([
      'upstream stands beside routes, and only one of the two may | for all other connections add a route without match: { upstream: pg }',
    ]);
  });

  it('may not be an empty list', () => {
    expect(told(withRoutes())).toHaveLength(1);
  });
});

describe('routes of an l4 listener', () => {
  it.each([
    ['the default and a name', '{ upstream: pg }', '{ upstream: pg, match: { sni: a.b } }'],
    ['a name and all below it', '{ upstream: pg, match: { sni: a.b } }', '{ upstream: pg, match: { sni: "*.a.b" } }'],
    [
      'a name with and without alpn',
      '{ upstream: pg, match: { sni: a.b, alpn: [h2] } }',
      '{ upstream: pg, match: { sni: a.b } }',
    ],
    ['different protocols', '{ upstream: pg, match: { alpn: [h2] } }', '{ upstream: pg, match: { alpn: [http/1.1] } }'],
    [
      'protocols that differ in case',
      '{ upstream: pg, match: { alpn: [h2] } }',
      '{ upstream: pg, match: { alpn: [H2] } }',
    ],
  ])('may have %s', (_, ...routes) => {
    expect(configOf(withRoutes(...routes)).listeners[0]).toMatchObject({ routes: [{}, {}] });
  });

  it.each([
    [
      '{ upstream: pg }',
      '{ upstream: pg, match: {} }',
      'routes[1] matches every connection, as another route does (listeners[0].routes[0], line 3) | remove one of the two: it would never be taken',
    ],
    [
      '{ upstream: pg, match: { sni: A.b } }',
      '{ upstream: pg, match: { sni: a.B, alpn: [] } }',
      'routes[1] matches the server name a.B, which is what another route matches (listeners[0].routes[0], line 3) | remove one of the two: it would never be taken',
    ],
    [
      '{ upstream: pg, match: { sni: a.b, alpn: [h2] } }',
      '{ upstream: pg, match: { sni: a.b, alpn: [http/1.1, h2] } }',
      'routes[1].match.alpn[1] is h2 for the server name a.b, which is taken already (listeners[0].routes[0].match.alpn[0], line 3) | name each protocol of a server name once',
    ],
  ])('may not match the same twice: %s, %s', (one, other, problem) => {
    expect(told(withRoutes(one, other))).toEqual([problem]);
  });

  it('may not name a protocol twice', () => {
    expect(told(withRoutes('{ upstream: pg, match: { alpn: [h2, h2] } }'))).toHaveLength(1);
  });
});

describe('a UNIX socket', () => {
  it('cannot be shared by several acceptors', () => {
    expect(told(onSocket(withListener('accept: reuseport')))).toEqual([
      'accept is reuseport, but a UNIX socket cannot be shared by several acceptors | write accept: primary, which is the default',
    ]);
    expect(configOf(withListener('accept: reuseport')).listeners[0]?.accept).toBe('reuseport');
  });

  it('alone has permissions', () => {
    expect(told(withListener('socketMode: "0660"'))).toEqual([
      'socketMode has nothing to hold for: this listener has no UNIX socket | remove it',
    ]);
    expect(told(onSocket(withListener('socketMode: "0660"'), 'unix:@db'))).toEqual([
      'socketMode has nothing to hold for: an abstract socket has no file | remove it, or write bind: unix:/path',
    ]);
  });

  it('is not asked for where the permissions are the default, as in a printed configuration', () => {
    expect(configOf(withListener('socketMode: "0666"')).listeners[0]).toMatchObject({ socketMode: 0o666 });
  });
});

describe('a PROXY header', () => {
  it('is not asked for where nobody would be believed', () => {
    const problem =
      'proxyProtocol is true, but there are no trustedProxies, so nobody would be believed | name the addresses of the proxies in front: trustedProxies: [ 10.0.0.0/8 ]';
    expect(told(withListener('proxyProtocol: true'))).toEqual([problem]);
    expect(told(withListener('proxyProtocol: true, trustedProxies: []'))).toEqual([problem]);
  });

  it('is believed over a UNIX socket, whose permissions say who sends it', () => {
    expect(warningsOf(onSocket(withListener('proxyProtocol: true')))).toEqual([]);
  });

  it('is believed from proxies that are named', () => {
    expect(warningsOf(withListener('proxyProtocol: true, trustedProxies: [ 10.0.0.0/8 ]'))).toEqual([]);
  });
});
