/**
 * The test of the laboratory itself, by measuring: sluice against itself must come out even, and a little planted work must be
 * found. A measurement, not a test of the repository: what it says depends on how quiet the machine is.
 */
import { fileURLToPath } from 'node:url';
import { sluice } from './peers/sluice.mjs';
import { median, medianInterval, ratioOf } from './statistics.mjs';

/** What it runs. */
export const SELF_CHECK = { scenario: 'l7-keepalive-minimal-c64', rounds: 11, durationS: 2 };
/** µs of work in each request that must be found. */
const PLANTED_US = 2;
/** What is found may be more than what was planted: the processor's caches and its clock are not asked. */
const MOST_FOUND_US = 3 * PLANTED_US;

const OWN = 'sluice';
const AGAIN = 'sluice again';
const PLANTED = `sluice + ${PLANTED_US} µs`;

/** sluice, itself again, and one with planted work, all of the same tree. @param {string} root @param {readonly string[]} flags */
export function selfCheckCandidates(root, flags) {
  const preload = fileURLToPath(new URL('planted-work.mjs', import.meta.url));
  const env = { NODE_OPTIONS: `--import=${preload}`, PLANTED_US: String(PLANTED_US), PLANTED_ROOT: root };
  return [sluice(OWN, root, flags), sluice(AGAIN, root, flags), sluice(PLANTED, root, flags, env)];
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

function evenVerdict(again, own) {
  const ratio = ratioOf(again, own);
  const isGood = ratio.low <= 1 && ratio.high >= 1;
  const said = `sluice against itself: ratio ${ratio.median.toFixed(3)}, rounds from ${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`;
  return { isGood, sentence: `${said}: 1.0 is ${isGood ? '' : 'NOT '}within them` };
}

/** Each round's planted cost beside the mean of the two plain ones next to it. */
function plantedVerdict(planted, own, again) {
  const more = planted.map((cost, round) => cost - (own[round] + again[round]) / 2);
  const { low, high } = medianInterval(more);
  const isGood = low > 0 && median(more) < MOST_FOUND_US;
  const said = `${PLANTED_US} µs planted in each request: found ${median(more).toFixed(2)} µs, in 95 of 100 runs ${low.toFixed(2)} to ${high.toFixed(2)}`;
  return { isGood, sentence: `${said}: ${isGood ? 'detected' : 'NOT detected'}` };
}
