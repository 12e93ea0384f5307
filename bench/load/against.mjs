/** Builds another commit of this repository beside the tree, so that two commits can be measured in one run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The commit that a name stands for, short. @throws Error when git knows none */
export function commitOf(root, ref) {
  const found = spawnSync('git', ['-C', root, 'rev-parse', '--short', '--verify', `${ref}^{commit}`], {
    encoding: 'utf8',
  });
  if (found.status !== 0) throw new Error(`git knows no commit "${ref}"`);
  return found.stdout.trim();
}

/** Says whether tracked files of the tree differ from its commit. */
export function hasChanges(root) {
  return (
    spawnSync('git', ['-C', root, 'status', '--porcelain', '--untracked-files=no'], {
      encoding: 'utf8',
    }).stdout.trim() !== ''
  );
}

function readLock(root) {
  return readFileSync(join(root, 'package-lock.json'), 'utf8');
}

/**
 * Checks a commit out into a scratch directory and builds it there: packages by npm, the addon, TypeScript.
 *
 * @param {string} root of this repository @param {string} ref @param {(text: string) => void} say
 * @returns {{ root: string, commit: string, remove: () => void }} `remove` is called at the end of this process at the latest
 * @throws Error when git knows no such commit, or it does not build
 */
export function buildCommit(root, ref, say) {
  const commit = commitOf(root, ref);
  const directory = mkdtempSync(join(tmpdir(), 'sluice-against-'));
  const tree = join(directory, commit);
  const remove = () => {
    process.off('exit', remove);
    spawnSync('git', ['-C', root, 'worktree', 'remove', '--force', tree]);
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', remove);
  try {
    execFileSync('git', ['-C', root, 'worktree', 'add', '--quiet', '--detach', tree, commit], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // The same packages are installed here already.
    if (readLock(root) === readLock(tree)) symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    say(`building ${commit} …`);
    const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: tree, encoding: 'utf8' });
    if (built.status !== 0 || !existsSync(join(tree, 'dist', 'cli', 'main.js')))
      throw new Error(`${commit} does not build:\n${(built.stderr || built.stdout || '').slice(-2000)}`);
    return { root: tree, commit, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
