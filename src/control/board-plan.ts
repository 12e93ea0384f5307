/** Makes the board for the first configuration, and compiles this and later ones into plans whose owners keep their places on it. */

import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { type Board, createBoard } from '../board/board.js';
import { capacitiesWithRoom, endpointSlotsFor } from '../board/spare-room.js';
import { type CompileOptions, compilePlan } from '../config/compile.js';
import { weightOf } from '../config/compile-picking.js';
import type { Plan } from '../config/plan.js';
import { FreshRecords, type RecordKind } from '../config/plan-records.js';
import { AUTO_WORKERS, type Config, WORKERS_MAX } from '../config/schema/config.js';
import { invariant } from '../core/invariant.js';
import { hashTableWordsFor } from './hash-table-capacity.js';
import { NoRoomError, RecordBook, type RecordChanges, type RecordEdition, recordsOf } from './record-book.js';
import { SlotBook, type SlotChanges, type SlotEdition } from './slot-book.js';

/** Of the key that signs cookies of affinity in this process, where the configuration has none. */
const AFFINITY_SECRET_BYTES = 32;

/** The first plan of a process, its board, and where later plans come from. */
export interface BoardAndPlan {
  readonly board: Board;
  readonly plan: Plan;
  readonly plans: PlanBook;
}

/** What became of slots and records between two plans. */
export interface PlaceChanges {
  readonly slots: SlotChanges;
  readonly records: RecordChanges;
}

/** A compiled configuration that does not count yet: commit or withdraw it. */
export interface PlanEdition {
  readonly plan: Plan;
  commit(): PlaceChanges;
  /** Everything is as it was. */
  withdraw(): void;
}

/** What is full, in the words of the file. */
const FULL_OF: Readonly<Record<RecordKind | 'endpoint', string>> = {
  endpoint: 'endpoints',
  upstream: 'upstreams',
  listener: 'listeners',
  route: 'routes',
  turn: 'subsets of upstreams',
  'hash table': 'upstreams that balance by ketama or maglev',
  queue: 'upstreams with a queue',
  'queue entry': 'places in queues',
  'route breaker': 'routes with a breaker',
};

/** There is no room on the board for a configuration; the message says what to do. */
export class BoardFullError extends Error {
  constructor(what: RecordKind | 'endpoint') {
    super(
      `there is no room for so many more ${FULL_OF[what]} in the running process, whose memory was measured at its start: restart sluice to use this configuration, or reload again when what the last reloads took away has finished`,
    );
  }
}

/** All plans of a process. Thread: primary. */
export class PlanBook {
  readonly board: Board;
  readonly #slots: SlotBook;
  readonly #records: RecordBook;
  readonly #processors: number;
  /** The same for all plans, or a reload would take clients' endpoints away from them. */
  readonly #affinitySecret = randomBytes(AFFINITY_SECRET_BYTES).toString('hex');

  /** @param processors what `workers: auto` stands for */
  constructor(board: Board, processors: number) {
    this.board = board;
    this.#slots = new SlotBook(board);
    this.#records = new RecordBook(recordsOf(board.capacities));
    this.#processors = processors;
  }

  /**
   * Compiles a configuration. One at a time: commit or withdraw it before the next. An endpoint named by a host name begins unresolved, hence
   * not eligible.
   *
   * @param epoch of the plan
   * @throws BoardFullError; nothing has changed then
   */
  edit(config: Config, epoch: number): PlanEdition {
    const endpoints = Object.entries(config.upstreams).flatMap(([upstream, { endpoints }]) =>
      endpoints.map(({ address }) => ({ upstream, endpoint: address.text })),
    );
    if (!this.#slots.hasRoomFor(endpoints)) throw new BoardFullError('endpoint');
    const slots = this.#slots.edit();
    const records = this.#records.edit();
    const withdraw = (): void => {
      slots.withdraw();
      records.withdraw();
    };
    try {
      return {
        plan: this.#compile(config, epoch, slots, records),
        commit: () => this.#commit(slots, records),
        withdraw,
      };
    } catch (error) {
      withdraw();
      throw error instanceof NoRoomError ? new BoardFullError(error.kind) : error;
    }
  }

  /** Gives back what has left; in parts, as it becomes free. */
  release({ slots, records }: { readonly slots: SlotChanges['left']; readonly records: RecordChanges['left'] }): void {
    this.#slots.release(slots);
    this.#records.release(records);
  }

  #compile(config: Config, epoch: number, slots: SlotEdition, records: RecordEdition): Plan {
    return compilePlan(config, {
      epoch,
      processors: this.#processors,
      affinitySecret: this.#affinitySecret,
      records,
      assignSlot: ({ name, record }, endpointName) => {
        const upstream = config.upstreams[name];
        const endpoint = upstream?.endpoints.find(({ address }) => address.text === endpointName);
        invariant(upstream && endpoint, `endpoint ${endpointName} of ${name} is in the configuration`);
        const { address } = endpoint;
        return slots.assign({ upstream: name, endpoint: endpointName }, record, {
          weight: weightOf(upstream, endpoint),
          cap: endpoint.maxConns,
          isBackup: endpoint.backup,
          isResolved: address.kind === 'unix' || isIP(address.host) !== 0,
        });
      },
    });
  }

  #commit(slots: SlotEdition, records: RecordEdition): PlaceChanges {
    return { slots: slots.commit(), records: records.commit() };
  }
}

/**
 * Makes board and first plan. Thread: primary.
 *
 * @param processors what `workers: auto` stands for
 */
export function makeBoardAndPlan(config: Config, processors: number): BoardAndPlan {
  const board = createBoard(capacitiesWithRoom(neededRoomOf(config, processors)));
  const plans = new PlanBook(board, processors);
  const edition = plans.edit(config, 1);
  edition.commit();
  return { board, plan: edition.plan, plans };
}

function neededRoomOf(config: Config, processors: number): Parameters<typeof capacitiesWithRoom>[0] {
  const endpoints = Object.values(config.upstreams).reduce((count, upstream) => count + upstream.endpoints.length, 0);
  const counted = new FreshRecords();
  const options: CompileOptions = {
    epoch: 1,
    processors,
    affinitySecret: '',
    records: counted,
    assignSlot: () => ({ slot: 0, generation: 0 }),
  };
  compilePlan(config, options);
  return {
    endpoints,
    upstreams: counted.countOf('upstream'),
    turns: counted.countOf('turn'),
    hashTables: counted.countOf('hash table'),
    hashTableWords: hashTableWordsFor(config.upstreams, endpointSlotsFor(endpoints)),
    queues: counted.countOf('queue'),
    queueEntries: counted.countOf('queue entry'),
    routeBreakers: counted.countOf('route breaker'),
    routes: counted.countOf('route'),
    workers: config.workers === AUTO_WORKERS ? Math.min(processors, WORKERS_MAX) : config.workers,
    listeners: counted.countOf('listener'),
  };
}
