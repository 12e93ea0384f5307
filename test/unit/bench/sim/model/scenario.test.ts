/** Endpoints, queues and fates of a simulation, by requests whose times can be worked out by hand. */
import { describe, expect, it } from 'vitest';
import { poisson, steady } from '../../../../../bench/sim/model/arrivals.js';
import { BulletinSteering } from '../../../../../bench/sim/model/bulletin.js';
import { constant, exponential, zipf } from '../../../../../bench/sim/model/distributions.js';
import { changing, fleetOf, sharing, sound } from '../../../../../bench/sim/model/endpoints.js';
import { FAILED, mean, Recording, SERVED, TURNED_AWAY } from '../../../../../bench/sim/model/recording.js';
import { hashBits, play, playWith, type Scenario } from '../../../../../bench/sim/model/scenario.js';
import type { EndpointModel } from '../../../../../bench/sim/model/simulated-endpoint.js';

function scenario(models: readonly EndpointModel[], parts: Partial<Scenario> = {}): Scenario {
  return {
    endpoints: models.map((model) => ({ model })),
    arrivals: steady(100),
    requests: { work: constant(30) },
    durationMs: 45,
    seed: 1,
    ...parts,
  };
}

function latencies(recording: Recording): number[] {
  return recording.latencyMs.map((latencyMs) => Math.round(latencyMs * 1_000) / 1_000);
}

describe('a simulated endpoint', () => {
  it('serves in order of arrival when its only place is taken', () => {
    expect(latencies(playWith(scenario([sound(1)]), {}))).toEqual([30, 50, 70, 90]);
  });

  it('serves as many at once as it has places', () => {
    expect(latencies(playWith(scenario([sound(2)]), {}))).toEqual([30, 30, 40, 40]);
  });

  it('takes longer by its slowness', () => {
    expect(latencies(playWith(scenario([sound(Infinity, 2)]), {}))).toEqual([60, 60, 60, 60]);
  });

  it('takes longer the more it works on', () => {
    expect(latencies(playWith(scenario([sharing(1, 0.5)]), {})).sort((a, b) => a - b)).toEqual([30, 45, 60, 60]);
  });

  it('answers at once with a failing status, beside its queue', () => {
    const failing = changing(1, 15, { kind: 'answers', status: 500, afterMs: 1 });
    const recording = playWith(scenario([failing]), {});
    expect(recording.count(SERVED)).toBe(1);
    expect(recording.count(FAILED)).toBe(3);
    expect(latencies(recording).slice(0, 2)).toEqual([1, 1]);
  });

  it('keeps silent when it stalls, until the proxy gives up', () => {
    const stalling = changing(1, 0, { kind: 'stalls' });
    const recording = playWith(scenario([stalling], { timeoutMs: 500 }), {});
    expect(recording.count(FAILED)).toBe(4);
    expect(latencies(recording)).toEqual([500, 500, 500, 500]);
  });

  it('loses what it holds when it dies', () => {
    const dies = { atMs: 42, act: ({ endpoints }: { endpoints: readonly { die(): void }[] }) => endpoints[0]!.die() };
    const recording = playWith(scenario([sound(1)], { happenings: [dies] }), {});
    expect([recording.count(SERVED), recording.count(FAILED)]).toEqual([1, 3]);
    expect(recording.latencyMs.map((latencyMs) => Math.round(latencyMs))).toEqual([30, 22, 12, 2]);
  });

  it('is passed over when it refuses connections', () => {
    const recording = playWith(scenario([changing(1, 0, { kind: 'refuses' }), sound(Infinity)]), {});
    expect(recording.count(SERVED)).toBe(4);
    expect(recording.attemptsOn(2)).toEqual([4, 4]);
  });
});

describe('a scenario', () => {
  it('turns requests away when every endpoint is at its cap', () => {
    const recording = playWith(scenario([sound(1)], { endpoints: [{ model: sound(1), maxConns: 2 }] }), {});
    expect(recording.count(TURNED_AWAY)).toBe(1);
  });

  it('gives back every claim', () => {
    let left = -1;
    const look = {
      atMs: 10_000,
      act: ({ fleet }: { fleet: { inflight(at: number): number } | null }) => (left = fleet!.inflight(0)),
    };
    playWith(scenario([sound(2)], { happenings: [look] as Scenario['happenings'] & {} }), { balance: 'least-conn' });
    expect(left).toBe(0);
  });

  it('meets every balancer with the same requests', () => {
    const random = scenario([sound(2), sound(2)], {
      arrivals: poisson(100),
      requests: { work: exponential(10) },
      durationMs: 2_000,
    });
    const one = playWith(random, { balance: 'round-robin' });
    const other = playWith(random, { balance: 'least-time' });
    expect([...one.arrivedMs].sort()).toEqual([...other.arrivedMs].sort());
  });

  it('gives the same for the same seed, and something else for another', () => {
    const of = (seed: number) =>
      playWith(
        scenario(
          fleetOf(3, sound(1)).map(({ model }) => model),
          { arrivals: poisson(100), requests: { work: exponential(20), key: zipf(50, 1) }, durationMs: 3_000, seed },
        ),
        { balance: 'least-time' },
      );
    expect(of(4)).toEqual(of(4));
    expect(of(4).latencyMs).not.toEqual(of(5).latencyMs);
  });

  it('agrees with M/M/1: mean time 1 / (1 - rho) at rho 0.5', () => {
    const queue = scenario([sound(1)], {
      arrivals: poisson(50),
      requests: { work: exponential(10) },
      durationMs: 400_000,
    });
    expect(mean(playWith(queue, {}).latencyMs) / 20).toBeCloseTo(1, 1);
  });
});

describe('workers apart', () => {
  it('see only their own requests', () => {
    const shared = scenario(
      fleetOf(4, sound(Infinity)).map(({ model }) => model),
      { durationMs: 400, workers: 4, requests: { work: constant(10_000) } },
    );
    const counts = (isApart: boolean) => playWith({ ...shared, isApart }, { balance: 'round-robin' }).attemptsOn(4);
    expect(counts(false).every((count) => count === 9 || count === 10)).toBe(true);
    expect(counts(true)).not.toEqual(counts(false));
  });
});

describe('a bulletin board', () => {
  it('shows the loads of its last update only', () => {
    const four = scenario(
      fleetOf(4, sound(Infinity)).map(({ model }) => model),
      {
        durationMs: 500,
        requests: { work: constant(10_000) },
      },
    );
    const spread = (periodMs: number) => {
      const recording = new Recording();
      play(four, new BulletinSteering('least', 4, periodMs, 1), recording);
      const counts = recording.attemptsOn(4);
      return Math.max(...counts) - Math.min(...counts);
    };
    expect(spread(0)).toBeLessThanOrEqual(1);
    expect(spread(1_000)).toBeGreaterThan(1);
  });
});

describe('hash bits', () => {
  it('differ for neighbours and fill 32 bits', () => {
    const all = Array.from({ length: 1_000 }, (_, key) => hashBits(key));
    expect(new Set(all).size).toBe(1_000);
    expect(all.every((bits) => bits >= 0 && bits < 2 ** 32)).toBe(true);
    expect(mean(all) / 2 ** 31).toBeCloseTo(1, 1);
  });
});
