/**
 * The test of the laboratory itself, by measuring: sluice against itself must come out even, and a little planted work must be
 * found. A measurement, not a test of the repository: what it says depends on how quiet the machine is.
 */
import { fileURLToPath } from 'node:url';
import { sluice } from './peers/sluice.mjs';
import { lowerQuartile, median, medianInterval } from './statistics.mjs';

/**
 * What it runs: many short rounds, because the interval of a median narrows with the root of their number, and because candidates
 * that are a second apart meet more of the same machine than those that are two apart.
 */
export const SELF_CHECK = { scenario: 'l7-keepalive-minimal-c64', rounds: 45, durationS: 1 };
/** µs of work in each request that must be found. */
const PLANTED_US = 2;
/** What is found may be more than what was planted: the processor's caches and its clock are not asked. */
const MOST_FOUND_US = 3 * PLANTED_US;
/** So sure it has to be that two equals differ: one run of a hundred says so of itself. */
const EVEN_SURENESS = 0.99;

const OWN = 'sluice';
const AGAIN = 'sluice again';
const PLANTED = `sluice + ${PLANTED_US} µs`;

/**
 * sluice, one with planted work, and itself again, all of the same tree. The planted one runs between the plain ones, so that a
 * machine that slows down or speeds up within a round does both to as much of either side.
 *
 * @param {string} root @param {readonly string[]} flags
 */
export function selfCheckCandidates(root, flags) {
  const preload = fileURLToPath(new URL('planted-work.mjs', import.meta.url));
  const env = { NODE_OPTIONS: `--import=${preload}`, PLANTED_US: String(PLANTED_US), PLANTED_ROOT: root };
  return [sluice(OWN, root, flags), sluice(PLANTED, root, flags, env), sluice(AGAIN, root, flags)];
}

/**
 * Judges the rounds of a self-check. Pure.
 *
 * @param {import('./run.mjs').ScenarioResult} result
 * @returns {{ isGood: boolean, sentence: string }[]}
 */
export function selfCheckVerdicts({ candidates }) {
  const costs = (name) =>
    candidates.find((candidate) => candidate.name === name).rounds.map((round) => round.cpuUsPerRequest);
  return [evenVerdict(costs(AGAIN), costs(OWN)), plantedVerdict(costs(PLANTED), costs(OWN), costs(AGAIN))];
}

/** The ratio of each round. Its interval, not its range: with many rounds the range holds 1.0 whatever is measured. */
function evenVerdict(again, own) {
  const ratios = again.map((cost, round) => cost / own[round]);
  const { low, high } = medianInterval(ratios, EVEN_SURENESS);
  const isGood = low <= 1 && high >= 1;
  const said = `sluice against itself: ratio ${median(ratios).toFixed(3)}, in 99 of 100 runs ${low.toFixed(3)} to ${high.toFixed(3)}`;
  return { isGood, sentence: `${said}: 1.0 is ${isGood ? '' : 'NOT '}within them` };
}

/**
 * Each round's planted cost beside the mean of the two plain ones next to it. It is found where the interval of these differences is
 * above 0. Whether it is too much is judged by the cheap quarter of the rounds: what disturbs a round only ever adds to it.
 */
function plantedVerdict(planted, own, again) {
  const more = planted.map((cost, round) => cost - (own[round] + again[round]) / 2);
  const { low, high } = medianInterval(more);
  const quietMore = lowerQuartile(planted) - lowerQuartile([...own, ...again]);
  const isGood = low > 0 && quietMore < MOST_FOUND_US;
  const said = `${PLANTED_US} µs planted in each request: found ${median(more).toFixed(2)} µs, in 95 of 100 runs ${low.toFixed(2)} to ${high.toFixed(2)}; by the cheap quarter of the rounds ${quietMore.toFixed(2)} µs`;
  const verdict = isGood ? 'detected' : low > 0 ? 'MORE than was planted' : 'NOT detected';
  return { isGood, sentence: `${said}: ${verdict}` };
}
