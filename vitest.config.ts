/** How vitest runs the TypeScript tests (`npm test`). */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: addons, file limits, signals and process.exit belong to one test file alone.
    pool: 'forks',
    // Tests with real worker threads and real sockets share the machine with each other; two files at once is what two
    // cores carry without making deadlines of other tests late.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    // Whatever a test spies on, stubs or sets in the environment is undone after it.
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // A test committed with `.only` fails the run instead of hiding the others.
    allowOnly: false,
  },
});
