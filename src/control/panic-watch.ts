/** Tells the log when an upstream, or a subset of one, begins to ignore health, and when it heeds it again. */
import { type LevelCount, panicOf } from '../balancing/levels.js';
import type { Board } from '../board/board.js';
import type { SubsetPlan } from '../config/picking-plan.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';

/** Pause between two looks: soon enough for who reads the log, and an upstream that flaps writes no more than that. */
const LOOK_INTERVAL_MS = 1_000;

/** What the watch needs from outside. */
export interface PanicWatchOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: Pick<Board, 'control' | 'health' | 'upstreams'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** An upstream or one of its subsets. */
interface Watched {
  readonly upstream: UpstreamPlan;
  readonly endpoints: readonly EndpointPlan[];
  /** As it stands in the log: `zone=a`; undefined: the whole upstream. */
  readonly subset: string | undefined;
  /** Control epoch of the last look. */
  epoch: number;
  isPanicking: boolean;
  panics: number;
}

/**
 * Decides by the same arithmetic as the workers (levels.ts), from the records that they read, whoever changed them. Runs until `close`.
 * Thread: primary.
 */
export class PanicWatch {
  readonly #options: PanicWatchOptions;
  #watched: readonly Watched[];
  #cancel: Cancel = () => {};

  constructor(options: PanicWatchOptions) {
    this.#options = options;
    this.#watched = watchedAmong(options.upstreams);
  }

  /** Looks now, and then every second. Nothing happens where no upstream can panic. */
  start(): void {
    if (this.#watched.length > 0) this.#round();
  }

  /** Takes the upstreams of another plan, and looks. What is in panic already is not told again. */
  replace(upstreams: readonly UpstreamPlan[]): void {
    const before = this.#watched;
    this.#cancel();
    this.#watched = watchedAmong(upstreams).map((fresh) => {
      const known = before.find(
        ({ upstream, subset }) => upstream.record === fresh.upstream.record && subset === fresh.subset,
      );
      return known === undefined ? fresh : { ...fresh, isPanicking: known.isPanicking, panics: known.panics };
    });
    this.start();
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
  }

  /** What was seen of an upstream as a whole: is it in panic, and how often did it come to that? Panics between two looks are not seen. */
  panicsOf({ record }: UpstreamPlan): { readonly isPanicking: boolean; readonly panics: number } {
    const watched = this.#watched.find(({ upstream, subset }) => upstream.record === record && subset === undefined);
    return { isPanicking: watched?.isPanicking ?? false, panics: watched?.panics ?? 0 };
  }

  #round(): void {
    this.#look();
    this.#cancel = this.#options.timers.after(LOOK_INTERVAL_MS, () => this.#round());
  }

  /** Looks at every upstream that has changed, and logs what is new. */
  #look(): void {
    for (const watched of this.#watched) {
      // The epoch is read before the records, as in the workers: what changes after it is looked at next time.
      const epoch = this.#options.board.upstreams.controlEpoch(watched.upstream.record);
      if (epoch === watched.epoch) continue;
      watched.epoch = epoch;
      this.#judge(watched);
    }
  }

  #judge(watched: Watched): void {
    const { levels, backups } = this.#count(watched);
    const panic = panicOf(levels, backups, watched.upstream.panicShare);
    const isPanicking = panic.backups || panic.levels.includes(true);
    if (isPanicking === watched.isPanicking) return;
    watched.isPanicking = isPanicking;
    if (isPanicking) watched.panics += 1;
    this.#tell(watched, [...levels, backups]);
  }

  #tell({ upstream, subset, isPanicking }: Watched, counts: readonly LevelCount[]): void {
    const healthy = counts.reduce((sum, count) => sum + count.healthy, 0);
    const endpoints = counts.reduce((sum, count) => sum + count.total, 0);
    const facts = { upstream: upstream.name, ...(subset === undefined ? {} : { subset }), healthy, endpoints };
    const name = subset === undefined ? upstream.name : `${upstream.name} (${subset})`;
    const { logger } = this.#options;
    if (isPanicking) {
      logger.warn(
        { event: 'panic', ...facts },
        `upstream ${name}: ${healthy} of ${endpoints} endpoints healthy, too few to carry everything: unhealthy ones are picked as well`,
      );
    } else {
      logger.info(
        { event: 'panic-over', ...facts },
        `upstream ${name}: ${healthy} of ${endpoints} endpoints healthy, only healthy ones are picked again`,
      );
    }
  }

  /** Counts as a worker's view does. */
  #count({ upstream, endpoints }: Watched): { readonly levels: LevelCount[]; readonly backups: LevelCount } {
    const { control, health } = this.#options.board;
    const isHealthy = (slot: number): boolean => control.takesWork(slot) && health.isInGoodStanding(slot);
    const counted = endpoints.filter(
      ({ slot, generation }) =>
        control.generation(slot) === generation &&
        (control.takesWorkIfHealthy(slot) || control.awaitsFirstProbe(slot)) &&
        control.weight(slot) > 0,
    );
    const countOf = (group: readonly EndpointPlan[]): LevelCount => ({
      total: group.length,
      healthy: group.filter(({ slot }) => isHealthy(slot) || control.awaitsFirstProbe(slot)).length,
    });
    const primaries = counted.filter(({ slot }) => !control.isBackup(slot));
    const last = upstream.endpoints.reduce((most, { level }) => Math.max(most, level), 0);
    return {
      levels: Array.from({ length: last + 1 }, (_, level) => countOf(primaries.filter((each) => each.level === level))),
      backups: countOf(counted.filter(({ slot }) => control.isBackup(slot))),
    };
  }
}

function watchedAmong(upstreams: readonly UpstreamPlan[]): Watched[] {
  return upstreams.filter(({ panicShare }) => panicShare > 0).flatMap(watchedOf);
}

function watchedOf(upstream: UpstreamPlan): Watched[] {
  const unseen = { upstream, epoch: 0, isPanicking: false, panics: 0 };
  return [
    { ...unseen, endpoints: upstream.endpoints, subset: undefined },
    ...upstream.subsets.map((subset) => ({
      ...unseen,
      endpoints: upstream.endpoints.filter((_, index) => subset.endpoints.includes(index)),
      subset: labelsText(subset),
    })),
  ];
}

function labelsText({ labels }: SubsetPlan): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(', ');
}
