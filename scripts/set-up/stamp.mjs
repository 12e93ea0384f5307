/** Remembers what a build step was made from; written last, removed first, so that a half-done build is never taken for whole. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** @returns {Record<string, unknown>} what was written; {} where there is no whole stamp */
export function readStamp(path) {
  try {
    const stamp = JSON.parse(readFileSync(path, 'utf8'));
    return typeof stamp === 'object' && stamp !== null ? stamp : {};
  } catch {
    return {};
  }
}

/** @param {Record<string, unknown>} stamp as JSON values */
export function writeStamp(path, stamp) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.draft`;
  writeFileSync(draft, `${JSON.stringify(stamp)}\n`);
  renameSync(draft, path);
}

/** Says that what the stamp vouched for is being changed. */
export function removeStamp(path) {
  rmSync(path, { force: true });
}
