/** Writes the effective configuration: every default filled in, in a form that loads to the same configuration. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { isSection } from './flags.js';
import type { Path } from './problem.js';
import { type Config, configSchema } from './schema/config.js';
import { NATIVE_SETTINGS } from './schema/front-end.js';
import { valueAt } from './schema/walk.js';

/** The configuration as plain values, the way a user would write them; what a listener's front end, or a check over TCP, does not have is left out. */
export function writtenForm(config: Config): unknown {
  const written = z.encode(configSchema, config);
  for (const [index, listener] of config.listeners.entries()) {
    if (listener.mode === 'l4' || listener.frontend === 'native') continue;
    for (const [setting] of NATIVE_SETTINGS) leaveOut(written, ['listeners', index, ...setting]);
  }
  for (const [name, { healthCheck }] of Object.entries(config.upstreams)) {
    if (healthCheck === 'off' || healthCheck.kind !== 'tcp') continue;
    for (const key of ['method', 'headers', 'expect']) leaveOut(written, ['upstreams', name, 'healthCheck', key]);
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
