/** Closed-loop load by h2load (nghttp2), over HTTP/1.1 and HTTP/2. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../processes.mjs';
import { countInSecond, generatorResult, PERCENTILES } from './result.mjs';

const GRACE_S = 20;
/** New connections a second: below what the slowest candidate does with a processor of its own. */
const HANDSHAKES_PER_SECOND = 800;
const US_PER_MS = 1000;

export const h2load = {
  name: 'h2load',
  isHere: () => isInstalled('h2load'),
  hint: 'apt-get install nghttp2-client',
  // h2load sends bodies from files only, and reconnects for no request: where each is to have a connection of its own, so many are begun a
  // second, with a full handshake each.
  canDo: ({ keepAlive, tls, request, ratePerSecond }) =>
    (keepAlive || tls !== null) && request.bodyBytes === 0 && ratePerSecond === null,

  /** Loads an address for some seconds. @param {import('../run.mjs').LoadOptions} options @returns {Promise<import('./result.mjs').GeneratorResult>} */
  async load({ programs, processors, port, scenario, durationS }) {
    // Apart from configurations: sluice watches the directory of its own, and each write here would wake it up.
    const logs = join(programs.directory, 'h2load');
    mkdirSync(logs, { recursive: true });
    const log = join(logs, `${port}-${Date.now()}.log`);
    const { request } = scenario;
    const program = programs.start({
      name: 'h2load',
      processors,
      command: 'timeout',
      args: [
        '--signal=KILL',
        String(durationS + GRACE_S),
        'h2load',
        ...(scenario.protocol === 'h2' ? [`-m${scenario.streams}`] : ['--h1']),
        '-t1',
        ...(scenario.keepAlive
          ? [`-c${scenario.connections}`, `-D${durationS}`]
          : [
              `-r${HANDSHAKES_PER_SECOND}`,
              `-c${HANDSHAKES_PER_SECOND * durationS}`,
              `-n${HANDSHAKES_PER_SECOND * durationS}`,
            ]),
        `--log-file=${log}`,
        ...request.headers.flatMap((line) => ['-H', line]),
        ...request.paths.map((path) => `${scenario.tls === null ? 'http' : 'https'}://127.0.0.1:${port}${path}`),
      ],
    });
    const text = await program.output();
    return resultOfH2load(text, readFileSync(log, 'utf8'), durationS, scenario.protocol === 'h2');
  },
};

/**
 * What h2load says.
 *
 * @param {string} text its standard output
 * @param {string} log a line for each request: start (µs), status, µs
 * @param {number} durationS @param {boolean} [countsBodies] bytes are those of bodies: heads are packed, and frames have sizes of their own
 * @throws Error when it says nothing
 */
export function resultOfH2load(text, log, durationS, countsBodies = false) {
  const counts = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(text);
  const bytes = (countsBodies ? /^traffic: .*\((\d+)\) data$/m : /^traffic: \S+ \((\d+)\) total/m).exec(text);
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
