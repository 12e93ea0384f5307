/** What the admin API shows is what the board says. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../../src/board/board.js';
import { attachBoard } from '../../../../src/board/worker-board.js';
import { adminViews } from '../../../../src/control/admin/views.js';
import { SourceDouble } from '../../../harness/admin-source.js';
import { plan } from '../plans.js';

function viewsOf(workers: number) {
  const board = createBoard({
    endpointSlots: 64,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers,
    listeners: 1,
    clientEntries: 16,
  });
  const views = adminViews({
    version: '0.1.0',
    plan: () => plan({ workers, upstreams: [] }),
    board,
    clock: { nowMs: () => 1_500, nowTick: () => 1_500 },
    startedAt: 1_000,
    phase: () => ({ kind: 'ready' }),
    workers: () => [],
    addressesOf: () => [],
    facts: {
      rampProgress: () => null,
      checkOf: () => null,
      drainOf: () => null,
      panicsOf: () => ({ isPanicking: false, panics: 0 }),
    },
    change: () => true,
    wallClockMs: () => 1_500,
    passedOn: new SourceDouble(),
  });
  return { views, stripes: Array.from({ length: workers }, (_, worker) => attachBoard(board.buffer, worker).stripe) };
}

describe('status', () => {
  it('adds up the sessions of all workers, open ones and all since the start', () => {
    const { views, stripes } = viewsOf(2);
    for (const stripe of stripes) stripe.beginSession();
    stripes[0]!.beginSession();
    stripes[1]!.endSession();
    expect(views.status()).toMatchObject({ uptimeMs: 500, totals: { openSessions: 2, sessions: 3, openExchanges: 0 } });
  });

  it('names only the errors that have occurred', () => {
    const { views, stripes } = viewsOf(2);
    expect(views.status().failuresByCode).toEqual({});
    stripes[0]!.countFailure('SLUICE_NO_ROUTE');
    stripes[1]!.countFailure('SLUICE_NO_ROUTE');
    stripes[1]!.countFailure('SLUICE_CONNECT_REFUSED');
    expect(views.status().failuresByCode).toEqual({ SLUICE_NO_ROUTE: 2, SLUICE_CONNECT_REFUSED: 1 });
  });
});
