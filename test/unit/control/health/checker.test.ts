/** The schedule of active health checks and what becomes of their results. */
import { describe, expect, it } from 'vitest';
import type { HealthCheckPlan } from '../../../../src/config/plan.js';
import { HealthChecker } from '../../../../src/control/health/checker.js';
import type { Probe } from '../../../../src/control/health/probe.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';
import { endpointPlan, PLAIN_CHECK, PLAIN_PROBE, upstreamPlan } from '../plans.js';

const check: HealthCheckPlan = {
  ...PLAIN_CHECK,
  ...PLAIN_PROBE,
  path: '/health',
  intervalMs: 1000,
  unhealthyIntervalMs: 1000,
  timeoutMs: 100,
  healthyAfter: 2,
  unhealthyAfter: 3,
};

/** A probe that always succeeds and notes when it was sent. */
function notingProbe(): { probe: Probe; sent: string[] } {
  const sent: string[] = [];
  const probe: Probe = async (endpoint) => {
    sent.push(endpoint.name);
    return { succeeded: true };
  };
  return { probe, sent };
}

function checkerOf(parts: { probe: Probe; rng?: number; addresses?: readonly string[] }) {
  const time = new FakeTime();
  const log = captureLog();
  const published: [string, boolean][] = [];
  const checker = new HealthChecker({
    upstreams: [upstreamPlan([endpointPlan('127.0.0.1', 9001, 0)], check)],
    probe: parts.probe,
    timers: time,
    rng: () => parts.rng ?? 0.5,
    addressesOf: () => parts.addresses ?? ['127.0.0.1:9001'],
    publish: (endpoint, isHealthy) => published.push([endpoint.name, isHealthy]),
    logger: log.logger,
  });
  return { time, log, published, checker };
}

describe('health checker', () => {
  it('probes first within the first interval, then once an interval', async () => {
    const { probe, sent } = notingProbe();
    const { time, checker } = checkerOf({ probe });
    checker.start();
    await time.pass(499);
    expect(sent.length).toBe(0);
    await time.pass(1);
    expect(sent.length).toBe(1);
    await time.pass(3_000);
    expect(sent.length).toBe(4);
  });

  it.each([
    [0, 900],
    [0.999999, 1100],
  ])('spreads the pauses by a tenth (rng %d)', async (rng, pauseMs) => {
    const at: number[] = [];
    const probe: Probe = async () => {
      at.push(time.nowMs());
      return { succeeded: true };
    };
    const { time, checker } = checkerOf({ rng, probe });
    checker.start();
    await time.pass(4_000);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeCloseTo(pauseMs, 0);
  });

  it('publishes and logs each change of the verdict once', async () => {
    let succeeded = false;
    const probe: Probe = async () =>
      succeeded ? { succeeded } : { succeeded: false, reason: 'it answered with status 500' };
    const { time, log, published, checker } = checkerOf({ probe });
    checker.start();
    await time.pass(10_000);
    expect(published).toEqual([['127.0.0.1:9001', false]]);
    succeeded = true;
    await time.pass(10_000);
    expect(published).toEqual([
      ['127.0.0.1:9001', false],
      ['127.0.0.1:9001', true],
    ]);
    expect(log.events()).toEqual(['endpoint-unhealthy', 'endpoint-healthy']);
  });

  it('does not probe an endpoint whose name is not resolved', async () => {
    const { probe, sent } = notingProbe();
    const { time, checker } = checkerOf({ addresses: [], probe });
    checker.start();
    await time.pass(5_000);
    expect(sent.length).toBe(0);
  });

  it('stops when it is closed, also twice and with a probe under way', async () => {
    let finish: () => void = () => {};
    const probe: Probe = () => new Promise((resolve) => (finish = () => resolve({ succeeded: false, reason: 'late' })));
    const { time, published, checker } = checkerOf({ probe });
    checker.start();
    await time.pass(600);
    checker.close();
    checker.close();
    finish();
    await time.pass(10_000);
    expect([time.pending, published]).toEqual([0, []]);
  });
});
