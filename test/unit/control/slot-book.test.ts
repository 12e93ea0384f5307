/** Slots by the identity of endpoints, from one configuration to the next. */
import { describe, expect, it } from 'vitest';
import { createBoard, type SlotAssignment } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { SlotBook } from '../../../src/control/slot-book.js';

const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };

function bookOf(endpointSlots = 8) {
  const board = createBoard({
    endpointSlots,
    upstreams: 2,
    turns: 2,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 2,
    routeBreakers: 0,
    routes: 1,
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  });
  const book = new SlotBook(board);
  /** Takes a configuration with these endpoints, 'upstream/name' each. */
  const take = (endpoints: readonly string[], parts: Partial<typeof settings> = {}) => {
    const edition = book.edit();
    const assigned: Record<string, SlotAssignment> = {};
    for (const each of endpoints) {
      const [upstream = '', endpoint = ''] = each.split('/');
      assigned[each] = edition.assign({ upstream, endpoint }, upstream === 'api' ? 0 : 1, { ...settings, ...parts });
    }
    return { assigned, edition };
  };
  return { board, book, take };
}

describe('slot book', () => {
  it('gives endpoints their slots, those of the same name in another upstream their own', () => {
    const { board, take } = bookOf();
    const { assigned, edition } = take(['api/a', 'api/b', 'web/a']);
    const slots = Object.values(assigned).map(({ slot }) => slot);
    expect(new Set(slots).size).toBe(3);
    expect(edition.commit()).toEqual({ kept: [], joined: slots, left: [] });
    expect(slots.map((slot) => board.control.state(slot).upstream)).toEqual([0, 0, 1]);
  });

  it('keeps slot, generation, load, latency, counts and state of who stays, with new settings', () => {
    const { board, take } = bookOf();
    const first = take(['api/a', 'api/b']);
    first.edition.commit();
    const { slot, generation } = first.assigned['api/a']!;
    const worker = attachBoard(board.buffer, 0);
    worker.claims.claim(slot, generation, 0);
    worker.load.replaceLatency(slot, 0, 500, 77);
    worker.stripe.countAttempt(slot, false);
    board.control.setHealthy(slot, false);
    const second = take(['api/c', 'api/a'], { weight: 7 });
    expect(second.assigned['api/a']).toEqual({ slot, generation });
    expect(board.control.state(slot).weight).toBe(1); // the plan is not taken yet
    const changes = second.edition.commit();
    expect(changes).toEqual({
      kept: [slot],
      joined: [second.assigned['api/c']!.slot],
      left: [first.assigned['api/b']!.slot],
    });
    expect(board.control.state(slot)).toMatchObject({ generation, weight: 7, isHealthy: false });
    expect([board.load.inflight(slot), board.load.latencyUs(slot)]).toEqual([1, 500]);
    expect(board.endpointFigures(slot).attempts).toBe(1);
  });

  it('leaves those that left alone until they are released', () => {
    const { board, book, take } = bookOf();
    const first = take(['api/a', 'api/b']);
    first.edition.commit();
    const { slot } = first.assigned['api/b']!;
    const { left } = take(['api/a']).edition.commit();
    expect([left, board.control.takesWork(slot)]).toEqual([[slot], true]);
    book.release(left);
    expect([board.control.takesWork(slot), board.freeSlots]).toEqual([false, 7]);
  });

  it('takes who comes back after leaving for a new one', () => {
    const { book, take } = bookOf(1);
    const first = take(['api/a']);
    first.edition.commit();
    book.release(take([]).edition.commit().left);
    const again = take(['api/a']);
    expect(again.assigned['api/a']!.slot).toBe(first.assigned['api/a']!.slot);
    expect(again.assigned['api/a']!.generation).not.toBe(first.assigned['api/a']!.generation);
  });

  it('is as it was after a configuration that is not taken', () => {
    const { board, take } = bookOf();
    const first = take(['api/a']);
    first.edition.commit();
    take(['api/a', 'api/b'], { weight: 9 }).edition.withdraw();
    expect([board.freeSlots, board.control.state(first.assigned['api/a']!.slot).weight]).toEqual([7, 1]);
    expect(take(['api/a']).edition.commit()).toMatchObject({ joined: [], left: [] });
  });

  it('says whether newcomers have room beside those that have slots', () => {
    const { book, take } = bookOf(3);
    take(['api/a', 'api/b']).edition.commit();
    const named = (...names: string[]) => names.map((endpoint) => ({ upstream: 'api', endpoint }));
    expect(book.hasRoomFor(named('a', 'b', 'c'))).toBe(true);
    expect(book.hasRoomFor(named('c', 'd'))).toBe(false);
  });

  it('refuses an endpoint twice, and an edition that is over', () => {
    const { take } = bookOf();
    expect(() => take(['api/a', 'api/a'])).toThrow(/assigned once/);
    const { edition } = take(['api/b']);
    edition.commit();
    expect(() => edition.withdraw()).toThrow(/once/);
    expect(() => edition.assign({ upstream: 'api', endpoint: 'c' }, 0, settings)).toThrow(/open edition/);
  });
});
