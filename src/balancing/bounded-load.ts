/** Bounded load: how many requests in flight an endpoint may have before a hash passes it over (semantics.md 4, HAProxy's arithmetic). */
import type { Tick } from '../core/tick.js';
import { NEVER } from '../core/tick.js';
import type { EndpointGroup } from './endpoint-group.js';
import type { GroupDerivation } from './per-group.js';
import type { UpstreamView } from './upstream-view.js';

/** UpstreamPlan.loadFactor of an upstream without a bound. */
export const NO_LOAD_FACTOR = 0;

/** Far above the error of a product of a count and a factor, far below one place. */
const ROUNDED_AWAY = 1e-6;

/**
 * Endpoints whose counts are read for each pick, on average: the sum over a group is made anew after size / 16 picks, and with each tick.
 * So a pick costs 16 loads at most (a large group is summed once for several picks), and the mean is a few picks of this worker and a
 * millisecond of the others behind.
 */
const COUNTS_PER_PICK = 16;

/**
 * The bounds of one group. Each endpoint may have its share, by weight, of `factor` times all requests in flight, the one to be placed
 * included: tot = ceil((served + 1) x factor), of which the endpoints get whole numbers that add up to tot, at least 1 each. Since tot is
 * above what is in flight, one endpoint at least is below its bound. Counts are those of all workers.
 *
 * Thread: worker.
 * @see https://arxiv.org/abs/1608.01350 the idea; HAProxy's chash_server_is_eligible the arithmetic
 */
export class LoadBounds implements GroupDerivation {
  /** Weight of all members before each position; behind the last one that of all. */
  #weightBefore = new Float64Array(1);
  #size = 0;
  #places = 0;
  #summedAt: Tick = NEVER;
  #picksUntilSum = 0;

  derive(_view: UpstreamView, group: EndpointGroup): void {
    this.#size = group.size;
    this.#weightBefore = new Float64Array(group.size + 1);
    for (let position = 0; position < group.size; position++)
      this.#weightBefore[position + 1] = (this.#weightBefore[position] as number) + group.weightAt(position);
    this.#picksUntilSum = 0;
  }

  /** Takes the load as it is now, for one pick. HOT. @param factor UpstreamPlan.loadFactor, above 1 */
  measure(view: UpstreamView, group: EndpointGroup, factor: number, now: Tick): void {
    if (this.#picksUntilSum > 0 && now === this.#summedAt) {
      this.#picksUntilSum--;
      return;
    }
    let served = 0;
    for (let position = 0; position < this.#size; position++) served += view.load.inflightHint(group.slotAt(position));
    this.#places = placesFor(served, factor);
    this.#summedAt = now;
    this.#picksUntilSum = Math.floor((this.#size - 1) / COUNTS_PER_PICK);
  }

  /** Most requests in flight at a member; at least 1. HOT. */
  boundAt(position: number): number {
    const before = this.#weightBefore[position] as number; // position < size, and there is one more
    const behind = this.#weightBefore[position + 1] as number;
    const total = this.#weightBefore[this.#size] as number;
    const places = Math.floor((behind * this.#places) / total) - Math.floor((before * this.#places) / total);
    return places < 1 ? 1 : places;
  }
}

/** Places for all requests in flight and one more, over all endpoints. */
function placesFor(served: number, factor: number): number {
  // Of a product such as 100 x 1.1, what float64 has added must not make one place more.
  return Math.ceil((served + 1) * factor - ROUNDED_AWAY);
}
