/** Settings that belong to the design but not to this version: refused with a sentence that says so, not as a typo. */
import type { Path } from './problem.js';

/** Where a setting may stand (`*`: any name, `#`: any index) and what to say of it. */
const LATER_KEYS: readonly (readonly [pattern: string, sentence: string])[] = [
  ['listeners.#.tls', 'is known, but not in this version: listeners speak plain HTTP'],
  ['upstreams.*.tls', 'is known, but not in this version: endpoints are spoken to in plain HTTP'],
];

/** What to say of a key that a later version has; null for a key that is simply unknown. */
export function laterKeySentence(path: Path): string | null {
  const found = LATER_KEYS.find(([pattern]) => matches(pattern.split('.'), path));
  return found === undefined ? null : found[1];
}

function matches(pattern: readonly string[], path: Path): boolean {
  if (pattern.length !== path.length) return false;
  return pattern.every((part, index) => {
    const step = path[index];
    if (part === '*') return typeof step === 'string';
    if (part === '#') return typeof step === 'number';
    return part === step;
  });
}
