/** Judges a recorded history of picks and ends over threads: was each pick right at some moment of its comparison? */

/** One swap of an endpoint's claims word. Tickets are numbers of one counter over all threads: the swap was made between its two. */
export interface Swap {
  readonly kind: 'pick' | 'end';
  readonly endpoint: number;
  /** Of a pick: the comparison that it claimed by was begun after this ticket. */
  readonly comparedAt: number;
  readonly before: number;
  readonly after: number;
  /** In flight there right before the swap. */
  readonly level: number;
}

/** A pick that another endpoint would have been right for, at every moment from its comparison to its claim. */
export interface WrongPick {
  readonly pick: Swap;
  readonly better: number;
}

export interface Judgement {
  /** Swaps whose level no order of the endpoint's swaps within their tickets can explain. */
  readonly impossible: readonly Swap[];
  readonly wrong: readonly WrongPick[];
  /** Picks that were no longer right at their claim, because something ended elsewhere behind the comparison. */
  readonly overtaken: number;
}

const WORDS = 6;

/** As picking-thread.mjs writes it. */
export function swapsOf(histories: readonly Int32Array[]): Swap[] {
  return histories.flatMap((history) =>
    Array.from({ length: history.length / WORDS }, (_, index): Swap => {
      const [change, endpoint, comparedAt, before, after, level] = history.subarray(index * WORDS);
      return {
        kind: change === 1 ? 'pick' : 'end',
        endpoint: endpoint!,
        comparedAt: comparedAt!,
        before: before!,
        after: after!,
        level: level!,
      };
    }),
  );
}

/**
 * Holds a history of least-conn against its promise (src/balancing/lowest-score.ts): for every other endpoint there was a moment
 * between comparison and claim when it had, for its weight, no less in flight than the picked one had at the claim.
 *
 * How many were in flight at a moment is known up to the swaps that were under way then; each doubt is taken for the balancer, so what
 * is called wrong is wrong. Where no two swaps have crossing tickets, nothing is in doubt.
 *
 * @param weights of the endpoints, none of which has a cap
 */
export function judge(swaps: readonly Swap[], weights: readonly number[]): Judgement {
  const tickets = 1 + swaps.reduce((last, { after }) => Math.max(last, after), 0);
  const bounds = weights.map((_, endpoint) => boundsOf(swaps, endpoint, tickets));
  const wrong: WrongPick[] = [];
  let overtaken = 0;
  for (const pick of swaps) {
    if (pick.kind !== 'pick') continue;
    const isBelow = (other: number, at: number): boolean =>
      bounds[other]!.most[at]! * weights[pick.endpoint]! < pick.level * weights[other]!;
    let isOvertaken = false;
    for (let other = 0; other < weights.length; other++) {
      if (other === pick.endpoint) continue;
      if (isBelow(other, pick.before - 1)) isOvertaken = true;
      let at = pick.before - 1;
      while (at >= pick.comparedAt && isBelow(other, at)) at--;
      if (at < pick.comparedAt) wrong.push({ pick, better: other });
    }
    if (isOvertaken) overtaken++;
  }
  return { impossible: swaps.filter((swap) => !isPossible(swap, bounds[swap.endpoint]!)), wrong, overtaken };
}

/** By ticket: what was in flight, at least and at most, between it and the next one. */
interface Bounds {
  readonly least: Int32Array;
  readonly most: Int32Array;
}

function boundsOf(swaps: readonly Swap[], endpoint: number, tickets: number): Bounds {
  const least = new Int32Array(tickets);
  const most = new Int32Array(tickets);
  for (const swap of swaps) {
    if (swap.endpoint !== endpoint) continue;
    const isPick = swap.kind === 'pick';
    least[isPick ? swap.after : swap.before]! += isPick ? 1 : -1;
    most[isPick ? swap.before : swap.after]! += isPick ? 1 : -1;
  }
  for (let ticket = 1; ticket < tickets; ticket++) {
    least[ticket]! += least[ticket - 1]!;
    most[ticket]! += most[ticket - 1]!;
  }
  return { least, most };
}

function isPossible({ kind, before, after, level }: Swap, { least, most }: Bounds): boolean {
  // Between its tickets the bounds count the swap itself as made (most of a pick, least of an end) or not yet made.
  const mostLevel = kind === 'pick' ? level + 1 : level;
  const leastLevel = kind === 'pick' ? level : level - 1;
  for (let at = before; at < after; at++) {
    if (least[at]! <= leastLevel && mostLevel <= most[at]!) return true;
  }
  return false;
}
