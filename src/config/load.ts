/** Loads a configuration: file, flags, schema, checks over the whole. Every problem is reported at once. */
import type { z } from 'zod';
import { crossCheck } from './cross-checks.js';
import { type ConfigDocument, readDocument } from './document.js';
import { type ConfigFlags, mergeFlags } from './flags.js';
import { Locator } from './locator.js';
import type { Machine } from './machine.js';
import { type Problem, pathText, sourceText, type Warning } from './problem.js';
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
  return {
    ok: true,
    config: checked.data,
    warnings: inOrder(warningsOf(checked.data, merged.value, locator, source.machine)),
  };
}

/** Sentences for what the operating system says; the rest is told with its code. */
const FILE_FAILURES: Readonly<Record<string, readonly [sentence: string, hint: string]>> = {
  ENOENT: ['the file does not exist', 'check the path; it is relative to the current directory'],
  ENOTDIR: ['the file does not exist: a part of its path is not a directory', 'check the path'],
  EACCES: [
    'the file may not be read by this process',
    'check the permissions of the file and of the directories above it',
  ],
  EPERM: [
    'the file may not be read by this process',
    'check the permissions of the file and of the directories above it',
  ],
  EISDIR: ['this is a directory, not a file', 'name the file in it, e.g. sluice.yaml'],
  ELOOP: ['the path is a loop of symbolic links', 'name the file itself'],
  ENAMETOOLONG: ['the path is too long for this file system', 'check the path'],
};

function readConfigFile(file: string, readFile: ConfigSource['readFile']): ReturnType<typeof readDocument> {
  let bytes: Uint8Array;
  try {
    bytes = readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const [sentence, hint] = FILE_FAILURES[code] ?? [`the file cannot be read (${code})`, 'check the path'];
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
