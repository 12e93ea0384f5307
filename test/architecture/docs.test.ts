/** The prose of this repository against its files: links lead somewhere, named files exist, the README knows every flag. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FLAGS } from '../../src/cli/flags.js';
import { flagTitle } from '../../src/cli/usage.js';
import { ROOT, type SourceFile, sourceFiles } from './source-files.js';

const pages = sourceFiles(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs'], ['.md']);

/** Targets of Markdown links that lead to a file of this repository, without the part behind '#'. */
function linkedFiles({ path, text }: SourceFile): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  const relative = targets.filter((target) => !/^[a-z]+:|^#/.test(target));
  return relative.map((target) => normalize(join(dirname(path), target.replace(/#.*$/, ''))));
}

/** Paths that begin with a folder of sources, wherever they stand; patterns such as `native/src/*.cc` are none. */
function namedFiles({ text }: SourceFile): string[] {
  const paths = text.match(/(?<![\w./-])(?:src|native|test|bench|scripts|examples)\/[\w./*{},-]+/g) ?? [];
  return paths.map((path) => path.replace(/[.,]+$/, '')).filter((path) => !/[*{}]|NAME/.test(path));
}

function missing(files: readonly SourceFile[], filesOf: (page: SourceFile) => string[]): string[] {
  return files.flatMap((page) =>
    filesOf(page).flatMap((file) => (existsSync(join(ROOT, file)) ? [] : [`${page.path}: ${file}`])),
  );
}

function planted(text: string): SourceFile {
  return { path: 'docs/planted.md', text };
}

describe('a page', () => {
  it('links to files that exist', () => {
    expect(missing(pages, linkedFiles)).toEqual([]);
  });

  it('is seen when it links to a file that does not', () => {
    const page = planted('[here](../README.md#why) [there](nowhere.md) [far](https://example.com/a.md) [up](#flags)');
    expect(linkedFiles(page)).toEqual(['README.md', 'docs/nowhere.md']);
    expect(missing([page], linkedFiles)).toEqual(['docs/planted.md: docs/nowhere.md']);
  });

  it('names files that exist', () => {
    expect(missing(pages, namedFiles)).toEqual([]);
  });

  it('is seen when it names a file that does not', () => {
    const page = planted(
      'See `src/cli/main.ts`, src/cli/gone.ts. `native/src/*.cc`, src/balancing/NAME.ts, dist/src/a.js',
    );
    expect(namedFiles(page)).toEqual(['src/cli/main.ts', 'src/cli/gone.ts']);
    expect(missing([page], namedFiles)).toEqual(['docs/planted.md: src/cli/gone.ts']);
  });
});

describe('the README', () => {
  const readme = pages.find(({ path }) => path === 'README.md')?.text ?? '';

  it.each(FLAGS.filter((flag) => !flag.isLater).map(flagTitle))('has %s in its table of flags', (title) => {
    expect(readme).toContain(`| \`${title}\` |`);
  });

  it.each(FLAGS.filter((flag) => flag.isLater).map(({ name }) => name))('says that --%s comes later', (name) => {
    expect(readme).toMatch(new RegExp(`\`--${name}\`.* not in this version`));
  });
});
