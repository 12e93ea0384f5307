/** The command `run`: a configuration, the proxy, an exit code. */

import type { ConfigSource } from '../config/load.js';
import { loadConfig } from '../config/load.js';
import { nodeExamination } from '../config/node-examination.js';
import { CertificateReader } from '../control/certificates/certificate-reader.js';
import { certificateExamination } from '../control/certificates/examine.js';
import { systemSources } from '../control/certificates/system-sources.js';
import { ExitCode } from '../control/start-failure.js';
import type { Addon } from '../engine/addon.js';
import type { LogSink } from '../observability/log-sink.js';
import type { Arguments } from './arguments.js';
import type { TextStream } from './check.js';
import { paintFor, reportLines } from './check-report.js';
import { launch } from './launch.js';
import { nodeLacks } from './node-lacks.js';
import { ReloadableFile } from './reloadable-file.js';

/** All that running the proxy touches besides its arguments. */
export interface RunSurroundings {
  readonly out: TextStream & { readonly columns?: number };
  readonly err: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: ConfigSource['readFile'];
  readonly machine: ConfigSource['machine'];
  readonly loadAddon: () => Addon;
  /** Module that a worker thread starts with. */
  readonly workerEntry: URL;
  readonly openSink: () => LogSink;
}

/** What `sluice` alone answers. */
export const FIRST_HELP = `sluice: a load balancer and edge proxy.

  sluice demo                           see it work: the proxy and three small endpoints, no file needed
  sluice --upstream 127.0.0.1:9001      balance over your endpoints (--upstream may be given several times)
  sluice -c sluice.yaml                 everything in a file
  sluice --help                         all commands and flags
`;

/** Runs the proxy until it ends. @returns the exit code. Thread: primary. */
export async function runProxy(
  command: Extract<Arguments, { kind: 'run' }>,
  surroundings: RunSurroundings,
): Promise<number> {
  const { configFile, flags } = command;
  const { err, environment, readFile, machine } = surroundings;
  if (configFile === null && Object.keys(flags).length === 0) {
    err.write(FIRST_HELP);
    return ExitCode.BAD_INPUT;
  }
  const certificateReader = new CertificateReader(systemSources({ readFile, environment }));
  const source = {
    flags,
    readFile,
    machine,
    examinations: [nodeExamination(() => nodeLacks(surroundings.loadAddon)), certificateExamination(certificateReader)],
  };
  const file = configFile === null ? null : new ReloadableFile(configFile, source);
  const loaded = file === null ? loadConfig({ ...source, file }) : file.load();
  if (!loaded.ok) {
    err.write(
      `${reportLines(configFile, { problems: loaded.problems, warnings: [] }, paintFor(err, environment)).join('\n')}\n`,
    );
    return ExitCode.BAD_INPUT;
  }
  return launch({
    config: loaded.config,
    warnings: loaded.warnings,
    processors: machine.processors,
    loadAddon: surroundings.loadAddon,
    workerEntry: surroundings.workerEntry,
    certificateReader,
    sink: surroundings.openSink(),
    err,
    file,
    onHangup: 'reload',
  });
}
