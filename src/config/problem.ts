/** What is wrong with a configuration: one finding for each problem, with its place, what was found and how to mend it. */

/** A step into a configuration: a key of a section or an index of a list. */
export type PathStep = string | number;
export type Path = readonly PathStep[];

/** Where a problem stands: a place in the file (line and column from 1), a flag as it was typed, or the command line as a whole. */
export type ProblemSource =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'flag'; readonly flag: string; readonly value: string }
  | { readonly kind: 'command-line' };

/** One problem (the configuration is refused) or one warning (it is accepted). Plain data. */
export interface Problem {
  readonly source: ProblemSource;
  /** e.g. `upstreams.api.endpoints[1].weight`; '' for the file as a whole. */
  readonly path: string;
  /** The value that stands there, as short text; null when nothing stands there. */
  readonly found: string | null;
  /** What is wrong and what was expected; reads on from the path: "is -1, but must be a whole number from 0 to 1000". */
  readonly sentence: string;
  /** What to do, e.g. "did you mean least-conn?"; null when the sentence says it all. */
  readonly hint: string | null;
}

/** The same form; a separate name where only warnings are meant. */
export type Warning = Problem;

/** Writes a path the way users write it: `listeners[0].timeouts.keepAlive`; keys with other characters stand in quotes. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

const LONGEST_SHOWN = 60;

/** Writes a found value for a sentence: text in quotes, sections and lists by their kind, everything short. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'empty';
  if (typeof value === 'string') {
    const shown = value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value;
    return JSON.stringify(shown);
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a section';
  return String(value);
}

/** Joins a found value and what was expected: "is -1, but must be …", "is missing: it must be …". */
export function mustBe(value: unknown, expected: string): string {
  if (value === undefined) return `is missing: it must be ${expected}`;
  return `is ${valueText(value)}, but must be ${expected}`;
}

/** "a, b or c" */
export function listText(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** The place of a problem: "sluice.yaml:12:7", "--balance least-con". */
export function sourceText(source: ProblemSource): string {
  switch (source.kind) {
    case 'file':
      return `${source.file}:${source.line}:${source.column}`;
    case 'flag':
      return source.value === '' ? source.flag : `${source.flag} ${source.value}`;
    case 'command-line':
      return 'command line';
  }
}
