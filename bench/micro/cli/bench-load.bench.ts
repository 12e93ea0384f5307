/** What recording one latency costs `sluice bench`: the load should wait for the address, not for its own bookkeeping. */
import { bench, describe } from 'vitest';
import { BenchLatencies } from '../../../src/cli/bench-load.js';
import { seededRng } from '../../../src/core/rng.js';

/** Records timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
const rng = seededRng(1);
const latenciesUs = Array.from({ length: BATCH }, () => 100 + rng.below(100_000));

// budget: 150 ns: BenchLatencies.record > *
describe('BenchLatencies.record', () => {
  const latencies = new BenchLatencies(null);
  bench('1000 latencies from 0.1 to 100 ms', () => {
    for (const us of latenciesUs) latencies.record(us);
  });
});
