/** Turns the words of a command line into a typed command. Pure: prints nothing, ends nothing. */
import type { ConfigFlags } from '../config/flags.js';
import { nearestName } from '../config/nearest-name.js';
import { type BenchOptions, benchOptionsOf } from './bench-arguments.js';
import {
  COMMAND_WORDS,
  COMMANDS,
  type CommandName,
  FLAGS,
  type Flag,
  TERMINAL_COMMANDS,
  type TerminalCommandName,
} from './flags.js';
import {
  type GivenTarget,
  type GivenWords,
  type TerminalCommand,
  targetOf,
  terminalCommandOf,
} from './terminal/terminal-arguments.js';
import type { UsageProblem } from './usage-problem.js';

/** What the user wants. `usage-error` lists every problem of the command line: exit code 1. */
export type Arguments =
  | { readonly kind: 'run'; readonly configFile: string | null; readonly flags: ConfigFlags }
  | {
      readonly kind: 'check';
      readonly configFile: string | null;
      readonly flags: ConfigFlags;
      readonly isPrinting: boolean;
    }
  | { readonly kind: 'demo'; readonly flags: ConfigFlags }
  | { readonly kind: 'bench'; readonly options: BenchOptions }
  | { readonly kind: 'terminal'; readonly target: GivenTarget; readonly command: TerminalCommand }
  | { readonly kind: 'help'; readonly command: CommandName | null }
  | { readonly kind: 'version' }
  | { readonly kind: 'usage-error'; readonly command: CommandName | null; readonly problems: readonly UsageProblem[] };

/**
 * Reads a command line. Values are taken as `--flag value`, `--flag=value`, `-f value` or `-fvalue`; what they mean is the
 * configuration's business. Thread: primary.
 *
 * @param words `process.argv` without node and the script
 */
export function parseArguments(words: readonly string[]): Arguments {
  const [first, ...others] = words;
  if (first === undefined || first.startsWith('-')) return parseCommand('run', words, true);
  const command = COMMANDS.find((name) => name === first);
  if (command !== undefined) return parseCommand(command, others, false);
  if (first === 'help') return parseHelp(others);
  return { kind: 'usage-error', command: null, problems: [unknownCommand(first)] };
}

function parseHelp(words: readonly string[]): Arguments {
  const [topic] = words;
  if (topic === undefined) return { kind: 'help', command: null };
  const command = COMMANDS.find((name) => name === topic);
  return command === undefined
    ? { kind: 'usage-error', command: null, problems: [unknownCommand(topic)] }
    : { kind: 'help', command };
}

function unknownCommand(word: string): UsageProblem {
  if (/\.(ya?ml|json)$/i.test(word))
    return { sentence: `"${word}" is not a command`, hint: `for a configuration file write: sluice -c ${word}` };
  const nearest = nearestName(word, [...COMMANDS, 'help']);
  return {
    sentence: `"${word}" is not a command`,
    hint: nearest === null ? `the commands are ${COMMANDS.join(', ')}` : `did you mean ${nearest}?`,
  };
}

/** Values by flag name, in the order given. */
type Given = Map<string, string[]>;

function parseCommand(command: CommandName, words: readonly string[], isImplicit: boolean): Arguments {
  const { given, others, problems } = readFlags(command, words);
  // Help and version answer whatever else is on the line: who asks for help has a line that is not right yet.
  if (given.has('help')) return { kind: 'help', command: isImplicit ? null : command };
  if (given.has('version')) return { kind: 'version' };
  problems.push(...wordProblems(command, others));
  if (problems.length > 0) return { kind: 'usage-error', command: isImplicit ? null : command, problems };
  const flags = configFlagsOf(given);
  const configFile = given.get('config')?.[0] ?? null;
  if (isTerminal(command)) return parseTerminal(command, { values: (name) => given.get(name) ?? [], words: others });
  switch (command) {
    case 'run':
      return { kind: 'run', configFile, flags };
    case 'check':
      return { kind: 'check', configFile, flags, isPrinting: given.has('print') };
    case 'demo':
      return { kind: 'demo', flags };
    case 'bench': {
      const options = benchOptionsOf((name) => given.get(name)?.[0]);
      return Array.isArray(options) ? { kind: 'usage-error', command, problems: options } : { kind: 'bench', options };
    }
  }
}

function isTerminal(command: CommandName): command is TerminalCommandName {
  return TERMINAL_COMMANDS.some((name) => name === command);
}

function parseTerminal(name: TerminalCommandName, given: GivenWords): Arguments {
  const command = terminalCommandOf(name, given);
  return Array.isArray(command)
    ? { kind: 'usage-error', command: name, problems: command }
    : { kind: 'terminal', target: targetOf(given), command };
}

/** Words that are missing, or one too many. */
function wordProblems(command: CommandName, words: readonly string[]): UsageProblem[] {
  const wanted = COMMAND_WORDS[command] ?? [];
  const missing = wanted.slice(words.length);
  if (missing.length > 0) {
    return [{ sentence: `${missing.join(' and ')} is missing`, hint: `write: sluice ${command} ${wanted.join(' ')}` }];
  }
  return words.slice(wanted.length).map((word) => strayWord(word, command));
}

function configFlagsOf(given: Given): ConfigFlags {
  const entries = FLAGS.flatMap((flag) => {
    const values = flag.sets === null ? undefined : given.get(flag.name);
    if (values === undefined) return [];
    return [[flag.sets, flag.isRepeatable ? values : values[0]] as const];
  });
  return Object.fromEntries(entries) as ConfigFlags; // keys and kinds of values come from the table, which `sets` ties to ConfigFlags
}

/** `others`: words that belong to no flag. */
function readFlags(
  command: CommandName,
  words: readonly string[],
): { given: Given; others: string[]; problems: UsageProblem[] } {
  const given: Given = new Map();
  const others: string[] = [];
  const problems: UsageProblem[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (!word.startsWith('-') || word === '-' || word === '--' || /^-\d/.test(word)) {
      others.push(word);
      continue;
    }
    const { written, flag, attached } = splitFlag(word);
    if (flag === undefined) {
      problems.push(unknownFlag(written, command));
      // What follows an unknown flag is most likely its value: one slip, one problem.
      if (attached === null && isValue(words[i + 1])) i++;
      continue;
    }
    let value = attached;
    if (flag.value !== null && value === null && isValue(words[i + 1])) value = words[++i] ?? null;
    const problem = problemOf(flag, written, value, command, given);
    if (problem !== null) problems.push(problem);
    else given.set(flag.name, [...(given.get(flag.name) ?? []), value ?? '']);
  }
  return { given, others, problems };
}

/** May this word be a flag's value? `-` and negative numbers may; another flag may not. */
function isValue(word: string | undefined): boolean {
  return word !== undefined && (!word.startsWith('-') || word === '-' || /^-\d/.test(word));
}

interface SplitFlag {
  /** The flag as it was typed, without a value. */
  readonly written: string;
  readonly flag: Flag | undefined;
  /** A value in the same word; null without one. */
  readonly attached: string | null;
}

/** `--name`, `--name=value`, `-n`, `-nvalue`, `-n=value` */
function splitFlag(word: string): SplitFlag {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const written = equals < 0 ? word : word.slice(0, equals);
    return {
      written,
      flag: FLAGS.find(({ name }) => `--${name}` === written),
      attached: equals < 0 ? null : word.slice(equals + 1),
    };
  }
  const flag = FLAGS.find(({ short }) => short !== null && word.startsWith(`-${short}`));
  const rest = word.slice(2).replace(/^=/, '');
  const isWhole = flag !== undefined && (flag.value !== null || word.length === 2);
  return isWhole
    ? { written: word.slice(0, 2), flag, attached: word.length > 2 ? rest : null }
    : { written: word, flag: undefined, attached: null };
}

function problemOf(
  flag: Flag,
  written: string,
  value: string | null,
  command: CommandName,
  given: Given,
): UsageProblem | null {
  if (!flag.commands.includes(command)) {
    return {
      sentence: `${written} does not belong to the command ${command}`,
      hint: `it belongs to ${flag.commands.join(', ')}`,
    };
  }
  if (flag.value === null) {
    return value === null ? null : { sentence: `${written} takes no value`, hint: `write ${written} alone` };
  }
  if (value === null || value === '')
    return { sentence: `${written} needs a value`, hint: `write ${written} ${flag.value}` };
  if (given.has(flag.name) && !flag.isRepeatable)
    return { sentence: `${written} is given twice`, hint: 'keep one of them' };
  return null;
}

function unknownFlag(written: string, command: CommandName): UsageProblem {
  const sentence = `${written} is not a known flag`;
  const known = FLAGS.filter((flag) => flag.commands.includes(command)).map((flag) => flag.name);
  const nearest = nearestName(written.replace(/^-+/, ''), known);
  if (nearest !== null) return { sentence, hint: `did you mean --${nearest}?` };
  return { sentence, hint: `sluice ${command} --help lists the flags` };
}

function strayWord(word: string, command: CommandName): UsageProblem {
  if (/\.(ya?ml|json)$/i.test(word))
    return { sentence: `"${word}" is not expected here`, hint: `for a configuration file write: -c ${word}` };
  if (COMMANDS.some((name) => name === word))
    return { sentence: `the command ${word} must come first`, hint: `write: sluice ${word} …` };
  const hint = isTerminal(command)
    ? `write: sluice ${[command, ...(COMMAND_WORDS[command] ?? [])].join(' ')}`
    : 'values follow a flag: sluice --upstream 127.0.0.1:9001';
  return { sentence: `"${word}" is not expected here`, hint };
}
