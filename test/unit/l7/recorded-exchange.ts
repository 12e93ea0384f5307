/** An exchange that has its route and an attempt, and the recorder that it is recorded by, for what recording costs. */

import { ExchangeRecorder } from '../../../src/l7/exchange-recorder.js';
import { FailureLog } from '../../../src/observability/failure-log.js';
import { captureLog } from '../control/log-capture.js';
import { pipelineOf } from './scripted-exchange.js';

/** Its endpoint stays claimed: it may be recorded over and over. */
export function recordedExchange() {
  const { begin, worker, board, time, slotOf } = pipelineOf();
  const exchange = begin();
  const recorder = new ExchangeRecorder(worker, new FailureLog(captureLog().logger, () => time.nowMs()));
  return { exchange, recorder, figures: board.figures, slotOf };
}
