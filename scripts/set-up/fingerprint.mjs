/** Short names for the content of many files: equal as long as nothing in them changed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * Every file under the given files and folders, in a fixed order.
 *
 * @param {readonly string[]} paths absolute; what does not exist is left out
 * @param {(path: string) => boolean} isWanted
 * @returns {string[]} absolute paths
 */
export function filesUnder(paths, isWanted = () => true) {
  return paths.flatMap((path) => {
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return isWanted(path) ? [path] : [];
    const children = readdirSync(path).sort();
    return filesUnder(
      children.map((name) => join(path, name)),
      isWanted,
    );
  });
}

/**
 * @param {string} root folder that names are counted from, so that a moved checkout keeps its fingerprints
 * @param {readonly string[]} files absolute paths
 * @param {readonly unknown[]} facts anything else that the result depends on, as JSON values
 * @returns {string} 64 hexadecimal digits
 */
export function fingerprintOf(root, files, facts = []) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`\0${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
