/** Closed-loop load by h2load (nghttp2), over HTTP/1.1. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../processes.mjs';
import { countInSecond, generatorResult, PERCENTILES } from './result.mjs';

const GRACE_S = 20;
const US_PER_MS = 1000;

export const h2load = {
  name: 'h2load',
  isHere: () => isInstalled('h2load'),
  hint: 'apt-get install nghttp2-client',
  // h2load reconnects for no request, and sends bodies from files only.
  canDo: ({ protocol, keepAlive, request, ratePerSecond }) =>
    protocol === 'http1' && keepAlive && request.bodyBytes === 0 && ratePerSecond === null,

  /** Loads an address for some seconds. @param {import('../run.mjs').LoadOptions} options @returns {Promise<import('./result.mjs').GeneratorResult>} */
  async load({ programs, processors, port, scenario, durationS }) {
    const log = join(programs.directory, `h2load-${port}-${Date.now()}.log`);
    const { request } = scenario;
    const program = programs.start({
      name: 'h2load',
      processors,
      command: 'timeout',
      args: [
        '--signal=KILL',
        String(durationS + GRACE_S),
        'h2load',
        '--h1',
        '-t1',
        `-c${scenario.connections}`,
        `-D${durationS}`,
        `--log-file=${log}`,
        ...request.headers.flatMap((line) => ['-H', line]),
        ...request.paths.map((path) => `http://127.0.0.1:${port}${path}`),
      ],
    });
    const text = await program.output();
    return resultOfH2load(text, readFileSync(log, 'utf8'), durationS);
  },
};

/**
 * What h2load says.
 *
 * @param {string} text its standard output
 * @param {string} log a line for each request: start (µs), status, µs
 * @param {number} durationS
 * @throws Error when it says nothing
 */
export function resultOfH2load(text, log, durationS) {
  const counts = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(text);
  const bytes = /^traffic: \S+ \((\d+)\) total/m.exec(text);
  if (counts === null || bytes === null) throw new Error(`h2load says nothing of its load: ${text.slice(-300)}`);
  // `failed` counts every request that failed, `errored` those of them without an answer, timeouts included.
  const [, succeeded, failed, errored, timeout] = counts.map(Number);
  const answered2xx = Number(/^status codes: (\d+) 2xx/m.exec(text)?.[1] ?? 0);
  const rows = log
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t').map(Number));
  return generatorResult({
    requests: succeeded,
    durationS,
    latencyUs: latenciesOf(rows),
    eachSecond: secondsOf(rows, durationS),
    bytes: Number(bytes[1]),
    errors: {
      status: failed - errored + Math.max(0, succeeded - answered2xx),
      socket: errored - timeout,
      timeout,
    },
  });
}

function secondsOf(rows, durationS) {
  const eachSecond = Array(durationS).fill(0);
  const beganUs = rows.reduce((first, [startUs]) => Math.min(first, startUs), Number.POSITIVE_INFINITY);
  for (const [startUs, status, us] of rows)
    if (status > 0) countInSecond(eachSecond, (startUs + us - beganUs) / US_PER_MS);
  return eachSecond;
}

function latenciesOf(rows) {
  const us = rows.map(([, , took]) => took).sort((a, b) => a - b);
  if (us.length === 0) return [];
  const at = (percentile) => us[Math.min(us.length - 1, Math.ceil((percentile / 100) * us.length) - 1)];
  return [...PERCENTILES.map((percentile) => [percentile, at(percentile)]), [100, us.at(-1)]];
}
