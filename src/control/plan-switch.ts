/** Has another configuration count while the process runs: step by step, so that what cannot be had leaves everything as it was. */
import type { Board } from '../board/board.js';
import type { Plan } from '../config/plan.js';
import { type Path, pathText } from '../config/problem.js';
import type { Config } from '../config/schema/config.js';
import { ProxyError } from '../core/proxy-error.js';
import type { Timers } from '../core/timers.js';
import type { SessionListenings } from '../worker/data-plane.js';
import { checkAccessLog } from './access-log-check.js';
import { BoardFullError, type PlanBook } from './board-plan.js';
import type { CertificateKeeper } from './certificates/certificate-keeper.js';
import type { Departures } from './departures.js';
import type { EndpointKeepers } from './endpoint-keepers.js';
import type { HandOffs } from './hand-offs.js';
import type { HashTables } from './hash-tables.js';
import type { AddressEdition, FrozenSetting, ListenerAddresses } from './listener-addresses.js';
import type { NameResolver } from './name-resolution.js';
import { settledPlan } from './settled-plan.js';
import { StartFailure } from './start-failure.js';
import type { Supervisor } from './supervisor.js';
import type { Applied } from './worker-answers.js';

/** Workers that have not answered by then go by the new plan as soon as they can; new listeners do not wait for them any longer. */
export const APPLY_PATIENCE_MS = 10_000;

/** Endpoints that get nothing before their first good probe have had it by then, or are ill: the plan counts without them. */
export const FIRST_PROBES_PATIENCE_MS = 5_000;
const PROBES_LOOK_MS = 20;

/** Said to whoever asks when the process drains. */
export const ENDING = 'sluice ends, and takes no other configuration';

/** What all workers go by. */
export interface RunningPlan {
  /** With the real port of every listener. */
  readonly plan: Plan;
  readonly sessionListenings: SessionListenings;
}

/** What has come of it. */
export type SwitchResult =
  | {
      readonly ok: true;
      readonly plan: Plan;
      /** Settings by their path in the file that take effect with the next start only. */
      readonly needsRestart: readonly string[];
      /** What single workers could not do, a sentence each; they have told the log. */
      readonly failures: readonly string[];
      /** Some have not answered yet. */
      readonly isLate: boolean;
    }
  | { readonly ok: false; readonly problem: string };

/** Everything that goes by the plan. */
export interface PlanSwitchParts {
  readonly board: Pick<Board, 'beginRecords'> & { readonly control: Pick<Board['control'], 'awaitsFirstProbe'> };
  readonly plans: Pick<PlanBook, 'edit'>;
  readonly addresses: Pick<ListenerAddresses, 'edit'>;
  readonly certificates: Pick<CertificateKeeper, 'edit'>;
  readonly handOffs: Pick<HandOffs, 'prepare' | 'leave' | 'listenAt' | 'uwsHeadBytes'>;
  readonly resolver: Pick<NameResolver, 'replace' | 'addresses'>;
  readonly keepers: Pick<EndpointKeepers, 'replace'>;
  readonly hashTables: Pick<HashTables, 'replace'>;
  readonly supervisor: Pick<Supervisor, 'publish'>;
  readonly departures: Pick<Departures, 'add'>;
  readonly timers: Timers;
  /** Nothing is taken any more: the process drains. */
  readonly isOver: () => boolean;
  /** Workers that start from now on go by it. */
  readonly take: (running: RunningPlan) => void;
}

/**
 * The order: first all that can fail, and none of it is seen by traffic. Then what is known of endpoints moves to the new plan, then the workers
 * do. New listeners accept when all workers know them; what is gone is closed, and given back, when none uses it any more.
 *
 * One at a time. Thread: primary.
 */
export class PlanSwitch {
  readonly #parts: PlanSwitchParts;
  #running: RunningPlan;

  constructor(parts: PlanSwitchParts, running: RunningPlan) {
    this.#parts = parts;
    this.#running = running;
  }

  /** @param config valid */
  async to(config: Config): Promise<SwitchResult> {
    const { plans, addresses, certificates, handOffs, resolver, isOver } = this.#parts;
    const { plan: before } = this.#running;
    const withdrawals: (() => void)[] = [];
    const withdraw = (): void => {
      for (const undo of withdrawals.splice(0).reverse()) undo();
    };
    try {
      // One that stays is open, whatever its directory has become.
      const { accessLog } = config;
      if (accessLog !== 'off' && accessLog.file !== before.accessLog?.file) checkAccessLog(accessLog.file);
      const edition = plans.edit(config, before.epoch + 1);
      withdrawals.push(() => edition.withdraw());
      const settled = settledPlan(before, edition.plan, handOffs.uwsHeadBytes);
      const dressed = certificates.edit(settled.plan);
      withdrawals.push(() => dressed.withdraw());
      const places = addresses.edit(dressed.plan);
      withdrawals.push(() => places.withdraw());
      const { plan, descriptors } = places;
      handOffs.prepare(plan.listeners, descriptors);
      withdrawals.push(() => void resolver.replace(before.upstreams));
      await resolver.replace(plan.upstreams);
      if (isOver()) {
        withdraw();
        return { ok: false, problem: ENDING };
      }
      const applied = await this.#takeOver(places, edition.commit(), dressed.commit());
      const frozen = [...settled.frozen, ...places.frozen].map((each) => pathOf(config, each));
      return { ok: true, plan, needsRestart: [...settled.needsRestart, ...frozen], ...applied };
    } catch (error) {
      withdraw();
      const problem = problemOf(error);
      if (problem === null) throw error;
      return { ok: false, problem };
    }
  }

  async #takeOver(
    places: AddressEdition,
    changes: ReturnType<ReturnType<PlanBook['edit']>['commit']>,
    closeContexts: () => void,
  ): Promise<Pick<SwitchResult & { ok: true }, 'failures' | 'isLate'>> {
    const { board, handOffs, resolver, keepers, hashTables, supervisor, departures, take } = this.#parts;
    const { plan, sessionListenings, descriptors } = places;
    const { plan: before } = this.#running;
    const closeGone = places.commit();
    board.beginRecords(changes.records.joined);
    keepers.replace(plan.upstreams, changes.slots.joined);
    await hashTables.replace(plan.upstreams);
    await this.#firstProbes(changes.slots.joined);
    this.#running = { plan, sessionListenings };
    take(this.#running);
    const gone = before.listeners.filter(({ number }) => !plan.listeners.some((each) => each.number === number));
    handOffs.leave(gone, plan.listeners);
    const applied = supervisor.publish({ plan, addresses: resolver.addresses(), sessionListenings });
    // However late: until then a worker may begin something by the plan before.
    void applied.then(() => {
      departures.add(changes, before.shutdownTimeoutMs);
      closeContexts();
    });
    const inTime = await this.#inTime(applied);
    handOffs.listenAt(plan.listeners, descriptors);
    closeGone();
    if (inTime === null) return { failures: [], isLate: true };
    const failures = inTime.failures.map(({ worker, failure }) => `worker ${worker}: ${failure.message}`);
    return { failures, isLate: false };
  }

  /** Until new endpoints that wait for their first probe have had it: those before them serve meanwhile. */
  async #firstProbes(joined: readonly number[]): Promise<void> {
    const { board, timers } = this.#parts;
    for (let waitedMs = 0; waitedMs < FIRST_PROBES_PATIENCE_MS; waitedMs += PROBES_LOOK_MS) {
      if (!joined.some((slot) => board.control.awaitsFirstProbe(slot))) return;
      await new Promise<void>((resolve) => void timers.after(PROBES_LOOK_MS, resolve));
    }
  }

  /** @returns null: not within the patience */
  #inTime(applied: Promise<Applied>): Promise<Applied | null> {
    return new Promise((resolve) => {
      const cancel = this.#parts.timers.after(APPLY_PATIENCE_MS, () => resolve(null));
      void applied.then((found) => {
        cancel();
        resolve(found);
      });
    });
  }
}

/** Sentence for what the operator can mend; null: a bug of ours. */
function problemOf(error: unknown): string | null {
  const isKnown = error instanceof BoardFullError || error instanceof StartFailure || error instanceof ProxyError;
  return isKnown ? error.message : null;
}

function pathOf({ listeners }: Config, { listener, setting }: FrozenSetting): string {
  const index = listeners.findIndex(({ name }) => name === listener);
  const path: Path = ['listeners', index, ...setting.split('.')];
  return pathText(path);
}
