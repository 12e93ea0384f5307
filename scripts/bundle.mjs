/**
 * Bundles dist/ into bundle/: a file for each thread's entry, chunks for what they share or load later, and the dashboard as it is.
 *
 * Files lie as deep as in dist (`<folder>/<file>`), since the program finds package.json, the engine and the entries of its threads from
 * where its own files are. Called by the set-up; needs dist/ and the packages.
 */
import { cpSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { ROOT } from './repository.mjs';

/** Each starts a thread or the process; their places are known by name. */
const ENTRIES = ['cli/main', 'worker/entry', 'cli/demo-endpoints', 'control/hash-table-task'];

/** Packages that open binaries or start threads from files of their own, or that only `bench` or tracing needs. */
const LEFT_OUT =
  /^(?:uWebSockets\.js|@trufflesuite|@btc-vision|piscina|pino-pretty|autocannon|hdr-histogram-js|@opentelemetry)/;

const bundle = await rolldown({
  cwd: ROOT,
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `dist/${entry}.js`])),
  platform: 'node',
  external: LEFT_OUT,
  // A package's eval() looks a module up at run time, which works as it did.
  checks: { eval: false },
});
await bundle.write({
  dir: `${ROOT}/bundle`,
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
});
cpSync(`${ROOT}/dist/web`, `${ROOT}/bundle/web`, { recursive: true });
