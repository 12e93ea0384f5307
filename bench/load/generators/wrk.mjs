/** Closed-loop load by wrk: the generator of choice, since it takes the least of its processor for each request. */
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../processes.mjs';
import { generatorResult } from './result.mjs';

const REPORT = fileURLToPath(new URL('wrk-report.lua', import.meta.url));
const GRACE_S = 20;

export const wrk = {
  name: 'wrk',
  isHere: () => isInstalled('wrk'),
  hint: 'apt-get install wrk',
  // It takes TLS sessions up again with each new connection: full handshakes are not to be had from it.
  canDo: ({ protocol, tls, keepAlive, ratePerSecond }) =>
    protocol === 'http1' && ratePerSecond === null && (tls === null || keepAlive),

  /**
   * Loads an address for some seconds.
   *
   * @param {import('../run.mjs').LoadOptions} options @returns {Promise<import('./result.mjs').GeneratorResult>}
   */
  async load({ programs, processors, port, scenario, durationS }) {
    const { request } = scenario;
    const headers = [...request.headers, ...(scenario.keepAlive ? [] : ['Connection: close'])];
    const script = request.bodyBytes > 0 ? withBody(programs, request) : REPORT;
    const program = programs.start({
      name: 'wrk',
      processors,
      command: 'timeout',
      args: [
        '--signal=KILL',
        String(durationS + GRACE_S),
        'wrk',
        '-t1',
        `-c${scenario.connections}`,
        `-d${durationS}s`,
        '--timeout=10s',
        '-s',
        script,
        ...headers.flatMap((line) => ['-H', line]),
        `${scenario.tls === null ? 'http' : 'https'}://127.0.0.1:${port}${request.paths[0]}`,
        '--',
        ...request.paths,
      ],
    });
    return resultOfWrk(await program.output(), scenario);
  },
};

/** What wrk says with the script wrk-report.lua. @param {string} text @param {import('../scenarios/scenario.mjs').Scenario} scenario @throws Error when it says nothing */
export function resultOfWrk(text, scenario) {
  const line = /^\{.*\}$/m.exec(text)?.[0];
  if (line === undefined) throw new Error(`wrk says nothing of its load: ${text.slice(-300)}`);
  const said = JSON.parse(line);
  return generatorResult({
    requests: said.requests,
    durationS: said.durationUs / 1e6,
    latencyUs: [...said.latencyUs, [100, said.maxUs]],
    bytes: said.bytes,
    errors: {
      status: said.statusErrors,
      // Where every answer ends its connection, wrk counts each end that it sees before it has closed itself.
      socket: scenario.keepAlive ? said.socketErrors : 0,
      timeout: said.timeouts,
    },
  });
}

/** A script that sends a body with each request. @returns path of a file of this run */
function withBody(programs, request) {
  const text = `wrk.method = "${request.method}"\nwrk.body = string.rep("x", ${request.bodyBytes})\ndofile(${JSON.stringify(REPORT)})\n`;
  return programs.file(`wrk-${request.method}-${request.bodyBytes}.lua`, text);
}
