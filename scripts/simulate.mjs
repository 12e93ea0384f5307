/**
 * Runs bench/sim, which is TypeScript, over the compiled program: imports of src lead to dist, and what is not compiled (bench and
 * tests) has its types taken off as it is loaded.
 *
 * Usage: node scripts/simulate.mjs [options of bench/sim/arguments.ts]
 */
import { register } from 'node:module';

register('./typescript-loader.mjs', import.meta.url);
const { main } = await import('../bench/sim/main.ts');
process.exitCode = await main(process.argv.slice(2));
