/** Runs when npm installs sluice: compiles the native engine of an installed package; a checkout is left to `npm start`. */
'use strict';
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { problemWith } = require('./check-node.cjs');

const root = join(__dirname, '..');

/** Compiles with the node-gyp that npm brings along. @returns {boolean} did it end well? */
function compileEngine() {
  const nodeGyp = process.env.npm_config_node_gyp;
  const [program, args] = nodeGyp ? [process.execPath, [nodeGyp]] : ['node-gyp', []];
  const run = spawnSync(program, [...args, 'rebuild', '--release'], { cwd: root, stdio: 'inherit' });
  return run.status === 0;
}

// The TypeScript sources are in a checkout only: there `npm start` builds, and shows what it does.
const isCheckout = existsSync(join(root, 'tsconfig.json'));
const problem = problemWith(process.version, process.platform);
if (problem !== '') {
  console.error(problem);
  process.exitCode = 1;
} else if (!isCheckout && !compileEngine()) {
  console.error(
    'sluice: its native engine could not be compiled. It needs g++ 11 or later, make and python3 (`apt-get install g++ make python3`).',
  );
  process.exitCode = 1;
}
