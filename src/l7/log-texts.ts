/** Texts of a request that are strings already, for its line of the access log and its span. */
import { ACCESS_TEXTS, AccessFact, type AccessText } from '../engine/access-lines.js';

/** Takes texts, in any order. */
export interface LogTexts {
  put(name: AccessText, text: string): void;
}

/** Where the access log has its facts and texts. */
export interface LogMemory {
  readonly facts: Float64Array;
  readonly texts: Buffer;
}

/** Thread: worker. */
export class LogTextMap implements LogTexts {
  readonly #texts: Partial<Record<AccessText, string>> = {};

  put(name: AccessText, text: string): void {
    this.#texts[name] = text;
  }

  get(name: AccessText): string | undefined {
    return this.#texts[name];
  }

  /** Puts them where lines are made; what has no room is cut, characters stay whole. */
  give({ facts, texts }: LogMemory): void {
    let end = 0;
    for (const name of ACCESS_TEXTS) {
      const text = this.#texts[name];
      const bytes = text === undefined || text === '' ? 0 : texts.write(text, end);
      facts[AccessFact[name]] = bytes;
      end += bytes;
    }
  }
}
