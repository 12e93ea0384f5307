/** What papers say should come out: formulas and limiting systems, worked out here to stand beside our figures. Pure. */

/**
 * Expected time in the system of the supermarket model, in service times, for very many queues: Poisson arrivals of rate rho a queue,
 * exponential service, each customer joins the shortest of d random queues (Mitzenmacher 2001; d = 1 is M/M/1).
 */
export function supermarketTime(rho: number, d: number): number {
  if (d === 1) return 1 / (1 - rho);
  let sum = 0;
  for (let i = 1; i < 64; i++) {
    const term = rho ** ((d ** i - d) / (d - 1));
    sum += term;
    if (term < 1e-12) break;
  }
  return sum;
}

/**
 * Expected highest load of n bins after n balls, one random choice each, with the loads taken for independent and Poisson of mean 1
 * (Mitzenmacher and Upfal, Probability and Computing, 5.4).
 */
export function highestOfOneChoice(n: number): number {
  let atMost = 0;
  let exactly = Math.exp(-1);
  let expected = 0;
  for (let load = 0; load < 100; load++) {
    atMost += exactly;
    expected += 1 - atMost ** n;
    exactly /= load + 1;
  }
  return expected;
}

/**
 * Shares of bins with at least 1, 2, … balls after as many balls as bins, d choices each, for very many bins: the differential equations
 * ds_i/dt = s_(i-1)^d - s_i^d of Mitzenmacher, "Studying Balanced Allocations with Differential Equations" (1997), by Euler's method.
 */
export function loadsOfChoices(d: number, most = 8): number[] {
  const steps = 20_000;
  const shares = new Float64Array(most + 1);
  shares[0] = 1;
  for (let step = 0; step < steps; step++)
    for (let load = most; load >= 1; load--) shares[load]! += (shares[load - 1]! ** d - shares[load]! ** d) / steps;
  return [...shares.slice(1)];
}

/** Loads that the limiting system of old information keeps apart; at most so many jobs in a queue. */
const MOST_JOBS = 60;
const STEP = 0.01;

/**
 * Mean time in the system, in service times, when all join the shorter of two random queues by a bulletin board that is written anew
 * every `period` service times: the limiting system of Mitzenmacher, "How Useful Is Old Information?" (2000), section 3, followed
 * until its cycles repeat. Queues are told apart by what the board says of them and by what they hold.
 *
 * @param rho arrivals of each queue in one service time, < 1
 */
export function twoChoicesByOldBoard(rho: number, period: number): number {
  let held = new Float64Array(MOST_JOBS + 1);
  held[0] = 1;
  const cycles = Math.max(20, Math.ceil(400 / period));
  let jobs = 0;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const { next, meanJobs } = oneCycle(held, rho, period);
    held = next;
    jobs = meanJobs;
  }
  return jobs / rho;
}

function oneCycle(posted: Float64Array, rho: number, period: number) {
  const size = MOST_JOBS + 1;
  const atLeast = new Float64Array(size + 1);
  for (let jobs = MOST_JOBS; jobs >= 0; jobs--) atLeast[jobs] = atLeast[jobs + 1]! + posted[jobs]!;
  const arrivals = posted.map((share, jobs) =>
    share < 1e-15 ? 0 : (rho * (atLeast[jobs]! ** 2 - atLeast[jobs + 1]! ** 2)) / share,
  );
  const state = new Float64Array(size * size);
  for (let jobs = 0; jobs < size; jobs++) state[jobs * size + jobs] = posted[jobs]!;
  const steps = Math.max(1, Math.round(period / STEP));
  const step = period / steps;
  let jobTime = 0;
  for (let at = 0; at < steps; at++) {
    for (let board = 0; board < size; board++) {
      if (posted[board]! < 1e-12) continue;
      jobTime += advance(state.subarray(board * size, (board + 1) * size), arrivals[board]!, step) * step;
    }
  }
  const next = new Float64Array(size);
  for (let board = 0; board < size; board++)
    for (let jobs = 0; jobs < size; jobs++) next[jobs]! += state[board * size + jobs]!;
  return { next, meanJobs: jobTime / period };
}

/** One step of a birth and death process. @returns jobs that its queues hold */
function advance(queues: Float64Array, arrivals: number, step: number): number {
  let jobsHeld = 0;
  let before = 0;
  for (let jobs = 0; jobs <= MOST_JOBS; jobs++) {
    const now = queues[jobs]!;
    jobsHeld += now * jobs;
    const joining = jobs < MOST_JOBS ? arrivals * now : 0;
    const leaving = jobs > 0 ? now : 0;
    const served = jobs < MOST_JOBS ? queues[jobs + 1]! : 0;
    queues[jobs] = now + step * (before - joining - leaving + served);
    before = joining;
  }
  return jobsHeld;
}
