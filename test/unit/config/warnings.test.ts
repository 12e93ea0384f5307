/** Warnings: what is accepted, but will not do what its author may expect. */
import { describe, expect, it } from 'vitest';
import { MACHINE, SMALLEST, warningsOf } from './loading.js';

const withListener = (settings: string) => SMALLEST.replace('name: web,', `name: web, ${settings},`);
const withUpstream = (settings: string) => SMALLEST.replace('api: {', `api: { ${settings},`);

describe('warnings', () => {
  it('are none for the smallest file', () => {
    expect(warningsOf(SMALLEST)).toEqual([]);
  });

  it.each([
    ['timeouts: { requestHead: 10s }', 'timeouts.requestHead has no effect with the uws front end'],
    ['timeouts: { bodyIdle: 5s }', 'timeouts.bodyIdle has no effect with the uws front end'],
    ['timeouts: { keepAlive: 5s }', 'timeouts.keepAlive has no effect with the uws front end'],
    ['limits: { headBytes: 8KiB }', 'limits.headBytes is more than the uws front end takes'],
    ['limits: { headers: 49 }', 'limits.headers is more than the uws front end takes'],
    ['accept: primary', 'accept has no effect with the uws front end'],
    ['trustedProxies: [ 10.0.0.0/8, "::/0" ]', 'trustedProxies[1] believes the forwarded headers of every client'],
  ])('are told for a listener of uws with %s', (settings, warning) => {
    const warnings = warningsOf(withListener(`frontend: uws, ${settings}`));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`listeners[0].${warning}`);
  });

  it.each([
    'limits: { headBytes: 4KiB, headers: 48 }',
    'accept: reuseport',
    'trustedProxies: [ 10.0.0.0/8 ]',
    'timeouts: {}',
  ])('are none for a listener of uws with %s', (settings) => {
    expect(warningsOf(withListener(`frontend: uws, ${settings}`))).toEqual([]);
  });

  it.each([
    [
      'pool: { keepAliveIdle: 5s }',
      'pool.keepAliveIdle keeps idle connections for 5s, and endpoints on Node close theirs after 5s',
    ],
    [
      'pool: { keepAliveIdle: 1m }',
      'pool.keepAliveIdle keeps idle connections for 1m, and endpoints on Node close theirs after 5s',
    ],
    ['retry: { attempts: 3 }', 'retry.attempts is 3, but there are 2 endpoints'],
  ])('are told for an upstream with %s', (settings, warning) => {
    const warnings = warningsOf(withUpstream(settings));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`upstreams.api.${warning}`);
  });

  it('are told for a single endpoint', () => {
    expect(warningsOf(null, { upstream: ['h:1'] })).toEqual([
      '--upstream h:1 upstreams.default.endpoints[0] is the only endpoint of its upstream | nothing is balanced, and nothing stands in when it fails',
    ]);
  });

  it('are told for an upstream that no route names', () => {
    expect(warningsOf(`${SMALLEST}  web: { endpoints: [ { address: "h:1" }, { address: "h:2" } ] }\n`)).toEqual([
      'sluice.yaml:6:3 upstreams.web is not used: no route names it | add a route, or remove it',
    ]);
  });

  it('are told for more workers than processors', () => {
    expect(warningsOf(`${SMALLEST}workers: 5`)).toHaveLength(1);
    expect(warningsOf(`${SMALLEST}workers: 4`)).toEqual([]);
    expect(warningsOf(`${SMALLEST}workers: 2`, {}, { ...MACHINE, processors: 1 })[0]).toContain(
      'may use 1 processor |',
    );
  });

  it('are told for ports that need a privilege which is not there', () => {
    const text = `${SMALLEST.replace(':8080', ':80')}admin: { bind: "127.0.0.1:81" }`;
    expect(warningsOf(text).map((warning) => warning.split(' | ')[0])).toEqual([
      'sluice.yaml:3:24 listeners[0].bind uses port 80, which needs a privilege that this process does not have',
      'sluice.yaml:6:16 admin.bind uses port 81, which needs a privilege that this process does not have',
    ]);
    expect(warningsOf(text, {}, { ...MACHINE, firstOpenPort: 0 })).toEqual([]);
    expect(warningsOf(text, {}, { ...MACHINE, firstOpenPort: 80 })).toEqual([]);
  });
});
