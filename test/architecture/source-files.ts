/** Reads the files of this repository for the architecture tests. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository's top folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** One source file; `path` counts from the repository's top folder. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Every file under some top folders of the repository.
 *
 * @param folders e.g. ['src', 'native/src']; one that does not exist has no files
 * @param endings e.g. ['.ts']
 */
export function sourceFiles(folders: readonly string[], endings: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => pathsUnder(join(ROOT, folder)))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }));
}

function pathsUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => pathsUnder(join(path, name)));
}
