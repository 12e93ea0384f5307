/** Generates docs/config.schema.json, the JSON Schema that editors check and complete configuration files with. */
import { z } from 'zod';
import { invariant } from '../../core/invariant.js';
import { configSchema } from '../schema/config.js';

/** Plain JSON. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * The schema of a configuration file as JSON Schema 2020-12: durations, sizes and addresses are text with a pattern, unknown keys
 * are refused, descriptions and defaults are those of the schema that sluice itself checks with. Pure.
 */
export function configJsonSchema(): JsonObject {
  const generated = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // Defaults are values of the program (4000); a file has their text form (4s).
      if (zodSchema instanceof z.ZodDefault) {
        jsonSchema.default = z.encode(zodSchema.def.innerType, zodSchema.def.defaultValue) as typeof jsonSchema.default;
      }
      // A section that may be left out: its keys have the defaults.
      if (zodSchema instanceof z.ZodPrefault) delete jsonSchema.default;
    },
  });
  return { ...byMode(generated), title: 'sluice configuration' };
}

/** Editors are told which of the two schemas of a listener holds, not that one of both does: their findings are then exact. */
function byMode(generated: JsonObject): JsonObject {
  const { listeners, ...others } = generated.properties as Record<string, JsonObject>;
  const items = listeners?.items as JsonObject;
  const [l7, l4, ...rest] = items.anyOf as readonly JsonObject[];
  invariant(
    listeners !== undefined && l7 !== undefined && l4 !== undefined && rest.length === 0,
    'listeners have two modes',
  );
  const condition = { properties: { mode: { const: 'l4', description: 'Which schema holds.' } }, required: ['mode'] };
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  const listener = { description: items.description, if: condition, then: l4, else: l7 };
  return { ...generated, properties: { listeners: { ...listeners, items: listener }, ...others } };
}

/** The text of docs/config.schema.json. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
