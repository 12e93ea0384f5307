/** What tests of the configuration share: loading from text, and a machine that does not change. */
import type { ConfigFlags } from '../../../src/config/flags.js';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.js';
import type { Machine } from '../../../src/config/machine.js';
import { type Problem, sourceText } from '../../../src/config/problem.js';
import type { Config } from '../../../src/config/schema/config.js';

export const MACHINE: Machine = { processors: 4, firstOpenPort: 1024 };

/** The smallest valid file, without warnings. */
export const SMALLEST = `
listeners:
  - { name: web, bind: "127.0.0.1:8080", routes: [ { upstream: api } ] }
upstreams:
  api: { endpoints: [ { address: "10.0.0.1:9001" }, { address: "10.0.0.2:9001" } ] }
`;

/** The smallest valid file with an l4 listener, without warnings. */
export const SMALLEST_L4 = `
listeners:
  - { name: db, mode: l4, bind: "127.0.0.1:5432", upstream: pg }
upstreams:
  pg: { endpoints: [ { address: "10.0.0.1:5432" }, { address: "10.0.0.2:5432" } ] }
`;

/** Loads a file of this text; null: flags alone. */
export function load(
  text: string | Uint8Array | null,
  flags: ConfigFlags = {},
  machine: Machine = MACHINE,
): LoadedConfig {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return loadConfig({
    file: bytes === null ? null : 'sluice.yaml',
    flags,
    machine,
    readFile: () => bytes ?? new Uint8Array(),
  });
}

/** "place path sentence | hint" of each problem; fails on a valid configuration. */
export function problemsOf(text: string | Uint8Array | null, flags: ConfigFlags = {}): string[] {
  const loaded = load(text, flags);
  if (loaded.ok) throw new Error('the configuration is valid');
  return loaded.problems.map(written);
}

/** The configuration; fails with its problems when it has some. */
export function configOf(text: string | null, flags: ConfigFlags = {}): Config {
  const loaded = load(text, flags);
  if (!loaded.ok) throw new Error(loaded.problems.map(written).join('\n'));
  return loaded.config;
}

/** The warnings of a valid configuration. */
export function warningsOf(text: string | null, flags: ConfigFlags = {}, machine: Machine = MACHINE): string[] {
  const loaded = load(text, flags, machine);
  if (!loaded.ok) throw new Error(loaded.problems.map(written).join('\n'));
  return loaded.warnings.map(written);
}

function written({ source, path, sentence, hint }: Problem): string {
  return `${sourceText(source)} ${path === '' ? '' : `${path} `}${sentence}${hint === null ? '' : ` | ${hint}`}`;
}
