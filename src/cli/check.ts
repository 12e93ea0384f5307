/** The command `check`: tells every problem of a configuration, and prints the effective one when asked. */

import { effectiveYaml } from '../config/effective.js';
import { type ConfigSource, loadConfig } from '../config/load.js';
import { nodeExamination } from '../config/node-examination.js';
import { CertificateReader } from '../control/certificates/certificate-reader.js';
import { certificateExamination } from '../control/certificates/examine.js';
import { systemSources } from '../control/certificates/system-sources.js';
import type { Addon } from '../engine/addon.js';
import type { Arguments } from './arguments.js';
import { paintFor, reportLines } from './check-report.js';
import { nodeLacks } from './node-lacks.js';

/** Where text goes, e.g. process.stdout. */
export interface TextStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** All that the command touches besides its arguments. */
export interface CheckSurroundings {
  readonly out: TextStream;
  readonly err: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: ConfigSource['readFile'];
  readonly machine: ConfigSource['machine'];
  readonly loadAddon: () => Addon;
}

/**
 * Checks a configuration. The report goes to `out`; with --print the effective configuration has `out` for itself and the
 * report goes to `err`, so that the output can be saved and loaded. Thread: primary.
 *
 * @returns the exit code: 0 valid (warnings or not), 1 problems
 */
export function runCheck(command: Extract<Arguments, { kind: 'check' }>, surroundings: CheckSurroundings): 0 | 1 {
  const { out, err, environment, readFile, machine } = surroundings;
  const file = command.configFile;
  const reader = new CertificateReader(systemSources({ readFile, environment }));
  const examinations = [nodeExamination(() => nodeLacks(surroundings.loadAddon)), certificateExamination(reader)];
  const loaded = loadConfig({ file, flags: command.flags, readFile, machine, examinations });
  const report = command.isPrinting ? err : out;
  const found = loaded.ok ? { problems: [], warnings: loaded.warnings } : { problems: loaded.problems, warnings: [] };
  report.write(`${reportLines(file, found, paintFor(report, environment)).join('\n')}\n`);
  if (loaded.ok && command.isPrinting) out.write(effectiveYaml(loaded.config));
  return loaded.ok ? 0 : 1;
}
