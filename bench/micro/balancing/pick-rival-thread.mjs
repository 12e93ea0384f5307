/** Picks and ends without a pause, as the other side of a contended bench: from the upstream that is timed. Runs dist/. */
import { workerData } from 'node:worker_threads';
import { PickKey } from '../../../dist/balancing/balancer.js';
import { NONE_TRIED } from '../../../dist/balancing/tried-set.js';
import { UpstreamPicker } from '../../../dist/balancing/upstream-picker.js';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { seededRng } from '../../../dist/core/rng.js';

const { worker, upstreams } = workerData;
const timed = new Int32Array(workerData.timed);
const stop = new Int32Array(workerData.stop);
const sides = upstreams.map(({ buffer, plan }) => {
  const board = attachBoard(buffer, worker);
  return { claims: board.claims, picker: new UpstreamPicker(plan, board, seededRng(worker + 1), null) };
});
const rng = seededRng(worker);
const key = new PickKey();
let now = 1;
while (Atomics.load(stop, 0) === 0) {
  const { claims, picker } = sides[Atomics.load(timed, 0)];
  now += 1;
  for (let decision = 0; decision < 100; decision++) {
    key.hash = rng.nextBits() << 1;
    key.hashHigh = rng.nextBits();
    const { slot, generation } = picker.view.endpoint(picker.pick(key, NONE_TRIED, now));
    claims.end(slot, generation);
  }
  Atomics.add(stop, 1, 1); // so that the bench can tell that it had a rival
}
