/** Writes the effective configuration: every default filled in, in a form that loads to the same configuration. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { isSection } from './flags.js';
import type { Path } from './problem.js';
import { type Config, configSchema } from './schema/config.js';
import { NATIVE_SETTINGS } from './schema/front-end.js';
import { valueAt } from './schema/walk.js';

/** Settings with a default that a kind of health check does not take. */
const NOT_OF_CHECKS = {
  http: ['service'],
  tcp: ['method', 'headers', 'expect', 'service'],
  grpc: ['method', 'expect'],
} as const;

/** The configuration as plain values, the way a user would write them; what a listener's front end, or the kind of a check, does not have is left out. */
export function writtenForm(config: Config): unknown {
  const written = z.encode(configSchema, config);
  for (const [index, listener] of config.listeners.entries()) {
    if (listener.mode === 'l4' || listener.frontend === 'native') continue;
    for (const [setting] of NATIVE_SETTINGS) leaveOut(written, ['listeners', index, ...setting]);
  }
  for (const [name, { healthCheck }] of Object.entries(config.upstreams)) {
    if (healthCheck === 'off') continue;
    for (const key of NOT_OF_CHECKS[healthCheck.kind]) leaveOut(written, ['upstreams', name, 'healthCheck', key]);
  }
  return written;
}

function leaveOut(written: unknown, path: Path): void {
  const section = valueAt(written, path.slice(0, -1));
  const key = path.at(-1);
  if (isSection(section) && key !== undefined) delete section[key];
}

/** The configuration as YAML that `sluice -c` reads. */
export function effectiveYaml(config: Config): string {
  return stringify(writtenForm(config), { lineWidth: 0, aliasDuplicateObjects: false });
}
