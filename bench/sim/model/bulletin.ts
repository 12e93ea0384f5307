/** Balancers that decide on old figures, for comparison: the models of Mitzenmacher, "How Useful Is Old Information?" (2000). */
import { type Rng, seededRng } from '../../../src/core/rng.js';
import type { SimulatedRequest, Steering } from './request.js';

/** How a model chooses among endpoints by the figures it sees. */
export type BulletinChoice = 'any' | 'lesser of two' | 'least of three' | 'least';

/**
 * Requests in flight of every endpoint stand on a bulletin board that is written anew every `periodMs` (the paper's periodic update
 * model); whoever picks sees only that. Period 0: always up to date.
 */
export class BulletinSteering implements Steering {
  readonly #choice: BulletinChoice;
  readonly #periodMs: number;
  readonly #rng: Rng;
  readonly #inflight: Int32Array;
  readonly #posted: Int32Array;
  #postedMs = 0;

  constructor(choice: BulletinChoice, endpoints: number, periodMs: number, seed: number) {
    this.#choice = choice;
    this.#periodMs = periodMs;
    this.#rng = seededRng(seed);
    this.#inflight = new Int32Array(endpoints);
    this.#posted = periodMs === 0 ? this.#inflight : new Int32Array(endpoints);
  }

  pick(_request: SimulatedRequest, nowMs: number): number {
    if (this.#periodMs > 0 && nowMs - this.#postedMs >= this.#periodMs) {
      this.#posted.set(this.#inflight);
      this.#postedMs += Math.floor((nowMs - this.#postedMs) / this.#periodMs) * this.#periodMs;
    }
    const endpoint = this.#choose();
    this.#inflight[endpoint]! += 1;
    return endpoint;
  }

  answered(): void {
    // Only the number in flight counts here.
  }

  failed(request: SimulatedRequest): void {
    this.#inflight[request.endpoint]! -= 1;
  }

  ended(request: SimulatedRequest): void {
    this.#inflight[request.endpoint]! -= 1;
  }

  #choose(): number {
    const draw = (): number => this.#rng.below(this.#posted.length);
    switch (this.#choice) {
      case 'any':
        return draw();
      case 'lesser of two':
        return this.#lesser(draw(), draw());
      case 'least of three':
        return this.#lesser(this.#lesser(draw(), draw()), draw());
      case 'least':
        return this.#least();
    }
  }

  #lesser(a: number, b: number): number {
    return this.#posted[b]! < this.#posted[a]! ? b : a;
  }

  /** Ties at random: begins to look anywhere. */
  #least(): number {
    const count = this.#posted.length;
    const start = this.#rng.below(count);
    let least = start;
    for (let step = 1; step < count; step++) least = this.#lesser(least, (start + step) % count);
    return least;
  }
}
