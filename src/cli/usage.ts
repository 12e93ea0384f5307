/** Help texts and usage errors, written from the table of flags. */
import type { FlagEntry } from '../config/docs/reference.js';
import { COMMAND_SENTENCES, COMMANDS, type CommandName, FLAGS, type Flag } from './flags.js';
import type { UsageProblem } from './usage-problem.js';

/** Help lines are broken so that they fit a terminal of 100 columns. */
const WIDTH = 100;
const INDENT = '      ';

const EXAMPLES: Readonly<Record<CommandName, readonly string[]>> = {
  run: [
    'sluice -c sluice.yaml',
    'sluice --listen :8080 --upstream 127.0.0.1:9001 --upstream 127.0.0.1:9002,weight=2 --balance least-time',
    'sluice --mode l4 --listen :5432 --upstream 10.0.0.1:5432 --upstream 10.0.0.2:5432,backup',
  ],
  check: ['sluice check -c sluice.yaml', 'sluice check -c sluice.yaml --print > effective.yaml'],
  demo: ['sluice demo', 'sluice demo --balance least-time --workers 4'],
  bench: ['sluice bench --url http://127.0.0.1:8080/ --connections 64 --duration 10'],
};

/**
 * The help of a command, or of sluice as a whole.
 *
 * @param command null: the overview, with the flags of `run`
 */
export function helpText(command: CommandName | null): string {
  const shown = command ?? 'run';
  const flags = FLAGS.filter((flag) => !flag.isLater && flag.commands.includes(shown));
  const heading = command === null ? overview() : [`sluice ${command}: ${COMMAND_SENTENCES[command]}`];
  const lines = [
    ...heading,
    '',
    command === null ? 'Flags of run:' : 'Flags:',
    ...flags.flatMap(flagLines),
    '',
    'Examples:',
    ...(command === null ? COMMANDS.flatMap((name) => EXAMPLES[name]) : EXAMPLES[shown]).map(
      (example) => `  ${example}`,
    ),
    ...(takesFile(shown) ? ['', ...overrideLines()] : []),
    '',
    shown === 'bench'
      ? 'Exit codes: 0 well, 1 bad usage, an address that does not answer, or answers with errors.'
      : 'Exit codes: 0 well, 1 bad configuration or usage, 2 could not start.',
  ];
  return `${lines.join('\n')}\n`;
}

/** What is printed for a usage error, on standard error. */
export function usageErrorText(command: CommandName | null, problems: readonly UsageProblem[]): string {
  const lines = problems.flatMap(({ sentence, hint }) => [
    `sluice: ${sentence}`,
    ...(hint === null ? [] : [`  ${hint}`]),
  ]);
  return `${[...lines, `Try: sluice ${command === null ? '' : `${command} `}--help`].join('\n')}\n`;
}

/** A flag as help texts and docs name it: "-u, --upstream HOST:PORT". */
export function flagTitle(flag: Flag): string {
  const short = flag.short === null ? '' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === null ? '' : ` ${flag.value}`}`;
}

/** The table of flags as docs/configuration.md prints it. */
export function flagEntries(): FlagEntry[] {
  return FLAGS.map((flag) => ({
    title: flagTitle(flag),
    sentence: flag.sentence,
    default: flag.default,
    isLater: flag.isLater,
    commands: flag.commands,
  }));
}

function overview(): string[] {
  const width = Math.max(...COMMANDS.map((name) => name.length));
  return [
    'sluice: a load balancer and edge proxy.',
    '',
    'Usage: sluice [run] [flags]',
    '       sluice check [flags]',
    '       sluice demo [flags]',
    '       sluice bench --url URL [flags]',
    '       sluice --version | --help | <command> --help',
    '',
    'Commands:',
    ...COMMANDS.map((name) => `  ${name.padEnd(width)}  ${COMMAND_SENTENCES[name]}`),
  ];
}

/** May a configuration file be given to this command? */
function takesFile(command: CommandName): boolean {
  return FLAGS.some(({ name, commands }) => name === 'config' && commands.includes(command));
}

function overrideLines(): string[] {
  return [
    'With -c, flags override the file: --balance and --health-check every upstream, --accept every listener,',
    '--frontend those of mode l7, --relay those of mode l4; --listen and --upstream replace the address of',
    'its only listener and the endpoints of its only upstream. --mode cannot change listeners of the file.',
  ];
}

function flagLines(flag: Flag): string[] {
  const preset = flag.default === null ? '' : ` Default: ${flag.default}.`;
  return [
    `  ${flagTitle(flag)}`,
    ...wrap(`${flag.sentence}${preset}`, WIDTH - INDENT.length).map((line) => `${INDENT}${line}`),
  ];
}

function wrap(sentence: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
