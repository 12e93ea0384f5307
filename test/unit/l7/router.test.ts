/** Routes by host and path prefix. */
import { describe, expect, it } from 'vitest';
import type { RoutePlan } from '../../../src/config/plan.js';
import { NO_TABLE, Router, routeFor } from '../../../src/l7/router.js';
import { WHOLE_UPSTREAM } from '../control/plans.js';

function router(...rules: [host: string, path: string][]): (host: string, path: string) => number | null | undefined {
  const routes = rules.map(
    ([host, path], upstream): RoutePlan => ({ host, path, upstream, ...WHOLE_UPSTREAM, exchangeTimeoutMs: 0 }),
  );
  const compiled = new Router(routes);
  return (host, path) => {
    const candidates = compiled.routesOf(host);
    return candidates === null ? null : routeFor(candidates, path)?.upstream;
  };
}

describe('router', () => {
  it('takes the longest prefix, whatever the order of the configuration', () => {
    const find = router(['*', '/'], ['*', '/api/'], ['*', '/api/v2/']);
    expect(find('a', '/api/v2/x')).toBe(2);
    expect(find('a', '/api/v1/x')).toBe(1);
    expect(find('a', '/other')).toBe(0);
  });

  it.each([
    ['/api', '/api', true],
    ['/api', '/api/', true],
    ['/api', '/api/x', true],
    ['/api', '/apix', false],
    ['/api/', '/api', false],
    ['/api/', '/api/x', true],
    ['/', '/anything', true],
  ])('prefix %s on path %s: %s', (prefix, path, matches) => {
    expect(router(['*', prefix])('a', path)).toBe(matches ? 0 : undefined);
  });

  it('prefers an exact host to a wildcard, a longer wildcard to a shorter one, and any wildcard to *', () => {
    const find = router(['*', '/'], ['*.example.com', '/'], ['*.eu.example.com', '/'], ['www.example.com', '/']);
    expect(find('www.example.com', '/')).toBe(3);
    expect(find('a.example.com', '/')).toBe(1);
    expect(find('a.b.example.com', '/')).toBe(1);
    expect(find('a.eu.example.com', '/')).toBe(2);
    expect(find('example.com', '/')).toBe(0);
    expect(find('other', '/')).toBe(0);
  });

  it('falls back to less specific hosts for paths the host has no route for', () => {
    const find = router(['*', '/'], ['*.example.com', '/shared/'], ['www.example.com', '/api/']);
    expect(find('www.example.com', '/api/x')).toBe(2);
    expect(find('www.example.com', '/shared/x')).toBe(1);
    expect(find('www.example.com', '/x')).toBe(0);
  });

  it('has no route where nothing matches', () => {
    expect(router(['www.example.com', '/'])('other', '/')).toBeUndefined();
  });

  it.each(['WWW.Example.COM', 'www.example.com:8080', 'www.example.com.', 'www.example.com:'])(
    'reads Host %s as www.example.com',
    (host) => {
      expect(router(['*', '/'], ['www.example.com', '/'])(host, '/')).toBe(1);
    },
  );

  it('keeps IPv6 hosts whole', () => {
    expect(router(['[::1]', '/'])('[::1]:8080', '/')).toBe(0);
  });

  it.each(['', 'a b', 'a/b', 'a@b', 'a:b', 'a:123456', '[::1', 'a,b c', 'a\u0000', 'a:80:80', '[zz]'])(
    'finds Host %j malformed',
    (host) => {
      expect(router(['*', '/'])(host, '/')).toBeNull();
    },
  );

  it('forgets hosts rather than growing without bound, and still answers right', () => {
    const find = router(['*', '/'], ['www.example.com', '/']);
    for (let i = 0; i < 5000; i++) find(`h${i}`, '/');
    expect(find('www.example.com', '/')).toBe(1);
    expect(find('h1', '/')).toBe(0);
  });
});

describe('tables of a router', () => {
  const routes = [
    ['*', '/'],
    ['*.example.com', '/'],
    ['www.example.com', '/a'],
  ].map(([host, path]) => ({ host: host!, path: path!, upstream: 0, ...WHOLE_UPSTREAM, exchangeTimeoutMs: 0 }));
  const { tables } = new Router(routes);
  const tableOf = (host: string) => new Router(routes).tableOf(host);
  const pathsOf = (host: string) => tables[tableOf(host)]?.map((route) => `${route.host}${route.path}`);

  it('are one for each set of routes that a host can have', () => {
    expect(tables).toHaveLength(3);
    expect(pathsOf('other')).toEqual(['*/']);
    expect(pathsOf('a.example.com:80')).toEqual(['*.example.com/', '*/']);
    expect(pathsOf('WWW.example.com')).toEqual(['www.example.com/a', '*.example.com/', '*/']);
  });

  it('have that of any host for a request without one, and none for a malformed one', () => {
    expect([pathsOf(''), tableOf('a b')]).toEqual([['*/'], NO_TABLE]);
  });

  it('have an empty one where no route is for any host', () => {
    const router = new Router([{ host: 'a', path: '/', upstream: 0, ...WHOLE_UPSTREAM, exchangeTimeoutMs: 0 }]);
    expect(router.tables[router.tableOf('b')]).toEqual([]);
  });
});
