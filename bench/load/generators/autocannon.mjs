/** Closed-loop load by autocannon, in a process of its own: works wherever Node does, and is full before a native proxy is. */
import { fileURLToPath } from 'node:url';
import { generatorResult } from './result.mjs';

const CHILD = fileURLToPath(new URL('autocannon-child.mjs', import.meta.url));

export const autocannon = {
  name: 'autocannon',
  isHere: () => true,
  hint: 'npm install',
  canDo: (scenario) => scenario.protocol === 'http1' && scenario.tls === null && scenario.ratePerSecond === null,

  /** Loads an address for some seconds. @param {import('../run.mjs').LoadOptions} options @returns {Promise<import('./result.mjs').GeneratorResult>} */
  async load({ programs, processors, port, scenario, durationS }) {
    const options = JSON.stringify({ port, scenario, durationS });
    const program = programs.start({
      name: 'autocannon',
      processors,
      command: process.execPath,
      args: [CHILD, options],
    });
    return generatorResult(JSON.parse(await program.output()));
  },
};
