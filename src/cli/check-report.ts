/** Writes problems and warnings of a configuration for people: place, path, sentence, hint, and a closing line with counts. */
import { type Problem, sourceText, type Warning } from '../config/problem.js';

/** Colours text; `plain` leaves it as it is. */
export interface Paint {
  readonly problem: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly place: (text: string) => string;
}

const SGR = { red: 31, yellow: 33, bold: 1 } as const;
const coloured = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const unchanged = (text: string) => text;

/**
 * Colours for a terminal; none when the stream is no terminal or NO_COLOR is set (https://no-color.org).
 *
 * @param environment e.g. process.env
 */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Paint {
  const isColoured = stream.isTTY === true && (environment.NO_COLOR ?? '') === '';
  if (!isColoured) return { problem: unchanged, warning: unchanged, place: unchanged };
  return { problem: coloured(SGR.red), warning: coloured(SGR.yellow), place: coloured(SGR.bold) };
}

/**
 * The report on a configuration that was loaded.
 *
 * @param file    the configuration's file as the user gave it; null for flags alone
 * @returns lines without line ends; the last one counts
 */
export function reportLines(
  file: string | null,
  found: { problems: readonly Problem[]; warnings: readonly Warning[] },
  paint: Paint,
): string[] {
  return [
    ...found.problems.flatMap((problem) => findingLines(problem, paint.problem('error'), paint)),
    ...found.warnings.flatMap((warning) => findingLines(warning, paint.warning('warning'), paint)),
    closingLine(file, found.problems.length, found.warnings.length),
  ];
}

/** The lines of one problem or warning: "place: kind: path sentence", then the hint. */
export function findingLines(finding: Problem, kind: string, paint: Paint): string[] {
  const subject = finding.path === '' ? finding.sentence : `${finding.path} ${finding.sentence}`;
  const line = `${paint.place(sourceText(finding.source))}: ${kind}: ${subject}`;
  return finding.hint === null ? [line] : [line, `    ${finding.hint}`];
}

/** One line: place, path, sentence, hint. */
export function findingText({ source, path, sentence, hint }: Problem): string {
  const subject = path === '' ? sentence : `${path} ${sentence}`;
  return `${sourceText(source)}: ${subject}${hint === null ? '' : ` (${hint})`}`;
}

function closingLine(file: string | null, problems: number, warnings: number): string {
  const subject = file ?? 'the command line';
  if (problems > 0) return `${subject}: ${counted(problems, 'problem')}`;
  return warnings > 0 ? `${subject}: valid, ${counted(warnings, 'warning')}` : `${subject}: valid`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
