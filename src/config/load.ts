/** Loads a configuration: file, flags, schema, checks over the whole. Every problem is reported at once. */
import type { z } from 'zod';
import { crossCheck } from './cross-checks.js';
import { type ConfigDocument, readDocument } from './document.js';
import { fileFailure } from './file-failure.js';
import { type ConfigFlags, mergeFlags } from './flags.js';
import { Locator } from './locator.js';
import type { Machine } from './machine.js';
import { type Path, type Problem, pathText, sourceText, type Warning } from './problem.js';
import { type Config, configSchema } from './schema/config.js';
import { explainIssue } from './schema/explain-issue.js';
import { modeOf } from './schema/mode.js';
import { valueAt } from './schema/walk.js';
import { warningsOf } from './warnings.js';

/** Where a configuration comes from, and all I/O that reading it needs. */
export interface ConfigSource {
  /** Path of the file as the user gave it; null for flags alone. */
  readonly file: string | null;
  readonly flags: ConfigFlags;
  /** Reads a whole file; throws as `readFileSync` does. */
  readonly readFile: (path: string) => Uint8Array;
  readonly machine: Machine;
  /** Looks into the files that a valid configuration names; without any they are not looked into. */
  readonly examinations?: readonly ((config: Config) => Examination)[];
}

/** What is wrong with a file, or with this machine, for a setting; sentence and hint as a problem has them. */
export interface FileFinding {
  readonly path: Path;
  readonly sentence: string;
  readonly hint: string | null;
}

/** What an examination found. */
export interface Examination {
  readonly problems: readonly FileFinding[];
  readonly warnings: readonly FileFinding[];
}

/** A valid configuration with its warnings, or all problems in the order of file and lines. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Warning[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Loads and checks a configuration. Never throws for anything that a user wrote. Thread: primary. */
export function loadConfig(source: ConfigSource): LoadedConfig {
  const found: Problem[] = [];
  let document: ConfigDocument | null = null;
  if (source.file !== null) {
    const reading = readConfigFile(source.file, source.readFile);
    found.push(...reading.problems);
    if (reading.document === null) return { ok: false, problems: found };
    document = reading.document;
  }

  const merged = mergeFlags(document?.value ?? null, source.flags);
  const locator = new Locator(document, merged.origins);
  const checked = configSchema.safeParse(merged.value);
  const issues: readonly z.core.$ZodIssue[] = checked.success ? [] : checked.error.issues;
  const where = { schema: configSchema, values: merged.value, locator };
  found.push(
    ...merged.problems,
    ...issues.flatMap((issue) => explainIssue(issue, where)),
    ...crossCheck(merged.value, locator),
  );

  const problems = inOrder(withoutConsequences(found, merged.value));
  if (problems.length > 0 || !checked.success) return { ok: false, problems };
  const config = checked.data;
  const examined = (source.examinations ?? []).map((examine) => examine(config));
  const placed = (finding: FileFinding): Problem => ({
    source: locator.sourceOf(finding.path),
    path: pathText(finding.path),
    found: null,
    sentence: finding.sentence,
    hint: finding.hint,
  });
  const fileProblems = examined.flatMap((each) => each.problems.map(placed));
  if (fileProblems.length > 0) return { ok: false, problems: inOrder(fileProblems) };
  const fileWarnings = examined.flatMap((each) => each.warnings.map(placed));
  return {
    ok: true,
    config,
    warnings: inOrder([...warningsOf(config, merged.value, locator, source.machine), ...fileWarnings]),
  };
}

function readConfigFile(file: string, readFile: ConfigSource['readFile']): ReturnType<typeof readDocument> {
  let bytes: Uint8Array;
  try {
    bytes = readFile(file);
  } catch (error) {
    const { sentence, hint } = fileFailure(file, error);
    return {
      document: null,
      problems: [{ source: { kind: 'flag', flag: '--config', value: file }, path: '', found: null, sentence, hint }],
    };
  }
  return readDocument(file, bytes);
}

/**
 * Leaves out what only follows from another problem: an l7 listener with `upstream` lacks routes, and its author learns enough
 * from "belongs to mode l4". The same slip of one flag is told once.
 */
function withoutConsequences(problems: readonly Problem[], values: unknown): Problem[] {
  const consequences = new Set<string>();
  const listeners = valueAt(values, ['listeners']);
  for (const [index, listener] of (Array.isArray(listeners) ? listeners : []).entries()) {
    const isMeantL4 = modeOf(listener) === 'l7' && valueAt(listener, ['upstream']) !== undefined;
    if (isMeantL4 && valueAt(listener, ['routes']) === undefined)
      consequences.add(pathText(['listeners', index, 'routes']));
  }
  const told = new Set<string>();
  return problems.filter((problem) => {
    if (consequences.has(problem.path)) return false;
    const where =
      problem.source.kind === 'flag' ? sourceText(problem.source) : `${sourceText(problem.source)} ${problem.path}`;
    const key = `${where} ${problem.sentence}`;
    if (told.has(key)) return false;
    told.add(key);
    return true;
  });
}

/** Command line first, then the file from top to bottom; the order of finding breaks ties. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ source }: Problem): readonly [number, number] =>
    source.kind === 'file' ? [source.line, source.column] : [0, 0];
  return [...problems].sort((a, b) => {
    const [lineA, columnA] = rank(a);
    const [lineB, columnB] = rank(b);
    return lineA - lineB || columnA - columnB;
  });
}
