/** Whom cookies and keys name: whole, forged, cut and foreign ones, over changes of the configuration. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT } from '../../../src/balancing/balancer.js';
import { type AffinityPlan, NO_SUBSET, type SubsetPlan } from '../../../src/config/picking-plan.js';
import type { EndpointPlan } from '../../../src/config/plan.js';
import { signText } from '../../../src/l7/signed-text.js';
import { EndpointCookies, KeyHomes } from '../../../src/policies/affinity.js';
import { endpointPlan } from '../control/plans.js';

type CookiePlan = Extract<AffinityPlan, { kind: 'cookie' }>;

const COOKIE: CookiePlan = {
  kind: 'cookie',
  name: 'sid',
  path: '/',
  domain: null,
  maxAgeS: 0,
  isSecure: false,
  isHttpOnly: true,
  sameSite: 'Lax',
  secret: 'a secret of sixteen or more',
};

const endpointsOf = (...hosts: string[]): EndpointPlan[] => hosts.map((host, slot) => endpointPlan(host, 80, slot));
const THREE = endpointsOf('a', 'b', 'c');

function cookiesOf(endpoints = THREE, plan: Partial<CookiePlan> = {}, name = 'api'): EndpointCookies {
  return new EndpointCookies({ name, endpoints }, { ...COOKIE, ...plan }, signText);
}

/** "sid=VALUE" that binds to an endpoint. */
function pairOf(cookies: EndpointCookies, endpoint: number): string {
  return cookies.bindingOf(endpoint)!.split(';')[0]!;
}

describe('cookies of endpoints', () => {
  it('name the endpoint that they bind to, among other cookies', () => {
    const cookies = cookiesOf();
    for (const endpoint of THREE.keys()) {
      const pair = pairOf(cookies, endpoint);
      for (const text of [
        pair,
        `a=b; ${pair}`,
        `${pair}; a=b`,
        `a=b;${pair};c`,
        `a=b, ${pair}, c=d`,
        `xsid=1; ${pair} `,
      ])
        expect(cookies.endpointIn(text)).toBe(endpoint);
    }
  });

  it('hold nothing of the endpoint but a keyed hash, another one for each endpoint, upstream and secret', () => {
    const values = [
      ...[0, 1, 2].map((endpoint) => pairOf(cookiesOf(), endpoint)),
      pairOf(cookiesOf(THREE, {}, 'other'), 0),
      pairOf(cookiesOf(THREE, { secret: 'another secret of sixteen' }), 0),
    ];
    for (const value of values) expect(value).toMatch(/^sid=[\w-]{8}\.[\w-]{22}$/);
    expect(new Set(values.map((value) => value.slice(4, 12))).size).toBe(values.length);
    expect(new Set(values.map((value) => value.slice(13))).size).toBe(values.length);
  });

  it('stay those of an endpoint when others come and go', () => {
    const before = cookiesOf();
    const after = cookiesOf(endpointsOf('new', 'c', 'a'));
    expect(after.endpointIn(pairOf(before, 0))).toBe(2);
    expect(after.endpointIn(pairOf(before, 2))).toBe(1);
    expect(after.endpointIn(pairOf(before, 1))).toBe(NO_ENDPOINT);
  });

  it('name nobody where they are forged, cut, long, of another name, upstream or secret', () => {
    const cookies = cookiesOf();
    const pair = pairOf(cookies, 0);
    const [id = '', signature = ''] = pair.slice(4).split('.');
    const others = [
      `sid=${id}.${'A'.repeat(22)}`,
      `sid=${pairOf(cookies, 1).slice(4, 12)}.${signature}`,
      `sid=${id}`,
      `sid=${id}.`,
      `sid=.${signature}`,
      'sid=',
      'sid',
      '',
      pair.slice(0, -1),
      `${pair}A`,
      `${pair}=`,
      `"${pair}"`,
      pair.replace('sid', 'SID'),
      `x${pair}`,
      `a=b&${pair}`,
      pairOf(cookiesOf(THREE, {}, 'other'), 0),
      pairOf(cookiesOf(THREE, { secret: 'another secret of sixteen' }), 0),
    ];
    for (const text of others) expect([text, cookies.endpointIn(text)]).toEqual([text, NO_ENDPOINT]);
  });

  it('count once: of two of one name the first that names an endpoint', () => {
    const cookies = cookiesOf();
    const [a, b] = [pairOf(cookies, 0), pairOf(cookies, 1)];
    expect(cookies.endpointIn(`${a}; ${b}`)).toBe(0);
    expect(cookies.endpointIn(`${b}; ${a}`)).toBe(1);
    expect(cookies.endpointIn(`sid=forged; ${b}; ${a}`)).toBe(1);
  });

  it('have the attributes of the configuration', () => {
    const attributes = (plan: Partial<CookiePlan>) =>
      cookiesOf(THREE, plan)
        .bindingOf(0)!
        .replace(/^[^;]*/, '');
    expect(attributes({})).toBe('; Path=/; HttpOnly; SameSite=Lax');
    expect(attributes({ isHttpOnly: false, sameSite: null, path: '/app' })).toBe('; Path=/app');
    expect(attributes({ domain: 'example.org', maxAgeS: 3600, isSecure: true, sameSite: 'None' })).toBe(
      '; Path=/; Domain=example.org; Max-Age=3600; Secure; HttpOnly; SameSite=None',
    );
  });

  it('bind nobody to a backup', () => {
    const endpoints = [...endpointsOf('a', 'b'), { ...endpointPlan('c', 80, 2), backup: true }];
    const cookies = cookiesOf(endpoints);
    expect([0, 1, 2].map((endpoint) => cookies.bindingOf(endpoint) !== null)).toEqual([true, true, false]);
    expect(cookies.endpointIn(pairOf(cookiesOf(endpointsOf('a', 'b', 'c')), 2))).toBe(NO_ENDPOINT);
  });

  it('name nobody in any text that is not one of them', () => {
    const cookies = cookiesOf();
    const piece = fc.oneof(
      fc.constantFrom('sid=', ';', '; ', '.', '=', ',', pairOf(cookies, 0).slice(4, 12), pairOf(cookies, 1).slice(13)),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        expect(cookies.endpointIn(pieces.join(''))).toBe(NO_ENDPOINT);
      }),
      { numRuns: 500 },
    );
  });
});

describe('homes of keys', () => {
  const keys = Array.from({ length: 3_000 }, (_, n) => ({ hash: Math.imul(n + 1, 0x9e3779b1), hashHigh: n }));
  const homesIn = (endpoints: readonly EndpointPlan[], subsets: readonly SubsetPlan[] = [], level = 0) => {
    const homes = new KeyHomes({ endpoints, subsets });
    return keys.map((key) => endpoints[homes.homeOf(key, subsets.length + NO_SUBSET, level)]!.name);
  };

  it('move only from the endpoint that leaves, and only to the one that joins', () => {
    const before = homesIn(endpointsOf('a', 'b', 'c', 'd'));
    const after = homesIn(endpointsOf('d', 'b', 'a'));
    for (const [index, home] of before.entries()) if (home !== 'c:80') expect(after[index]).toBe(home);
    expect(new Set(after)).toEqual(new Set(['a:80', 'b:80', 'd:80']));
  });

  it('are shared out by weight', () => {
    const [a, b] = endpointsOf('a', 'b');
    const homes = homesIn([a!, { ...b!, weight: 3 }]);
    const share = homes.filter((home) => home === 'b:80').length / keys.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });

  it('are no backups, and no endpoints without weight', () => {
    const [a, b, c] = endpointsOf('a', 'b', 'c');
    expect(new Set(homesIn([{ ...a!, backup: true }, { ...b!, weight: 0 }, c!]))).toEqual(new Set(['c:80']));
    const none = new KeyHomes({ endpoints: [{ ...a!, backup: true }], subsets: [] });
    expect(none.homeOf(keys[0]!, NO_SUBSET, 0)).toBe(NO_ENDPOINT);
  });

  it('are of the subset and of the level that are asked for', () => {
    const endpoints = endpointsOf('a', 'b', 'c', 'd').map((endpoint, index) => ({ ...endpoint, level: index >> 1 }));
    const subset = { labels: { version: '2' }, endpoints: [1, 2, 3], turn: 1 };
    expect(new Set(homesIn(endpoints, [], 0))).toEqual(new Set(['a:80', 'b:80']));
    expect(new Set(homesIn(endpoints, [], 1))).toEqual(new Set(['c:80', 'd:80']));
    expect(new Set(homesIn(endpoints, [subset], 0))).toEqual(new Set(['b:80']));
    expect(new Set(homesIn(endpoints, [subset], 1))).toEqual(new Set(['c:80', 'd:80']));
  });
});
