/** The event queue against a sorted list. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../../../bench/sim/model/event-queue.js';

function emptied<Event>(queue: EventQueue<Event>): Event[] {
  const events: Event[] = [];
  while (queue.size > 0) events.push(queue.pop()!);
  return events;
}

describe('the event queue', () => {
  it('gives events in the order of their time', () => {
    const queue = new EventQueue<string>();
    for (const [atMs, event] of [
      [3, 'c'],
      [1, 'a'],
      [2, 'b'],
      [0.5, 'first'],
    ] as const)
      queue.push(atMs, event);
    expect(emptied(queue)).toEqual(['first', 'a', 'b', 'c']);
  });

  it('gives events of one moment in the order they were put in', () => {
    const queue = new EventQueue<number>();
    for (let event = 0; event < 20; event++) queue.push(7, event);
    expect(emptied(queue)).toEqual(Array.from({ length: 20 }, (_, event) => event));
  });

  it('has nothing next when it is empty', () => {
    const queue = new EventQueue<string>();
    expect([queue.size, queue.nextAtMs, queue.pop()]).toEqual([0, Infinity, undefined]);
    queue.push(4, 'only');
    expect([queue.nextAtMs, queue.pop(), queue.pop(), queue.nextAtMs]).toEqual([4, 'only', undefined, Infinity]);
  });

  it('is a stable sort, whatever is put in and taken out in between', () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('take' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new EventQueue<number>();
        let naive: { atMs: number; event: number }[] = [];
        steps.forEach((what, event) => {
          if (what === 'take') {
            const first = naive.reduce<(typeof naive)[number] | undefined>(
              (best, one) => (best === undefined || one.atMs < best.atMs ? one : best),
              undefined,
            );
            naive = naive.filter((one) => one !== first);
            expect(queue.pop()).toBe(first?.event);
          } else {
            queue.push(what, event);
            naive.push({ atMs: what, event });
          }
          expect(queue.size).toBe(naive.length);
        });
      }),
    );
  });
});
