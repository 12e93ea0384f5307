/** Routes of sessions by server name and ALPN. */
import { describe, expect, it } from 'vitest';
import type { L4RoutePlan } from '../../../src/config/plan.js';
import { NO_ROUTE, SniRouter } from '../../../src/l4/sni-router.js';

const route = (upstream: number, sni = '*', ...alpn: string[]): L4RoutePlan => ({ sni, alpn, upstream });

/** Asks as the pipeline does: the names lie in an arena, not at its beginning. */
function ask(routes: readonly L4RoutePlan[], name: string, ...protocols: string[]): number {
  const alpn = Buffer.concat(protocols.map((protocol) => Buffer.from([protocol.length, ...Buffer.from(protocol)])));
  const arena = Buffer.concat([Buffer.from('before'), Buffer.from(name), alpn, Buffer.from('behind')]);
  return new SniRouter(routes).upstreamOf(arena, 6, name.length, alpn.length);
}

describe('sni router', () => {
  const routes = [
    route(0),
    route(1, '*.example.com'),
    route(2, '*.eu.example.com'),
    route(3, 'www.example.com'),
    route(4, 'www.example.com', 'h2', 'h3'),
  ];

  it.each<[string, string[], number]>([
    ['', [], 0],
    ['example.com', [], 0],
    ['other.org', ['h2'], 0],
    ['a.example.com', [], 1],
    ['a.b.example.com', [], 1],
    ['a.eu.example.com', [], 2],
    ['eu.example.com', [], 1],
    ['www.example.com', [], 3],
    ['www.example.com', ['http/1.1'], 3],
    ['www.example.com', ['http/1.1', 'h2'], 4],
    ['www.example.com', ['h3'], 4],
    ['xwww.example.com', ['h2'], 1],
    ['notexample.com', [], 0],
  ])('takes "%s" offering %j to upstream %i', (name, protocols, upstream) => {
    expect(ask(routes, name, ...protocols)).toBe(upstream);
  });

  it('goes on with less specific names where the own routes of a name ask for other protocols', () => {
    const picky = [route(1, 'a.example.com', 'h2'), route(2, '*.example.com', 'spdy'), route(3, '*', 'http/1.1')];
    expect(ask(picky, 'a.example.com', 'h2')).toBe(1);
    expect(ask(picky, 'a.example.com', 'spdy')).toBe(2);
    expect(ask(picky, 'a.example.com', 'http/1.1')).toBe(3);
    expect(ask(picky, 'a.example.com')).toBe(NO_ROUTE);
  });

  it('tells where nothing matches', () => {
    expect(ask([route(0, 'a.example.com')], 'b.example.com')).toBe(NO_ROUTE);
    expect(ask([route(0, '*.example.com')], '')).toBe(NO_ROUTE);
  });

  it('takes the first of several routes that match equally well', () => {
    expect(ask([route(1, '*', 'http/1.1'), route(2, '*', 'h2')], '', 'h2', 'http/1.1')).toBe(1);
  });

  it('does not take a part of a protocol for the whole, nor run over the end of the list', () => {
    const onlyH2 = [route(1, '*', 'h2')];
    expect(ask(onlyH2, '', 'h2c')).toBe(NO_ROUTE);
    const arena = Buffer.from([9, 0x68, 0x32]);
    expect(new SniRouter(onlyH2).upstreamOf(arena, 0, 0, 3)).toBe(NO_ROUTE);
  });

  it('reads a ClientHello only where a route asks for something in it', () => {
    expect(new SniRouter([route(0)]).readsClientHello).toBe(false);
    expect(new SniRouter([route(0), route(1, 'a.example.com')]).readsClientHello).toBe(true);
    expect(new SniRouter([route(0, '*', 'h2')]).readsClientHello).toBe(true);
  });
});
