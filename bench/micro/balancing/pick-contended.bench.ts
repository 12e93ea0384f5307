/** What a pick with its claim and end costs while all other threads pick from the same upstream by the same algorithm. */
import { availableParallelism } from 'node:os';
import { bench, describe } from 'vitest';
import { NO_KEY } from '../../../src/balancing/balancer.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { upstreamOf } from '../../../test/unit/balancing/upstream-under-test.js';
import { startRivals } from '../board/rivals.js';

/** Decisions timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
/** One for each processor but the one that is timed, as workers have them. */
const RIVALS = Math.max(1, availableParallelism() - 1);

const CASES: readonly (readonly [BalancerName, number])[] = [
  ['random-two', 8],
  ['random-two', 256],
  ['least-conn', 8],
  ['least-conn', 256],
  ['least-time', 8],
  ['peak-ewma', 8],
  ['predictive', 8],
  ['rendezvous', 8],
];

/** A batch of picks, each of which ends at once; rivals pick from the same upstream, all of the cases in turn. */
const upstreams = CASES.map(([balance, endpoints]) =>
  upstreamOf(
    balance,
    Array.from({ length: endpoints }, () => ({})),
    1 + RIVALS,
  ),
);

await startRivals(
  new URL('./pick-rival-thread.mjs', import.meta.url),
  Array.from({ length: RIVALS }, (_, rival) => ({
    worker: 1 + rival,
    upstreams: upstreams.map(({ board, plan }) => ({ buffer: board.buffer, plan })),
  })),
);

// budget: 150 ns: random-two, contended > *
// budget: 250 ns: least-conn, contended > 8 endpoints
// budget: 400 ns: least-conn, contended > 256 endpoints
// budget: 250 ns: least-time, contended > *
// budget: 250 ns: peak-ewma, contended > *
// budget: 400 ns: predictive, contended > *
// budget: 150 ns: rendezvous, contended > *
for (const [index, [balance, endpoints]] of CASES.entries()) {
  describe(`${balance}, contended`, () => {
    const upstream = upstreams[index];
    if (upstream === undefined) throw new Error('there is an upstream for each case');
    const { picker, worker } = upstream;
    let now = 1;
    bench(`${endpoints} endpoints`, () => {
      now += 1;
      for (let decision = 0; decision < BATCH; decision++) {
        const { slot, generation } = picker.view.endpoint(picker.pick(NO_KEY, NONE_TRIED, now));
        worker.claims.end(slot, generation);
      }
    });
  });
}
