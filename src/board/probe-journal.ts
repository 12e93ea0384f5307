/** Probes and trials on their way: each worker counts its own, so that those of a dead one are given back with its stripe. */
import { invariant } from '../core/invariant.js';
import { claimsWord, countOf, generationOf } from './claims-word.js';
import type { MappedBoard } from './shared-memory.js';

/** Whose probes: `probes` of endpoints, by slot; `routeProbes` of routes, by the record of their breaker. */
export type ProbeGroup = 'probes' | 'routeProbes';

/**
 * Never more than `most` over all workers: who claims counts itself in first and then adds all workers up, so of two that claim at the
 * same time one at least sees both (all loads and stores are Atomics, hence in one order). Both may see both, and be refused: they ask again
 * with their next request. Thread: worker, its own journal only.
 */
export class ProbeJournal {
  readonly #int32: Int32Array;
  readonly #own: number;
  /** First record of each worker's stripe. */
  readonly #all: readonly number[];
  readonly #stride: number;

  constructor(board: MappedBoard, worker: number, group: ProbeGroup) {
    const own = board.layout.stripes[worker];
    invariant(own, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#own = own[group].base;
    this.#all = board.layout.stripes.map((stripe) => stripe[group].base);
    this.#stride = own[group].stride;
  }

  /**
   * Counts one in.
   *
   * @param most at a time over all workers, >= 1
   * @returns false: as many are on their way
   */
  claim(record: number, generation: number, most: number): boolean {
    const own = this.#own + record * this.#stride;
    const word = Atomics.load(this.#int32, own);
    // Those of an earlier generation need no giving back.
    const count = generationOf(word) === generation ? countOf(word) : 0;
    Atomics.store(this.#int32, own, claimsWord(generation, count + 1));
    if (this.held(record, generation) <= most) return true;
    Atomics.store(this.#int32, own, claimsWord(generation, count));
    return false;
  }

  /** Counts one out that was counted in; ignored when the slot has another endpoint by now. */
  end(record: number, generation: number): void {
    const own = this.#own + record * this.#stride;
    const word = Atomics.load(this.#int32, own);
    if (generationOf(word) !== generation) return;
    invariant(countOf(word) > 0, 'a probe that ends was counted');
    Atomics.store(this.#int32, own, word - 1);
  }

  /** On their way over all workers. */
  held(record: number, generation: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#all.length; worker++) {
      const word = Atomics.load(this.#int32, (this.#all[worker] as number) + record * this.#stride); // worker < length
      if (generationOf(word) === generation) sum += countOf(word);
    }
    return sum;
  }
}

/** Gives back the probes of a dead worker. Thread: primary, after the worker's thread has ended. */
export function clearProbes(board: MappedBoard, worker: number): void {
  const stripe = board.layout.stripes[worker];
  invariant(stripe, `the board has a stripe for worker ${worker}`);
  for (const { base, stride, records } of [stripe.probes, stripe.routeProbes])
    for (let record = 0; record < records; record++) Atomics.store(board.int32, base + record * stride, 0);
}
