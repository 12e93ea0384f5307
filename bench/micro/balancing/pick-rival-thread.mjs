/** Picks and ends without a pause, as the other side of a contended bench: each upstream for a while, over and over. Runs dist/. */
import { workerData } from 'node:worker_threads';
import { NO_KEY } from '../../../dist/balancing/balancer.js';
import { NONE_TRIED } from '../../../dist/balancing/tried-set.js';
import { UpstreamPicker } from '../../../dist/balancing/upstream-picker.js';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { seededRng } from '../../../dist/core/rng.js';

const { worker, upstreams } = workerData;
const stop = new Int32Array(workerData.stop);
const sides = upstreams.map(({ buffer, plan }) => {
  const board = attachBoard(buffer, worker);
  return { claims: board.claims, picker: new UpstreamPicker(plan, board, seededRng(worker + 1), null) };
});
let now = 1;
while (Atomics.load(stop, 0) === 0) {
  for (const { claims, picker } of sides) {
    now += 1;
    for (let decision = 0; decision < 100; decision++) {
      const { slot, generation } = picker.view.endpoint(picker.pick(NO_KEY, NONE_TRIED, now));
      claims.end(slot, generation);
    }
  }
  Atomics.add(stop, 1, 1); // so that the bench can tell that it had a rival
}
