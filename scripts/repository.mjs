/** Where things lie in this repository, for all scripts. */
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository's top folder, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Everything that scripts remember between runs; may be deleted at any time. */
export const CACHE = `${ROOT}/.cache`;

/** One JSON file for each suite that ran: `{ suite, passed, failed }`. Written by report.mjs, added up by .ci/run. */
export const RESULTS = `${CACHE}/results`;
