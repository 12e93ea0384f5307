/** Help texts and usage errors, written from the table of flags. */
import type { FlagEntry } from '../config/docs/reference.js';
import {
  COMMAND_SENTENCES,
  COMMAND_WORDS,
  COMMANDS,
  type CommandName,
  FLAGS,
  type Flag,
  TERMINAL_COMMANDS,
} from './flags.js';
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
  status: ['sluice status', 'sluice status --json --admin 127.0.0.1:9900'],
  top: ['sluice top', 'sluice top --sort p99 --only api'],
  drain: ['sluice drain 10.0.0.1:9001 --timeout 30s --wait', 'sluice drain api/10.0.0.1:9001'],
  undrain: ['sluice undrain 10.0.0.1:9001'],
  weight: ['sluice weight api/10.0.0.1:9001 5'],
  reload: ['sluice reload', 'sluice reload -c sluice.yaml'],
  explain: ["sluice explain GET http://example.com/api/users -H 'Cookie: session=7' --client 192.0.2.1"],
};

/**
 * The help of a command, or of sluice as a whole.
 *
 * @param command null: the overview, with the flags of `run`
 */
export function helpText(command: CommandName | null): string {
  const shown = command ?? 'run';
  const flags = FLAGS.filter((flag) => !flag.isLater && flag.commands.includes(shown));
  const heading =
    command === null ? overview() : [`sluice ${command}: ${COMMAND_SENTENCES[command]}`, '', usageOf(command)];
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
    exitCodes(shown),
  ];
  return `${lines.join('\n')}\n`;
}

function exitCodes(command: CommandName): string {
  if (command === 'bench') {
    return 'Exit codes: 0 well, 1 bad usage, an address that does not answer, or answers with errors.';
  }
  if (isTerminal(command)) return 'Exit codes: 0 well, 1 bad usage or refused, 2 sluice does not answer.';
  return 'Exit codes: 0 well, 1 bad configuration or usage, 2 could not start.';
}

function isTerminal(command: CommandName): boolean {
  return TERMINAL_COMMANDS.some((name) => name === command);
}

function usageOf(command: CommandName): string {
  return `Usage: sluice ${[command, ...(COMMAND_WORDS[command] ?? []), '[flags]'].join(' ')}`;
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
    commands: flag.commands.length === COMMANDS.length ? ['all'] : flag.commands,
  }));
}

function overview(): string[] {
  const width = Math.max(...COMMANDS.map((name) => name.length));
  return [
    'sluice: a load balancer and edge proxy.',
    '',
    'Usage: sluice [run] [flags]',
    '       sluice check | demo | status | top | reload [flags]',
    '       sluice bench --url URL [flags]',
    '       sluice drain | undrain [UPSTREAM/]ENDPOINT [flags]',
    '       sluice weight [UPSTREAM/]ENDPOINT N [flags]',
    '       sluice explain METHOD URL [flags]',
    '       sluice --version | --help | <command> --help',
    '',
    'Commands:',
    ...COMMANDS.map((name) => `  ${name.padEnd(width)}  ${COMMAND_SENTENCES[name]}`),
  ];
}

/** May a configuration file be given to this command? */
function takesFile(command: CommandName): boolean {
  return !isTerminal(command) && FLAGS.some(({ name, commands }) => name === 'config' && commands.includes(command));
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
