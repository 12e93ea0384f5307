/**
 * What logging a request costs a worker with the native front end when it is over: the facts of its exchange, the line of what was kept of its
 * head, and the output that lines are handed to. What keeping the head costs is in native/bench/access_log_bench.cc.
 */
import { connect } from 'node:net';
import { bench, describe } from 'vitest';
import { ACCESS_FIELDS, type AccessLogPlan } from '../../../src/config/observing-plan.js';
import { systemTimers } from '../../../src/core/timers.js';
import { ACCESS_FACTS, type AccessLines } from '../../../src/engine/access-lines.js';
import { Decision, FrontEndEventType } from '../../../src/engine/front-end-event.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { ExchangeAccessLog } from '../../../src/l7/exchange-access-log.js';
import { AccessLog } from '../../../src/observability/access-log.js';
import { startFrontEnd } from '../../../test/integration/engine/recording-front-end.js';
import { captureLog } from '../../../test/unit/control/log-capture.js';
import { recordedExchange } from '../../../test/unit/l7/recorded-exchange.js';

/** Requests timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

const HEAD = `GET /api/v1/orders/18273?expand=items&page=2 HTTP/1.1\r
Host: shop.example.org\r
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
Accept: application/json\r
Referer: https://shop.example.org/orders\r
\r
`;

/** A request that has no answer yet, so that it can be logged over and over; with the process it ends. */
async function loggerOf(format: AccessLogPlan['format']): Promise<() => void> {
  const { AccessLines: Lines } = loadEngine();
  let dropped = 0;
  const log = new AccessLog<AccessLines>({
    workerIndex: 0,
    makeLines: (options) => new Lines(options),
    factWords: ACCESS_FACTS,
    countDropped: (lines) => {
      dropped += lines;
    },
    timers: systemTimers,
    random: Math.random,
    logger: captureLog().logger,
  });
  // Takes everything at once: what a disk or a reader takes is theirs.
  const plan = { file: '/dev/null', format, fields: ACCESS_FIELDS, share: 1, bufferBytes: 1024 * 1024 };
  log.apply({ accessLog: plan, workers: 1 });
  const { frontEnd, untilType, port } = await startHeld(log);
  const client = connect(port, '127.0.0.1', () => client.write(HEAD));
  const { number: id } = await untilType(FrontEndEventType.REQUEST);
  const { exchange } = recordedExchange();
  Object.assign(exchange, { status: 200, bytesFromClient: 312, totalUs: 12_345, connectUs: 310, firstByteUs: 11_640 });
  exchange.answeredBy = exchange.endpoint;
  Object.defineProperty(exchange, 'hasLogTexts', { value: false });
  exchange.writeAccessLine = () => frontEnd.writeAccessLine(id);
  const observer = new ExchangeAccessLog(log);
  const write = (): void => {
    for (let line = 0; line < BATCH; line++) {
      exchange.bytesToClient = 1_200 + line;
      observer.ended(exchange, 'DELIVERED');
    }
  };
  // The file is opened with the first lines: those that come before it is are dropped.
  write();
  await new Promise((resolve) => setTimeout(resolve, 500));
  dropped = 0;
  write();
  if (dropped > 0) throw new Error(`${dropped} lines were dropped: nothing was timed`);
  return write;
}

async function startHeld(log: AccessLog<AccessLines>) {
  const recording = startFrontEnd();
  recording.decide = () => Decision.LATER;
  log.onLines((lines) => recording.frontEnd.logTo(lines));
  return recording;
}

const combined = await loggerOf('combined');
const json = await loggerOf('json');

// budget: 400 ns: ExchangeAccessLog.ended > *
describe('ExchangeAccessLog.ended', () => {
  bench('1000 requests, combined', combined);
  bench('1000 requests, JSON with all fields', json);
});
