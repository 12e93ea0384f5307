/** What one real worker thread does to upstreams whose attempts are watched. Runs the compiled code of dist/. */
import { parentPort, workerData } from 'node:worker_threads';
import { AS_PROBE } from '../../../dist/balancing/attempt-measure.js';
import { PickKey } from '../../../dist/balancing/balancer.js';
import { EndpointLedger } from '../../../dist/balancing/endpoint-ledger.js';
import { UpstreamRuntime } from '../../../dist/balancing/upstream-runtime.js';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { monotonicClock } from '../../../dist/core/clock.js';
import { seededRng } from '../../../dist/core/rng.js';
import { endpointWatchFor } from '../../../dist/policies/endpoint-watch.js';
import { awaitStart } from '../board/thread-start.mjs';

const { buffer, worker, task } = workerData;
/** Words: 0 and 1 are awaitStart's, then probes on their way, for each endpoint. */
const shared = new Int32Array(task.shared);
const FIRST_PROBES = 2;
const IN_FLIGHT = 8;

const board = attachBoard(buffer, worker);
const rng = seededRng(worker + 1);
const clock = monotonicClock();
const ledger = new EndpointLedger(board, IN_FLIGHT);
const events = [];

function runtimeFor(plan) {
  const told = (kind) => (endpoint, reason) => events.push({ kind, upstream: plan.index, endpoint, reason });
  return new UpstreamRuntime(plan, {
    board,
    ledger,
    rng,
    observe: () =>
      endpointWatchFor(plan, board, {
        ejected: told('ejected'),
        suppressed: told('suppressed'),
        onTrial: told('on-trial'),
        returned: told('returned'),
        breakerOpened: told('opened'),
        breakerHalfOpened: told('half-open'),
        breakerClosed: told('closed'),
      }),
  });
}

const attempts = Array.from({ length: IN_FLIGHT }, (_, id) => ({
  id,
  subset: -1,
  key: new PickKey(),
  preferred: -1,
  endpoint: -1,
  attempts: 0,
  tried: null,
}));

let mostProbes = 0;
let picks = 0;

/** Settles what the attempt does, and begins it anew. @param failurePercent of all requests */
function turn(runtime, attempt, failurePercent) {
  const now = clock.nowTick();
  if (attempt.endpoint !== -1) {
    if (ledger.measure(attempt.id) & AS_PROBE) Atomics.sub(shared, FIRST_PROBES + attempt.endpoint, 1);
    const status = rng.below(100) < failurePercent ? 503 : 200;
    runtime.settleFirstByte(attempt, status, 10, now);
    runtime.settleEnd(attempt, now);
  }
  attempt.attempts = 0;
  attempt.key.hash = rng.nextBits();
  if (runtime.pick(attempt, now) < 0) return;
  picks += 1;
  if (!(ledger.measure(attempt.id) & AS_PROBE)) return;
  mostProbes = Math.max(mostProbes, Atomics.add(shared, FIRST_PROBES + attempt.endpoint, 1) + 1);
}

function endAll(runtime) {
  for (const attempt of attempts) {
    if (attempt.endpoint !== -1 && ledger.measure(attempt.id) & AS_PROBE)
      Atomics.sub(shared, FIRST_PROBES + attempt.endpoint, 1);
    runtime.settleEnd(attempt, clock.nowTick());
  }
}

const tasks = {
  /** Everything fails, one upstream after the other, until nothing more may be ejected. */
  'fail-all'() {
    awaitStart(shared);
    for (const plan of task.plans) {
      const runtime = runtimeFor(plan);
      for (let round = 0; round < task.rounds; round++) turn(runtime, attempts[round % IN_FLIGHT], 100);
      endAll(runtime);
    }
  },

  /** Requests of one upstream for `durationMs`, of which some fail: endpoints come and go all the time. */
  churn() {
    const runtime = runtimeFor(task.plans[0]);
    awaitStart(shared);
    const endsAt = performance.now() + task.durationMs;
    while (performance.now() < endsAt) {
      for (const attempt of attempts) turn(runtime, attempt, task.failurePercent);
      // As between two batches: the others run, too.
      if (rng.below(8) === 0) Atomics.wait(shared, 1, 1, 0.2);
    }
    endAll(runtime);
  },
};

tasks[task.kind]();
parentPort.postMessage({ events, mostProbes, picks });
