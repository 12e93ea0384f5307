/** predictive learns which endpoint is fast for what, and is no worse than least-time elsewhere. Stories with a clock moved by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { Predictive } from '../../../src/balancing/predictive.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { type Attempting, UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import { type BalancerName, NO_SUBSET } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { tickOf } from '../../../src/core/tick.js';
import { upstreamOf } from './upstream-under-test.js';

interface Request {
  readonly routeClass: number;
  readonly bodyBytes: number;
}

interface Served extends Request {
  readonly atMs: number;
  readonly endpoint: number;
  readonly tookMs: number;
}

/** How long an endpoint takes for a request that finds others there; Infinity: it never answers. isFailure: then it fails. */
type Endpoint = (request: Request, inflight: number, ms: number) => { afterMs: number; isFailure?: boolean };

interface Story {
  readonly endpoints: readonly Endpoint[];
  readonly rate: number;
  readonly durationMs: number;
  readonly request?: (index: number) => Partial<Request>;
  readonly start?: number;
}

const STEP_MS = 1;

/** Plays a story through UpstreamRuntime, in steps of a millisecond. */
function tell(balance: BalancerName, { endpoints, rate, durationMs, request, start = 1 }: Story): Served[] {
  const { plan, worker } = upstreamOf(
    balance,
    endpoints.map(() => ({})),
  );
  const count = Math.ceil((rate * durationMs) / 1000) + 1;
  const ledger = new EndpointLedger(worker, count);
  const runtime = new UpstreamRuntime(plan, { board: worker, ledger, rng: seededRng(3) });
  const open: { attempting: Attempting; endsAtMs: number; tookMs: number; isFailure: boolean }[] = [];
  const served: Served[] = [];
  const rng = seededRng(5);
  for (let ms = 0; ms < durationMs; ms += STEP_MS) {
    const now = tickOf(start + ms);
    for (const attempt of open.filter(({ endsAtMs }) => endsAtMs <= ms)) {
      open.splice(open.indexOf(attempt), 1);
      const elapsedUs = attempt.tookMs * 1_000;
      if (attempt.isFailure) runtime.settleFailure(attempt.attempting, 'SLUICE_ENDPOINT_RESET', elapsedUs, now);
      else runtime.settleFirstByte(attempt.attempting, 200, elapsedUs, now);
      runtime.settleLastByte(attempt.attempting, elapsedUs, now);
    }
    while (served.length < (ms * rate) / 1000) {
      const { routeClass = 0, bodyBytes = 0 } = request?.(served.length) ?? {};
      const key = Object.assign(new PickKey(), { routeClass, bodyBytes });
      const attempting: Attempting = {
        id: served.length,
        subset: NO_SUBSET,
        key,
        preferred: NO_ENDPOINT,
        endpoint: NO_ENDPOINT,
        attempts: 0,
        tried: null,
      };
      runtime.pick(attempting, now);
      const { endpoint } = attempting;
      const inflight = open.filter((other) => other.attempting.endpoint === endpoint).length;
      const { afterMs, isFailure = false } = endpoints[endpoint]!({ routeClass, bodyBytes }, inflight, ms);
      const tookMs = afterMs * (0.9 + rng.below(200) / 1_000);
      open.push({ attempting, endsAtMs: ms + tookMs, tookMs, isFailure });
      served.push({ atMs: ms, endpoint, tookMs, routeClass, bodyBytes });
    }
  }
  return served;
}

const meanMs = (served: readonly Served[]): number =>
  served.reduce((sum, { tookMs }) => sum + tookMs, 0) / served.length;
const share = (served: readonly Served[], endpoint: number): number =>
  served.filter((each) => each.endpoint === endpoint).length / served.length;
const since = (served: readonly Served[], ms: number): Served[] => served.filter(({ atMs }) => atMs >= ms);
const steady =
  (afterMs: number): Endpoint =>
  () => ({ afterMs });

describe('predictive', () => {
  it('sends each kind of request where it is fast, which least-time cannot see', () => {
    const fastFor =
      (own: number): Endpoint =>
      ({ routeClass }) => ({ afterMs: routeClass === own ? 10 : 80 });
    const story: Story = {
      endpoints: [fastFor(0), fastFor(1), fastFor(2)],
      rate: 150,
      durationMs: 20_000,
      request: (index) => ({ routeClass: (index * 7 + (index >> 3)) % 3 }),
    };
    const served = since(tell('predictive', story), 10_000);
    for (const routeClass of [0, 1, 2])
      expect(
        share(
          served.filter((each) => each.routeClass === routeClass),
          routeClass,
        ),
      ).toBeGreaterThan(0.8);
    expect(meanMs(served)).toBeLessThan(0.6 * meanMs(since(tell('least-time', story), 10_000)));
  });

  it('sends large bodies to the endpoint that takes them faster, and small ones to the other', () => {
    const story: Story = {
      endpoints: [
        ({ bodyBytes }) => ({ afterMs: 4 + bodyBytes / 10_000 }),
        ({ bodyBytes }) => ({ afterMs: 16 + bodyBytes / 100_000 }),
      ],
      rate: 60,
      durationMs: 30_000,
      request: (index) => ({ bodyBytes: (index * 5 + (index >> 2)) % 2 === 0 ? 1_000 : 2_000_000 }),
    };
    const served = since(tell('predictive', story), 15_000);
    expect(
      share(
        served.filter(({ bodyBytes }) => bodyBytes > 1_000),
        1,
      ),
    ).toBeGreaterThan(0.8);
    expect(
      share(
        served.filter(({ bodyBytes }) => bodyBytes === 1_000),
        0,
      ),
    ).toBeGreaterThan(0.8);
  });

  it('learns how an endpoint bears load', () => {
    const story: Story = {
      // One that serves all at once in 30 ms, one that is faster alone and shares one processor.
      endpoints: [steady(30), (_, inflight) => ({ afterMs: 15 * (1 + inflight) })],
      rate: 300,
      durationMs: 20_000,
    };
    expect(meanMs(since(tell('predictive', story), 8_000))).toBeLessThan(
      meanMs(since(tell('least-time', story), 8_000)),
    );
  });

  // Two kinds of requests, one of which costs eight times the other: there the model is the better of the two.
  const mixed = (index: number): Partial<Request> => ({ routeClass: (index * 5 + (index >> 2)) & 1 });
  const costs = ({ routeClass }: Request, afterMs: number): number => afterMs * (routeClass === 0 ? 1 : 8);
  const mixedSteady =
    (afterMs: number): Endpoint =>
    (request) => ({ afterMs: costs(request, afterMs) });

  it.each([1, 2 ** 31 - 6_000, -6_000])('turns away from an endpoint that slows down (clock at %i)', (start) => {
    const served = tell('predictive', {
      endpoints: [
        (request, _, ms) => ({ afterMs: costs(request, ms < 10_000 ? 30 : 160) }),
        ...[30, 30, 30].map(mixedSteady),
      ],
      rate: 80,
      durationMs: 25_000,
      request: mixed,
      start,
    });
    expect(
      share(
        served.filter(({ atMs }) => atMs > 4_000 && atMs < 10_000),
        0,
      ),
    ).toBeGreaterThan(0.15);
    expect(share(since(served, 13_000), 0)).toBeLessThan(0.05);
  });

  it('notices a stall before it ends', () => {
    const served = tell('predictive', {
      endpoints: [
        (request, _, ms) => ({ afterMs: ms < 6_000 ? costs(request, 5) : Infinity }),
        ...[5, 5].map(mixedSteady),
      ],
      rate: 200,
      durationMs: 9_000,
      request: mixed,
    });
    expect(share(since(served, 6_500), 0)).toBeLessThan(0.02);
  });

  it('gives an endpoint that fails at once less than 5 % after one second', () => {
    const served = tell('predictive', {
      endpoints: [
        (request, _, ms) => ({ afterMs: ms < 8_000 ? costs(request, 6) : 1, isFailure: ms >= 8_000 }),
        ...[6, 6, 6].map(mixedSteady),
      ],
      rate: 200,
      durationMs: 25_000,
      request: mixed,
    });
    expect(share(since(served, 9_000), 0)).toBeLessThan(0.05);
    expect(share(since(served, 15_000), 0)).toBeGreaterThan(0);
  });

  it('tries an endpoint again that was slow, and gives it its share back', () => {
    const served = tell('predictive', {
      endpoints: [(request, _, ms) => ({ afterMs: costs(request, ms < 6_000 ? 100 : 5) }), ...[5, 5].map(mixedSteady)],
      rate: 100,
      durationMs: 60_000,
      request: mixed,
    });
    expect(
      share(
        served.filter(({ atMs }) => atMs > 2_000 && atMs < 6_000),
        0,
      ),
    ).toBeLessThan(0.1);
    expect(share(since(served, 50_000), 0)).toBeGreaterThan(0.15);
  });

  it('gives an endpoint it has not met its fair share at most', () => {
    const served = tell('predictive', {
      endpoints: [5, 5, 5].map(mixedSteady),
      rate: 300,
      durationMs: 3_000,
      request: mixed,
    });
    for (const endpoint of [0, 1, 2]) expect(share(since(served, 1_500), endpoint)).toBeLessThan(0.5);
  });

  it('picks an endpoint whatever it has been told (adversarial)', () => {
    const wild = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 0));
    const step = fc.record({
      endpoint: fc.integer({ min: 0, max: 2 }),
      routeClass: fc.integer(),
      bodyBytes: wild,
      inflight: fc.oneof(fc.integer(), fc.nat(5)),
      elapsedUs: wild,
      isFailure: fc.boolean(),
      now: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 150, maxLength: 300 }), (steps) => {
        const { picker, plan, board, worker } = upstreamOf('predictive', [{}, {}, { weight: 3 }]);
        for (const [
          index,
          { endpoint, routeClass, bodyBytes, inflight, elapsedUs, isFailure, now },
        ] of steps.entries()) {
          const key = Object.assign(new PickKey(), { routeClass, bodyBytes });
          board.load.replaceLatency(
            plan.endpoints[endpoint]!.slot,
            board.load.latencyUs(plan.endpoints[endpoint]!.slot),
            1 + index,
            now,
          );
          picker.settled(endpoint, key, inflight, elapsedUs, isFailure && index % 7 === 0, now);
          const picked = picker.pick(key, NONE_TRIED, now);
          expect(picked).toBeGreaterThanOrEqual(0);
          worker.claims.end(plan.endpoints[picked]!.slot, plan.endpoints[picked]!.generation);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('the guard of predictive', () => {
  /** Tells a balancer of `count` requests that take `us(index)`, while the board's estimate is `estimateUs(index)`. */
  function told(
    us: (index: number) => number,
    estimateUs: (index: number) => number,
    count: number,
    before?: Predictive,
  ) {
    const { picker, plan, board } = upstreamOf('predictive', [{}]);
    const balancer = before ?? new Predictive();
    const { slot } = plan.endpoints[0]!;
    const key = new PickKey();
    for (let index = 0; index < count; index++) {
      key.routeClass = index & 1;
      board.load.replaceLatency(slot, board.load.latencyUs(slot), estimateUs(index), index + 1);
      balancer.settled(picker.view, 0, key, 0, us(index), false, index + 1);
    }
    return balancer;
  }
  const twoKinds = (index: number): number => ((index & 1) === 0 ? 1_000 : 50_000);

  it('goes by predictions once they are better over enough requests', () => {
    expect(told(twoKinds, () => 7_000, 100).predicts).toBe(false);
    expect(told(twoKinds, () => 7_000, 400).predicts).toBe(true);
  });

  it('goes by the estimate while that is the better one', () => {
    expect(told(twoKinds, twoKinds, 2_000).predicts).toBe(false);
  });

  it('falls back when the estimate becomes the better one', () => {
    const before = told(twoKinds, () => 7_000, 400);
    expect(before.predicts).toBe(true);
    // What took long is fast now, and the other way round, in no order that a class of routes could tell.
    const erratic = (index: number): number => (((index * 2_654_435_761) & 64) === 0 ? 1_000 : 50_000);
    expect(told(erratic, erratic, 1_000, before).predicts).toBe(false);
  });
});
