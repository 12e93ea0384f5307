/** The log says when an upstream panics and when that is over, once each, and means the same as the workers do. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PickingPlan } from '../../../src/config/picking-plan.js';
import { PanicWatch } from '../../../src/control/panic-watch.js';
import { type EndpointUnderTest, upstreamOf } from '../balancing/upstream-under-test.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';

function watched(endpoints: readonly EndpointUnderTest[], picking: Partial<PickingPlan> = {}) {
  const upstream = upstreamOf('round-robin', endpoints, 1, { panicShare: 0.5, ...picking });
  const time = new FakeTime();
  const log = captureLog();
  const watch = new PanicWatch({
    upstreams: [upstream.plan],
    board: upstream.board,
    timers: time,
    logger: log.logger,
  });
  const setHealthy = (endpoint: number, isHealthy: boolean): void =>
    upstream.board.control.setHealthy(upstream.plan.endpoints[endpoint]!.slot, isHealthy);
  return { upstream, time, log, watch, setHealthy };
}

describe('panic watch', () => {
  it('tells that an upstream panics, and that it is over, once each', async () => {
    const { time, log, watch, setHealthy } = watched([{}, {}, {}]);
    watch.start();
    setHealthy(0, false);
    await time.pass(2_000);
    expect(log.events()).toEqual([]);
    setHealthy(1, false);
    await time.pass(2_000);
    setHealthy(2, false);
    await time.pass(2_000);
    setHealthy(0, true);
    setHealthy(1, true);
    await time.pass(2_000);
    expect(log.records).toMatchObject([
      { level: 'warn', event: 'panic', upstream: 'api', healthy: 1, endpoints: 3 },
      { level: 'info', event: 'panic-over', upstream: 'api', healthy: 2, endpoints: 3 },
    ]);
    expect(log.records[0]!.msg).toBe(
      'upstream api: 1 of 3 endpoints healthy, too few to carry everything: unhealthy ones are picked as well',
    );
    watch.close();
    expect(time.pending).toBe(0);
  });

  it('counts how often it came to that', async () => {
    const { upstream, time, watch, setHealthy } = watched([{}]);
    watch.start();
    expect(watch.panicsOf(upstream.plan)).toEqual({ isPanicking: false, panics: 0 });
    for (const isHealthy of [false, true, false]) {
      setHealthy(0, isHealthy);
      await time.pass(1_000);
    }
    expect(watch.panicsOf(upstream.plan)).toEqual({ isPanicking: true, panics: 2 });
    watch.close();
  });

  it('names the subset that panics while the whole does not', async () => {
    const subsets = [{ labels: { zone: 'a', tier: 'x' }, endpoints: [0, 1], turn: 1 }];
    const { time, log, watch, setHealthy } = watched([{}, {}, {}, {}, {}, {}, {}, {}], { subsets });
    watch.start();
    setHealthy(0, false);
    setHealthy(1, false);
    await time.pass(1_000);
    expect(log.records).toMatchObject([{ event: 'panic', subset: 'zone=a, tier=x', healthy: 0, endpoints: 2 }]);
    watch.close();
  });

  it('says nothing while a backup is healthy, and has nothing to do where panic is off', async () => {
    const { time, log, watch, setHealthy } = watched([{}, { isBackup: true }]);
    watch.start();
    setHealthy(0, false);
    await time.pass(1_000);
    expect(log.events()).toEqual([]);
    watch.close();
    const off = watched([{}], { panicShare: 0 });
    off.watch.start();
    expect(off.time.pending).toBe(0);
  });

  it('means the same as a worker’s view', async () => {
    const anyEndpoint = fc.record({
      level: fc.nat(2),
      isBackup: fc.boolean(),
      isResolved: fc.boolean(),
      isHealthy: fc.boolean(),
      isEnabled: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyEndpoint, { minLength: 1, maxLength: 8 }), async (endpoints) => {
        const { upstream, log, watch, setHealthy } = watched(endpoints);
        endpoints.forEach(({ isHealthy, isEnabled }, endpoint) => {
          setHealthy(endpoint, isHealthy);
          upstream.board.control.setEnabled(upstream.plan.endpoints[endpoint]!.slot, isEnabled);
        });
        watch.start();
        watch.close();
        upstream.picker.view.refresh(1);
        expect(log.events()).toEqual(upstream.picker.view.isPanicking ? ['panic'] : []);
      }),
    );
  });
});
