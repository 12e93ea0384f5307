/** Claims and ends one endpoint without a pause, as the other side of a contended bench. Runs the compiled code of dist/. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachBoard } from '../../../dist/board/worker-board.js';

const { buffer, worker, slot, generation } = workerData;
const { claims } = attachBoard(buffer, worker);
const stop = new Int32Array(workerData.stop);
parentPort.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  for (let operation = 0; operation < 1_000; operation++) {
    claims.claim(slot, generation, 0);
    claims.end(slot, generation);
  }
  Atomics.add(stop, 1, 1); // so that the bench can tell that it had a rival
}
