/** Warnings of l4 listeners: what is accepted, but will not do what its author may expect. */
import { describe, expect, it } from 'vitest';
import { SMALLEST_L4, warningsOf } from './loading.js';

const withListener = (settings: string) => SMALLEST_L4.replace('name: db,', `name: db, ${settings},`);
const withMatch = (match: string) =>
  SMALLEST_L4.replace('upstream: pg', `routes: [ { match: { ${match} }, upstream: pg } ]`);
const onSocket = (text: string) => text.replace('127.0.0.1:5432', 'unix:/run/db.sock');
/** Without the place and the hint. */
const told = (...args: Parameters<typeof warningsOf>) =>
  warningsOf(...args).map((warning) => warning.replace(/^sluice\.yaml:3:\d+ listeners\[0\]\./, '').split(' | ')[0]);

describe('warnings of an l4 listener', () => {
  it('are none for the smallest one, on a port and on a UNIX socket', () => {
    expect(told(SMALLEST_L4)).toEqual([]);
    expect(told(onSocket(SMALLEST_L4))).toEqual([]);
  });

  it.each([
    [
      'trustedProxies: [ 10.0.0.0/8 ]',
      'trustedProxies has no effect: without proxyProtocol an l4 listener is told no addresses that it could believe',
    ],
    [
      'proxyProtocol: true, trustedProxies: [ 10.0.0.0/8, 0.0.0.0/0 ]',
      'trustedProxies[1] believes the PROXY header of every peer',
    ],
    [
      'timeouts: { preface: 1s }',
      'timeouts.preface has no effect: nothing is read before the protocol of the client begins',
    ],
  ])('are told for %s', (settings, warning) => {
    expect(told(withListener(settings))).toEqual([warning]);
  });

  it('are none for a preface that is read', () => {
    expect(told(withListener('timeouts: { preface: 1s }, proxyProtocol: true, trustedProxies: [ ::1 ]'))).toEqual([]);
    const timed = (text: string) => text.replace('mode: l4,', 'mode: l4, timeouts: { preface: 1s },');
    expect(told(timed(withMatch('sni: a.b')))).toEqual([]);
    expect(told(timed(withMatch('alpn: [h2]')))).toEqual([]);
    expect(told(timed(withMatch('')))).toHaveLength(1);
  });

  it('are told for a port that needs a privilege which is not there', () => {
    expect(told(SMALLEST_L4.replace(':5432"', ':443"').replace('mode: l4', 'mode: l4'))).toEqual([
      'bind uses port 443, which needs a privilege that this process does not have',
    ]);
  });

  it.each([
    ['H2', ['routes[0].match.alpn[0] is H2, which is no registered protocol, but h2 is']],
    ['http1.1', ['routes[0].match.alpn[0] is http1.1, which is no registered protocol, but http/1.1 is']],
    ['postgres', ['routes[0].match.alpn[0] is postgres, which is no registered protocol, but postgresql is']],
    ['h2', []],
    ['http/1.1', []],
    ['coap', []],
    ['my-own/7', []],
  ])('are told for the protocol %s if it is nearly a registered one', (protocol, warnings) => {
    expect(told(withMatch(`alpn: [ ${protocol} ]`))).toEqual(warnings);
  });
});

describe('warnings of a listener on a UNIX socket', () => {
  it.each([
    ['deferAccept: 5s', 'deferAccept has no effect on a UNIX socket: it is an option of TCP'],
    ['keepAlive: { idle: 5s }', 'keepAlive has no effect on a UNIX socket: it is an option of TCP'],
    [
      'limits: { sessionsPerClient: 5 }',
      'limits.sessionsPerClient has no effect on a UNIX socket: its clients have no address',
    ],
    [
      'limits: { newSessionsPerClient: { perSecond: 5 } }',
      'limits.newSessionsPerClient has no effect on a UNIX socket: its clients have no address',
    ],
    [
      'proxyProtocol: true, trustedProxies: [ ::1 ]',
      'trustedProxies has no effect: who may connect to the UNIX socket is believed',
    ],
  ])('are told for %s', (settings, warning) => {
    expect(told(onSocket(withListener(settings)))).toEqual([warning]);
  });

  it('are none for limits of a client whose address a PROXY header tells', () => {
    expect(told(onSocket(withListener('proxyProtocol: true, limits: { sessionsPerClient: 5 }')))).toEqual([]);
  });
});
