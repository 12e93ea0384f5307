/** Collects problems of the whole configuration, each with its place. */
import type { Locator } from './locator.js';
import { type Path, type Problem, pathText, valueText } from './problem.js';

/** The problems that checks over the whole have found so far. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly #locator: Locator;

  constructor(locator: Locator) {
    this.#locator = locator;
  }

  /** Is there a file, or flags alone? */
  get hasFile(): boolean {
    return this.#locator.hasFile;
  }

  /** Adds a problem; the words are those of `Problem`. @param value what stands there; undefined: nothing */
  report(path: Path, value: unknown, sentence: string, hint: string | null): void {
    this.problems.push({
      source: this.#locator.sourceOf(path),
      path: pathText(path),
      found: value === undefined ? null : valueText(value),
      sentence,
      hint,
    });
  }

  /** Reports the second and every later place that wants what `key` stands for. @param taken by key; grows */
  claim(taken: Map<string, Path>, key: string, path: Path, sentence: string, hint: string): void {
    const first = taken.get(key);
    if (first === undefined) taken.set(key, path);
    else this.report(path, undefined, `${sentence} (${this.placeOf(first)})`, hint);
  }

  /** "listeners[0].bind, line 4" */
  placeOf(path: Path): string {
    const source = this.#locator.sourceOf(path);
    return source.kind === 'file' ? `${pathText(path)}, line ${source.line}` : pathText(path);
  }
}

/** The entries of a list; empty for anything else, which the schema reports. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
