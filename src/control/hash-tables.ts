/** Keeps the tables of all upstreams that hash up to date: builds them at the start, and again when members or weights change. */
import { isDeepStrictEqual } from 'node:util';
import type { EndpointControlTable } from '../board/endpoint-control.js';
import { type HashTableWriter, pointsIn } from '../board/hash-table.js';
import type { UpstreamTable } from '../board/upstream-table.js';
import { NO_HASH_TABLE } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';
import type { TableBuilder } from './hash-table-builder.js';
import type { TableOrder } from './hash-table-task.js';

/** Times of the tables, in ms. */
export const TABLE_PACE = {
  /** The start waits this long for all tables together; workers without one use rendezvous hashing until it is there. */
  startPatienceMs: 5_000,
  /** Pause between two looks for changes, so that many changes at a time give one table. */
  lookMs: 1_000,
  /** First pause after a failure; doubles. */
  firstRetryMs: 1_000,
  maxRetryMs: 60_000,
} as const;

/** What the tables are made from and go to. */
export interface TableBoard {
  readonly control: Pick<EndpointControlTable, 'generation' | 'steadyWeight'>;
  readonly upstreams: Pick<UpstreamTable, 'controlEpoch'>;
  readonly hashTables: readonly HashTableWriter[];
}

/** What the tables need from outside. */
export interface HashTablesOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: TableBoard;
  readonly builder: TableBuilder;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** One upstream with a table. */
interface KeptTable {
  plan: UpstreamPlan;
  readonly kind: TableOrder['kind'];
  readonly table: HashTableWriter;
  /** Control epoch that was looked at last; null: none, look again. */
  epoch: number | null;
  /** Members and weights of the table that is current, as a text; null: none is. */
  built: string | null;
  isBuilding: boolean;
  retryMs: number;
  /** Looks to be left out after a failure. */
  pauseLooks: number;
}

/**
 * Runs until `close`. Thread: primary.
 *
 * It looks at control epochs instead of being told of changes: every writer of control records bumps them anyhow, whoever it is, and a
 * look costs a load for each upstream. What has changed is then compared by members and steady weights, so that health, draining, caps and
 * slow start never build a table: keys would move for nothing.
 */
export class HashTables {
  readonly #options: HashTablesOptions;
  #kept: readonly KeptTable[] = [];
  #cancelLook: Cancel = () => {};
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(options: HashTablesOptions) {
    this.#options = options;
    this.#kept = options.upstreams.flatMap((plan) => this.#keptOf(plan));
  }

  /** Builds all tables; resolves when they are current or the patience is over. Never rejects. */
  async start(): Promise<void> {
    if (this.#kept.length === 0) return;
    await this.#lookAtAll();
    this.#lookLater();
  }

  /**
   * Takes the upstreams of another plan, before workers go by it: builds what is new or has other members.
   *
   * @returns resolves when all tables are current or the patience is over; never rejects
   */
  async replace(upstreams: readonly UpstreamPlan[]): Promise<void> {
    if (this.#isClosed) return;
    const former = new Map(this.#kept.map((kept) => [kept.plan.hashTable, kept]));
    this.#kept = upstreams.flatMap((plan) => {
      const before = former.get(plan.hashTable);
      if (before === undefined) return this.#keptOf(plan);
      // The epoch says nothing of who its members are.
      if (!isDeepStrictEqual(before.plan.endpoints, plan.endpoints)) before.epoch = null;
      before.plan = plan;
      return [before];
    });
    this.#cancelLook();
    if (this.#kept.length === 0) return;
    await this.#lookAtAll();
    this.#lookLater();
  }

  /** Ends the thread that builds; a table that is not ready is dropped. Resolves when the thread is gone. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelLook();
    this.#closing ??= this.#options.builder.close();
    return this.#closing;
  }

  async #lookAtAll(): Promise<void> {
    const { timers } = this.#options;
    await new Promise<void>((resolve) => {
      const cancel = timers.after(TABLE_PACE.startPatienceMs, resolve);
      void Promise.all(this.#kept.map((kept) => this.#look(kept))).then(() => {
        cancel();
        resolve();
      });
    });
  }

  #keptOf(plan: UpstreamPlan): readonly KeptTable[] {
    const { balance, hashTable } = plan;
    if (hashTable === NO_HASH_TABLE) return [];
    const table = this.#options.board.hashTables[hashTable];
    const isKnown = balance === 'ketama' || balance === 'maglev';
    invariant(table !== undefined && isKnown, `the board has table ${hashTable} for ${balance} of ${plan.name}`);
    const { firstRetryMs: retryMs } = TABLE_PACE;
    return [{ plan, kind: balance, table, epoch: null, built: null, isBuilding: false, retryMs, pauseLooks: 0 }];
  }

  #lookLater(): void {
    this.#cancelLook();
    if (this.#isClosed) return;
    this.#cancelLook = this.#options.timers.after(TABLE_PACE.lookMs, () => {
      for (const kept of this.#kept) void this.#look(kept);
      this.#lookLater();
    });
  }

  /** Builds a table if it has to. One at a time for each upstream: a change in the meantime is seen by a later look. */
  async #look(kept: KeptTable): Promise<void> {
    if (kept.isBuilding) return;
    if (kept.pauseLooks > 0) {
      kept.pauseLooks -= 1;
      return;
    }
    // The epoch before the records: a change behind it is looked at once more.
    const epoch = this.#options.board.upstreams.controlEpoch(kept.plan.record);
    if (epoch === kept.epoch) return;
    kept.epoch = epoch;
    const order = this.#orderOf(kept);
    const wanted = `${order.names.join(' ')} ${order.slots} ${order.weights}`;
    if (wanted === kept.built) return;
    kept.isBuilding = true;
    try {
      const { words, size } = await this.#options.builder.build(order);
      // Its table may be another upstream's by now.
      if (this.#isClosed || !this.#kept.includes(kept)) return;
      kept.table.publish(words, size);
      kept.built = wanted;
      kept.retryMs = TABLE_PACE.firstRetryMs;
      const { name } = kept.plan;
      this.#options.logger.debug(
        { event: 'hash-table-built', upstream: name, kind: kept.kind, entries: size },
        `upstream ${name} has a new ${kept.kind} table of ${size} entries`,
      );
    } catch (error) {
      if (!this.#isClosed) this.#failed(kept, error);
    } finally {
      kept.isBuilding = false;
    }
  }

  /** Endpoints that are still there, whatever their health: backups, too. */
  #orderOf({ plan, kind, table }: KeptTable): TableOrder {
    const { control } = this.#options.board;
    const endpoints = plan.endpoints.filter(({ slot, generation }) => control.generation(slot) === generation);
    return {
      kind,
      names: endpoints.map(({ name }) => name),
      slots: Uint16Array.from(endpoints, ({ slot }) => slot),
      weights: Uint32Array.from(endpoints, ({ slot }) => control.steadyWeight(slot)),
      mostPoints: pointsIn(table.capacity),
    };
  }

  #failed(kept: KeptTable, error: unknown): void {
    const { name } = kept.plan;
    const pauseMs = kept.retryMs;
    const reason = error instanceof Error ? error.message : String(error);
    kept.epoch = null;
    kept.pauseLooks = Math.ceil(pauseMs / TABLE_PACE.lookMs) - 1;
    kept.retryMs = Math.min(2 * pauseMs, TABLE_PACE.maxRetryMs);
    const meanwhile = kept.built === null ? 'its keys go by rendezvous hashing' : 'the table before stays';
    this.#options.logger.error(
      { event: 'hash-table-failed', upstream: name, kind: kept.kind, reason, pauseMs },
      `the ${kept.kind} table of upstream ${name} could not be built (${reason}): ${meanwhile}; next try in ${pauseMs / 1000} s`,
    );
  }
}
