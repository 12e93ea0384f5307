/** Finds parts of the schema by path: which keys a section knows, what a value is described as. */
import { z } from 'zod';
import type { Path, PathStep } from '../problem.js';

/** A schema of any kind, as zod 4 hands them out. */
export type AnySchema = z.core.$ZodType;

/** Which of several sections a value of the file is, by one of its keys; null where that key holds nothing known. */
export type ChooseSection = (value: unknown) => z.ZodObject | null;

/** By union of sections, e.g. that of listeners, of which `mode` says which one it is. Like a registry of zod's, for functions. */
export const sectionChoices = new WeakMap<AnySchema, ChooseSection>();

/** The schema below defaults, `optional`, and what is filled in after reading. */
export function unwrap(schema: AnySchema): AnySchema {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.def.innerType);
  }
  // A field is a codec, too, but what it reads is no section.
  if (schema instanceof z.ZodPipe && schema.def.in instanceof z.ZodObject) return schema.def.in;
  return schema;
}

/** The sections that a schema is, or that branches of it are; empty for anything else. */
export function sectionsOf(schema: AnySchema): readonly z.ZodObject[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return [inner];
  return inner instanceof z.ZodUnion ? inner.options.flatMap(sectionsOf) : [];
}

/**
 * The section that a schema is, or that one branch of it is (`off` or a section); null for anything else.
 *
 * @param value what stands there in the file: of several sections, the one that it chooses, else the first
 */
export function sectionOf(schema: AnySchema, value: unknown): z.ZodObject | null {
  return sectionChoices.get(unwrap(schema))?.(value) ?? sectionsOf(schema)[0] ?? null;
}

/**
 * The schema at a path below `root`; null where there is none (an unknown key).
 *
 * @param values the file's values from the root on, which choose between sections
 */
export function schemaAt(root: AnySchema, path: Path, values: unknown): AnySchema | null {
  let schema: AnySchema | null = root;
  let value = values;
  for (const step of path) {
    if (schema === null) return null;
    schema = childOf(schema, step, value);
    value = valueAt(value, [step]);
  }
  return schema;
}

/** Keys that the section at a path knows; empty where there is no section. */
export function knownKeys(root: AnySchema, path: Path, values: unknown): readonly string[] {
  const schema = schemaAt(root, path, values);
  const section = schema === null ? null : sectionOf(schema, valueAt(values, path));
  return section === null ? [] : Object.keys(section.shape);
}

/** What a schema is described as; '' without a description. */
export function descriptionOf(schema: AnySchema): string {
  const own = z.globalRegistry.get(schema)?.description;
  if (own !== undefined) return own;
  const inner = unwrap(schema);
  return inner === schema ? '' : descriptionOf(inner);
}

/** The value at a path; undefined where there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PathStep, unknown>)[step];
  }
  return value;
}

function childOf(schema: AnySchema, step: PathStep, value: unknown): AnySchema | null {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  const section = sectionOf(inner, value);
  if (section === null || !Object.hasOwn(section.shape, step)) return null;
  return section.shape[step] ?? null;
}
