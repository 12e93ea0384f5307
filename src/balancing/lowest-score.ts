/** What least-conn, least-time and their kin have in common: compare scores, claim the lowest, compare again if it changed. */
import { REFUSED_CHANGED } from '../board/claim-journal.js';
import { WEIGHT_UNIT } from '../board/endpoint-control.js';
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/** Largest group that a subclass may scan as a whole: equals are kept as bits of one int32. */
export const LARGEST_SCAN = 16;

/**
 * Comparisons before a claim is taken without one. Each repeat means that some worker did get its claim in between, so
 * the workers as a whole are never stuck; a pick that loses 64 times in a row is not seen outside of arithmetic.
 */
const MOST_COMPARISONS = 64;
/** Pairs drawn before the whole group is looked at: several in a row are tried or full only when most of the group is. */
const MOST_DRAWS = 4;

const NO_POSITION = -1;

/**
 * Picks the endpoint with the lowest score.
 *
 * Groups up to `largestScan` are scanned as a whole; equals are picked in turn, by the shared cursor, in the order of smooth
 * weighted round-robin, so that weights count while nothing is in flight. Above that two different endpoints are drawn,
 * heavier ones more often, and the lower score wins (power of two choices: Mitzenmacher 2001).
 *
 * The claim succeeds only if the endpoint still has as many requests in flight as its score was made of; otherwise the
 * comparison is made again. So for every other endpoint there was a moment during that comparison when it scored no lower than
 * the picked one does at the claim, and two workers never take the same "lowest" endpoint because both read a stale count. Claims
 * of others only raise scores: a pick is wrong at its claim only by what ended elsewhere while it was being made
 * (test/property/balancing/balancers-over-threads.test.ts holds recorded histories against this).
 */
export abstract class LowestScoreBalancer implements Balancer {
  readonly #largestScan: number;
  /** Requests in flight that the last scan read, by position. */
  readonly #inflight = new Int32Array(LARGEST_SCAN);

  /** Where scoreOf() leaves what it finds. */
  protected readonly score = new Float64Array(1);

  /** @param largestScan most endpoints that are all compared, 0 .. LARGEST_SCAN */
  protected constructor(largestScan: number) {
    this.#largestScan = largestScan;
  }

  /** HOT (bench/micro/balancing/pick.bench.ts). */
  pickFrom(view: UpstreamView, group: EndpointGroup, _key: PickKey, tried: TriedSet, rng: Rng, now: Tick): number {
    return group.size <= this.#largestScan
      ? this.#pickByScan(view, group, tried, now)
      : this.#pickByDraws(view, group, tried, rng, now);
  }

  /** The score that a pick would compare, for a weight of 1 in the configuration rather than in hundredths. Cold. */
  scoreFor(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    _key: PickKey,
    now: Tick,
  ): number {
    this.scoreOf(view, group, position, inflight, now);
    return (this.score[0] as number) * WEIGHT_UNIT;
  }

  comparesAll(group: EndpointGroup): boolean {
    return group.size <= this.#largestScan;
  }

  /**
   * Leaves the score of a member in `score[0]`; the lower, the better. Called for endpoints that are neither tried nor full. Equal
   * scores mean "in turn". HOT. Not returned, because V8 boxes fractions that come out of a call it cannot inline: with several
   * algorithms in a worker each would cost an allocation (test/property/balancing/allocation.test.ts).
   *
   * @param inflight requests in flight there, without the one that is to be placed
   */
  protected abstract scoreOf(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    now: Tick,
  ): void;

  #pickByScan(view: UpstreamView, group: EndpointGroup, tried: TriedSet, now: Tick): number {
    // Bits by position. An endpoint whose slot has been given away scores like any other: it is left out once it refused.
    let gone = 0;
    for (let comparison = 0; comparison < MOST_COMPARISONS; comparison++) {
      let lowest = Infinity;
      let equals = 0;
      for (let position = 0; position < group.size; position++) {
        if (((gone >>> position) & 1) !== 0 || tried.has(group.endpointAt(position))) continue;
        const inflight = view.load.inflightHint(group.slotAt(position));
        if (isFull(inflight, group.capAt(position))) continue;
        this.#inflight[position] = inflight;
        this.scoreOf(view, group, position, inflight, now);
        const score = this.score[0] as number; // just left there
        if (score < lowest) {
          lowest = score;
          equals = 1 << position;
        } else if (score === lowest) {
          equals |= 1 << position;
        }
      }
      if (equals === 0) return NO_ENDPOINT;
      const position = this.#inTurn(view, group, equals);
      const result = this.#claim(view, group, position, this.#inflight[position] as number); // set by this scan
      if (result > 0) return group.endpointAt(position);
      if (result !== REFUSED_CHANGED) gone |= 1 << position;
    }
    return firstClaimable(view, group, tried, 0);
  }

  /** One of the positions whose bits are set (at least one is): the next in the cycle from wherever the cursor stands. */
  #inTurn(view: UpstreamView, group: EndpointGroup, equals: number): number {
    if ((equals & (equals - 1)) === 0) return 31 - Math.clz32(equals);
    const cycle = group.cycle;
    let at = view.nextTurn(group) % cycle.length;
    for (;;) {
      const position = cycle[at] as number; // inside the cycle; each position is in it, so this ends
      if (((equals >>> position) & 1) !== 0) return position;
      at = at + 1 < cycle.length ? at + 1 : 0;
    }
  }

  #pickByDraws(view: UpstreamView, group: EndpointGroup, tried: TriedSet, rng: Rng, now: Tick): number {
    const cycle = group.cycle;
    for (let draw = 0; draw < MOST_DRAWS; draw++) {
      const first = cycle[rng.below(cycle.length)] as number; // inside the cycle
      let second = cycle[rng.below(cycle.length)] as number;
      if (second === first && group.size > 1) second = anotherThan(first, group.size, rng);
      const firstInflight = this.#inflightIfEligible(view, group, first, tried);
      const secondInflight = second === first ? NO_POSITION : this.#inflightIfEligible(view, group, second, tried);
      if (firstInflight < 0 && secondInflight < 0) continue;
      let isSecond = firstInflight < 0;
      if (!isSecond && secondInflight >= 0) {
        this.scoreOf(view, group, first, firstInflight, now);
        const scoreOfFirst = this.score[0] as number; // just left there
        this.scoreOf(view, group, second, secondInflight, now);
        isSecond = (this.score[0] as number) < scoreOfFirst;
      }
      const position = isSecond ? second : first;
      if (this.#claim(view, group, position, isSecond ? secondInflight : firstInflight) > 0)
        return group.endpointAt(position);
    }
    return this.#pickLowestOfAll(view, group, tried, rng.below(group.size), now);
  }

  /** The rare way: most of a large group is tried or full. @param start position looked at first, so that equals share */
  #pickLowestOfAll(view: UpstreamView, group: EndpointGroup, tried: TriedSet, start: number, now: Tick): number {
    for (let comparison = 0; comparison < MOST_DRAWS; comparison++) {
      let lowest = Infinity;
      let chosen = NO_POSITION;
      let chosenInflight = 0;
      for (let step = 0; step < group.size; step++) {
        const position = (start + step) % group.size;
        const inflight = this.#inflightIfEligible(view, group, position, tried);
        if (inflight < 0) continue;
        this.scoreOf(view, group, position, inflight, now);
        const score = this.score[0] as number; // just left there
        if (score >= lowest) continue;
        lowest = score;
        chosen = position;
        chosenInflight = inflight;
      }
      if (chosen === NO_POSITION) return NO_ENDPOINT;
      if (this.#claim(view, group, chosen, chosenInflight) > 0) return group.endpointAt(chosen);
    }
    return firstClaimable(view, group, tried, start);
  }

  /** @returns requests in flight, or -1 when the endpoint is tried or full */
  #inflightIfEligible(view: UpstreamView, group: EndpointGroup, position: number, tried: TriedSet): number {
    if (tried.has(group.endpointAt(position))) return NO_POSITION;
    const inflight = view.load.inflightHint(group.slotAt(position));
    return isFull(inflight, group.capAt(position)) ? NO_POSITION : inflight;
  }

  #claim(view: UpstreamView, group: EndpointGroup, position: number, compared: number): number {
    return view.claims.claimIfUnchanged(
      group.slotAt(position),
      group.generationAt(position),
      compared,
      group.capAt(position),
    );
  }
}

/** Any position but one, all alike: drawing by weight until it is another could take long beside a heavy one. @param size > 1 */
function anotherThan(position: number, size: number, rng: Rng): number {
  const other = rng.below(size - 1);
  return other < position ? other : other + 1;
}

/**
 * Claims whatever is left, without comparing: better than refusing an exchange that an endpoint has room for. HOT.
 *
 * @param start position that is looked at first, 0 .. size - 1
 * @returns index of the endpoint in the plan, or NO_ENDPOINT
 */
export function firstClaimable(view: UpstreamView, group: EndpointGroup, tried: TriedSet, start: number): number {
  for (let step = 0; step < group.size; step++) {
    const position = (start + step) % group.size;
    const endpoint = group.endpointAt(position);
    if (tried.has(endpoint)) continue;
    if (view.claims.claim(group.slotAt(position), group.generationAt(position), group.capAt(position)) > 0)
      return endpoint;
  }
  return NO_ENDPOINT;
}

/** @param cap 0: no cap */
export function isFull(inflight: number, cap: number): boolean {
  return cap !== 0 && inflight >= cap;
}
