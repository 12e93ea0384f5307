/** Clients are told apart, counted over all workers, and forgotten when nothing is left to know of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import {
  type ClientAddress,
  NO_ENTRY,
  REFUSED_NO_WAY,
  REFUSED_RATE,
  REFUSED_SESSIONS,
} from '../../../src/board/client-table.js';
import { ClientBucket, ListenerLock, layoutFor } from '../../../src/board/layout.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const capacities = {
  endpointSlots: 64,
  upstreams: 1,
  turns: 1,
  hashTables: 0,
  hashTableWords: 0,
  queueEntries: 0,
  queues: 1,
  routeBreakers: 0,
  routes: 1,
  workers: 3,
  listeners: 2,
  clientEntries: 16,
};

function clientsOf(clientEntries = 16) {
  const board = createBoard({ ...capacities, clientEntries }, [1, 2]);
  return { board, tables: [0, 1, 2].map((worker) => attachBoard(board.buffer, worker).clients) };
}

const ipv4 = (last: number): ClientAddress => ({ word0: 0, word1: 0, word2: 0xffff, word3: (0x0a00_0000 + last) | 0 });
const ipv6 = (network: number, host: number): ClientAddress => ({
  word0: 0x2001_0db8,
  word1: network,
  word2: host,
  word3: ~host,
});
const sessions = (most: number) => ({ sessions: most, intervalUs: 0, burst: 1 });
const rate = (intervalUs: number, burst: number) => ({ sessions: 0, intervalUs, burst });

describe('client table', () => {
  it('admits as many sessions of a client as it may have, over all workers', () => {
    const { tables } = clientsOf();
    const claim = (worker: number): number => tables[worker]!.claim(0, ipv4(1), sessions(2), 10);
    const [first, second] = [claim(0), claim(1)];
    expect(first).toBe(second);
    expect([claim(2), claim(0)]).toEqual([REFUSED_SESSIONS, REFUSED_SESSIONS]);
    tables[1]!.release(second);
    expect(claim(2)).toBe(first);
    expect(tables[0]!.sessions(first)).toBe(2);
  });

  it('counts a client at each listener by itself', () => {
    const { tables } = clientsOf();
    expect(tables[0]!.claim(0, ipv4(1), sessions(1), 10)).toBeGreaterThanOrEqual(0);
    expect(tables[0]!.claim(1, ipv4(1), sessions(1), 10)).toBeGreaterThanOrEqual(0);
    expect(tables[0]!.claim(0, ipv4(1), sessions(1), 10)).toBe(REFUSED_SESSIONS);
  });

  it('takes a /64 for one client, and each IPv4 address for one', () => {
    const { tables } = clientsOf();
    const admits = (client: ClientAddress): boolean => tables[0]!.claim(0, client, sessions(1), 10) >= 0;
    expect([ipv6(7, 1), ipv6(7, 2), ipv6(8, 1)].map(admits)).toEqual([true, false, true]);
    expect([ipv4(1), ipv4(2), ipv4(1)].map(admits)).toEqual([true, true, false]);
  });

  it('does not take an IPv6 network for the IPv4 address with the same bits', () => {
    const { tables } = clientsOf();
    const network = { word0: 0, word1: ipv4(1).word3, word2: 5, word3: 6 };
    expect(tables[0]!.claim(0, ipv4(1), sessions(1), 10)).toBeGreaterThanOrEqual(0);
    expect(tables[0]!.claim(0, network, sessions(1), 10)).toBeGreaterThanOrEqual(0);
  });

  it('limits the rate of a client over all workers, with nothing to give back', () => {
    const { tables } = clientsOf();
    const claim = (worker: number, nowUs: number): number => tables[worker]!.claim(0, ipv4(1), rate(100, 2), nowUs);
    expect([claim(0, 5_000), claim(1, 5_000), claim(2, 5_000)]).toEqual([NO_ENTRY, NO_ENTRY, REFUSED_RATE]);
    expect([claim(2, 5_099), claim(2, 5_100), claim(0, 5_100)]).toEqual([REFUSED_RATE, NO_ENTRY, REFUSED_RATE]);
  });

  it('does not use up the rate with what the sessions refuse, nor a session with what the rate refuses', () => {
    const { tables } = clientsOf();
    const claim = (nowUs: number): number =>
      tables[0]!.claim(0, ipv4(1), { sessions: 1, intervalUs: 100, burst: 2 }, nowUs);
    const entry = claim(5_000);
    expect([claim(5_000), claim(5_000)]).toEqual([REFUSED_SESSIONS, REFUSED_SESSIONS]);
    tables[0]!.release(entry);
    expect(claim(5_000)).toBe(entry);
    tables[0]!.release(entry);
    expect(claim(5_000)).toBe(REFUSED_RATE);
    expect(tables[0]!.sessions(entry)).toBe(0);
  });

  it('refuses a client that finds no way free, until another has nothing open and may come again', () => {
    const { tables } = clientsOf();
    const limits = { sessions: 9, intervalUs: 1_000, burst: 1 };
    const entries = Array.from({ length: 16 }, (_, client) =>
      tables[client % 3]!.claim(0, ipv4(client), limits, 5_000),
    );
    expect(new Set(entries).size).toBe(16);
    const newcomer = (nowUs: number): number => tables[0]!.claim(0, ipv4(99), limits, nowUs);
    expect(newcomer(9_000)).toBe(REFUSED_NO_WAY);
    tables[4 % 3]!.release(entries[4]!);
    expect(newcomer(5_999)).toBe(REFUSED_NO_WAY);
    expect(newcomer(6_000)).toBe(entries[4]);
    expect(tables[0]!.claim(0, ipv4(4), limits, 9_000)).toBe(REFUSED_NO_WAY);
  });

  it('gives the way of one client to another without its arrival time', () => {
    const { tables } = clientsOf();
    for (let client = 0; client < 16; client++) tables[0]!.claim(0, ipv4(client), rate(1_000, 5), 5_000);
    expect(tables[0]!.claim(0, ipv4(50), rate(1_000, 5), 6_000)).toBe(NO_ENTRY);
    const more = Array.from({ length: 5 }, () => tables[0]!.claim(0, ipv4(50), rate(1_000, 5), 6_000));
    expect(more.filter((result) => result === NO_ENTRY)).toHaveLength(4);
  });

  it('has room for 20,000 clients at a time', () => {
    const { tables } = clientsOf(65_536);
    const refused = Array.from({ length: 20_000 }, (_, client) =>
      tables[0]!.claim(0, ipv4(client), sessions(1), 10),
    ).filter((entry) => entry < 0);
    expect(refused).toEqual([]);
  });

  it('spreads the same clients differently with another key', () => {
    const entriesWith = (key: readonly [number, number]): number[] => {
      const { clients } = attachBoard(createBoard({ ...capacities, clientEntries: 65_536 }, key).buffer, 0);
      return Array.from({ length: 50 }, (_, client) => clients.claim(0, ipv4(client), sessions(1), 10));
    };
    const same = entriesWith([1, 2]);
    const other = entriesWith([1, 3]);
    expect(entriesWith([1, 2])).toEqual(same);
    expect(same.filter((entry, client) => entry === other[client]).length).toBeLessThan(3);
  });

  it('fails loudly when a session is given back twice', () => {
    const { tables } = clientsOf();
    const entry = tables[0]!.claim(0, ipv4(1), sessions(2), 10);
    tables[0]!.release(entry);
    expect(() => tables[0]!.release(entry)).toThrow(/was counted for its client/);
  });

  it('counts like a map of clients, whatever comes and goes', () => {
    const step = fc.record({
      worker: fc.integer({ min: 0, max: 2 }),
      client: fc.integer({ min: 0, max: 20 }),
      isRelease: fc.boolean(),
      dies: fc.integer({ min: 0, max: 30 }).map((number) => number === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { board, tables } = clientsOf(32);
        const held: { worker: number; client: number; entry: number }[] = [];
        for (const { worker, client, isRelease, dies } of steps) {
          if (dies) {
            board.reclaim(worker);
            held.splice(0, held.length, ...held.filter((session) => session.worker !== worker));
          }
          const open = held.filter((session) => session.client === client).length;
          if (isRelease) {
            const at = held.findIndex((session) => session.worker === worker && session.client === client);
            if (at >= 0) tables[worker]!.release(held.splice(at, 1)[0]!.entry);
            continue;
          }
          const entry = tables[worker]!.claim(0, ipv4(client), sessions(3), 10);
          if (entry === REFUSED_NO_WAY) expect(new Set(held.map((session) => session.client)).size).toBeGreaterThan(15);
          else if (open >= 3) expect(entry).toBe(REFUSED_SESSIONS);
          else {
            expect(tables[0]!.sessions(entry)).toBe(open + 1);
            held.push({ worker, client, entry });
          }
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});

describe('a worker that died with a session limit’s lock', () => {
  const layout = layoutFor(capacities);
  const lockOfListener = layout.board.listenerLock.base + ListenerLock.field.lock;
  const lockOfBucket = layout.board.clientBucket.base + ClientBucket.field.lock;

  it.each([
    ['listener', lockOfListener],
    ['bucket of clients', lockOfBucket],
  ])('holds the lock of a %s no longer after reclaim', (_name, lock) => {
    const { board, tables } = clientsOf();
    const words = new Int32Array(board.buffer);
    words[lock] = 1;
    board.reclaim(1);
    expect(words[lock]).toBe(1);
    board.reclaim(0);
    expect(words[lock]).toBe(0);
    expect(tables[1]!.claim(0, ipv4(1), sessions(1), 10)).toBeGreaterThanOrEqual(0);
  });

  it('leaves a way that it was giving to a client to whoever comes next', () => {
    const { board, tables } = clientsOf();
    const words = new Int32Array(board.buffer);
    const { base } = layout.board.clientBucket;
    const entry = tables[0]!.claim(0, ipv4(1), sessions(1), 10);
    tables[0]!.release(entry);
    // As #assign leaves it between two of its stores: nobody's, and half another identity.
    words[base + ClientBucket.field.owners + entry] = 0;
    words[base + ClientBucket.field.lows + entry] = ipv4(2).word3;
    board.reclaim(0);
    const claim = (): number => tables[1]!.claim(0, ipv4(2), sessions(2), 10);
    expect([claim(), claim(), claim()]).toEqual([entry, entry, REFUSED_SESSIONS]);
  });

  it('is noticed when it is not reclaimed before its successor comes', () => {
    const { board, tables } = clientsOf();
    new Int32Array(board.buffer)[lockOfBucket] = 1;
    expect(() => tables[0]!.claim(0, ipv4(1), sessions(1), 10)).toThrow(/does not hold already/);
  });
});
