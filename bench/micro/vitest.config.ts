/**
 * How vitest runs the micro benches (`npm run bench:micro`). It rewrites every import of what it loads itself, which makes calls
 * between modules dearer, up to twice; what stands in dist Node loads as it is.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compiledSources } from '../../scripts/bench-micro/compiled-sources.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

export default defineConfig({
  root,
  plugins: [compiledSources(root)],
  test: {
    benchmark: { include: ['bench/micro/**/*.bench.ts'] },
    // One process after the other: benches that share the processors time each other.
    pool: 'forks',
    maxWorkers: 1,
    server: { deps: { external: [/\/dist\/.*\.js$/] } },
  },
});
