/** The command line of `npm run chaos`. */
import { parseArgs } from 'node:util';
import type { FrontEndName } from '../../src/config/plan.js';
import { FRONT_ENDS } from '../harness/front-ends.js';

/** What was asked for. */
export interface ChaosArguments {
  /** How long, over all front ends; 0: each scenario once. */
  readonly minutes: number;
  readonly seed: number;
  readonly frontends: readonly FrontEndName[];
  /** Names of scenarios; empty: all. */
  readonly scenarios: readonly string[];
  /** How many times as long as in `npm test` faults last. */
  readonly pace: number;
  /** Folder for the reports; null: test/chaos/results. */
  readonly out: string | null;
  readonly isList: boolean;
  readonly isHelp: boolean;
}

const LONGEST_MINUTES = 10_000;
const LARGEST_SEED = 999_999;
const DEFAULT_PACE = 3;

export const USAGE = `npm run chaos -- [options]

  --minutes N           plays scenarios for so long, in a drawn order; without it each one once
  --seed N              the same seed gives the same order, faults, times and load; without it a new one, which is told
  --frontend NAME       native or uws; without it both, each for half of the time
  --scenario NAME[,…]   only these scenarios; may be given several times
  --pace N              faults last N times as long as scenarios say, 0.1 to 100 (${DEFAULT_PACE})
  --out DIR             folder for the reports (test/chaos/results)
  --list                what scenarios there are
  --help                this text

Exit code: 0 every promise was kept, 1 one was not, 2 it could not be run.`;

/** @param freshSeed taken where none is given. @throws Error with a sentence for the user when an option is unknown or of no use */
export function chaosArguments(words: readonly string[], freshSeed: number): ChaosArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      minutes: { type: 'string', default: '0' },
      seed: { type: 'string', default: String(freshSeed % (LARGEST_SEED + 1)) },
      frontend: { type: 'string' },
      scenario: { type: 'string', multiple: true, default: [] },
      pace: { type: 'string', default: String(DEFAULT_PACE) },
      out: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { frontend } = values;
  const frontends = FRONT_ENDS.filter((name) => frontend === undefined || name === frontend);
  if (frontends.length === 0) throw new Error(`--frontend is ${frontend}, but must be ${FRONT_ENDS.join(' or ')}`);
  return {
    minutes: numberOf('--minutes', values.minutes, 0, LONGEST_MINUTES),
    seed: numberOf('--seed', values.seed, 0, LARGEST_SEED),
    frontends,
    scenarios: values.scenario.flatMap((names) => names.split(',')).filter((name) => name !== ''),
    pace: numberOf('--pace', values.pace, 0.1, 100),
    out: values.out ?? null,
    isList: values.list,
    isHelp: values.help,
  };
}

function numberOf(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  const isWhole = flag !== '--seed' || Number.isInteger(number);
  if (text.trim() !== '' && isWhole && number >= least && number <= most) return number;
  throw new Error(`${flag} is ${text}, but must be a ${isWhole ? '' : 'whole '}number from ${least} to ${most}`);
}
