/** Shows text to a library that reads files only: a file of this process that has no name, and is gone with it. */
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** O_TMPFILE of open(2) on Linux, which Node has no constant for: a file without a name. */
const O_TMPFILE = 0o20200000;
const OWNER_ONLY = 0o600;
/** In memory; then where the system keeps what is temporary. */
const DIRECTORIES = ['/dev/shm', tmpdir()];

/**
 * Runs `read` with the path of a file that holds the text, readable by this user only. Within the call; the text is on no disk where
 * /dev/shm is memory. Thread: any.
 */
export function withPrivateFile<T>(text: string, read: (path: string) => T): T {
  for (const directory of DIRECTORIES) {
    const descriptor = unnamedFile(directory);
    if (descriptor === null) continue;
    try {
      writeSync(descriptor, text);
      return read(`/proc/self/fd/${descriptor}`);
    } finally {
      closeSync(descriptor);
    }
  }
  return withNamedFile(text, read);
}

/** @returns null: this file system has none */
function unnamedFile(directory: string): number | null {
  try {
    return openSync(directory, O_TMPFILE | constants.O_RDWR, OWNER_ONLY);
  } catch {
    return null;
  }
}

function withNamedFile<T>(text: string, read: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-')); // 0700
  const path = join(directory, 'text');
  try {
    const descriptor = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, OWNER_ONLY);
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
    return read(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
