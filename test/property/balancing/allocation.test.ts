/** No balancer allocates on a request's path: measured on the heap, over all of them in one process, as a worker may have them. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { BALANCER_NAMES } from '../../../src/balancing/registry.js';
import { type Attempting, UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import { type BalancerName, NO_SUBSET } from '../../../src/config/picking-plan.js';
import type { ResiliencePlan } from '../../../src/config/resilience-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { type EndpointEvents, endpointWatchFor } from '../../../src/policies/endpoint-watch.js';
import { upstreamWithTable } from '../../unit/balancing/published-table.js';
import { BREAKER, OUTLIER } from '../../unit/policies/watched-upstream.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const OPEN = 32;
const CHUNKS = 31;
const PICKS_A_CHUNK = 2_000;
/** Picks before measuring, so that the compiler has come to rest: before that numbers are boxed. */
const WARM_UP = 60_000;

/** Half a byte: a boxed number for one request in 24. */
const ENOUGH = 0.5;
/** On a busy machine the compiler comes to rest later; what allocates for good does so in each of these. */
const TRIES = 5;

/** Does `work` over and over. @returns bytes that one takes from the heap, the least of some tries */
function bytesEach(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least >= ENOUGH; tries++) least = Math.min(least, bytesOfTry(work));
  return least;
}

/** @returns the median of many chunks: collections fall out */
function bytesOfTry(work: () => void): number {
  for (let count = 0; count < WARM_UP; count++) work();
  collect();
  const grown = Array.from({ length: CHUNKS }, () => 0);
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const before = getHeapStatistics().used_heap_size;
    for (let count = 0; count < PICKS_A_CHUNK; count++) work();
    grown[chunk] = (getHeapStatistics().used_heap_size - before) / PICKS_A_CHUNK;
  }
  return grown.sort((a, b) => a - b)[CHUNKS >> 1]!;
}

const unheard = (): void => {};
const UNHEARD: EndpointEvents = {
  ejected: unheard,
  suppressed: unheard,
  onTrial: unheard,
  returned: unheard,
  breakerOpened: unheard,
  breakerHalfOpened: unheard,
  breakerClosed: unheard,
};

/** One exchange after the other: the oldest is settled, the next one picked. */
function exchangesOf(balance: BalancerName, endpoints: number, resilience: Partial<ResiliencePlan> = {}): () => void {
  const { plan: plain, worker } = upstreamWithTable(
    balance,
    Array.from({ length: endpoints }, (_, index) => ({ weight: 1 + (index % 3) })),
  );
  const plan = { ...plain, ...resilience };
  const runtime = new UpstreamRuntime(plan, {
    board: worker,
    ledger: new EndpointLedger(worker, OPEN),
    rng: seededRng(1),
    observe: (upstream) => endpointWatchFor(upstream, worker, UNHEARD),
  });
  const open: Attempting[] = Array.from({ length: OPEN }, (_, id) => ({
    id,
    subset: NO_SUBSET,
    key: new PickKey(),
    preferred: NO_ENDPOINT,
    endpoint: NO_ENDPOINT,
    attempts: 0,
    tried: null,
  }));
  let count = 0;
  return () => {
    const attempting = open[count % OPEN]!;
    const now = 1 + (count >> 5);
    if (attempting.endpoint !== NO_ENDPOINT) {
      // Routes differ, so that predictive goes by what it has learned of them.
      runtime.settleFirstByte(attempting, 200, (1_000 << attempting.key.routeClass) + ((count * 7) & 1_023), now);
      runtime.settleLastByte(attempting, 2_000, now);
    }
    attempting.attempts = 0;
    attempting.key.hash = Math.imul(count, 0x9e3779b1) >> 2;
    attempting.key.routeClass = count & 3;
    runtime.pick(attempting, now);
    count += 1;
  };
}

describe('allocation', () => {
  it('is seen by this measure', () => {
    const kept: object[] = [{}];
    expect(
      bytesEach(() => {
        kept[0] = { of: kept.length };
      }),
    ).toBeGreaterThan(8);
  });

  it.each(BALANCER_NAMES.flatMap((name) => [[name, 8] as const, [name, 40] as const]))(
    'is none for a request that %s picks for and learns from, of %i endpoints',
    (name, endpoints) => {
      expect(bytesEach(exchangesOf(name, endpoints))).toBeLessThan(ENOUGH);
    },
  );

  it('is none for a request that outlier detection and a breaker watch', () => {
    expect(bytesEach(exchangesOf('least-conn', 8, { outlier: OUTLIER, breaker: BREAKER }))).toBeLessThan(ENOUGH);
  });
});
