/** Writes docs/configuration.md and docs/config.schema.json from the compiled schema and flags: run after `tsc`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { flagEntries } from '../dist/cli/usage.js';
import { configJsonSchemaText } from '../dist/config/docs/json-schema.js';
import { configurationReference } from '../dist/config/docs/reference.js';

const pathOf = (name) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

writeFileSync(pathOf('config.schema.json'), configJsonSchemaText());
writeFileSync(pathOf('configuration.md'), configurationReference(flagEntries()));
