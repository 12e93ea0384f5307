/** Boils the rounds of a scenario down to what a person compares. Pure. */
import { median, ratioOf, spread } from '../statistics.mjs';

/** A processor that is busier than this was full. */
const FULL_SHARE = 0.95;

/**
 * @typedef {object} CandidateSummary
 * @property {string} name
 * @property {number} perSecond median
 * @property {{ median: number, min: number, spread: number } | null} cpuUs of the proxy for each request; null without a proxy
 * @property {number} machineUs median of the whole machine for each request
 * @property {Record<'p50' | 'p90' | 'p99' | 'p99.9' | 'max', number>} latencyUs medians over the rounds
 * @property {number} peakBytes
 * @property {number | null} idleBytes of the proxy for each idle connection
 * @property {number} errors over all rounds
 * @property {readonly string[]} wrong
 * @property {string} bottleneck
 * @property {Record<string, { min: number, median: number, low: number, high: number }>} ratios CPU for each request against each
 *   other candidate
 */

/** One summary for each candidate. @param {import('../run.mjs').ScenarioResult} result @returns {CandidateSummary[]} */
export function summarise(result) {
  const costs = new Map(
    result.candidates.map(({ name, rounds }) => [name, rounds.map((round) => round.cpuUsPerRequest)]),
  );
  const hasProxy = (name) => costs.get(name).every(Number.isFinite);
  return result.candidates.map((candidate) => {
    const { name, rounds } = candidate;
    const own = costs.get(name);
    const others = result.candidates.filter((other) => other.name !== name && hasProxy(other.name) && hasProxy(name));
    const at = (percentile) =>
      median(rounds.map(({ latencyUs }) => latencyUs.find(([point]) => point === percentile)?.[1] ?? Number.NaN));
    return {
      name,
      perSecond: median(rounds.map((round) => round.perSecond)),
      cpuUs: hasProxy(name) ? { median: median(own), min: Math.min(...own), spread: spread(own) } : null,
      machineUs: median(rounds.map((round) => round.machineUsPerRequest)),
      latencyUs: { p50: at(50), p90: at(90), p99: at(99), 'p99.9': at(99.9), max: at(100) },
      peakBytes: candidate.peakBytes,
      idleBytes: rounds.some(({ idleBytes }) => idleBytes === null)
        ? null
        : // The most of all rounds: what a proxy has kept from the round before is not asked for again.
          Math.max(...rounds.map(({ idleBytes }) => idleBytes)),
      errors: rounds.reduce((sum, round) => sum + round.errors, 0),
      wrong: [...new Set(rounds.map(({ wrong }) => wrong).filter((wrong) => wrong !== null))],
      bottleneck: bottleneckOf(candidate),
      ratios: Object.fromEntries(others.map((other) => [other.name, ratioOf(own, costs.get(other.name))])),
    };
  });
}

/** Did every candidate answer everything rightly? @param {readonly CandidateSummary[]} summaries */
export function isSound(summaries) {
  return summaries.every(({ errors, wrong, perSecond }) => errors === 0 && wrong.length === 0 && perSecond > 0);
}

/** What kept a candidate from more: its own processor, or those of load and endpoint. @param {CandidateResult} candidate */
export function bottleneckOf({ rounds }) {
  const mean = (pick) => rounds.reduce((sum, round) => sum + pick(round), 0) / rounds.length;
  const proxy = mean(({ busyShare }) => busyShare.proxy);
  const load = mean(({ busyShare }) => busyShare.load);
  if (proxy >= FULL_SHARE && load >= FULL_SHARE) return 'both';
  if (proxy >= FULL_SHARE) return 'proxy';
  if (load >= FULL_SHARE) return 'load, endpoint';
  return 'none full';
}

/**
 * The candidate that ratios are of: nginx if it took part, else the first other proxy, else the other commit, else sluice.
 *
 * @param {readonly CandidateSummary[]} summaries @returns {string} its name
 */
export function referenceOf(summaries) {
  const proxies = summaries.filter(({ cpuUs }) => cpuUs !== null).map(({ name }) => name);
  const wanted = [
    (name) => name === 'nginx',
    (name) => !name.startsWith('sluice'),
    (name) => name.startsWith('sluice@'),
    () => true,
  ];
  return wanted.map((isIt) => proxies.find(isIt)).find((name) => name !== undefined) ?? summaries[0].name;
}
