/** The house rules over all source files; each rule is also shown a planted file that breaks it. */
import { describe, expect, it } from 'vitest';
import {
  grabBagNames,
  hiddenTests,
  includesNode,
  leftoverNotes,
  linesTooMany,
  names,
  opensWithSentence,
  replacedWords,
} from './rules.js';
import { type SourceFile, sourceFiles } from './source-files.js';

const typeScript = sourceFiles(['src', 'web', 'test', 'bench'], ['.ts']);
const cpp = sourceFiles(['native'], ['.cc', '.h']);
const scripts = sourceFiles(['scripts'], ['.mjs', '.cjs']);
const product = [...typeScript.filter(({ path }) => /^(?:src|web)\//.test(path)), ...cpp];
const everything = [...typeScript, ...cpp, ...scripts];

/** Paths of the files that break a rule, each with what was found. */
function breaches(files: readonly SourceFile[], found: (file: SourceFile) => unknown): string[] {
  return files.flatMap((file) => {
    const what = found(file);
    const isBreach = Array.isArray(what) ? what.length > 0 : Boolean(what);
    return isBreach ? [`${file.path}: ${String(what)}`] : [];
  });
}

function planted(path: string, text: string): SourceFile {
  return { path, text };
}

describe('shared memory', () => {
  const reachesAtomics = (file: SourceFile) => names(file, ['Atomics']);

  it('is touched through Atomics in src/board only', () => {
    const outside = product.filter(({ path }) => path.endsWith('.ts') && !path.startsWith('src/board/'));
    expect(breaches(outside, reachesAtomics)).toEqual([]);
  });

  it('is seen where somebody touches it elsewhere, but not in a comment', () => {
    expect(reachesAtomics(planted('src/l7/a.ts', 'Atomics.add(words, 0, 1);'))).toBe(true);
    expect(reachesAtomics(planted('src/l7/a.ts', 'const { add } = globalThis.Atomics;'))).toBe(true);
    expect(reachesAtomics(planted('src/l7/a.ts', '/** Atomics stay in the board. */'))).toBe(false);
  });
});

describe('binaries', () => {
  const loaders = ['src/engine/load-engine.ts', 'src/l7/frontends/uws/load-uws.ts'];
  const opensBinary = (file: SourceFile) => names(file, ['createRequire', 'dlopen', 'require']);

  it('are opened by the two loaders only', () => {
    const others = product.filter(({ path }) => path.endsWith('.ts') && !loaders.includes(path));
    expect(breaches(others, opensBinary)).toEqual([]);
  });

  it('are seen where somebody opens one elsewhere', () => {
    expect(opensBinary(planted('src/l7/a.ts', "process.dlopen(module, './a.node');"))).toBe(true);
    expect(opensBinary(planted('src/l7/a.ts', "createRequire(import.meta.url)('./a.node');"))).toBe(true);
  });
});

describe('the engine below its binding', () => {
  it('includes no header of Node', () => {
    const below = cpp.filter(({ path }) => !path.startsWith('native/src/binding/'));
    expect(breaches(below, includesNode)).toEqual([]);
  });

  it('is seen where it does', () => {
    expect(includesNode(planted('native/src/l4/a.cc', '#include <napi.h>\n'))).toBe(true);
    expect(includesNode(planted('native/src/l4/a.cc', '// #include <napi.h>\n#include <vector>\n'))).toBe(false);
  });
});

describe('a file', () => {
  it('opens with a sentence that says what it is for', () => {
    expect(breaches(everything, (file) => !opensWithSentence(file))).toEqual([]);
    expect(opensWithSentence(planted('src/a.ts', "import { a } from './b.js';\n/** Says it too late, here. */"))).toBe(
      false,
    );
    expect(opensWithSentence(planted('src/a.ts', '/** Tick. */'))).toBe(false);
    expect(opensWithSentence(planted('src/a.ts', '#!/usr/bin/env node\n/** Starts the program. */'))).toBe(true);
  });

  it('is not named after nothing in particular', () => {
    expect(breaches(everything, grabBagNames)).toEqual([]);
    expect(grabBagNames(planted('src/l7/string-utils.ts', ''))).toEqual(['utils']);
    expect(grabBagNames(planted('native/src/common/buffer.h', ''))).toEqual(['common']);
  });

  it('is not too long to be read at once', () => {
    expect(breaches([...product, ...scripts], linesTooMany)).toEqual([]);
    expect(linesTooMany(planted('src/a.ts', 'x;\n'.repeat(401)))).toBe(401);
  });

  it('holds no note to oneself', () => {
    expect(breaches(everything, leftoverNotes)).toEqual([]);
    expect(leftoverNotes(planted('src/a.ts', `// ${'TO'}${'DO'}: later`))).toHaveLength(1);
  });
});

describe('an identifier', () => {
  it('uses the words of the glossary', () => {
    expect(breaches(product, replacedWords)).toEqual([]);
  });

  it.each([
    ['src/l7/a.ts', 'const backendCount = 1;', ['backendCount']],
    ['src/l7/a.ts', 'function f(ctx: object) { return ctx; }', ['ctx']],
    ['src/l7/a.ts', '// the cluster of Envoy\nconst upstream = "backend";', []],
    ['native/src/l4/a.cc', 'int cluster_size = 0; // backend', ['cluster_size']],
    ['native/src/l4/a.cc', 'class ConnMgr {};', ['ConnMgr']],
  ])('is seen in %s: %s', (path, text, found) => {
    expect(replacedWords(planted(path, text))).toEqual(found);
  });
});

describe('a test', () => {
  const tests = typeScript.filter(({ path }) => !/^(?:src|web)\//.test(path));

  it('neither hides others nor is left out', () => {
    expect(breaches(tests, hiddenTests)).toEqual([]);
    expect(hiddenTests(planted('test/a.test.ts', `it${'.only'}('a', () => {});`))).toHaveLength(1);
  });
});
