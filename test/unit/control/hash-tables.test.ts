/** Tables of upstreams that hash: when they are built, from what, and what happens when that fails. */
import { describe, expect, it } from 'vitest';
import { type Board, createBoard } from '../../../src/board/board.js';
import { wordsOfSlots } from '../../../src/board/hash-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import type { TableBuilder } from '../../../src/control/hash-table-builder.js';
import type { TableOrder } from '../../../src/control/hash-table-task.js';
import { HashTables, TABLE_PACE } from '../../../src/control/hash-tables.js';
import type { BuiltTable } from '../../../src/engine/hashing.js';
import { FakeTime, settled } from './fake-time.js';
import { captureLog } from './log-capture.js';
import { endpointPlan, upstreamPlan } from './plans.js';

/** Answers every order with a table that has the order's slots, each once; or as a test wants it. */
function fakeBuilder(answer: (order: TableOrder) => Promise<BuiltTable> = async (order) => listing(order)) {
  const orders: TableOrder[] = [];
  let closings = 0;
  const builder: TableBuilder = {
    build: (order) => {
      orders.push(order);
      return answer(order);
    },
    close: async () => {
      closings += 1;
    },
  };
  return { builder, orders, closings: () => closings };
}

function listing({ slots }: TableOrder): BuiltTable {
  const words = new Int32Array(wordsOfSlots(slots.length));
  new Uint16Array(words.buffer).set(slots);
  return { words, size: slots.length };
}

function boardFor(upstreams: number): Board {
  return createBoard({
    endpointSlots: 64,
    upstreams,
    turns: upstreams,
    hashTables: upstreams,
    hashTableWords: 100,
    queueEntries: 0,
    queues: upstreams,
    routeBreakers: 0,
    routes: 1,
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  });
}

/** Two endpoints of weight 1 and 2. */
function setUp(parts: { builder?: ReturnType<typeof fakeBuilder>; plan?: Partial<UpstreamPlan> } = {}) {
  const fake = parts.builder ?? fakeBuilder();
  const board = boardFor(1);
  const endpoints = [1, 2].map((weight) => {
    const { slot, generation } = board.assign(0, { weight, cap: 0, isBackup: weight === 2, isResolved: true });
    return { ...endpointPlan('10.0.0.1', 8080 + weight, slot), generation };
  });
  const time = new FakeTime();
  const log = captureLog();
  const plan: UpstreamPlan = { ...upstreamPlan(endpoints), balance: 'maglev', hashTable: 0, ...parts.plan };
  const tables = new HashTables({ upstreams: [plan], board, builder: fake.builder, timers: time, logger: log.logger });
  const table = attachBoard(board.buffer, 0).hashTables[0];
  const slots = endpoints.map(({ slot }) => slot) as [number, number];
  return {
    ...fake,
    board,
    tables,
    time,
    log,
    slots,
    pass: (ms: number) => time.pass(ms),
    size: () => table?.refresh(),
  };
}

describe('tables of upstreams that hash', () => {
  it('are current when the start is over, made of names, slots and weights of all endpoints', async () => {
    const { tables, orders, size, slots } = setUp();
    await tables.start();
    expect(size()).toBe(2);
    expect(orders).toEqual([
      {
        kind: 'maglev',
        names: ['10.0.0.1:8081', '10.0.0.1:8082'],
        slots: Uint16Array.from(slots),
        weights: Uint32Array.from([100, 200]),
        mostPoints: 66,
      },
    ]);
    await tables.close();
  });

  it('cost nothing where no upstream hashes', async () => {
    const { tables, orders, time } = setUp({ plan: { balance: 'round-robin', hashTable: -1 } });
    await tables.start();
    expect([orders.length, time.pending]).toEqual([0, 0]);
  });

  it('are built again when a weight changes, once for many changes', async () => {
    const { tables, orders, board, slots, pass } = setUp();
    await tables.start();
    board.control.setWeight(slots[0], 7);
    board.control.setWeight(slots[1], 9);
    expect(orders.length).toBe(1);
    await pass(TABLE_PACE.lookMs);
    expect(orders.map(({ weights }) => [...weights])).toEqual([
      [100, 200],
      [700, 900],
    ]);
    await pass(5 * TABLE_PACE.lookMs);
    expect(orders.length).toBe(2);
    await tables.close();
  });

  it('stay as they are when health, caps, draining or slow start change', async () => {
    const { tables, orders, board, slots, pass } = setUp();
    await tables.start();
    board.control.setHealthy(slots[0], false);
    board.control.setDraining(slots[1], true);
    board.control.setCap(slots[0], 5);
    board.control.setShares([{ slot: slots[0], weightRamp: 0.1, capRamp: 0.1 }]);
    await pass(3 * TABLE_PACE.lookMs);
    expect(orders.length).toBe(1);
    await tables.close();
  });

  it('follow weights that move', async () => {
    const { tables, orders, board, slots, pass } = setUp();
    await tables.start();
    board.control.setShares([{ slot: slots[1], moved: 0.5 }]);
    await pass(TABLE_PACE.lookMs);
    expect([...(orders[1]?.weights ?? [])]).toEqual([100, 100]);
    await tables.close();
  });

  it('lose an endpoint whose slot was given back', async () => {
    const { tables, orders, board, slots, pass, size } = setUp();
    await tables.start();
    board.release(slots[0]);
    await pass(TABLE_PACE.lookMs);
    expect(orders[1]?.names).toEqual(['10.0.0.1:8082']);
    expect(size()).toBe(1);
    await tables.close();
  });

  it('let the latest change win when one comes while a table is being built', async () => {
    const waiting: (() => void)[] = [];
    const builder = fakeBuilder((order) => new Promise((resolve) => waiting.push(() => resolve(listing(order)))));
    const { tables, orders, board, slots, pass } = setUp({ builder });
    const started = tables.start();
    board.control.setWeight(slots[0], 3);
    waiting[0]?.();
    await started;
    board.control.setWeight(slots[0], 4);
    await pass(TABLE_PACE.lookMs);
    board.control.setWeight(slots[0], 5);
    await pass(TABLE_PACE.lookMs);
    expect(orders.length).toBe(2); // the second is still being built
    waiting[1]?.();
    await settled();
    await pass(TABLE_PACE.lookMs);
    expect([...(orders[2]?.weights ?? [])]).toEqual([500, 200]);
    await tables.close();
  });

  it('are reported and tried again with longer pauses when they cannot be built', async () => {
    let fails = true;
    const builder = fakeBuilder(async (order) => {
      if (fails) throw new Error('no thread');
      return listing(order);
    });
    const { tables, orders, log, pass, size } = setUp({ builder });
    await tables.start();
    expect(log.records[0]).toMatchObject({
      level: 'error',
      event: 'hash-table-failed',
      upstream: 'api',
      kind: 'maglev',
      reason: 'no thread',
      pauseMs: 1000,
    });
    await pass(1_000);
    expect(orders.length).toBe(2);
    await pass(1_000);
    expect(orders.length).toBe(2);
    fails = false;
    await pass(1_000);
    expect(orders.length).toBe(3);
    expect(size()).toBe(2);
    await tables.close();
  });

  it('do not hold the start up for longer than its patience', async () => {
    const { tables, time, size } = setUp({ builder: fakeBuilder(() => new Promise(() => {})) });
    const started = tables.start();
    await time.pass(TABLE_PACE.startPatienceMs);
    await started;
    expect(size()).toBe(0);
    await tables.close();
  });

  it('are left alone after the close, also by a build that ends then', async () => {
    let finish = (): void => {};
    const builder = fakeBuilder(
      (order) =>
        new Promise((resolve) => {
          finish = () => resolve(listing(order));
        }),
    );
    const { tables, time, size, log, closings } = setUp({ builder });
    const started = tables.start();
    void tables.close();
    await tables.close();
    finish();
    await started;
    expect([size(), time.pending, log.records.length]).toEqual([0, 0, 0]);
    expect(closings()).toBe(1);
  });
});
