/** Host names of endpoints: all addresses, retries, refreshes. */
import { describe, expect, it } from 'vitest';
import type { EndpointPlan } from '../../../src/config/plan.js';
import { type Lookup, NameResolver } from '../../../src/control/name-resolution.js';
import { FakeTime, settled } from './fake-time.js';
import { captureLog } from './log-capture.js';
import { endpointPlan, upstreamPlan } from './plans.js';

function resolverOf(endpoints: readonly EndpointPlan[], lookup: Lookup) {
  const time = new FakeTime();
  const log = captureLog();
  const published: [number, readonly string[]][] = [];
  const resolver = new NameResolver({
    upstreams: [upstreamPlan(endpoints)],
    lookup,
    timers: time,
    publish: (endpoint, addresses) => published.push([endpoint.slot, addresses]),
    logger: log.logger,
  });
  return { time, log, published, resolver };
}

const failing: Lookup = async () => {
  throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
};

describe('name resolver', () => {
  it('passes literals and unix paths through without a lookup', async () => {
    const unix: EndpointPlan = {
      ...endpointPlan('x', 1, 2),
      name: 'unix:/run/a.sock',
      target: { kind: 'unix', path: '/run/a.sock' },
    };
    const { resolver, time } = resolverOf([endpointPlan('10.0.0.1', 80, 0), endpointPlan('::1', 81, 1), unix], failing);
    await resolver.start();
    expect(resolver.addresses()).toEqual({ 0: ['10.0.0.1:80'], 1: ['[::1]:81'], 2: ['unix:/run/a.sock'] });
    expect(time.pending).toBe(0);
  });

  it('takes all addresses of both families, and asks once for endpoints that share a name', async () => {
    let lookups = 0;
    const { resolver, published } = resolverOf(
      [endpointPlan('api.test', 80, 0), endpointPlan('API.test', 81, 1)],
      async () => {
        lookups++;
        return ['::1', '127.0.0.1', '127.0.0.1'];
      },
    );
    await resolver.start();
    expect(lookups).toBe(1);
    expect(published).toEqual([
      [0, ['[::1]:80', '127.0.0.1:80']],
      [1, ['[::1]:81', '127.0.0.1:81']],
    ]);
  });

  it('warns once about a name without an address and asks again with back-off until it has one', async () => {
    const askedAt: number[] = [];
    let isThere = false;
    const { resolver, time, log, published } = resolverOf([endpointPlan('late.test', 80, 0)], async (name) => {
      askedAt.push(time.nowMs());
      return isThere ? ['10.0.0.9'] : failing(name);
    });
    await resolver.start();
    expect(resolver.addressesOf(0)).toEqual([]);
    await time.pass(15_000);
    expect(askedAt.map((at) => at - 1_000)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    isThere = true;
    await time.pass(16_000);
    expect(published).toEqual([[0, ['10.0.0.9:80']]]);
    expect(log.events()).toEqual(['name-unresolved', 'name-resolved']);
  });

  it('asks every thirty seconds and tells a change, but not another order', async () => {
    const answers = [['10.0.0.1', '10.0.0.2'], ['10.0.0.2', '10.0.0.1'], ['10.0.0.3']];
    const { resolver, time, published, log } = resolverOf(
      [endpointPlan('api.test', 80, 0)],
      async () => answers.shift() ?? ['10.0.0.3'],
    );
    await resolver.start();
    await time.pass(90_000);
    expect(published).toEqual([
      [0, ['10.0.0.1:80', '10.0.0.2:80']],
      [0, ['10.0.0.3:80']],
    ]);
    expect(log.events()).toEqual(['addresses-changed']);
  });

  it('keeps the last good addresses while the resolver fails', async () => {
    let isDown = false;
    const { resolver, time, published, log } = resolverOf([endpointPlan('api.test', 80, 0)], async (name) =>
      isDown ? failing(name) : ['10.0.0.1'],
    );
    await resolver.start();
    isDown = true;
    await time.pass(120_000);
    expect(resolver.addressesOf(0)).toEqual(['10.0.0.1:80']);
    isDown = false;
    await time.pass(30_000);
    expect(published).toHaveLength(1);
    expect(log.events()).toEqual(['name-unresolved', 'name-resolved']);
  });

  it('does not let a lookup without an answer hold up the start', async () => {
    let answer: (addresses: readonly string[]) => void = () => {};
    const { resolver, time, published, log } = resolverOf(
      [endpointPlan('slow.test', 80, 0)],
      () => new Promise((resolve) => (answer = resolve)),
    );
    const started = resolver.start();
    await time.pass(5_000);
    await started;
    expect(log.events()).toEqual(['name-unresolved']);
    answer(['10.0.0.5']);
    await settled();
    expect(published).toEqual([[0, ['10.0.0.5:80']]]);
  });

  it('stops when it is closed, also twice and with a lookup under way', async () => {
    let answer: (addresses: readonly string[]) => void = () => {};
    const { resolver, time, published } = resolverOf(
      [endpointPlan('api.test', 80, 0)],
      () => new Promise((resolve) => (answer = resolve)),
    );
    const started = resolver.start();
    resolver.close();
    resolver.close();
    answer(['10.0.0.1']);
    await started;
    await time.pass(100_000);
    expect([published, time.pending]).toEqual([[], 0]);
  });
});
