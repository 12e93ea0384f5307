/** Real worker threads that claim, wait, leave and give back at random lose no wake-up, pass no cap and keep their order. */
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { type Board, createBoard } from '../../../src/board/board.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { endpointPlan, upstreamPlan } from '../../unit/control/plans.js';
import { checkCompiled, resultOf, sharedWords, until } from './threads.js';

const THREADS = 4;
const CLIENTS = 12;
/** Actions of each thread between two moments when nobody waits. */
const ACTIONS = 120;
/** What comes of them in all threads together, at least. */
const CYCLES_PER_ROUND = 100;
const isLong = process.env.SLUICE_LONG === '1';
const CYCLES = isLong ? 1_000_000 : 100_000;
const LONG_TEST_MS = 900_000;
/** Whoever waits longer has been forgotten. */
const PATIENCE_MS = 10_000;

const threads: Worker[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

interface Result {
  readonly figures: Record<'cycles' | 'served' | 'waited' | 'left' | 'timedOut' | 'displaced' | 'refused', number>;
  readonly broken: readonly string[];
}

function boardWith(caps: readonly number[], length: number): { board: Board; plan: UpstreamPlan } {
  const board = createBoard({
    endpointSlots: 64,
    upstreams: 1,
    turns: 2,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: length,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers: THREADS,
    listeners: 1,
    clientEntries: 16,
  });
  const endpoints = caps.map((maxConns, at) => {
    const { slot, generation } = board.assign(0, { weight: 1, cap: maxConns, isBackup: false, isResolved: true });
    return { ...endpointPlan('127.0.0.1', 9000 + at, slot), generation, maxConns };
  });
  const plan: UpstreamPlan = {
    ...upstreamPlan(endpoints),
    balance: 'least-conn',
    queue: { length, record: 0, firstEntry: 0 },
    subsets: caps.length > 1 ? [{ labels: {}, endpoints: [0, 1], turn: 1 }] : [],
  };
  return { board, plan };
}

function start(board: Board, worker: number, task: Record<string, unknown>): Worker {
  checkCompiled();
  const thread = new Worker(new URL('./queue-thread.mjs', import.meta.url), {
    workerData: {
      buffer: board.buffer,
      worker,
      task: { ...task, patienceMs: PATIENCE_MS, origin: performance.timeOrigin },
    },
  });
  threads.push(thread);
  return thread;
}

describe('a queue over real worker threads', () => {
  it.each([
    ['one endpoint with a cap of 1', [1], 64],
    ['three endpoints with caps of 1 to 4', [1, 2, 4], 64],
    ['a short queue', [2, 1], 8],
  ])('serves everybody in order, with %s', { timeout: LONG_TEST_MS }, async (_name, caps, length) => {
    const { board, plan } = boardWith(caps, length);
    const rounds = Math.ceil(CYCLES / 3 / CYCLES_PER_ROUND);
    const seed = Number(process.env.SLUICE_SEED ?? 7);
    const task = { plan, clients: CLIENTS, actions: ACTIONS, rounds, threads: THREADS, shared: sharedWords(32).buffer };
    const results = await Promise.all(
      [0, 1, 2, 3].map((worker) => resultOf<Result>(start(board, worker, { ...task, seed: seed * THREADS + worker }))),
    );
    expect(results.flatMap(({ broken }) => broken)).toEqual([]);
    const total = (name: keyof Result['figures']): number =>
      results.reduce((sum, { figures }) => sum + figures[name], 0);
    if (isLong) process.stdout.write(`${_name}: ${JSON.stringify(results.map(({ figures }) => figures))}\n`);
    expect(total('cycles')).toBeGreaterThan(rounds * CYCLES_PER_ROUND);
    for (const name of ['waited', 'left', 'timedOut'] as const) expect(total(name), name).toBeGreaterThan(0);
    if (length < THREADS * CLIENTS) expect(total('displaced') * total('refused')).toBeGreaterThan(0);
    expect(plan.endpoints.map(({ slot }) => board.load.inflight(slot))).toEqual(caps.map(() => 0));
  });

  it('goes on when workers die at random moments', { timeout: LONG_TEST_MS }, async () => {
    const { board, plan } = boardWith([1, 2, 1], 64);
    const shared = sharedWords(32);
    const rng = seededRng(11);
    const task = { plan, clients: CLIENTS, actions: ACTIONS, threads: THREADS, isEndless: true, shared: shared.buffer };
    // What is in use cannot be counted beside the board when threads die.
    const lenient = {
      ...task,
      plan: { ...plan, endpoints: plan.endpoints.map((each) => ({ ...each, maxConns: 1e9 })) },
    };
    const running = [0, 1, 2, 3].map((worker) => start(board, worker, { ...lenient, seed: worker + 1 }));
    const deaths = isLong ? 200 : 20;
    for (let death = 0; death < deaths; death++) {
      const victim = rng.below(THREADS);
      await new Promise((resolve) => setTimeout(resolve, 5 + rng.below(60)));
      await running[victim]?.terminate();
      await until(() => board.reclaim(victim), 'what a dead worker held is given back');
      board.resetStripe(victim);
      running[victim] = start(board, victim, { ...lenient, seed: 100 + death });
    }
    const ends = running.map((thread) => resultOf<Result>(thread));
    Atomics.store(shared, 2, 1);
    const results = await Promise.all(ends);
    expect(results.flatMap(({ broken }) => broken)).toEqual([]);
  });
});
