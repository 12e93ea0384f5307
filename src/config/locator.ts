/** Says where a value of the merged configuration was written: on the command line or in the file. */
import type { ConfigDocument } from './document.js';
import type { Origin } from './flags.js';
import { type Path, type ProblemSource, pathText } from './problem.js';

/** Finds the source of any path; flags win over the file, as they do for values. */
export class Locator {
  readonly #document: ConfigDocument | null;
  readonly #origins: ReadonlyMap<string, Origin>;

  constructor(document: ConfigDocument | null, origins: ReadonlyMap<string, Origin>) {
    this.#document = document;
    this.#origins = origins;
  }

  /** Without a file, what no flag gave belongs to the command line as a whole. */
  get hasFile(): boolean {
    return this.#document !== null;
  }

  /**
   * The source of the value at `path`, or of what is nearest above it.
   *
   * @param part `key` for problems of the key itself (unknown, duplicate), else `value`
   */
  sourceOf(path: Path, part: 'key' | 'value' = 'value'): ProblemSource {
    for (let length = path.length; length > 0; length--) {
      const origin = this.#origins.get(pathText(path.slice(0, length)));
      if (origin?.kind === 'flag') return origin;
      if (origin?.kind === 'copy') return this.sourceOf([...origin.of, ...path.slice(length)], part);
    }
    return this.#document?.locate(path, part) ?? { kind: 'command-line' };
  }
}
