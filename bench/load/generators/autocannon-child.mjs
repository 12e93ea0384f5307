/** Runs autocannon once and prints what it found as JSON. Argument: the options as JSON. */
import autocannon from 'autocannon';
import hdr from 'hdr-histogram-js';
import { countInSecond, HISTOGRAM, pointsOf } from './result.mjs';

const { port, scenario, durationS } = JSON.parse(process.argv[2]);
const { request } = scenario;
const headers = Object.fromEntries(request.headers.map((line) => line.split(/:\s*(.*)/s).slice(0, 2)));
if (!scenario.keepAlive) headers.connection = 'close';
const body = request.bodyBytes > 0 ? Buffer.alloc(request.bodyBytes, 'x') : undefined;
const US_PER_MS = 1000;

// Its own histogram counts whole milliseconds, which is longer than most answers take.
const histogram = hdr.build(HISTOGRAM);
let answered = 0;
let bytes = 0;
const eachSecond = Array(durationS).fill(0);

const startedAt = performance.now();
const load = autocannon({
  url: `http://127.0.0.1:${port}`,
  connections: scenario.connections,
  duration: durationS,
  requests: request.paths.map((path) => ({
    method: request.method,
    path,
    headers,
    ...(body === undefined ? {} : { body }),
  })),
});
load.on('response', (_client, _status, answerBytes, tookMs) => {
  answered++;
  bytes += answerBytes;
  countInSecond(eachSecond, performance.now() - startedAt);
  histogram.recordValue(Math.max(1, Math.min(Math.round(tookMs * US_PER_MS), HISTOGRAM.highestTrackableValue)));
});
const result = await load;
process.stdout.write(
  JSON.stringify({
    requests: answered,
    durationS: result.duration,
    latencyUs: pointsOf(histogram),
    bytes,
    eachSecond,
    errors: {
      status: result.non2xx,
      // Where every answer ends its connection, autocannon counts the ends.
      socket: scenario.keepAlive ? result.errors - result.timeouts : 0,
      timeout: result.timeouts,
    },
  }),
);
