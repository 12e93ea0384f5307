/** Which number each set of settings of attempts has in the engine, over all plans. */
import { invariant } from '../core/invariant.js';
import { type AttemptProfile, MOST_PROFILES, PLAIN_PROFILE } from '../engine/attempt-profile.js';

/** Thread: worker; one for each engine. */
export class ProfileNumbers {
  readonly #open: (profile: number, settings: AttemptProfile) => void;
  /** By what they say, as JSON: equal settings are one. */
  readonly #numbers = new Map<string, number>();
  /** Given out before, and nobody's now. */
  readonly #free: number[] = [];

  /** @param open makes a profile known to the engine: Engine.openProfile */
  constructor(open: (profile: number, settings: AttemptProfile) => void) {
    this.#open = open;
  }

  /** @returns the same one for equal settings, as long as `retain` keeps it */
  numberOf(profile: AttemptProfile): number {
    const key = JSON.stringify(profile);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? PLAIN_PROFILE + 1 + this.#numbers.size;
    invariant(number <= MOST_PROFILES, 'a plan has fewer kinds of attempts than there are numbers for');
    this.#numbers.set(key, number);
    this.#open(number, profile);
    return number;
  }

  /** Takes back the numbers that no plan and no request has any more. */
  retain(used: ReadonlySet<number>): void {
    for (const [key, number] of this.#numbers) {
      if (used.has(number)) continue;
      this.#numbers.delete(key);
      this.#free.push(number);
    }
  }
}
