/** Reads the configuration again when somebody asks for it, one at a time, and tells what has come of it. */
import type { Config } from '../config/schema/config.js';
import type { Logger } from '../observability/logger.js';
import type { Refreshing } from './certificates/certificate-keeper.js';
import { type ConfigDifference, differenceOf, isSameConfig, NO_CHANGES } from './config-difference.js';
import { APPLY_PATIENCE_MS, ENDING, type PlanSwitch } from './plan-switch.js';
import type { ReloadResult, ReloadSource } from './reload-result.js';

/** A configuration that was read again. Lines are whole sentences with their places. */
export type ReadConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A configuration that counts now. */
type Reloaded = Omit<Extract<ReloadResult, { readonly ok: true }>, 'ok'>;

/** What it needs from outside. */
export interface ReloaderParts {
  /** Reads and checks it; null: there is no file. Throws for nothing that a user wrote. */
  readonly read: (() => ReadConfig) | null;
  /** What counts now, at the start. */
  readonly config: Config;
  readonly planSwitch: Pick<PlanSwitch, 'to'>;
  /** Reads the files of certificates again, where the configuration says what it said before. */
  readonly refreshCertificates: () => Refreshing;
  /** Epoch of the plan that counts. */
  readonly epoch: () => number;
  /** Resolves when every worker accepts: nothing is read before. */
  readonly ready: Promise<void>;
  /** The process drains. */
  readonly isOver: () => boolean;
  /** Called when a configuration counts. */
  readonly taken: (config: Config) => void;
  readonly logger: Logger;
}

const NO_FILE =
  'there is no file to read again: sluice was started with flags alone. Put the configuration into a file and start with --config to change it while it runs';

const LATE = `not every worker goes by the new configuration after ${APPLY_PATIENCE_MS / 1000} s: those that do not are busy, and follow`;

/** Thread: primary. */
export class Reloader {
  readonly #parts: ReloaderParts;
  #config: Config;
  #running: Promise<unknown> | null = null;
  /** For all who ask while one runs: it begins when that one is over, and sees what they want to be seen. */
  #next: Promise<ReloadResult> | null = null;
  readonly #listeners = new Set<(report: Reloaded) => void>();

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /** What counts now. */
  get config(): Config {
    return this.#config;
  }

  /** Reads the configuration again and has it count. Rejects for a bug of ours only. */
  reload(by: ReloadSource): Promise<ReloadResult> {
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#run(by);
    this.#next = this.#running.then(() => {
      this.#next = null;
      return this.#run(by);
    });
    return this.#next;
  }

  #run(by: ReloadSource): Promise<ReloadResult> {
    const run = this.#reload(by);
    const running = run
      .catch(() => {}) // whoever asked hears of it
      .then(() => {
        if (this.#running === running) this.#running = null;
      });
    this.#running = running;
    return run;
  }

  /** Calls back after each reload that changed something. @returns what ends that; idempotent */
  onReloaded(listener: (report: Reloaded) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #reload(by: ReloadSource): Promise<ReloadResult> {
    const { read, ready, isOver, logger } = this.#parts;
    if (read === null) return this.#failed(by, [NO_FILE]);
    if (!isOver()) await ready;
    if (isOver()) return this.#failed(by, [ENDING]);
    logger.info({ event: 'reload-begun', by }, `the configuration is read again (${by})`);
    const found = read();
    if (!found.ok) return this.#failed(by, found.problems);
    const { config, warnings } = found;
    if (isSameConfig(this.#config, config)) {
      const { problems, needsPlan } = this.#parts.refreshCertificates();
      if (problems.length > 0) return this.#failed(by, problems);
      if (!needsPlan) return this.#unchanged(warnings);
    }
    for (const warning of warnings) logger.warn({ event: 'config-warning' }, warning);
    const difference = differenceOf(this.#config, config);
    const result = await this.#parts.planSwitch.to(config);
    if (!result.ok) return this.#failed(by, [result.problem]);
    this.#config = config;
    this.#parts.taken(config);
    const { plan, needsRestart, failures, isLate } = result;
    const facts = { epoch: plan.epoch, ...difference, needsRestart };
    logger.info({ event: 'reloaded', ...facts }, reloadedText(facts));
    if (isLate) logger.warn({ event: 'plan-late', epoch: plan.epoch }, LATE);
    const report = { isUnchanged: false, ...facts, warnings: [...warnings, ...failures, ...(isLate ? [LATE] : [])] };
    for (const listener of this.#listeners) listener(report);
    return { ok: true, ...report };
  }

  #failed(by: ReloadSource, problems: readonly string[]): ReloadResult {
    this.#parts.logger.error(
      { event: 'reload-failed', by, problems },
      `the configuration cannot be used, and everything goes on as it was: ${problems.join('; ')}`,
    );
    return { ok: false, problems };
  }

  #unchanged(warnings: readonly string[]): ReloadResult {
    const epoch = this.#parts.epoch();
    this.#parts.logger.info(
      { event: 'reload-unchanged', epoch },
      'the configuration says what it said before; certificates have been read again',
    );
    const none = { listeners: NO_CHANGES, upstreams: NO_CHANGES, endpoints: NO_CHANGES };
    return { ok: true, isUnchanged: true, epoch, ...none, needsRestart: [], warnings };
  }
}

const KINDS = ['listeners', 'upstreams', 'endpoints'] as const;

function reloadedText({
  epoch,
  needsRestart,
  ...difference
}: ConfigDifference & Pick<Reloaded, 'epoch' | 'needsRestart'>): string {
  const kinds = KINDS.map((kind) => {
    const { added, changed, removed } = difference[kind];
    return `${kind}: ${added} new, ${changed} changed, ${removed} gone`;
  });
  const restart = needsRestart.length === 0 ? '' : `; with the next start only: ${needsRestart.join(', ')}`;
  return `configuration ${epoch} counts now (${kinds.join('; ')})${restart}`;
}
