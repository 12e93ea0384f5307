/** Writes the effective configuration: every default filled in, in a form that loads to the same configuration. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { type Config, configSchema } from './schema/config.js';

/** The configuration as plain values, the way a user would write them. */
export function writtenForm(config: Config): unknown {
  return z.encode(configSchema, config);
}

/** The configuration as YAML that `sluice -c` reads. */
export function effectiveYaml(config: Config): string {
  return stringify(writtenForm(config), { lineWidth: 0, aliasDuplicateObjects: false });
}
