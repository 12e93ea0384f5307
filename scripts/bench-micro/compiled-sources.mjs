/** Gives micro benches the compiled program where they import a source: that is what runs, and what budgets are of. */
import { dirname, resolve } from 'node:path';

/**
 * Where an import of a source leads instead. Pure.
 *
 * @param {string} root of the repository @param {string} specifier as it is written @param {string | undefined} importer absolute path
 * @returns {string | null} the compiled file in dist; null for what is no source of the program
 */
export function compiledPathOf(root, specifier, importer) {
  if (importer === undefined || !specifier.startsWith('.')) return null;
  const path = resolve(dirname(importer), specifier);
  const sources = resolve(root, 'src');
  return path.startsWith(`${sources}/`)
    ? resolve(root, 'dist', path.slice(sources.length + 1)).replace(/\.ts$/, '.js')
    : null;
}

/** A plugin of vitest's bundler that does so. @param {string} root of the repository */
export function compiledSources(root) {
  return {
    name: 'compiled-sources',
    enforce: /** @type {const} */ ('pre'),
    /** @param {string} specifier @param {string | undefined} importer */
    resolveId: (specifier, importer) => compiledPathOf(root, specifier, importer),
  };
}
