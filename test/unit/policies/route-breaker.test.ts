/** A route's requests are refused while its circuit is open, and probes let through one at a time, whichever worker has them. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { BreakerPassage, RouteBreaker } from '../../../src/policies/route-breaker.js';
import { ADMIT } from '../../../src/policies/verdict.js';
import { BREAKER } from './watched-upstream.js';

function routeOf(probes = 1) {
  const board = createBoard({
    endpointSlots: 64,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 2,
    routes: 1,
    workers: 2,
    listeners: 1,
    clientEntries: 16,
  });
  const events: string[] = [];
  const breakers = [0, 1].map(
    (worker) =>
      new RouteBreaker({ ...BREAKER, failuresInRow: 2, probes, record: 1 }, attachBoard(board.buffer, worker), {
        opened: (record, reason, openMs) => events.push(`${record} opened ${reason} ${openMs}`),
        halfOpened: (record) => events.push(`${record} half-open`),
        closed: (record) => events.push(`${record} closed`),
      }),
  );
  const admit = (worker: number, now: number) => {
    const passage = new BreakerPassage();
    return { worker, passage, verdict: breakers[worker]!.admit(passage, now) };
  };
  const settle = ({ worker, passage }: ReturnType<typeof admit>, isFailure: boolean, now: number): void =>
    breakers[worker]!.settled(passage, isFailure, 1, now);
  /** Opens at 10. */
  const open = (): void => {
    for (const worker of [0, 1]) settle(admit(worker, 10), true, 10);
  };
  return { board, breakers, events, admit, settle, open };
}

describe('route breaker', () => {
  it('refuses while open, in all workers, and says for how long', () => {
    const { breakers, events, admit, open } = routeOf();
    open();

    expect(events).toEqual(['1 opened failures-in-row 1000']);
    expect([0, 1].map((worker) => admit(worker, 500).verdict)).toEqual(['SLUICE_BREAKER_OPEN', 'SLUICE_BREAKER_OPEN']);
    expect(breakers[1]!.retryAfterMs(500)).toBe(510);
    expect(breakers[1]!.retryAfterMs(1_500)).toBe(0);
  });

  it('lets one probe through at a time, and closes when it succeeds', () => {
    const { events, admit, settle, open } = routeOf();
    open();
    const probe = admit(1, 1_010);
    expect(probe.verdict).toBe(ADMIT);
    expect([0, 1].map((worker) => admit(worker, 1_011).verdict)).toEqual([
      'SLUICE_BREAKER_OPEN',
      'SLUICE_BREAKER_OPEN',
    ]);

    settle(probe, false, 1_020);

    expect([0, 1].map((worker) => admit(worker, 1_021).verdict)).toEqual([ADMIT, ADMIT]);
    expect(events.slice(1)).toEqual(['1 half-open', '1 closed']);
  });

  it('opens again when the probe fails', () => {
    const { breakers, admit, settle, open } = routeOf();
    open();
    settle(admit(0, 1_010), true, 1_020);

    expect(admit(1, 1_030).verdict).toBe('SLUICE_BREAKER_OPEN');
    expect(breakers[0]!.retryAfterMs(1_020)).toBe(2_000);
  });

  it('gives the place of a probe back once whose client has left', () => {
    const { breakers, admit, open } = routeOf();
    open();
    const probe = admit(1, 1_010);

    breakers[1]!.release(probe.passage);
    breakers[1]!.release(probe.passage);

    expect(admit(0, 1_011).verdict).toBe(ADMIT);
    expect(admit(0, 1_011).verdict).toBe('SLUICE_BREAKER_OPEN');
  });

  it('settles an exchange once, and one that was refused not at all', () => {
    const { events, admit, settle, open } = routeOf();
    const exchange = admit(0, 1);
    settle(exchange, true, 2);
    settle(exchange, true, 2);
    expect(events).toEqual([]);

    open();
    const refused = admit(0, 500);
    settle(refused, false, 600);
    settle(refused, true, 600);
    expect(events).toHaveLength(1);
  });

  it('is not blocked by the probe of a worker that has died', () => {
    const { board, admit, open } = routeOf();
    open();
    expect(admit(1, 1_010).verdict).toBe(ADMIT);
    expect(admit(0, 1_011).verdict).toBe('SLUICE_BREAKER_OPEN');

    board.reclaim(1);

    expect(admit(0, 1_012).verdict).toBe(ADMIT);
  });

  it('lets as many probes through as are to succeed', () => {
    const { admit, open } = routeOf(3);
    open();

    expect([0, 1, 0, 1, 0].map((worker) => admit(worker, 1_010).verdict === ADMIT)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
