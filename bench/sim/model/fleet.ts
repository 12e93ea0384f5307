/** The real balancers at work in a simulation: one board, one upstream on it, and one to many workers attached in this thread. */
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { type Attempting, UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import { type Board, createBoard } from '../../../src/board/board.js';
import { WEIGHT_UNIT } from '../../../src/board/endpoint-control.js';
import { wordsOfPoints, wordsOfSlots } from '../../../src/board/hash-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { NO_HASH_TABLE, NO_SUBSET, type PickingPlan } from '../../../src/config/picking-plan.js';
import type { EndpointPlan, UpstreamPlan } from '../../../src/config/plan.js';
import { invariant } from '../../../src/core/invariant.js';
import { seededRng } from '../../../src/core/rng.js';
import { tickOf } from '../../../src/core/tick.js';
import { ketamaRing, maglevSlots, ringWords, slotWords } from '../../../test/reference/hash/tables.js';
import { endpointPlan, upstreamPlan } from '../../../test/unit/control/plans.js';
import { type FailureKind, REFUSED, type SimulatedRequest, type Steering } from './request.js';

/** What an endpoint is configured with. */
export interface EndpointSetting {
  readonly weight?: number;
  readonly maxConns?: number;
  readonly backup?: boolean;
  /** Lower ones first: priorities and zones. */
  readonly level?: number;
}

/** How a fleet is set up. */
export interface FleetSettings {
  readonly endpoints: readonly EndpointSetting[];
  readonly picking: Partial<PickingPlan>;
  readonly workers: number;
  /** true: every worker has a board of its own and sees only its own requests, as in proxies without shared state. */
  readonly isApart: boolean;
  readonly seed: number;
}

/** Requests of one worker that are open at a time, at most. */
const MOST_OPEN = 1 << 15;
/** A tick that is neither 0 nor close to the clock's wrap. */
const FIRST_TICK = 1_000;
const US_PER_MS = 1_000;
const MS_PER_S = 1_000;
const SLOT_STEP = 64;
/** Entries of sluice's Maglev tables, and points of the largest ring of a simulation. */
const MAGLEV_ENTRIES = 65_537;
const MOST_POINTS = 1 << 17;

const CODES = {
  refused: 'SLUICE_CONNECT_REFUSED',
  timeout: 'SLUICE_FIRST_BYTE_TIMEOUT',
  reset: 'SLUICE_ENDPOINT_RESET',
} as const;

class SimulatedExchange implements Attempting {
  readonly id: number;
  endpoint = NO_ENDPOINT;
  readonly subset = NO_SUBSET;
  readonly key = new PickKey();
  readonly preferred = NO_ENDPOINT;
  attempts = 0;
  tried: Attempting['tried'] = null;

  constructor(id: number) {
    this.id = id;
  }
}

class FleetWorker {
  readonly runtime: UpstreamRuntime;
  readonly #exchanges: SimulatedExchange[] = [];
  readonly #free: number[] = [];

  constructor(plan: UpstreamPlan, board: Board, worker: number, seed: number) {
    const attached = attachBoard(board.buffer, worker);
    const ledger = new EndpointLedger(attached, MOST_OPEN);
    this.runtime = new UpstreamRuntime(plan, { board: attached, ledger, rng: seededRng(seed) });
  }

  take(): SimulatedExchange {
    const id = this.#free.pop();
    if (id === undefined) {
      invariant(this.#exchanges.length < MOST_OPEN, `at most ${MOST_OPEN} requests are open in one simulated worker`);
      const made = new SimulatedExchange(this.#exchanges.length);
      this.#exchanges.push(made);
      return made;
    }
    const exchange = this.exchange(id);
    exchange.attempts = 0;
    exchange.tried = null;
    return exchange;
  }

  exchange(id: number): SimulatedExchange {
    return this.#exchanges[id]!;
  }

  giveBack(id: number): void {
    this.#free.push(id);
  }
}

/** Tick of a moment of simulated time. */
export function simulatedTick(nowMs: number): number {
  return tickOf(FIRST_TICK + nowMs);
}

/** Steers requests with what sluice steers them with. */
export class Fleet implements Steering {
  /** One, or with `isApart` one for each worker; control changes go to all of them. */
  readonly boards: readonly Board[];
  readonly plans: readonly UpstreamPlan[];
  readonly #workers: readonly FleetWorker[];

  constructor(settings: FleetSettings) {
    const { workers, isApart, seed } = settings;
    const made = Array.from({ length: isApart ? workers : 1 }, () => boardOf(settings));
    this.boards = made.map(({ board }) => board);
    this.plans = made.map(({ plan }) => plan);
    this.#workers = Array.from({ length: workers }, (_, worker) => {
      const { board, plan } = made[isApart ? worker : 0]!;
      return new FleetWorker(plan, board, isApart ? 0 : worker, seed * 1_009 + worker);
    });
  }

  pick(request: SimulatedRequest, nowMs: number): number {
    const worker = this.#workerOf(request);
    const exchange = request.attempts === 0 ? worker.take() : worker.exchange(request.handle);
    request.handle = exchange.id;
    if (request.attempts === 0) fillKey(exchange.key, request);
    const slot = worker.runtime.pick(exchange, simulatedTick(nowMs));
    return slot === NO_ENDPOINT ? REFUSED : exchange.endpoint;
  }

  answered(request: SimulatedRequest, status: number, elapsedMs: number, nowMs: number, retryAfterMs: number): void {
    const worker = this.#workerOf(request);
    const tick = simulatedTick(nowMs);
    const exchange = worker.exchange(request.handle);
    worker.runtime.settleFirstByte(exchange, status, elapsedMs * US_PER_MS, tick);
    if (retryAfterMs > 0) worker.runtime.settleRetryAfter(exchange, retryAfterMs / MS_PER_S, tick);
  }

  failed(request: SimulatedRequest, kind: FailureKind, elapsedMs: number, nowMs: number): void {
    const worker = this.#workerOf(request);
    const exchange = worker.exchange(request.handle);
    worker.runtime.settleFailure(exchange, CODES[kind], elapsedMs * US_PER_MS, simulatedTick(nowMs));
  }

  ended(request: SimulatedRequest, nowMs: number): void {
    const worker = this.#workerOf(request);
    worker.runtime.settleEnd(worker.exchange(request.handle), simulatedTick(nowMs));
    worker.giveBack(request.handle);
  }

  /** Makes a change of the primary's on every board. @param change gets the board and the endpoint's slot there */
  control(endpoint: number, change: (board: Board, slot: number) => void): void {
    this.boards.forEach((board, index) => {
      change(board, this.plans[index]!.endpoints[endpoint]!.slot);
    });
  }

  /** Requests in flight on an endpoint, over all boards. */
  inflight(endpoint: number): number {
    return this.boards.reduce(
      (sum, board, index) => sum + board.load.inflight(this.plans[index]!.endpoints[endpoint]!.slot),
      0,
    );
  }

  #workerOf(request: SimulatedRequest): FleetWorker {
    return this.#workers[request.worker]!;
  }
}

function fillKey(key: PickKey, request: SimulatedRequest): void {
  key.hash = request.hash;
  key.hashHigh = request.hashHigh;
  key.routeClass = request.routeClass;
  key.bodyBytes = request.bodyBytes;
}

/** A board with one upstream on it, and the upstream's plan. */
export function boardOf({ endpoints, picking, workers, isApart }: FleetSettings): { board: Board; plan: UpstreamPlan } {
  const tables = picking.balance === 'ketama' || picking.balance === 'maglev' ? 1 : 0;
  const board = createBoard(
    {
      endpointSlots: Math.ceil(endpoints.length / SLOT_STEP) * SLOT_STEP,
      upstreams: 1,
      turns: 1,
      hashTables: tables,
      hashTableWords: tables * Math.max(wordsOfSlots(MAGLEV_ENTRIES), wordsOfPoints(MOST_POINTS)),
      queueEntries: 0,
      queues: 1,
      routeBreakers: 0,
      routes: 1,
      workers: isApart ? 1 : workers,
      listeners: 1,
      clientEntries: 16,
    },
    [1, 2],
  );
  const plans = endpoints.map(({ weight = 1, maxConns = 0, backup = false, level = 0 }, index) => ({
    ...endpointPlan(`10.0.${index >> 8}.${index & 255}`, 8_080, 0),
    ...board.assign(0, { weight, cap: maxConns, isBackup: backup, isResolved: true }),
    weight,
    maxConns,
    backup,
    level,
  }));
  if (tables > 0) publishTable(board, plans, picking.balance === 'ketama');
  return { board, plan: { ...upstreamPlan(plans), ...picking, hashTable: tables > 0 ? 0 : NO_HASH_TABLE } };
}

/** What the primary does with the addon: here the reference builds the table, which golden files hold to the addon's. */
function publishTable(board: Board, plans: readonly EndpointPlan[], isKetama: boolean): void {
  const members = plans.map(({ name, slot, weight }) => ({ name, slot, weight: weight * WEIGHT_UNIT }));
  const [table] = board.hashTables;
  invariant(table, 'the board of a balancer with a table has one');
  if (isKetama) {
    const ring = ketamaRing(members, MOST_POINTS);
    table.publish(Int32Array.from(ringWords(ring)), ring.length);
  } else {
    table.publish(Int32Array.from(slotWords(maglevSlots(members, MAGLEV_ENTRIES))), MAGLEV_ENTRIES);
  }
}
