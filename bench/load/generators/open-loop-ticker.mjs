/**
 * Tells the open-loop generator when the next request is due. A thread, because timers of Node's loop count whole milliseconds, and
 * a loop that never waits would keep the endpoint from its processor. workerData: { startNs, gapNs, isTold }; `isTold` is 1 while a
 * message is on its way, so that a generator that is late finds one, not thousands.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { startNs, gapNs, isTold } = workerData;
const told = new Int32Array(isTold);
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const NS_PER_MS = 1e6;
/** Shorter sleeps take longer than they should. */
const SHORTEST_NS = 50_000;

for (let due = startNs; ; ) {
  const nowNs = Number(process.hrtime.bigint());
  if (nowNs < due) {
    Atomics.wait(sleeper, 0, 0, Math.max(due - nowNs, SHORTEST_NS) / NS_PER_MS);
    continue;
  }
  if (Atomics.compareExchange(told, 0, 0, 1) === 0) parentPort.postMessage(null);
  due += (Math.floor((nowNs - due) / gapNs) + 1) * gapNs;
}
