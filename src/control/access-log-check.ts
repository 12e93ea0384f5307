/** Says before a configuration counts that its access log cannot be written, which would otherwise show with the first request only. */
import { closeSync, openSync } from 'node:fs';
import { placeOf, STANDARD_OUTPUT } from '../observability/line-file.js';
import { StartFailure } from './start-failure.js';

/** A FIFO that nobody reads yet: workers try again. */
const NO_READER = 'ENXIO';

/**
 * Opens the file of the access log, which makes it where it is not there, and closes it again. What fails later is told by the workers
 * (`access-log-failed`), and ends nothing. Thread: primary.
 *
 * @throws StartFailure SLUICE_CONFIG
 */
export function checkAccessLog(file: string): void {
  if (file === STANDARD_OUTPUT) return;
  try {
    closeSync(openSync(...placeOf(file)));
  } catch (error) {
    const errnoName = (error as NodeJS.ErrnoException).code ?? String(error);
    if (errnoName !== NO_READER) throw new StartFailure('SLUICE_CONFIG', sentenceOf(file, errnoName), { cause: error });
  }
}

function sentenceOf(file: string, errnoName: string): string {
  switch (errnoName) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `this process may not write the access log ${file} (accessLog.file, ${errnoName}): allow it there, or choose another path`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `the directory of the access log ${file} does not exist (accessLog.file): make it, or choose another path`;
    case 'EISDIR':
      return `the access log ${file} is a directory (accessLog.file): name a file in it`;
    default:
      return `the access log ${file} cannot be opened (accessLog.file, ${errnoName}): choose another path`;
  }
}
