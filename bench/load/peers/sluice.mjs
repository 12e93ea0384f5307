/** sluice itself, from a built tree. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * sluice of a built tree.
 *
 * @param {string} name as it is reported @param {string} root of the tree
 * @param {readonly string[]} [extra] flags behind the usual ones @param {Record<string, string>} [env]
 * @returns {import('./peer.mjs').Peer}
 */
export function sluice(name, root, extra = [], env = {}) {
  return {
    name,
    layer: 'both',
    isHere: () => true,
    hint: 'npm run build',
    command: ({ port, endpointPorts, workers, scenario }) => ({
      command: process.execPath,
      args: [
        mainOf(root),
        'run',
        ...(scenario.layer === 'l4' ? ['--mode', 'l4'] : []),
        '--listen',
        `127.0.0.1:${port}`,
        ...endpointPorts.flatMap((endpointPort) => ['--upstream', `127.0.0.1:${endpointPort}`]),
        '--balance',
        scenario.balance,
        '--workers',
        String(workers),
        '--admin',
        'off',
        '--log-level',
        'error',
        ...extra,
      ],
      cwd: root,
      env,
    }),
  };
}

/** What users run; a tree of before the bundle has dist alone. @param {string} root top folder of a tree */
function mainOf(root) {
  const bundled = join(root, 'bundle', 'cli', 'main.js');
  return existsSync(bundled) ? bundled : join(root, 'dist', 'cli', 'main.js');
}
