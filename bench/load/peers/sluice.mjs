/** sluice itself, from a built tree. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CIPHER_SUITE, certificateFiles } from '../certificates.mjs';

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
    hasTls: true,
    isHere: () => true,
    hint: 'npm run build',
    command: ({ programs, port, endpointPorts, workers, scenario }) => ({
      command: process.execPath,
      args: [
        mainOf(root),
        'run',
        ...(scenario.tls === null
          ? wayByFlags(port, endpointPorts, scenario)
          : ['-c', configFor(programs, port, endpointPorts, scenario)]),
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

function wayByFlags(port, endpointPorts, { layer, balance }) {
  return [
    ...(layer === 'l4' ? ['--mode', 'l4'] : []),
    '--listen',
    `127.0.0.1:${port}`,
    ...endpointPorts.flatMap((endpointPort) => ['--upstream', `127.0.0.1:${endpointPort}`]),
    '--balance',
    balance,
  ];
}

/** TLS has no flags. @returns {string} path of a configuration file, which JSON is */
function configFor(programs, port, endpointPorts, { layer, balance, tls }) {
  const { cert, key } = certificateFiles(programs, tls);
  const listener = {
    name: 'edge',
    mode: layer,
    bind: `127.0.0.1:${port}`,
    tls: { certificates: [{ cert, key }], minVersion: '1.3', cipherSuites: CIPHER_SUITE },
    ...(layer === 'l4' ? { upstream: 'endpoints' } : { routes: [{ upstream: 'endpoints' }] }),
  };
  const endpoints = endpointPorts.map((endpointPort) => ({ address: `127.0.0.1:${endpointPort}` }));
  const config = { listeners: [listener], upstreams: { endpoints: { balance, endpoints } } };
  return programs.file(`sluice-${port}.yaml`, JSON.stringify(config));
}

/** What users run; a tree of before the bundle has dist alone. @param {string} root top folder of a tree */
function mainOf(root) {
  const bundled = join(root, 'bundle', 'cli', 'main.js');
  return existsSync(bundled) ? bundled : join(root, 'dist', 'cli', 'main.js');
}
