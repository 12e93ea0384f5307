/** The schedule of active health checks and what becomes of their results. */
import { describe, expect, it } from 'vitest';
import type { HealthCheckPlan } from '../../../../src/config/plan.js';
import { HealthChecker } from '../../../../src/control/health/checker.js';
import type { Probe } from '../../../../src/control/health/probe.js';
import type { ProbeResult } from '../../../../src/control/health/probe-result.js';
import { seededRng } from '../../../../src/core/rng.js';
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

const GOOD: ProbeResult = { succeeded: true, elapsedMs: 5 };
const bad = (reason: string): ProbeResult => ({ succeeded: false, reason, elapsedMs: 5 });

/** A probe that always succeeds and notes when it was sent. */
function notingProbe(): { probe: Probe; sent: string[] } {
  const sent: string[] = [];
  const probe: Probe = async (endpoint) => {
    sent.push(endpoint.name);
    return GOOD;
  };
  return { probe, sent };
}

interface CheckerParts {
  probe: Probe;
  rng?: number;
  addresses?: () => readonly string[];
  check?: Partial<HealthCheckPlan>;
  endpoints?: number;
  random?: () => number;
}

function checkerOf(parts: CheckerParts) {
  const time = new FakeTime();
  const log = captureLog();
  const published: [string, boolean][] = [];
  const heldBack: string[] = [];
  const spokenFor: [string, number][] = [];
  const endpoints = Array.from({ length: parts.endpoints ?? 1 }, (_, slot) =>
    endpointPlan('127.0.0.1', 9001 + slot, slot),
  );
  const checker = new HealthChecker({
    upstreams: [upstreamPlan(endpoints, { ...check, ...parts.check } as HealthCheckPlan)],
    probe: parts.probe,
    clock: time,
    timers: time,
    rng: parts.random ?? (() => parts.rng ?? 0.5),
    addressesOf: parts.addresses ?? (() => ['127.0.0.1:9001']),
    holdBack: ({ name }) => heldBack.push(name),
    succeeded: (_upstream, { name }, beganAtMs) => spokenFor.push([name, beganAtMs]),
    publish: (endpoint, isHealthy) => published.push([endpoint.name, isHealthy]),
    logger: log.logger,
  });
  return { time, log, published, heldBack, spokenFor, checker };
}

describe('health checker', () => {
  it('holds nothing against an endpoint that could not be probed for want of descriptors', async () => {
    const shortage: ProbeResult = { succeeded: false, reason: 'EMFILE: connect EMFILE', isOurs: true, elapsedMs: 0 };
    const results = [shortage, shortage, shortage, shortage, GOOD];
    const { time, published, checker } = checkerOf({
      probe: async () => results.shift() ?? GOOD,
      check: { initial: 'unknown', unhealthyAfter: 1 },
    });
    checker.start();
    await time.pass(3_400);
    expect([published, checker.recordOf(0)?.verdict]).toEqual([[], 'unknown']);
    await time.pass(1_500);
    expect(published).toEqual([['127.0.0.1:9001', true]]);
  });

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
      return GOOD;
    };
    const { time, checker } = checkerOf({ rng, probe });
    checker.start();
    await time.pass(4_000);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeCloseTo(pauseMs, 0);
  });

  it('publishes and logs each change of the verdict once', async () => {
    let succeeded = false;
    const probe: Probe = async () => (succeeded ? GOOD : bad('it answered with status 500'));
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
    const { time, checker } = checkerOf({ addresses: () => [], probe });
    checker.start();
    await time.pass(5_000);
    expect(sent.length).toBe(0);
  });

  it('stops when it is closed, also twice and with a probe under way', async () => {
    let finish: () => void = () => {};
    const probe: Probe = () => new Promise((resolve) => (finish = () => resolve(bad('late'))));
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

describe('pauses between probes', () => {
  /** When probes begin, in ms since the start, of one that each takes `tookMs`. */
  async function beginsOf(parts: Partial<CheckerParts>, tookMs: number, forMs: number): Promise<number[]> {
    const at: number[] = [];
    const probe: Probe = async (...asked) => {
      at.push(time.nowMs() - 1_000);
      await new Promise<void>((resolve) => void time.after(tookMs, resolve));
      return parts.probe === undefined ? GOOD : parts.probe(...asked);
    };
    const { time, checker } = checkerOf({ ...parts, probe });
    checker.start();
    await time.pass(forMs);
    checker.close();
    return at;
  }

  it('are from begin to begin, however long a probe takes', async () => {
    expect(await beginsOf({ check: { jitter: 0 } }, 300, 3_600)).toEqual([500, 1_500, 2_500, 3_500]);
  });

  it('are those of unhealthy endpoints once it is one', async () => {
    const check = { jitter: 0, unhealthyIntervalMs: 200, unhealthyAfter: 1 };
    expect(await beginsOf({ check, probe: async () => bad('x') }, 10, 1_000)).toEqual([500, 700, 900]);
  });

  it('are as long as the interval alone without jitter', async () => {
    expect(await beginsOf({ check: { jitter: 0 }, rng: 0.9 }, 0, 3_000)).toEqual([900, 1_900, 2_900]);
  });
});

describe('endpoint that takes no work before its first probe', () => {
  const unknown = { initial: 'unknown' } as const;

  it('is held back, probed at once, and let in by one good probe', async () => {
    const { probe } = notingProbe();
    const { time, published, heldBack, log, checker } = checkerOf({ probe, check: unknown });
    checker.start();
    expect([heldBack, checker.recordOf(0)?.verdict]).toEqual([['127.0.0.1:9001'], 'unknown']);
    await time.pass(0);
    expect([published, checker.recordOf(0)?.verdict]).toEqual([[['127.0.0.1:9001', true]], 'healthy']);
    expect(log.records[0]).toMatchObject({ event: 'endpoint-healthy', msg: expect.stringContaining('first check') });
  });

  it('is unhealthy after one bad probe', async () => {
    const { time, published, checker } = checkerOf({ probe: async () => bad('x'), check: unknown });
    checker.start();
    await time.pass(0);
    expect(published).toEqual([['127.0.0.1:9001', false]]);
  });

  it('is probed as soon as its name has addresses', async () => {
    const addresses: string[] = [];
    const { probe, sent } = notingProbe();
    const { time, checker } = checkerOf({ probe, check: unknown, addresses: () => addresses });
    checker.addressesChanged(0); // before the start: nothing
    checker.start();
    await time.pass(5_000);
    expect(sent).toEqual([]);
    addresses.push('127.0.0.1:9001');
    checker.addressesChanged(0);
    await time.pass(0);
    expect([sent.length, time.pending]).toEqual([1, 1]);
  });

  it('goes by no probe of addresses that are no longer its own', async () => {
    const finish: ((result: ProbeResult) => void)[] = [];
    const probe: Probe = () => new Promise((resolve) => finish.push(resolve));
    const { time, published, checker } = checkerOf({ probe, check: unknown });
    checker.start();
    await time.pass(0);
    checker.addressesChanged(0);
    await time.pass(0);
    finish[0]?.(bad('the old one'));
    finish[1]?.(GOOD);
    await time.pass(0);
    expect([published, time.pending]).toEqual([[['127.0.0.1:9001', true]], 1]);
  });
});

describe('record of the checks', () => {
  it('has the last probe, the last failure and the last change', async () => {
    let result = bad('it answered with status 500');
    const { time, spokenFor, checker } = checkerOf({
      probe: async () => result,
      check: { jitter: 0, unhealthyAfter: 1 },
    });
    checker.start();
    await time.pass(500);
    const failure = { at: 1_500, reason: 'it answered with status 500' };
    expect(checker.recordOf(0)).toEqual({
      verdict: 'unhealthy',
      lastProbe: { ...failure, elapsedMs: 5 },
      lastFailure: failure,
      changedAt: 1_500,
    });
    expect(spokenFor).toEqual([]);
    result = GOOD;
    await time.pass(1_000);
    expect(checker.recordOf(0)).toEqual({
      verdict: 'unhealthy',
      lastProbe: { at: 2_500, elapsedMs: 5, reason: null },
      lastFailure: failure,
      changedAt: 1_500,
    });
    expect([spokenFor, checker.recordOf(7)]).toEqual([[['127.0.0.1:9001', 2_500]], null]);
  });
});

describe('a thousand endpoints', () => {
  it.each(['healthy', 'unknown'] as const)(
    'are probed without bursts and without leaking timers (%s)',
    async (initial) => {
      const rng = seededRng(7);
      const at: number[] = [];
      const probe: Probe = async () => {
        at.push(time.nowMs() - 1_000);
        return GOOD;
      };
      const { time, checker } = checkerOf({
        probe,
        endpoints: 1_000,
        check: { initial },
        random: () => rng.nextBits() / 2 ** 31,
      });
      checker.start();
      await time.pass(3_000);
      const perStep = new Map<number, number>();
      for (const ms of at) perStep.set(Math.floor(ms / 10), (perStep.get(Math.floor(ms / 10)) ?? 0) + 1);
      expect(Math.max(...perStep.values())).toBeLessThan(40); // a hundred steps of 10 ms: 10 each, were they evenly spread
      expect(at.length).toBeGreaterThan(2_500);
      expect(time.pending).toBe(1_000);
      checker.close();
      expect(time.pending).toBe(0);
    },
  );
});
