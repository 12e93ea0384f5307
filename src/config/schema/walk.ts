/** Finds parts of the schema by path: which keys a section knows, what a value is described as. */
import { z } from 'zod';
import type { Path } from '../problem.js';

/** A schema of any kind, as zod 4 hands them out. */
export type AnySchema = z.core.$ZodType;

/** The schema below defaults and `optional`. */
export function unwrap(schema: AnySchema): AnySchema {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.def.innerType);
  }
  return schema;
}

/** The section that a schema is, or that one branch of it is (`off` or a section); null for anything else. */
export function sectionOf(schema: AnySchema): z.ZodObject | null {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return inner;
  if (inner instanceof z.ZodUnion) {
    for (const option of inner.options) {
      const section = sectionOf(option);
      if (section !== null) return section;
    }
  }
  return null;
}

/** The schema at a path below `root`; null where there is none (an unknown key). */
export function schemaAt(root: AnySchema, path: Path): AnySchema | null {
  let schema: AnySchema | null = root;
  for (const step of path) {
    if (schema === null) return null;
    schema = childOf(schema, step);
  }
  return schema;
}

/** Keys that the section at a path knows; empty where there is no section. */
export function knownKeys(root: AnySchema, path: Path): readonly string[] {
  const schema = schemaAt(root, path);
  const section = schema === null ? null : sectionOf(schema);
  return section === null ? [] : Object.keys(section.shape);
}

/** What a schema is described as; '' without a description. */
export function descriptionOf(schema: AnySchema): string {
  const own = z.globalRegistry.get(schema)?.description;
  if (own !== undefined) return own;
  const inner = unwrap(schema);
  return inner === schema ? '' : descriptionOf(inner);
}

function childOf(schema: AnySchema, step: string | number): AnySchema | null {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  const section = sectionOf(inner);
  if (section === null || !Object.hasOwn(section.shape, step)) return null;
  return section.shape[step] ?? null;
}
