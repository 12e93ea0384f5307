/** The house rules that a machine can see in one file; each gives back what breaks it, so that planted files can prove it. */
import { basename, dirname } from 'node:path';
import ts from 'typescript';
import type { SourceFile } from './source-files.js';

/** Names that say nothing of what is inside: such a file collects everything. */
const GRAB_BAGS = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'manager', 'managers']);

/** Words that the glossary replaces, and abbreviations that the style refuses. */
const REPLACED_WORDS = new Set(['backend', 'cluster', 'middleware', 'ctx', 'cfg', 'mgr']);

/** Names of libuv and of OpenSSL stay as they are. */
const FOREIGN_PREFIXES = ['uv_', 'SSL_', 'ssl_', 'X509', 'EVP_'];

/** Words of a foreign interface, where it is described. */
const FOREIGN_WORDS: Readonly<Record<string, readonly string[]>> = {
  'src/l7/frontends/uws/load-uws.ts': ['cfg'], // `_cfg` is uWebSockets.js's name
};

/** Longest file, in lines; above it a seam of the domain has been missed. */
const LONGEST_FILE_LINES = 400;

/** @returns parts of the path that name a grab-bag, [] when none does */
export function grabBagNames({ path }: SourceFile): string[] {
  const names = [...dirname(path).split('/'), basename(path).split('.')[0] ?? ''];
  return names.flatMap((name) => name.split(/[-_]/)).filter((part) => GRAB_BAGS.has(part));
}

/** Does the file open with a comment that is a sentence (three words or more)? A `#!` line may stand before it. */
export function opensWithSentence({ text }: SourceFile): boolean {
  const body = text.replace(/^#!.*\n/, '').trimStart();
  const comment = /^\/\*\*?([\s\S]*?)\*\//.exec(body)?.[1] ?? /^(?:\/\/.*\n?)+/.exec(body)?.[0] ?? '';
  return comment.replace(/[/*]/g, ' ').trim().split(/\s+/).length >= 3;
}

/** Identifiers of a TypeScript file, without comments and strings. */
export function identifiersOfTypeScript({ text }: SourceFile): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest));
  return found;
}

/** Identifiers of a C++ file, without comments, strings and the names of included files. */
export function identifiersOfCpp({ text }: SourceFile): Set<string> {
  const bare = text
    .replace(/\/\/.*$|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/gm, ' ')
    .replace(/^\s*#\s*include.*$/gm, ' ');
  return new Set(bare.match(/[A-Za-z_]\w*/g) ?? []);
}

/** @returns the identifiers that hold a word which the glossary replaces, e.g. 'backendCount' */
export function replacedWords(file: SourceFile): string[] {
  const foreign = FOREIGN_WORDS[file.path] ?? [];
  const identifiers = file.path.endsWith('.ts') ? identifiersOfTypeScript(file) : identifiersOfCpp(file);
  const own = [...identifiers].filter(
    (identifier) => !FOREIGN_PREFIXES.some((prefix) => identifier.startsWith(prefix)),
  );
  return own.filter((identifier) =>
    wordsOf(identifier).some((word) => REPLACED_WORDS.has(word) && !foreign.includes(word)),
  );
}

/** 'kMaxConnCtx' → ['k', 'max', 'conn', 'ctx'] */
function wordsOf(identifier: string): string[] {
  return identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[\s_$#]+/);
}

/** Does a TypeScript file name one of these globals or functions? */
export function names(file: SourceFile, wanted: readonly string[]): boolean {
  const identifiers = identifiersOfTypeScript(file);
  return wanted.some((name) => identifiers.has(name));
}

/** @returns notes to oneself that stayed in the file */
export function leftoverNotes({ text }: SourceFile): string[] {
  return text.match(/\b(?:TO-?DO|FIX-?ME|XX[X]|HAC[K])\b/g) ?? [];
}

/** @returns tests that hide others or are never run; a test that cannot run on a machine says so with skipIf */
export function hiddenTests({ text }: SourceFile): string[] {
  return text.match(/\b(?:it|test|describe|bench)\.(?:only|skip|todo)\b/g) ?? [];
}

/** @returns the file's lines when they are too many, else 0 */
export function linesTooMany({ text }: SourceFile): number {
  const lines = text.split('\n').length - 1;
  return lines > LONGEST_FILE_LINES ? lines : 0;
}

/** Does a C++ file include Node's or N-API's headers? */
export function includesNode({ text }: SourceFile): boolean {
  return /^\s*#\s*include\s*[<"](?:napi|node|node_api|js_native_api|v8|uv)(?:-inl)?\.h[>"]/m.test(text);
}
