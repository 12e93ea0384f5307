/** Sentences for what the operating system says of a file that the configuration names. */
import { isAbsolute } from 'node:path';

/** What is wrong, and what to do. */
export interface FileFailure {
  readonly sentence: string;
  readonly hint: string;
}

/** The rest is told with its code. */
const FILE_FAILURES: Readonly<Record<string, readonly [sentence: string, hint: string]>> = {
  ENOENT: ['the file does not exist', 'check the path'],
  ENOTDIR: ['the file does not exist: a part of its path is not a directory', 'check the path'],
  EACCES: [
    'the file may not be read by this process',
    'check the permissions of the file and of the directories above it',
  ],
  EPERM: [
    'the file may not be read by this process',
    'check the permissions of the file and of the directories above it',
  ],
  EISDIR: ['this is a directory, not a file', 'name the file in it'],
  ELOOP: ['the path is a loop of symbolic links', 'name the file itself'],
  ENAMETOOLONG: ['the path is too long for this file system', 'check the path'],
};

/**
 * @param path  as the configuration names it: only of relative ones it is told what they are relative to
 * @param error as `readFileSync` throws it. Pure.
 */
export function fileFailure(path: string, error: unknown): FileFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const [sentence, hint] = FILE_FAILURES[code] ?? [`the file cannot be read (${code})`, 'check the path'];
  const isElsewhere = code === 'ENOENT' && !isAbsolute(path);
  return { sentence, hint: isElsewhere ? `${hint}; it is relative to the current directory` : hint };
}
