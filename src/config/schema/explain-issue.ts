/** Turns what zod found into problems: place, value, what was expected, and the nearest name for a typo. */
import { z } from 'zod';
import type { Locator } from '../locator.js';
import { nearestName } from '../nearest-name.js';
import { listText, mustBe, type Path, type PathStep, type Problem, pathText, valueText } from '../problem.js';
import type { FieldIssue } from './field.js';
import type { Mode } from './mode.js';
import { NAME_FORM } from './name.js';
import { keysOfOtherMode, otherModeProblem } from './other-mode.js';
import {
  type AnySchema,
  descriptionOf,
  knownKeys,
  schemaAt,
  sectionChoices,
  sectionOf,
  unwrap,
  valueAt,
} from './walk.js';

/** What explaining an issue needs: the schema it came from, the values that were checked, and where they stand. */
export interface ExplainContext {
  readonly schema: AnySchema;
  readonly values: unknown;
  readonly locator: Locator;
}

type Issue = z.core.$ZodIssue;
type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;

/** The problems that one issue stands for. Pure. */
export function explainIssue(issue: Issue, where: ExplainContext): Problem[] {
  return explain(issue, issue.path.map(toStep), where);
}

function explain(issue: Issue, path: Path, where: ExplainContext): Problem[] {
  const value = valueAt(where.values, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, where));
    case 'invalid_union':
      return explainUnion(issue, path, value, where);
    case 'custom': {
      const { expected, hint } = issue.params as unknown as FieldIssue;
      return [problem(path, value, mustBe(value, expected), hint, where)];
    }
    case 'invalid_type':
      return [wrongKind(path, value, kindText(issue.expected), where)];
    case 'invalid_value':
      return [problem(path, value, mustBe(value, listText(issue.values.map(String))), null, where)];
    case 'too_small':
      return [
        problem(path, value, 'is an empty list, but must hold at least one entry', descriptionAt(path, where), where),
      ];
    case 'invalid_key':
      return [problem(path, null, `is not a possible name: it must be ${NAME_FORM}`, null, where, 'key')];
    default:
      return [problem(path, value, mustBe(value, 'something else'), issue.message, where)];
  }
}

/** One of several sections, or `off` (or another word) or a section: who writes a section is told what is wrong inside it. */
function explainUnion(issue: UnionIssue, path: Path, value: unknown, where: ExplainContext): Problem[] {
  const schema = schemaAt(where.schema, path, where.values);
  const union = schema === null ? null : unwrap(schema);
  const choose = union instanceof z.ZodUnion ? sectionChoices.get(union) : undefined;
  if (union instanceof z.ZodUnion && choose !== undefined) {
    const options: readonly (AnySchema | null)[] = union.options;
    const issues = issue.errors[options.indexOf(choose(value))] ?? issuesOfAll(issue.errors);
    return issues.flatMap((one) => explain(one, [...path, ...one.path.map(toStep)], where));
  }
  const isSectionIssue = (issues: readonly Issue[]) =>
    !issues.some((one) => one.path.length === 0 && (one.code === 'invalid_type' || one.code === 'invalid_value'));
  const inside = issue.errors.find(isSectionIssue);
  if (inside !== undefined) return inside.flatMap((one) => explain(one, [...path, ...one.path.map(toStep)], where));
  const words = issue.errors.flat().flatMap((one) => (one.code === 'invalid_value' ? one.values.map(String) : []));
  const [first = 'off', ...others] = words;
  const keys = knownKeys(where.schema, path, where.values);
  const meant = value === false ? first : typeof value === 'string' ? nearestName(value, words) : null;
  const hint =
    meant !== null ? `did you mean ${meant}?` : keys.length === 0 ? null : `a section has the keys ${listText(keys)}`;
  return [problem(path, value, mustBe(value, `${[first, ...others].join(', ')} or a section`), hint, where)];
}

/** What is wrong whichever section was meant: nothing else can be told while `mode` holds nothing known. */
function issuesOfAll([first = [], ...others]: readonly (readonly Issue[])[]): readonly Issue[] {
  return first.flatMap((issue): Issue[] => {
    const same = others.map((issues) => issues.find((other) => isSameKind(issue, other)));
    if (same.includes(undefined)) return [];
    if (issue.code !== 'unrecognized_keys') return [issue];
    const keys = issue.keys.filter((key) =>
      same.every((other) => other?.code === issue.code && other.keys.includes(key)),
    );
    return keys.length === 0 ? [] : [{ ...issue, keys }];
  });
}

function isSameKind(one: Issue, other: Issue): boolean {
  return one.code === other.code && pathText(one.path.map(toStep)) === pathText(other.path.map(toStep));
}

function unknownKey(path: Path, key: string, where: ExplainContext): Problem {
  const own = [...path, key];
  const report = (sentence: string, hint: string | null): Problem =>
    problem(own, valueAt(where.values, own), sentence, hint, where, 'key');
  const modeIs = (mode: Mode): string => (where.locator.hasFile ? `mode: ${mode}` : `--mode ${mode}`);
  const misplaced = otherModeProblem(own, where.values, modeIs);
  if (misplaced !== null) return report(misplaced.sentence, misplaced.hint);
  return report('is not a known setting', hintForUnknown(path, key, where));
}

function hintForUnknown(path: Path, key: string, where: ExplainContext): string {
  if (key === '<<') return 'merge keys (<<) are not supported; a whole value may be an alias (*name)';
  const keys = knownKeys(where.schema, path, where.values);
  const nearest = nearestName(key, keys);
  if (nearest !== null) return `did you mean ${nearest}?`;
  const other = keysOfOtherMode(path, where.values);
  const nearestThere = other === null ? null : nearestName(key, other.keys);
  if (nearestThere !== null) return `${nearestThere}, if that was meant, belongs to mode ${other?.mode}`;
  return `known here: ${keys.join(', ')}`;
}

function wrongKind(path: Path, value: unknown, kind: string, where: ExplainContext): Problem {
  const schema = schemaAt(where.schema, path, where.values);
  const section = schema === null ? null : sectionOf(schema, value);
  if (value === null) {
    const remove =
      section === null
        ? 'write its value, or remove the line'
        : `give it one of the keys ${listText(Object.keys(section.shape))}, or remove the line`;
    return problem(path, value, `is empty, but must be ${kind}`, remove, where);
  }
  const hint =
    section === null || value === undefined
      ? descriptionAt(path, where)
      : `a section has the keys ${listText(Object.keys(section.shape))}`;
  return problem(path, value, mustBe(value, kind), hint, where);
}

function descriptionAt(path: Path, where: ExplainContext): string | null {
  const schema = schemaAt(where.schema, path, where.values);
  return schema === null ? null : descriptionOf(schema) || null;
}

function kindText(expected: string): string {
  return expected === 'array'
    ? 'a list'
    : expected === 'object' || expected === 'record'
      ? 'a section'
      : `a ${expected}`;
}

function problem(
  path: Path,
  value: unknown,
  sentence: string,
  hint: string | null,
  where: ExplainContext,
  part: 'key' | 'value' = 'value',
): Problem {
  return {
    source: where.locator.sourceOf(path, part),
    path: pathText(path),
    found: value === undefined ? null : valueText(value),
    sentence,
    hint,
  };
}

/** Paths into plain values hold text and numbers only. */
function toStep(step: PropertyKey): PathStep {
  return typeof step === 'symbol' ? String(step) : step;
}
