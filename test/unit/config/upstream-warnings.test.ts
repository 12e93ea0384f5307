/** Warnings of upstreams: settings that no listener has a use for. */
import { describe, expect, it } from 'vitest';
import { effectiveYaml } from '../../../src/config/effective.js';
import { configOf, SMALLEST, SMALLEST_L4, warningsOf } from './loading.js';

const BOTH = SMALLEST.replace('upstreams:', '  - { name: db, mode: l4, bind: ":5432", upstream: api }\nupstreams:');
const withUpstream = (text: string, settings: string) => text.replace(/(api|pg): \{/, `$1: { ${settings},`);
/** Without the place and the hint. */
const told = (text: string) =>
  warningsOf(text).map((warning) => warning.replace(/^\S+ upstreams\.(api|pg)\./, '').split(' | ')[0]);

describe('warnings of an upstream', () => {
  it.each([
    ['timeouts: { firstByte: 5s }', 'timeouts.firstByte'],
    ['timeouts: { idle: 5s }', 'timeouts.idle'],
    ['retry: { attempts: 3 }', 'retry.attempts'],
    ['pool: { maxIdle: 5 }', 'pool.maxIdle'],
    ['pool: { maxConnections: 5 }', 'pool.maxConnections'],
    ['pool: { keepAliveIdle: 1m }', 'pool.keepAliveIdle'],
    ['responseLimits: { headBytes: 4KiB }', 'responseLimits.headBytes'],
    ['responseLimits: { headers: 5 }', 'responseLimits.headers'],
  ])('are told for %s where only sessions use it', (settings, path) => {
    expect(told(withUpstream(SMALLEST_L4, settings))).toEqual([
      `${path} has no effect: its listeners are of mode l4, which has no requests`,
    ]);
  });

  it.each([
    ['retry: { connectAttempts: 2 }', 'retry.connectAttempts'],
    ['proxyProtocol: v2', 'proxyProtocol'],
    ['keepAlive: off', 'keepAlive'],
    ['keepAlive: { probes: 3 }', 'keepAlive'],
  ])('are told for %s where only requests use it', (settings, path) => {
    expect(told(withUpstream(SMALLEST, settings))).toEqual([
      `${path} has no effect: its listeners are of mode l7, which has no sessions`,
    ]);
  });

  it('are told for a PROXY header that requests do not get', () => {
    expect(told(withUpstream(BOTH, 'proxyProtocol: v1'))).toEqual([
      'proxyProtocol has no effect for requests of the l7 listener web: they reach the endpoints without a PROXY header',
    ]);
  });

  it('are none where both use it', () => {
    expect(told(withUpstream(BOTH, 'retry: { attempts: 1, connectAttempts: 2 }, keepAlive: off'))).toEqual([]);
  });

  it('are none for an HTTP probe of an upstream that sessions use', () => {
    expect(told(withUpstream(SMALLEST_L4, 'healthCheck: { path: /health }'))).toEqual([]);
  });

  it('are told for more attempts to connect than there are endpoints, unless that is the default', () => {
    expect(told(withUpstream(SMALLEST_L4, 'retry: { connectAttempts: 4 }'))).toEqual([
      'retry.connectAttempts is 4, but there are 2 endpoints',
    ]);
    expect(told(withUpstream(SMALLEST_L4, 'retry: { connectAttempts: 3 }'))).toEqual([]);
  });

  it('are none for an upstream that only a listener without routes names', () => {
    expect(told(SMALLEST_L4)).toEqual([]);
    expect(warningsOf(SMALLEST_L4.replace('upstream: pg', 'routes: [ { upstream: pg } ]'))).toEqual([]);
  });

  it('are told for an upstream that no listener of either mode names', () => {
    expect(warningsOf(`${SMALLEST_L4}  old: { endpoints: [ { address: "h:1" }, { address: "h:2" } ] }\n`)).toEqual([
      'sluice.yaml:6:3 upstreams.old is not used: no route names it | add a route, or remove it',
    ]);
  });

  it('are none for the defaults of a printed configuration', () => {
    expect(warningsOf(effectiveYaml(configOf(SMALLEST_L4)))).toEqual([]);
  });
});
