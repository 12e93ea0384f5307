/**
 * Brings a fresh checkout to where it can run, and a used one up to date: packages, native engine, TypeScript, dashboard, bundle.
 * Does nothing that is done already. Called by `npm start`, `npm test` and `npm run build`; needs no package to be installed.
 *
 * Usage: node scripts/set-up.mjs [packages] [addon] [typescript] [page] [bundle]     (all five without a name)
 */

import { CACHE } from './repository.mjs';
import { buildAddon, isAddonFresh } from './set-up/addon.mjs';
import { isBundleFresh, makeBundle } from './set-up/bundle.mjs';
import { SetUpError, tell } from './set-up/command.mjs';
import { acquireLock } from './set-up/lock.mjs';
import { arePackagesFresh, installPackages } from './set-up/packages.mjs';
import { buildPage, isPageFresh } from './set-up/page.mjs';
import { requireToolchain } from './set-up/toolchain.mjs';
import { compileTypescript, isTypescriptFresh } from './set-up/typescript.mjs';

/** In the order in which they need each other. */
const STEPS = {
  packages: { isFresh: arePackagesFresh, run: installPackages },
  addon: { isFresh: isAddonFresh, run: buildAddon },
  typescript: { isFresh: isTypescriptFresh, run: compileTypescript },
  page: { isFresh: isPageFresh, run: buildPage },
  bundle: { isFresh: isBundleFresh, run: makeBundle },
};

async function setUp(names) {
  const unknown = names.find((name) => !(name in STEPS));
  if (unknown !== undefined) throw new SetUpError(`no step "${unknown}": there are ${Object.keys(STEPS).join(', ')}.`);
  const steps = Object.entries(STEPS).filter(
    ([name]) => names.length === 0 || name === 'packages' || names.includes(name),
  );
  const isDue = ([, step]) => !step.isFresh();
  if (!steps.some(isDue)) return;

  const giveBack = await acquireLock(`${CACHE}/set-up.lock`, (owner) =>
    tell(`waiting for another set-up (process ${owner}) …`),
  );
  try {
    // Looked at again: who held the lock before us may have done it all.
    const due = steps.filter(isDue);
    // Before anything is downloaded: who lacks a compiler should know at once.
    const { env } = due.some(([name]) => name === 'addon') ? requireToolchain() : process;
    for (const [, step] of due) await step.run(env);
  } finally {
    giveBack();
  }
}

setUp(process.argv.slice(2)).catch((error) => {
  process.stderr.write(error instanceof SetUpError ? `sluice: ${error.message}\n` : `${error.stack}\n`);
  process.exitCode = 1;
});
