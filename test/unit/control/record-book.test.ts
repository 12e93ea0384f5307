/** Numbers of records by identity, from one configuration to the next. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordKind } from '../../../src/config/plan-records.js';
import { NoRoomError, RecordBook, type RecordRange } from '../../../src/control/record-book.js';

const capacities = (records: number): Record<RecordKind, number> => ({
  upstream: records,
  listener: records,
  route: records,
  turn: records,
  'hash table': records,
  queue: records,
  'queue entry': records,
  'route breaker': records,
});

type Ask = readonly [kind: RecordKind, identity: string, length?: number];

/** Asks in an edition of its own; the numbers that were given. */
function ask(book: RecordBook, asks: readonly Ask[]) {
  const edition = book.edit();
  return { numbers: asks.map(([kind, identity, length]) => edition.recordOf(kind, identity, length)), edition };
}

describe('record book', () => {
  it('numbers each kind from 0 on', () => {
    const book = new RecordBook(capacities(4));
    const { numbers } = ask(book, [
      ['upstream', 'a'],
      ['upstream', 'b'],
      ['listener', 'a'],
    ]);
    expect(numbers).toEqual([0, 1, 0]);
  });

  it('leaves owners their numbers, in whatever order they are asked for', () => {
    const book = new RecordBook(capacities(4));
    ask(book, [
      ['route', 'a'],
      ['route', 'b'],
    ]).edition.commit();
    const { numbers, edition } = ask(book, [
      ['route', 'c'],
      ['route', 'b'],
    ]);
    expect(numbers).toEqual([2, 1]);
    expect(edition.commit()).toEqual({
      joined: [{ kind: 'route', first: 2, length: 1 }],
      left: [{ kind: 'route', first: 0, length: 1 }],
    });
  });

  it('takes who asks again with the same identity for another owner', () => {
    const book = new RecordBook(capacities(4));
    const twice: Ask[] = [
      ['route', 'a'],
      ['route', 'a'],
    ];
    const first = ask(book, twice);
    first.edition.commit();
    expect(first.numbers).toEqual([0, 1]);
    expect(ask(book, twice).numbers).toEqual([0, 1]);
  });

  it('gives a range of another length other records', () => {
    const book = new RecordBook(capacities(10));
    ask(book, [['queue entry', 'a', 4]]).edition.commit();
    const { numbers, edition } = ask(book, [['queue entry', 'a', 5]]);
    expect(numbers).toEqual([4]);
    expect(edition.commit().left).toEqual([{ kind: 'queue entry', first: 0, length: 4 }]);
  });

  it('gives records out again once they are released, and not before', () => {
    const book = new RecordBook(capacities(1));
    ask(book, [['listener', 'a']]).edition.commit();
    const { left } = book.edit().commit();
    const refused = book.edit();
    expect(() => refused.recordOf('listener', 'b')).toThrow(NoRoomError);
    refused.withdraw();
    book.release(left);
    expect(ask(book, [['listener', 'b']]).numbers).toEqual([0]);
  });

  it('gives owners back what they had left and nobody has got yet, but listeners never', () => {
    const book = new RecordBook(capacities(4));
    const both: Ask[] = [
      ['route', 'a'],
      ['listener', 'a'],
    ];
    ask(book, both).edition.commit();
    const { left } = book.edit().commit();
    const back = ask(book, both);
    expect(back.numbers).toEqual([0, 1]);
    back.edition.commit();
    book.release(left);
    // The route has its record; of the former listener's anybody may have it.
    expect(
      ask(book, [
        ['route', 'b'],
        ['listener', 'b'],
      ]).numbers,
    ).toEqual([1, 0]);
  });

  it('has everything as it was after an edition is withdrawn', () => {
    const book = new RecordBook(capacities(2));
    ask(book, [['turn', 'a']]).edition.commit();
    ask(book, [
      ['turn', 'b'],
      ['turn', 'a'],
    ]).edition.withdraw();
    const { numbers, edition } = ask(book, [
      ['turn', 'c'],
      ['turn', 'a'],
    ]);
    expect(numbers).toEqual([1, 0]);
    expect(edition.commit().left).toEqual([]);
  });

  it('takes an edition once', () => {
    const book = new RecordBook(capacities(2));
    const edition = book.edit();
    edition.commit();
    expect(() => edition.withdraw()).toThrow(/once/);
    expect(() => edition.recordOf('turn', 'a')).toThrow(/open edition/);
  });

  /** Of a kind whose owners do not get back what they left. */
  it('agrees with a row of owners over any course of editions and releases', () => {
    const RECORDS = 12;
    const asks = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 5 })), {
      maxLength: 5,
    });
    const steps = fc.array(fc.record({ asks, commits: fc.boolean(), releases: fc.boolean() }), { maxLength: 25 });
    fc.assert(
      fc.property(steps, (course) => {
        const book = new RecordBook(capacities(RECORDS));
        const row = new Array<string | null>(RECORDS).fill(null);
        let owners = new Map<string, RecordRange>();
        let held: RecordRange[] = [];
        const fill = ({ first, length }: RecordRange, owner: string | null): void => {
          row.fill(owner, first, first + length);
        };
        for (const { asks: wanted, commits, releases } of course) {
          const edition = book.edit();
          const taken = new Map<string, RecordRange>();
          const joined: RecordRange[] = [];
          const times = new Map<string, number>();
          let isFull = false;
          for (const [identity, length] of wanted) {
            const time = times.get(identity) ?? 0;
            times.set(identity, time + 1);
            const owner = `${identity}${time}`;
            const before = owners.get(owner);
            const gap = row.findIndex(
              (_, at) => at + length <= RECORDS && row.slice(at, at + length).every((each) => each === null),
            );
            if (before?.length === length) {
              expect(edition.recordOf('listener', identity, length)).toBe(before.first);
              taken.set(owner, before);
            } else if (gap < 0) {
              expect(() => edition.recordOf('listener', identity, length)).toThrow(NoRoomError);
              isFull = true;
              break;
            } else {
              const range: RecordRange = { kind: 'listener', first: gap, length };
              expect(edition.recordOf('listener', identity, length)).toBe(gap);
              fill(range, owner);
              joined.push(range);
              taken.set(owner, range);
            }
          }
          if (commits && !isFull) {
            const kept = new Set(taken.values());
            const { joined: told, left } = edition.commit();
            expect(told).toEqual(joined);
            expect(left).toEqual([...owners.values()].filter((range) => !kept.has(range)));
            held.push(...left);
            owners = taken;
          } else {
            edition.withdraw();
            for (const range of joined) fill(range, null);
          }
          if (releases) {
            book.release(held);
            for (const range of held) fill(range, null);
            held = [];
          }
        }
      }),
    );
  });
});
