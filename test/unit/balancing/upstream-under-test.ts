/** A board with one upstream on it, as small as a balancer needs it. */

import { measureOf } from '../../../src/balancing/attempt-measure.js';
import { NO_ENDPOINT, NO_KEY } from '../../../src/balancing/balancer.js';
import type { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { NONE_TRIED, TriedSet } from '../../../src/balancing/tried-set.js';
import { UpstreamPicker } from '../../../src/balancing/upstream-picker.js';
import { type Board, createBoard } from '../../../src/board/board.js';
import { wordsOfPoints } from '../../../src/board/hash-table.js';
import { endpointSlotsFor } from '../../../src/board/spare-room.js';
import { attachBoard, type WorkerBoard } from '../../../src/board/worker-board.js';
import type { BalancerName, PickingPlan } from '../../../src/config/picking-plan.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { tickOf } from '../../../src/core/tick.js';
import { KETAMA_POINTS } from '../../../src/engine/hashing.js';
import { PLAIN_PICKING, PLAIN_RESILIENCE, PLAIN_SPEECH } from '../control/plans.js';

export interface EndpointUnderTest {
  readonly weight?: number;
  readonly cap?: number;
  readonly isBackup?: boolean;
  readonly isResolved?: boolean;
  readonly level?: number;
}

export interface UpstreamUnderTest {
  readonly board: Board;
  readonly plan: UpstreamPlan;
  readonly worker: WorkerBoard;
  readonly picker: UpstreamPicker;
  /** Attaches another worker, in this thread. */
  attach(worker: number): { worker: WorkerBoard; picker: UpstreamPicker };
  /** Picks once. */
  pick(tried?: readonly number[], now?: number): number;
  /** Picks `count` times without ending anything; letters of the endpoints, '-' for none. */
  picks(count: number): string;
  /** Claims an endpoint `count` times beside any picks. */
  load(endpoint: number, count: number): void;
}

/** Enough for a table of Maglev, and for the ring of 256 endpoints. */
const HASH_TABLE_WORDS = wordsOfPoints(256 * KETAMA_POINTS);

export function upstreamOf(
  balance: BalancerName,
  endpoints: readonly EndpointUnderTest[],
  workers = 2,
  picking: Partial<PickingPlan> = {},
): UpstreamUnderTest {
  const board = createBoard({
    endpointSlots: endpointSlotsFor(endpoints.length),
    upstreams: 1,
    turns: 1 + (picking.subsets?.length ?? 0),
    hashTables: picking.hashTable === undefined ? 0 : picking.hashTable + 1,
    hashTableWords: picking.hashTable === undefined ? 0 : HASH_TABLE_WORDS,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers,
    listeners: 1,
    clientEntries: 16,
  });
  const plan: UpstreamPlan = {
    name: 'api',
    index: 0,
    record: 0,
    ...PLAIN_PICKING,
    balance,
    ...picking,
    endpoints: endpoints.map(({ weight = 1, cap = 0, isBackup = false, isResolved = true, level = 0 }, index) => ({
      name: `127.0.0.1:${9000 + index}`,
      ...board.assign(0, { weight, cap, isBackup, isResolved }),
      target: { kind: 'tcp', host: '127.0.0.1', port: 9000 + index },
      weight,
      backup: isBackup,
      level,
      labels: {},
      maxConns: cap,
    })),
    ...PLAIN_RESILIENCE,
    ...PLAIN_SPEECH,
    proxyProtocol: 'off',
    keepAlive: { idleMs: 60_000, intervalMs: 10_000, probes: 6 },
    pool: { maxIdle: 8, maxConnections: 0, keepAliveIdleMs: 1000 },
    responseLimits: { headBytes: 16_384, headers: 100 },
    healthCheck: null,
  };
  const attach = (index: number) => {
    const worker = attachBoard(board.buffer, index);
    const picker = new UpstreamPicker(plan, worker, seededRng(index + 1), null);
    picker.view.refresh(1);
    return { worker, picker };
  };
  const { worker, picker } = attach(0);
  const pick = (tried: readonly number[] = [], now = 1): number => {
    const set = new TriedSet();
    for (const endpoint of tried) set.add(endpoint);
    return picker.pick(NO_KEY, tried.length === 0 ? NONE_TRIED : set, now);
  };
  return {
    board,
    plan,
    worker,
    picker,
    attach,
    pick,
    picks: (count) => Array.from({ length: count }, () => letterOf(pick())).join(''),
    load: (endpoint, count) => {
      const { slot, generation } = plan.endpoints[endpoint]!;
      for (let claim = 0; claim < count; claim++) worker.claims.claim(slot, generation, 0);
    },
  };
}

export function letterOf(endpoint: number): string {
  return endpoint === NO_ENDPOINT ? '-' : String.fromCharCode(97 + endpoint);
}

/** How an endpoint of a simulation answers a request that reaches it at `ms`. */
export type Behaviour = (ms: number) => {
  readonly afterMs: number;
  readonly status?: number;
  readonly isFailure?: boolean;
};

export interface Story {
  readonly endpoints: readonly Behaviour[];
  /** Requests a second, evenly spaced. */
  readonly rate: number;
  readonly durationMs: number;
  /** Tick of the story's beginning. */
  readonly start?: number;
}

/** One request as it went. */
export interface Told {
  readonly atMs: number;
  readonly endpoint: number;
}

/** Plays a story with a clock moved by hand: picks at even intervals, answers when their time has come. */
export function play(upstream: UpstreamUnderTest, ledger: EndpointLedger, story: Story): Told[] {
  const told: Told[] = [];
  const pending: { atMs: number; exchange: number; elapsedMs: number; status: number; isFailure: boolean }[] = [];
  const tickAt = (ms: number) => tickOf((story.start ?? 1) + ms);
  const settleUntil = (ms: number): void => {
    pending.sort((a, b) => a.atMs - b.atMs);
    while (pending.length > 0 && pending[0]!.atMs <= ms) {
      const { atMs, exchange, elapsedMs, status, isFailure } = pending.shift()!;
      if (isFailure) ledger.fail(exchange, elapsedMs * 1000, tickAt(atMs));
      else ledger.firstByte(exchange, status, elapsedMs * 1000, tickAt(atMs));
      ledger.end(exchange, tickAt(atMs));
    }
  };
  for (let exchange = 0; exchange * (1000 / story.rate) < story.durationMs; exchange++) {
    const ms = exchange * (1000 / story.rate);
    settleUntil(ms);
    const endpoint = upstream.picker.pick(NO_KEY, NONE_TRIED, tickAt(ms));
    ledger.begin(exchange, upstream.picker.view.endpoint(endpoint), false, tickAt(ms), measureOf(upstream.plan));
    const { afterMs, status = 200, isFailure = false } = story.endpoints[endpoint]!(ms);
    if (Number.isFinite(afterMs)) pending.push({ atMs: ms + afterMs, exchange, elapsedMs: afterMs, status, isFailure });
    told.push({ atMs: ms, endpoint });
  }
  settleUntil(Infinity);
  return told;
}

/** Share of an endpoint among the requests between two moments. */
export function shareOf(told: readonly Told[], endpoint: number, fromMs: number, toMs: number): number {
  const during = told.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return during.filter((request) => request.endpoint === endpoint).length / during.length;
}
