/** Checks values against the JSON schemas of an OpenAPI document, more strictly than it says: keys that it does not name are wrong. */
import { z } from 'zod';

/** Values of the document. */
export type Schema = Readonly<Record<string, unknown>>;

/** @returns what is wrong with the value, one line each; [] where it fits */
export function misfits(schema: Schema, value: unknown, document: Schema): string[] {
  const written = strict(resolved(schema, document)) as Parameters<typeof z.fromJSONSchema>[0];
  const read = z.fromJSONSchema(written).safeParse(value);
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** With what its references lead to in their place. */
function resolved(schema: unknown, document: Schema): unknown {
  if (Array.isArray(schema)) return schema.map((each) => resolved(each, document));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref } = schema as { $ref?: string };
  if ($ref !== undefined) {
    const target = $ref
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((section, key) => (section as Schema)[key], document);
    if (target === undefined) throw new Error(`${$ref} leads nowhere`);
    return resolved(target, document);
  }
  return Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, resolved(each, document)]));
}

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const section = Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, strict(each)]));
  return 'properties' in section ? { additionalProperties: false, ...section } : section;
}
