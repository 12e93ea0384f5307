/** Opens and ends sessions at one limited listener without a pause, as the other side of a contended bench. Runs the compiled code of dist/. */
import { parentPort, workerData } from 'node:worker_threads';
import { NO_ENTRY } from '../../../dist/board/client-table.js';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { SessionLimits } from '../../../dist/policies/session-limits.js';

const { buffer, worker, listener } = workerData;
const limits = new SessionLimits(attachBoard(buffer, worker), [{ ...listener, number: 0 }]);
const stop = new Int32Array(workerData.stop);
const session = { word0: 0, word1: 0, word2: 0xffff, word3: 7, isCountedAtListener: false, clientEntry: NO_ENTRY };
parentPort.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  for (let operation = 0; operation < 1_000; operation++) {
    limits.admit(session, 0, 1_000_000 + operation * 10);
    limits.release(session, 0);
  }
  Atomics.add(stop, 1, 1); // so that the bench can tell that it has a rival
}
