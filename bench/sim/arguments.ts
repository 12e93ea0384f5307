/** The command line of `npm run simulate`. */
import { parseArgs } from 'node:util';

/** What was asked for. */
export interface SimulateArguments {
  /** Names of stories; empty: all. */
  readonly stories: readonly string[];
  readonly isList: boolean;
  readonly isHelp: boolean;
  readonly isQuick: boolean;
  readonly seed: number;
  /** Folder for page and pictures; null: the documentation itself. */
  readonly out: string | null;
}

/** The seed of the figures in the documentation. */
export const DEFAULT_SEED = 1;

export const USAGE = `npm run simulate -- [options]

  --story NAME[,NAME…]  only these stories; may be given several times
  --list                what stories there are
  --seed N              another seed (${DEFAULT_SEED} without it); the same seed gives the same figures
  --quick               short runs, as the tests make them; does not change the documentation
  --out DIR             writes DIR/balancing.md and DIR/images/ instead of docs/
  --help                this text

Without --out and --quick the generated parts of docs/balancing.md and docs/images/balancing are written anew.`;

/** @throws Error with a sentence for the user when an option is unknown or its value is of no use */
export function simulateArguments(words: readonly string[]): SimulateArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      story: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      quick: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(DEFAULT_SEED) },
      out: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > 999_999)
    throw new Error(`--seed is ${values.seed}, but must be a whole number from 0 to 999999`);
  return {
    stories: values.story.flatMap((names) => names.split(',')).filter((name) => name !== ''),
    isList: values.list,
    isHelp: values.help,
    isQuick: values.quick,
    seed,
    out: values.out ?? null,
  };
}

/** @throws Error that names the nearest thing to do when a story is not known */
export function chosen<Named extends { readonly name: string }>(
  all: readonly Named[],
  names: readonly string[],
): readonly Named[] {
  for (const name of names)
    if (!all.some((one) => one.name === name))
      throw new Error(`there is no story "${name}": --list shows those there are`);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}
