/** Lets one set-up at a time change node_modules, build and dist of this checkout. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a waiting set-up looks again. */
const LOOK_AGAIN_MS = 200;

/**
 * Waits for the lock and takes it. A lock whose process is gone is taken over.
 *
 * @param {string} path absolute path of the lock file
 * @param {(owner: string) => void} onWait called once when another process, whose id it gets, holds the lock
 * @returns {Promise<() => void>} gives the lock back; a second call does nothing
 */
export async function acquireLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  const me = ownerOf(process.pid);
  const draft = `${path}.${process.pid}`;
  let hasWaited = false;
  for (;;) {
    if (take(path, draft, me)) return () => giveBack(path, me);
    const holder = contentOf(path);
    if (holder === undefined) continue;
    const pid = holder.split(' ')[0];
    if (holder === ownerOf(Number(pid))) {
      if (!hasWaited) onWait(pid);
      hasWaited = true;
      await delay(LOOK_AGAIN_MS);
    } else {
      removeStale(path, draft, holder);
    }
  }
}

/** Creates the lock with its content in one step (link), so that nobody ever reads a half-written one. */
function take(path, draft, me) {
  writeFileSync(draft, me);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Moves a dead process's lock away. Two processes may both have read the dead one, and the slower may move the faster
 * one's fresh lock: it sees that in the content and puts it back.
 */
function removeStale(path, draft, stale) {
  const moved = `${draft}.stale`;
  try {
    renameSync(path, moved);
    if (contentOf(moved) !== stale) linkSync(moved, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(moved, { force: true });
  }
}

function giveBack(path, me) {
  if (contentOf(path) === me) rmSync(path, { force: true });
}

function contentOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Process id and start time (field 22 of /proc/PID/stat, man 5 proc): a process id used again is not taken for the old one. */
function ownerOf(pid) {
  const stat = contentOf(`/proc/${pid}/stat`);
  return stat === undefined ? `${pid} gone` : `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}
