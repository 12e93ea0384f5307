/** Module hooks for Node: imports of this repository's src are answered from dist, TypeScript elsewhere in it loses its types. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = new URL('..', import.meta.url).href;
const SOURCES = `${ROOT}src/`;
const PROGRAM = `${ROOT}dist/`;

const COMPILER_OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
};

/** A `.js` that is imported may be a `.ts` that is not compiled. */
export async function resolve(specifier, context, nextResolve) {
  if (!/^\.\.?\//.test(specifier) || context.parentURL === undefined) return nextResolve(specifier, context);
  const url = new URL(specifier, context.parentURL).href;
  if (url.startsWith(SOURCES)) return nextResolve(`${PROGRAM}${url.slice(SOURCES.length)}`, context);
  const source = url.replace(/\.js$/, '.ts');
  const isSource = url.startsWith(ROOT) && source.endsWith('.ts') && existsSync(fileURLToPath(source));
  return isSource ? { url: source, format: 'module', shortCircuit: true } : nextResolve(specifier, context);
}

/** TypeScript without its types; npm run lint checks them. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const text = await readFile(new URL(url), 'utf8');
  const { outputText } = ts.transpileModule(text, { compilerOptions: COMPILER_OPTIONS, fileName: fileURLToPath(url) });
  return { format: 'module', source: outputText, shortCircuit: true };
}
