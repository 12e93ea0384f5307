/** Open-loop load at a fixed rate: latency counts from the moment a request should have started, so that a stall counts for all it delayed. */
import { fileURLToPath } from 'node:url';
import { generatorResult } from './result.mjs';

const CHILD = fileURLToPath(new URL('open-loop-child.mjs', import.meta.url));

export const openLoop = {
  name: 'open-loop',
  isHere: () => true,
  hint: 'npm install',
  canDo: ({ protocol, tls, keepAlive, request, ratePerSecond }) =>
    protocol === 'http1' && tls === null && keepAlive && request.bodyBytes === 0 && ratePerSecond !== null,

  /** Loads an address for some seconds. @param {import('../run.mjs').LoadOptions} options @returns {Promise<import('./result.mjs').GeneratorResult>} */
  async load({ programs, processors, port, scenario, durationS }) {
    const options = JSON.stringify({ port, scenario, durationS });
    const program = programs.start({
      name: 'open-loop',
      processors,
      command: process.execPath,
      args: [CHILD, options],
    });
    return generatorResult(JSON.parse(await program.output()));
  },
};
