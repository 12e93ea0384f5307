/** The order of smooth weighted round-robin, written out for one whole cycle. */

/** Longest cycle built for the sake of exact proportions; weights that need more are rounded. Source: semantics.md 1. */
export const LONGEST_CYCLE = 4_096;

/**
 * Writes out one cycle of nginx's smooth weighted round-robin: weights 5, 1, 1 give a a b a c a a. At each step every
 * member's credit grows by its weight, the largest credit wins (the first of equals) and pays the sum of all weights.
 * The cycle has sum(weights) / gcd(weights) entries and names each member weight / gcd times, spread out.
 *
 * Weights whose cycle would be longer than LONGEST_CYCLE (or than the number of members, if that is more) are scaled down
 * to fit; each keeps at least one entry.
 *
 * @param weights one for each member, each a whole number >= 1
 * @returns member numbers; empty for no members. The same in every worker, since it depends on nothing else
 * @see https://github.com/nginx/nginx/blob/master/src/http/ngx_http_upstream_round_robin.c
 */
export function smoothCycle(weights: readonly number[]): Uint16Array {
  const reduced = reduce(weights);
  const total = sum(reduced);
  const cycle = new Uint16Array(total);
  const classes = classesOf(reduced);
  for (let step = 0; step < total; step++) {
    let winner: WeightClass | undefined;
    let highest = -Infinity;
    for (const each of classes) {
      // What the member would have on its account: its weight for each step, less the sum of all for each time it was named.
      const credit = each.weight * (step + 1) - total * each.round;
      if (credit < highest || (credit === highest && winner !== undefined && frontOf(winner) < frontOf(each))) continue;
      winner = each;
      highest = credit;
    }
    if (winner === undefined) break; // total > 0 only with members
    cycle[step] = frontOf(winner);
    nameFront(winner);
  }
  return cycle;
}

/**
 * Members of equal weight win one after the other, so only the front one of each class is compared: hundreds of endpoints, of which one
 * ramps up, are two classes.
 */
interface WeightClass {
  readonly weight: number;
  readonly members: number[];
  /** How often all members have been named, and which of them is named next. */
  round: number;
  front: number;
}

function classesOf(weights: readonly number[]): readonly WeightClass[] {
  const classes = new Map<number, WeightClass>();
  for (const [member, weight] of weights.entries()) {
    const known = classes.get(weight);
    if (known === undefined) classes.set(weight, { weight, members: [member], round: 0, front: 0 });
    else known.members.push(member);
  }
  return [...classes.values()];
}

function frontOf({ members, front }: WeightClass): number {
  return members[front] as number; // front < length
}

function nameFront(named: WeightClass): void {
  named.front += 1;
  if (named.front < named.members.length) return;
  named.front = 0;
  named.round += 1;
}

function reduce(weights: readonly number[]): readonly number[] {
  const byDivisor = divideByGcd(weights);
  const total = sum(byDivisor);
  const longest = Math.max(LONGEST_CYCLE, weights.length);
  if (total <= longest) return byDivisor;
  // Rounding down keeps the sum in bounds but for those lifted to 1, of which there are at most as many as members.
  const scaled = byDivisor.map((weight) => Math.max(1, Math.floor((weight * longest) / total)));
  return divideByGcd(scaled);
}

function divideByGcd(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(gcd, 0);
  return divisor <= 1 ? weights : weights.map((weight) => weight / divisor);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function sum(weights: readonly number[]): number {
  return weights.reduce((total, weight) => total + weight, 0);
}
