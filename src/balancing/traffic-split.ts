/** Traffic split: which of several upstreams takes a request, by weight, so that a client stays on its side. */
import type { SplitPlan, TargetPlan } from '../config/picking-plan.js';
import { invariant } from '../core/invariant.js';
import type { PickKey } from './balancer.js';
import { evenRank, NameWords, weightedRank } from './rendezvous-order.js';

interface Side {
  readonly target: TargetPlan;
  readonly words: NameWords;
  /** Of all targets of its name. */
  weight: number;
}

/**
 * Weighted rendezvous hashing over the targets. Each gets its weight of all keys. A target whose weight grows takes keys from the others,
 * one whose weight shrinks gives keys to the others; no key moves between two targets whose weights stay, so of two targets keys only move
 * from the one to the other. (Slices of the hash space side by side would push keys through all targets between.)
 *
 * Thread: worker.
 */
export class TrafficSplit {
  readonly #sides: readonly Side[];

  /**
   * @param nameOf what a target is called: its keys stay with the name, wherever it stands in the list
   * @throws Error (invariant) when no target has a weight
   */
  constructor({ targets }: SplitPlan, nameOf: (target: TargetPlan) => string) {
    const sides = new Map<string, Side>();
    for (const target of targets) {
      const name = nameOf(target);
      const known = sides.get(name);
      // One that is listed twice has one place in the order of each key: two would not add up.
      if (known !== undefined) known.weight += target.weight;
      else if (target.weight > 0) sides.set(name, { target, words: new NameWords(name), weight: target.weight });
    }
    this.#sides = [...sides.values()];
    invariant(this.#sides.length > 0, 'a split has a target with a weight');
  }

  /** The target of a key. HOT. @param key with all 64 bits of its xxHash64 */
  targetOf({ hash, hashHigh }: PickKey): TargetPlan {
    let chosen = this.#sides[0] as Side; // one at least
    let highest = -1;
    for (let index = 0; index < this.#sides.length; index++) {
      const side = this.#sides[index] as Side; // index < length
      const rank = weightedRank(evenRank(hash, hashHigh, side.words.low, side.words.high), side.weight);
      if (rank <= highest) continue;
      highest = rank;
      chosen = side;
    }
    return chosen.target;
  }
}
