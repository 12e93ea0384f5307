/**
 * Preloaded into a sluice that the laboratory must find slower: keeps its processor busy for some µs in every request. It wraps the
 * compiled pipeline, so the product has no word of it. Environment: PLANTED_US, PLANTED_ROOT (the built tree).
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const US_PER_MS = 1000;
const plantedMs = Number(process.env.PLANTED_US) / US_PER_MS;
const { Pipeline } = await import(pathToFileURL(join(process.env.PLANTED_ROOT, 'dist', 'l7', 'pipeline.js')));
const { begin } = Pipeline.prototype;

Pipeline.prototype.begin = function beginLater(...facts) {
  const until = performance.now() + plantedMs;
  while (performance.now() < until);
  return begin.apply(this, facts);
};
