/**
 * What one decision costs, for each algorithm and size of upstream. "pick, claim, end" is the decision: the endpoint is picked and claimed,
 * and the claim of another request is given back, so that all workers know. "pick, begin, first byte, end" is all that a worker does for a
 * request besides: since when it waits, how long that took, and how often it was so.
 */
import { bench, describe } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { BALANCER_NAMES } from '../../../src/balancing/registry.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { upstreamWithTable } from '../../../test/unit/balancing/published-table.js';
import { KeySequence } from './key-sequence.js';

/** Decisions timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
/** In flight while picking, so that endpoints differ. */
const OPEN = 64;

/** A batch of decisions in steady state: each begins one exchange and ends the oldest. */
function decisionsOf(balance: BalancerName, endpoints: number, isSettled: boolean): () => void {
  const upstream = upstreamWithTable(
    balance,
    Array.from({ length: endpoints }, () => ({})),
    4,
  );
  const { picker, worker } = upstream;
  const ledger = new EndpointLedger(worker, OPEN);
  const rng = seededRng(1);
  const keys = new KeySequence();
  let now = 1;
  let exchange = 0;
  const begin = (): void => {
    const endpoint = picker.pick(keys.next(), NONE_TRIED, now);
    ledger.begin(exchange, picker.view.endpoint(endpoint), false, now);
  };
  for (; exchange < OPEN; exchange++) begin();
  const held = new Int32Array(OPEN).fill(-1);
  return () => {
    now += 1;
    for (let decision = 0; decision < BATCH; decision++) {
      if (isSettled) {
        exchange = decision % OPEN;
        ledger.firstByte(exchange, 200, 900 + rng.below(200), now);
        ledger.end(exchange, now);
        begin();
      } else {
        const at = decision % OPEN;
        const before = held[at] as number;
        if (before >= 0) {
          const { slot, generation } = picker.view.endpoint(before);
          worker.claims.end(slot, generation);
        }
        held[at] = picker.pick(keys.next(), NONE_TRIED, now);
      }
    }
  };
}

// budget: 150 ns: random-two: pick, claim, end > *
// budget: 150 ns: *hash: pick, claim, end > *
// budget: 150 ns: ketama: pick, claim, end > *
// budget: 150 ns: maglev: pick, claim, end > *
// budget: 150 ns: rendezvous: pick, claim, end > 2 endpoints
// budget: 150 ns: rendezvous: pick, claim, end > 8 endpoints
// budget: 2000 ns: rendezvous: pick, claim, end > 256 endpoints
// budget: 2000 ns: rendezvous: pick, begin, first byte, end > 256 endpoints
// One pick, claim and end; other algorithms by the measure of least-conn.
// budget: 250 ns: *: pick, claim, end > 2 endpoints
// budget: 250 ns: *: pick, claim, end > 8 endpoints
// budget: 400 ns: *: pick, claim, end > 256 endpoints
describe.each(BALANCER_NAMES)('%s: pick, claim, end', (balance) => {
  for (const endpoints of [2, 8, 256]) bench(`${endpoints} endpoints`, decisionsOf(balance, endpoints, false));
});

// With everything the ledger settles (waits, latency, counters): at most 250 ns more.
// budget: 500 ns: *: pick, begin, first byte, end > 2 endpoints
// budget: 500 ns: *: pick, begin, first byte, end > 8 endpoints
// budget: 650 ns: *: pick, begin, first byte, end > 256 endpoints
describe.each(BALANCER_NAMES)('%s: pick, begin, first byte, end', (balance) => {
  for (const endpoints of [2, 8, 256]) bench(`${endpoints} endpoints`, decisionsOf(balance, endpoints, true));
});
