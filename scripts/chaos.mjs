/**
 * Runs test/chaos, which is TypeScript, over the compiled program: imports of src lead to dist, and what is not compiled has its types
 * taken off as it is loaded. The proxy itself is the bundle, as users start it.
 *
 * Usage: node scripts/chaos.mjs [options of test/chaos/arguments.ts]
 */
import { register } from 'node:module';
import { ROOT } from './repository.mjs';

process.env.SLUICE_MAIN ??= `${ROOT}/bundle/cli/main.js`;
register('./typescript-loader.mjs', import.meta.url);
const { main } = await import('../test/chaos/main.ts');
process.exitCode = await main(process.argv.slice(2));
