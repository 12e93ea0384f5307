/** A worker's side of the board: reads what all share, writes its own stripe, claims endpoints. */

import { Bell } from './bell.js';
import type { BoardCapacities } from './capacities.js';
import { ClaimJournal } from './claim-journal.js';
import { ClientTable } from './client-table.js';
import { EndpointControlTable } from './endpoint-control.js';
import { EndpointHealthTable } from './endpoint-health.js';
import { EndpointLoadTable } from './endpoint-load.js';
import { EndpointReportTable } from './endpoint-report.js';
import { FigureWriter } from './figure-writer.js';
import { allocateFigures, mapFigures } from './figures-memory.js';
import { type HashTable, hashTablesOf } from './hash-table.js';
import { ListenerSessionTable } from './listener-sessions.js';
import { ProbeJournal } from './probe-journal.js';
import { PLANES } from './queue-groups.js';
import { rehearsalTables } from './rehearsal.js';
import { RetryBudgetTable } from './retry-budget.js';
import { mapBoard } from './shared-memory.js';
import { UpstreamTable } from './upstream-table.js';
import { WaitQueue, type WaitQueuePlan } from './wait-queue.js';
import { WaitingTable } from './waiting-table.js';
import { WorkerStripe } from './worker-stripe.js';

/** The tables as one worker uses them. Thread: that worker; no two threads may attach as the same worker at a time. */
export interface WorkerBoard {
  readonly worker: number;
  readonly capacities: BoardCapacities;
  readonly load: EndpointLoadTable;
  readonly reports: EndpointReportTable;
  readonly health: EndpointHealthTable;
  readonly control: EndpointControlTable;
  readonly upstreams: UpstreamTable;
  /** By UpstreamPlan.hashTable. */
  readonly hashTables: readonly HashTable[];
  readonly claims: ClaimJournal;
  /** Probes and trials of endpoints, and of routes. */
  readonly probes: ProbeJournal;
  readonly routeProbes: ProbeJournal;
  readonly waiting: WaitingTable;
  readonly listenerSessions: ListenerSessionTable;
  readonly clients: ClientTable;
  readonly retryBudgets: RetryBudgetTable;
  readonly stripe: WorkerStripe;
  readonly figures: FigureWriter;
  /** The queue of an upstream, as one data plane uses it. @param plane 0 .. PLANES - 1 */
  openQueue(plane: number, plan: WaitQueuePlan): WaitQueue;
  /** The same, but for tables on which picks claim nothing and move no cursor; see rehearsal.ts. */
  rehearsal(): WorkerBoard;
  /** The bell of a data plane, which others ring when they call its waiters. One for each. */
  openBell(plane: number, onRing: () => void): Bell;
}

/**
 * Attaches a worker to the board.
 *
 * @param buffer Board.buffer, from workerData
 * @param worker 0 .. workers - 1
 * @param figures Board.figures.memoryOf(worker), from workerData; absent: what is recorded nobody reads
 * @throws Error (invariant) when the memory is no board, has another build's layout, or no stripe for this worker
 */
export function attachBoard(buffer: SharedArrayBuffer, worker: number, figures?: SharedArrayBuffer): WorkerBoard {
  const mapped = mapBoard(buffer);
  const { capacities } = mapped.layout;
  const load = new EndpointLoadTable(mapped);
  const board: WorkerBoard = {
    worker,
    capacities,
    load,
    reports: new EndpointReportTable(mapped),
    health: new EndpointHealthTable(mapped),
    control: new EndpointControlTable(mapped),
    upstreams: new UpstreamTable(mapped),
    hashTables: hashTablesOf(mapped),
    claims: new ClaimJournal(mapped, worker, load),
    probes: new ProbeJournal(mapped, worker, 'probes'),
    routeProbes: new ProbeJournal(mapped, worker, 'routeProbes'),
    waiting: new WaitingTable(mapped, worker),
    listenerSessions: new ListenerSessionTable(mapped, worker),
    clients: new ClientTable(mapped, worker),
    retryBudgets: new RetryBudgetTable(mapped, worker),
    stripe: new WorkerStripe(mapped, worker),
    figures: new FigureWriter(mapFigures(figures ?? allocateFigures(capacities), capacities)),
    openQueue: (plane, plan) => new WaitQueue(mapped, worker, plane, plan),
    rehearsal: () => ({ ...board, ...rehearsalTables(mapped, worker) }),
    openBell: (plane, onRing) => new Bell(mapped, worker * PLANES + plane, onRing),
  };
  return board;
}
