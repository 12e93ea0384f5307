/** Starts the endpoints of a scenario: nginx where it is installed and nothing is delayed, else uWebSockets.js. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, isInstalled } from '../processes.mjs';
import { BODY_BYTES } from '../scenarios/scenario.mjs';
import { waitUntilAnswers } from '../verify.mjs';
import { bodyOf } from './bodies.mjs';

const UWS_ENDPOINT = fileURLToPath(new URL('uws-endpoint.mjs', import.meta.url));

/**
 * Starts them and waits until they answer.
 *
 * @param {import('../processes.mjs').Programs} programs @param {import('../scenarios/scenario.mjs').Scenario} fronted
 * @param {readonly number[]} processors
 * @returns {Promise<{ kind: string, ports: number[] }>}
 */
export async function startEndpoints(programs, fronted, processors) {
  // What clients speak is the proxy's affair.
  const scenario = { ...fronted, tls: null, protocol: 'http1' };
  const hasDelay = scenario.endpoints.some(({ delayMs }) => delayMs > 0);
  const isNginx = isInstalled('nginx') && !hasDelay;
  if (isNginx)
    for (const path of scenario.request.paths) if (BODY_BYTES[path] > 43) programs.file(path.slice(1), bodyOf(path));
  const ports = [];
  for (const { delayMs } of scenario.endpoints) {
    const port = await freePort();
    const program = isNginx ? startNginx(programs, processors, port) : startUws(programs, processors, port, delayMs);
    await waitUntilAnswers(program, port, scenario);
    ports.push(port);
  }
  return { kind: isNginx ? 'nginx' : 'uWebSockets.js', ports };
}

function startNginx(programs, processors, port) {
  const text = readFileSync(new URL('nginx.conf', import.meta.url), 'utf8')
    .replaceAll('{{port}}', String(port))
    .replaceAll('{{dir}}', programs.directory);
  const file = programs.file(`endpoint-${port}.conf`, text);
  return programs.start({
    name: 'endpoint',
    processors,
    command: 'nginx',
    args: ['-c', file, '-p', programs.directory],
  });
}

function startUws(programs, processors, port, delayMs) {
  const args = [UWS_ENDPOINT, String(port), String(delayMs)];
  return programs.start({ name: 'endpoint', processors, command: process.execPath, args });
}
