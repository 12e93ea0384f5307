/** Retries and hedges of an upstream are bounded by its requests of the last ten seconds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { layoutFor } from '../../../src/board/layout.js';
import { RetryBudget } from '../../../src/board/retry-groups.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const capacities = {
  endpointSlots: 64,
  upstreams: 2,
  turns: 1,
  hashTables: 0,
  hashTableWords: 0,
  queueEntries: 0,
  queues: 2,
  routeBreakers: 0,
  routes: 1,
  workers: 3,
  listeners: 1,
  clientEntries: 16,
};
const START_S = 1_000_003;

function tablesOf() {
  const board = createBoard(capacities);
  return { board, tables: [0, 1, 2].map((worker) => attachBoard(board.buffer, worker).retryBudgets) };
}

describe('the retry budget', () => {
  it('allows a share of the requests of all workers', () => {
    const { tables } = tablesOf();
    for (const table of tables) for (let count = 0; count < 5; count++) table.countRequest(0, START_S);
    const share = { share: 0.2, perSecond: 0 };
    expect([0, 1, 2, 0].map((worker) => tables[worker]!.withdraw(0, share, START_S))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(tables[0]!.withdraw(1, share, START_S)).toBe(false);
  });

  it('allows so many a second without any request', () => {
    const { tables } = tablesOf();
    const allowed = Array.from({ length: 30 }, () => tables[1]!.withdraw(0, { share: 0, perSecond: 2 }, START_S));
    expect(allowed.filter((isAllowed) => isAllowed)).toHaveLength(20);
  });

  it('is there again ten seconds later', () => {
    const { tables } = tablesOf();
    const plan = { share: 0, perSecond: 0.1 };
    const at = (second: number): boolean => tables[0]!.withdraw(0, plan, START_S + second);
    expect([at(0), at(1), at(9), at(10), at(11), at(19), at(20)]).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('gets back what was taken for nothing', () => {
    const { tables } = tablesOf();
    const plan = { share: 0, perSecond: 0.1 };
    expect(tables[0]!.withdraw(0, plan, START_S)).toBe(true);
    tables[0]!.giveBack(0, START_S);
    expect([tables[1]!.withdraw(0, plan, START_S), tables[2]!.allows(0, plan, START_S)]).toEqual([true, false]);
  });

  it('is free again when the worker that holds its lock has died', () => {
    const { board, tables } = tablesOf();
    const { base, stride } = layoutFor(capacities).board.retryBudget;
    new Int32Array(board.buffer)[base + stride + RetryBudget.field.lock] = 2;
    board.reclaim(1);
    expect(tables[0]!.withdraw(1, { share: 0, perSecond: 1 }, START_S)).toBe(true);
  });

  it('agrees with a list of moments', () => {
    const step = fc.record({
      worker: fc.nat(2),
      requests: fc.nat(6),
      tries: fc.nat(3),
      /** Mostly the same second or the next, at times a long silence. */
      passS: fc.oneof({ weight: 6, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(40) }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(100), fc.nat(3), (steps, sharePercent, perSecond) => {
        const { tables } = tablesOf();
        const plan = { share: sharePercent / 100, perSecond };
        const requests: number[] = [];
        const withdrawn: number[] = [];
        let second = START_S;
        for (const { worker, requests: count, tries, passS } of steps) {
          second += passS;
          const recent = (moments: number[]): number => moments.filter((moment) => moment > second - 10).length;
          for (let request = 0; request < count; request++) {
            tables[worker]!.countRequest(0, second);
            requests.push(second);
          }
          for (let attempt = 0; attempt < tries; attempt++) {
            const most = (sharePercent * recent(requests) + perSecond * 1_000) / 100;
            const isAllowed = recent(withdrawn) + 1 <= most;
            expect(tables[worker]!.withdraw(0, plan, second)).toBe(isAllowed);
            if (isAllowed) withdrawn.push(second);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
