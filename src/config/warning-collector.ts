/** Collects warnings, each with its place. */
import type { Locator } from './locator.js';
import { type Path, pathText, valueText, type Warning } from './problem.js';
import { valueAt } from './schema/walk.js';

/** The warnings that were found so far, and what the user wrote. */
export class WarningCollector {
  readonly warnings: Warning[] = [];
  readonly #values: unknown;
  readonly #locator: Locator;

  /** @param values plain values of file and flags, without defaults */
  constructor(values: unknown, locator: Locator) {
    this.#values = values;
    this.#locator = locator;
  }

  /** Did the user write this value (and not a default)? */
  isWritten(path: Path): boolean {
    return valueAt(this.#values, path) !== undefined;
  }

  /** Adds a warning; the words are those of `Problem`. */
  warn(path: Path, sentence: string, hint: string): void {
    const value = valueAt(this.#values, path);
    this.warnings.push({
      source: this.#locator.sourceOf(path),
      path: pathText(path),
      found: value === undefined ? null : valueText(value),
      sentence,
      hint,
    });
  }
}
