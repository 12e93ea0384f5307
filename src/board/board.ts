/** The primary's side of the board: makes it, gives slots out, adds the workers up, and takes back what dead ones held. */
import { randomInt } from 'node:crypto';
import { invariant } from '../core/invariant.js';
import { type BegunRecords, beginRecords } from './begin-records.js';
import type { BoardCapacities } from './capacities.js';
import { generationAfter } from './claims-word.js';
import type { EndpointSettings } from './endpoint-control.js';
import { EndpointControlWriter } from './endpoint-control-writer.js';
import { EndpointHealthTable } from './endpoint-health.js';
import { EndpointLoadTable } from './endpoint-load.js';
import { EndpointReportTable } from './endpoint-report.js';
import { Figures } from './figures.js';
import { type HashTableWriter, hashTableWritersOf } from './hash-table.js';
import { clearProbes } from './probe-journal.js';
import { reclaimWaiters } from './queue-reclaim.js';
import { Reclaimer } from './reclaim.js';
import { reclaimRetryBudgets } from './retry-budget.js';
import { reclaimSessions } from './session-reclaim.js';
import { allocateBoard, type HashKey, type MappedBoard } from './shared-memory.js';
import { SlotAllocator } from './slot-allocator.js';
import { UpstreamTable } from './upstream-table.js';
import { WaitLine } from './wait-line.js';
import { clearWaiting } from './waiting-table.js';
import { type EndpointFigures, type FailureFigures, type TrafficFigures, WorkerStripe } from './worker-stripe.js';

/** Place of an endpoint on the board; goes into its EndpointPlan. */
export interface SlotAssignment {
  readonly slot: number;
  readonly generation: number;
}

/** All workers' gauges and counters, added up. */
export interface BoardTotals {
  /** Open now. */
  readonly clientConnections: number;
  readonly http2Connections: number;
  readonly exchanges: number;
  readonly sessions: number;
  /** Since the board was made. */
  readonly traffic: TrafficFigures;
  readonly failures: FailureFigures;
}

/** The whole board. Thread: primary; there is one. */
export class Board {
  readonly capacities: BoardCapacities;
  /** Hand this to workers in their workerData; attachBoard() takes it. */
  readonly buffer: SharedArrayBuffer;
  readonly load: EndpointLoadTable;
  readonly reports: EndpointReportTable;
  readonly health: EndpointHealthTable;
  readonly control: EndpointControlWriter;
  readonly upstreams: UpstreamTable;
  /** By UpstreamPlan.hashTable. */
  readonly hashTables: readonly HashTableWriter[];
  /** What workers record of traffic, in memory of their own. */
  readonly figures: Figures;
  readonly #mapped: MappedBoard;
  readonly #stripes: readonly WorkerStripe[];
  readonly #slots: SlotAllocator;
  readonly #reclaimer: Reclaimer;
  /** Generation that each slot had last; 0: never assigned. */
  readonly #generations: Uint16Array;
  /** What the counters of each slot stood at when its endpoint got it. */
  readonly #figuresBefore = new Map<number, EndpointFigures>();
  /** Workers whose claims could not all be given back yet. */
  readonly #unsettled = new Set<number>();

  constructor(mapped: MappedBoard) {
    this.#mapped = mapped;
    this.capacities = mapped.layout.capacities;
    this.buffer = mapped.buffer;
    this.load = new EndpointLoadTable(mapped);
    this.reports = new EndpointReportTable(mapped);
    this.health = new EndpointHealthTable(mapped);
    this.upstreams = new UpstreamTable(mapped);
    this.hashTables = hashTableWritersOf(mapped);
    this.figures = new Figures(this.capacities);
    this.control = new EndpointControlWriter(mapped, this.upstreams, this.load);
    this.#stripes = mapped.layout.stripes.map((_, worker) => new WorkerStripe(mapped, worker));
    this.#slots = new SlotAllocator(this.capacities.endpointSlots);
    this.#reclaimer = new Reclaimer(mapped, this.load);
    this.#generations = new Uint16Array(this.capacities.endpointSlots);
  }

  /** Slots that assign() can still give out. */
  get freeSlots(): number {
    return this.#slots.freeSlots;
  }

  /**
   * Gives an endpoint a slot with a generation of its own: nothing in flight, no sample, enabled and healthy.
   *
   * @throws Error (invariant) when no slot is free or the upstream is out of range
   */
  assign(upstream: number, settings: EndpointSettings): SlotAssignment {
    this.#checkUpstream(upstream);
    const slot = this.#slots.take();
    const generation = generationAfter(this.#generations[slot] ?? 0);
    this.#generations[slot] = generation;
    this.#figuresBefore.set(slot, this.#slotFigures(slot));
    this.figures.begin('endpoint', slot);
    this.load.begin(slot, generation);
    this.health.begin(slot, generation);
    this.reports.clear(slot); // after the new generation, from which on the former endpoint's are ignored
    this.control.begin(slot, generation, upstream, settings);
    return { slot, generation };
  }

  /**
   * Keeps the slot of an endpoint that a new configuration has as well: generation, load, latency, counts and states stay.
   *
   * @param slot     assigned and not released
   * @param upstream its record
   */
  keep(slot: number, upstream: number, settings: EndpointSettings): SlotAssignment {
    this.#checkUpstream(upstream);
    this.control.keep(slot, upstream, settings);
    return { slot, generation: this.control.generation(slot) };
  }

  /** Takes a slot back; requests still in flight finish, and their ends are not counted for whoever gets the slot next. */
  release(slot: number): void {
    this.#slots.giveBack(slot);
    this.control.end(slot);
  }

  /**
   * These records have other owners from now on, or their first ones: what stands in them is cleared, and their figures begin at zero. Those of
   * endpoints do with assign(). Before workers get the plan that names them, and after everything of the former owners has ended.
   */
  beginRecords(records: readonly BegunRecords[]): void {
    beginRecords(this.#mapped, { hashTables: this.hashTables, figures: this.figures }, records);
  }

  /** A worker's own part, for reading; its owner writes it. */
  stripe(worker: number): WorkerStripe {
    const stripe = this.#stripes[worker];
    invariant(stripe, `the board has a stripe for worker ${worker}`);
    return stripe;
  }

  /** Over all workers, lost ones included. */
  totals(): BoardTotals {
    const lives = this.#stripes.map((stripe) => stripe.life());
    return {
      clientConnections: lives.reduce((sum, life) => sum + life.clientConnections, 0),
      http2Connections: lives.reduce((sum, life) => sum + life.http2Connections, 0),
      exchanges: lives.reduce((sum, life) => sum + life.exchanges, 0),
      sessions: lives.reduce((sum, life) => sum + life.sessions, 0),
      traffic: sumOf(this.#stripes.map((stripe) => stripe.traffic())),
      failures: sumOf(this.#stripes.map((stripe) => stripe.failures())),
    };
  }

  /** Counters of the endpoint that has the slot, over all workers, since it got the slot. */
  endpointFigures(slot: number): EndpointFigures {
    const before = this.#figuresBefore.get(slot);
    const now = this.#slotFigures(slot);
    const entries = Object.entries(now) as [keyof EndpointFigures, number][]; // its own fields
    return Object.fromEntries(
      entries.map(([name, figure]) => [name, figure - (before?.[name] ?? 0)]),
    ) as unknown as EndpointFigures; // the same fields
  }

  /**
   * Requests and sessions that wait in a queue for a place at an endpoint, those that have just been called included. A statistic.
   *
   * @param queue QueuePlan.record
   */
  waiting(queue: number): number {
    const isQueue = Number.isInteger(queue) && queue >= 0 && queue < this.capacities.queues;
    invariant(isQueue, `queue ${queue} has a place on a board for ${this.capacities.queues}`);
    const line = new WaitLine(this.#mapped, queue);
    return line.waiting + line.called;
  }

  /**
   * Takes back what a worker held whose thread has ended ('exit' was emitted): claims on endpoints, open connections,
   * exchanges and sessions, waits, probes, its places in queues, its sessions at listeners and of clients, and the locks it died
   * with. Idempotent.
   *
   * @returns false when an endpoint or a queue was too busy to find out what the worker held there: call again a few ms later
   */
  reclaim(worker: number): boolean {
    this.stripe(worker).markLost();
    clearWaiting(this.#mapped, worker);
    clearProbes(this.#mapped, worker);
    for (let upstream = 0; upstream < this.capacities.upstreams; upstream++)
      this.health.ejections.unlockFor(upstream, worker);
    reclaimSessions(this.#mapped, worker);
    reclaimRetryBudgets(this.#mapped, worker);
    // Claims before waiters: whoever is told to look for free places finds them.
    const areClaimsSettled = this.#reclaimer.reclaim(worker);
    const isSettled = reclaimWaiters(this.#mapped, worker) && areClaimsSettled;
    if (isSettled) this.#unsettled.delete(worker);
    else this.#unsettled.add(worker);
    return isSettled;
  }

  /**
   * Makes a lost worker's stripe ready for the thread that takes its place, which goes on from the old counters: they only
   * ever grow.
   *
   * @throws Error (invariant) unless reclaim() returned true for it
   */
  resetStripe(worker: number): void {
    const stripe = this.stripe(worker);
    const isSettled = stripe.life().state === 'lost' && !this.#unsettled.has(worker);
    invariant(isSettled, `what worker ${worker} held was taken back before its stripe is used again`);
    stripe.setState('absent');
  }

  #checkUpstream(upstream: number): void {
    const isUpstream = Number.isInteger(upstream) && upstream >= 0 && upstream < this.capacities.upstreams;
    invariant(isUpstream, `upstream ${upstream} has a place on a board for ${this.capacities.upstreams}`);
  }

  #slotFigures(slot: number): EndpointFigures {
    return sumOf(this.#stripes.map((stripe) => stripe.endpointTraffic(slot)));
  }
}

/**
 * Makes the board of this process. Thread: primary.
 *
 * @param capacities capacitiesWithRoom()
 * @param hashKey    random for each process; fixed in tests
 * @throws Error (invariant) when a capacity is out of range; RangeError when there is no such memory
 */
export function createBoard(capacities: BoardCapacities, hashKey: HashKey = randomKey()): Board {
  return new Board(allocateBoard(capacities, hashKey));
}

function randomKey(): HashKey {
  const word = (): number => randomInt(2 ** 32) | 0;
  return [word(), word()];
}

function sumOf<Field extends string>(all: readonly Readonly<Record<Field, number>>[]): Record<Field, number> {
  const sum = { ...all[0] } as Record<Field, number>; // a board has at least one worker
  for (const figures of all.slice(1)) {
    for (const field of Object.keys(figures) as Field[]) sum[field] += figures[field];
  }
  return sum;
}
