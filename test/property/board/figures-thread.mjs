/** One real worker thread that records exchanges without a pause. Runs the compiled code of dist/. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { seededRng } from '../../../dist/core/rng.js';

const { buffer, figures, worker, rounds } = workerData;
const { routes, endpoints } = attachBoard(buffer, worker, figures).figures;
const rng = seededRng(worker + 1);
let sumUs = 0;
let bytes = 0;
for (let round = 0; round < rounds; round++) {
  const totalUs = rng.below(1 << rng.below(30));
  sumUs += totalUs;
  bytes += totalUs % 7;
  const exchange = {
    status: 200,
    answeredBy: 0,
    firstByteUs: totalUs,
    totalUs,
    queueUs: 0,
    bytesFromClient: 1,
    bytesToClient: totalUs % 7,
  };
  routes.exchangeEnded(0, exchange, 0, false);
  endpoints.answered(round % 2, 200, true, 0, totalUs);
}
parentPort.postMessage({ sumUs, bytes });
