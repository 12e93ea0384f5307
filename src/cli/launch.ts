/** What `run` and `demo` share: from a checked configuration to a started primary, and from there to the exit code. */
import { lookup } from 'node:dns/promises';
import type { L7ListenerPlan } from '../config/plan.js';
import type { Warning } from '../config/problem.js';
import type { Config } from '../config/schema/config.js';
import { checkAccessLog } from '../control/access-log-check.js';
import { makeBoardAndPlan } from '../control/board-plan.js';
import type { CertificateReader } from '../control/certificates/certificate-reader.js';
import type { UwsHandOff } from '../control/connection-hand-off.js';
import { FileWatch } from '../control/file-watch.js';
import { openOtlpCollector } from '../control/otlp-collector.js';
import { Primary, type PrimaryOptions } from '../control/primary.js';
import { handleSignals } from '../control/signals.js';
import { SpanExport } from '../control/span-export.js';
import { ExitCode, startFailureOf } from '../control/start-failure.js';
import { monotonicClock } from '../core/clock.js';
import { systemTimers } from '../core/timers.js';
import type { Addon } from '../engine/addon.js';
import { AcceptGate } from '../l7/accept-gate.js';
import { loadUws } from '../l7/frontends/uws/load-uws.js';
import { UwsAcceptor } from '../l7/frontends/uws/uws-acceptor.js';
import { LogGate, loggedLevel } from '../observability/log-gate.js';
import type { LogSink } from '../observability/log-sink.js';
import { createLogger } from '../observability/logger.js';
import { Timeline } from '../observability/timeline.js';
import { findingText } from './check-report.js';
import { nodeLackText } from './node-lacks.js';
import type { ReloadableFile } from './reloadable-file.js';
import { readVersion } from './version.js';

/** What a launch needs. */
export interface LaunchOptions {
  readonly config: Config;
  readonly warnings: readonly Warning[];
  /** Processors this process may use. */
  readonly processors: number;
  readonly loadAddon: () => Addon;
  /** Module that a worker thread starts with. */
  readonly workerEntry: URL;
  readonly sink: LogSink;
  /** Where a start failure is told when the log is silent. */
  readonly err: { write(text: string): unknown };
  readonly certificateReader: CertificateReader;
  /** The file that `config` was read from; null: there is none. */
  readonly file: ReloadableFile | null;
  /** What SIGHUP means; 'stop' ends like SIGTERM. */
  readonly onHangup: 'reload' | 'stop';
  /** Called when every worker accepts. */
  readonly onReady?: (primary: Primary) => void;
}

/**
 * Runs the proxy until it ends. Never rejects: an error that is no start failure is a bug of ours, which is logged with its
 * stack and ends the process. Thread: primary.
 *
 * @returns the exit code
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { config, sink } = options;
  const timeline = new Timeline({ timers: systemTimers });
  const gate = new LogGate(config.log.level, sink, timeline);
  const logger = createLogger(loggedLevel(config.log.level), gate);
  let primary: Primary | null = null;
  let watch: FileWatch | null = null;
  const crash = async (error: unknown): Promise<never> => {
    logger.fatal({ event: 'primary-crashed', err: error }, 'the primary crashed: this is a bug in sluice');
    process.off('uncaughtException', crash); // a second one ends the process at once
    await primary?.abandon();
    await sink.flush();
    process.exit(ExitCode.INTERNAL);
  };
  process.on('uncaughtException', crash);
  for (const warning of options.warnings) logger.warn({ event: 'config-warning' }, findingText(warning));
  try {
    primary = preparePrimary(options, { logger, sink: gate, timeline }, (next) => {
      gate.setLevel(next.log.level);
      logger.level = loggedLevel(next.log.level);
      watch?.set(next.watch);
    });
    const running = primary;
    if (options.file !== null) watch = new FileWatch(options.file, systemTimers, () => void running.reload('file'));
    watch?.set(config.watch);
    return await run(primary, options);
  } catch (error) {
    const failure = startFailureOf(error);
    if (failure === undefined) return await crash(error);
    logger.fatal({ event: 'start-failed', code: failure.code }, failure.message);
    if (config.log.level === 'silent') options.err.write(`sluice: ${failure.message}\n`);
    return failure.exitCode;
  } finally {
    watch?.set(false);
    await sink.flush();
    process.off('uncaughtException', crash);
  }
}

function preparePrimary(
  options: LaunchOptions,
  log: Pick<PrimaryOptions, 'logger' | 'sink' | 'timeline'>,
  configured: PrimaryOptions['configured'],
): Primary {
  const { accessLog } = options.config;
  if (accessLog !== 'off') checkAccessLog(accessLog.file);
  const addon = options.loadAddon();
  const lack = nodeLackText(addon.tlsSupport());
  if (lack !== null) log.logger.warn({ event: 'node-lacks' }, lack);
  const clock = monotonicClock();
  const { config, file } = options;
  return Primary.prepare({
    ...makeBoardAndPlan(config, options.processors),
    config,
    addon,
    workerEntry: options.workerEntry,
    certificateReader: options.certificateReader,
    makeUws: (listeners) => loadHandOff(listeners, () => new AcceptGate(addon, log.logger, clock.nowMs)),
    version: readVersion(),
    lookup: async (hostName) => (await lookup(hostName, { all: true })).map(({ address }) => address),
    clock,
    timers: systemTimers,
    rng: Math.random,
    spans: new SpanExport({ open: openOtlpCollector, timers: systemTimers, clock, logger: log.logger }),
    read: file === null ? null : () => file.read(),
    configured,
    ...log,
  });
}

/**
 * Loads uWebSockets.js before any worker does: a binary that is missing is told once, and the environment that it reads is set for all
 * threads. Not where no listener needs it.
 *
 * @returns the acceptor of all listeners with that front end; undefined where the workers accept for themselves
 * @throws ProxyError SLUICE_UWS_MISSING
 */
function loadHandOff(listeners: readonly L7ListenerPlan[], makeGate: () => AcceptGate): UwsHandOff | undefined {
  const { uws, hasChildApps } = loadUws({ headBytes: Math.max(...listeners.map(({ limits }) => limits.headBytes)) });
  return hasChildApps ? new UwsAcceptor({ uws, gate: makeGate() }) : undefined;
}

async function run(primary: Primary, options: LaunchOptions): Promise<number> {
  const stopHandling = handleSignals(process, monotonicClock(), {
    stop: (signal) => primary.stop(signal),
    reload: () => (options.onHangup === 'stop' ? primary.stop('SIGTERM') : void primary.reload('signal')),
    reopenFiles: () => primary.reopenFiles(),
  });
  try {
    void primary.ready.then(() => options.onReady?.(primary));
    await primary.start();
    return await primary.finished;
  } finally {
    stopHandling();
  }
}
