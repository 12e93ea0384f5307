/** The endpoints that one exchange has tried already. */

/**
 * A short list: an exchange tries a handful of endpoints at most, nearly always none before its first pick. One set may be
 * kept and cleared for the next exchange. Thread: worker.
 */
export class TriedSet {
  readonly #endpoints: number[] = [];

  get size(): number {
    return this.#endpoints.length;
  }

  /** @param endpoint index in the upstream's plan */
  add(endpoint: number): void {
    if (!this.has(endpoint)) this.#endpoints.push(endpoint);
  }

  /** @param others null: none */
  addAll(others: TriedSet | null): void {
    if (others === null) return;
    for (const endpoint of others.#endpoints) this.add(endpoint);
  }

  /** HOT (bench/micro/balancing/pick.bench.ts). */
  has(endpoint: number): boolean {
    for (let index = 0; index < this.#endpoints.length; index++) {
      if (this.#endpoints[index] === endpoint) return true;
    }
    return false;
  }

  /** In the order in which they were tried. */
  [Symbol.iterator](): Iterator<number> {
    return this.#endpoints[Symbol.iterator]();
  }

  clear(): void {
    this.#endpoints.length = 0;
  }
}

/** For first attempts; add nothing to it. */
export const NONE_TRIED = new TriedSet();
