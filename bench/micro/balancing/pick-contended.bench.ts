/**
 * What a pick with its claim and end costs while all other threads pick from the same upstream by the same algorithm, without a pause and
 * with nothing else to do: no worker contends like that. Most of it is the counts of endpoints going from processor to processor.
 */
import { availableParallelism } from 'node:os';
import { bench, describe } from 'vitest';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { upstreamWithTable } from '../../../test/unit/balancing/published-table.js';
import { startRivals } from '../board/rivals.js';
import { KeySequence } from './key-sequence.js';

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
  ['ip-hash', 8],
  ['hash', 8],
  ['hash', 256],
  ['ketama', 8],
  ['ketama', 256],
  ['maglev', 8],
  ['maglev', 256],
  ['rendezvous', 8],
];

/** A batch of picks, each of which ends at once; rivals pick from the same upstream. */
const upstreams = CASES.map(([balance, endpoints]) =>
  upstreamWithTable(
    balance,
    Array.from({ length: endpoints }, () => ({})),
    1 + RIVALS,
  ),
);

/** [0]: index of the upstream that is timed; rivals turn to it. */
const timed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

await startRivals(
  new URL('./pick-rival-thread.mjs', import.meta.url),
  Array.from({ length: RIVALS }, (_, rival) => ({
    worker: 1 + rival,
    timed: timed.buffer,
    upstreams: upstreams.map(({ board, plan }) => ({ buffer: board.buffer, plan })),
  })),
);

// budget: 150 ns: random-two, contended > *
// budget: 250 ns: least-conn, contended > 8 endpoints
// budget: 400 ns: least-conn, contended > 256 endpoints
// budget: 250 ns: least-time, contended > *
// budget: 250 ns: peak-ewma, contended > *
// budget: 400 ns: predictive, contended > *
// budget: 150 ns: *hash, contended > *
// budget: 150 ns: ketama, contended > *
// budget: 150 ns: maglev, contended > *
// budget: 150 ns: rendezvous, contended > *
for (const [index, [balance, endpoints]] of CASES.entries()) {
  describe(`${balance}, contended`, () => {
    const upstream = upstreams[index];
    if (upstream === undefined) throw new Error('there is an upstream for each case');
    const { picker, worker } = upstream;
    const keys = new KeySequence();
    let now = 1;
    bench(`${endpoints} endpoints`, () => {
      Atomics.store(timed, 0, index);
      now += 1;
      for (let decision = 0; decision < BATCH; decision++) {
        const { slot, generation } = picker.view.endpoint(picker.pick(keys.next(), NONE_TRIED, now));
        worker.claims.end(slot, generation);
      }
    });
  });
}
