/** The layout keeps writers apart and is checked when a worker attaches. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { MOST_HASH_TABLE_WORDS } from '../../../src/board/capacities.js';
import { BOARD_GROUPS, LINE_BYTES, layoutFor, type Placement, STRIPE_GROUPS } from '../../../src/board/layout.js';
import { endpointSlotsFor } from '../../../src/board/spare-room.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const layouts = [
  {
    endpointSlots: 64,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  },
  {
    endpointSlots: 1,
    upstreams: 3,
    turns: 3,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 3,
    routeBreakers: 0,
    routes: 1,
    workers: 2,
    listeners: 1,
    clientEntries: 16,
  },
  {
    endpointSlots: 4096,
    upstreams: 100,
    turns: 100,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 100,
    routeBreakers: 0,
    routes: 1,
    workers: 64,
    listeners: 20,
    clientEntries: 65_536,
  },
].map((capacities) => layoutFor(capacities));

const placementsOf = (layout: (typeof layouts)[number]): Placement[] => [
  ...Object.values<Placement>(layout.board),
  ...layout.stripes.flatMap((stripe) => Object.values<Placement>(stripe)),
];

describe('board layout', () => {
  it.each(layouts)('begins every group on a line of its own ($capacities)', (layout) => {
    for (const { offsetBytes, bytes } of placementsOf(layout)) {
      expect(offsetBytes % LINE_BYTES).toBe(0);
      expect(bytes % LINE_BYTES).toBe(0);
    }
  });

  it.each(layouts)('lets no two groups overlap and leaves no gap ($capacities)', (layout) => {
    let end = 0;
    for (const { offsetBytes, bytes } of placementsOf(layout)) {
      expect(offsetBytes).toBe(end);
      end += bytes;
    }
    expect(layout.bytes).toBe(end);
  });

  it('gives every record that several threads write lines of its own', () => {
    for (const [name, group] of Object.entries({ ...BOARD_GROUPS, ...STRIPE_GROUPS })) {
      if (group.writer !== 'every worker') continue;
      expect(group.spacing, name).toBe('line');
      const { stride } = layouts[2]!.board[name as keyof typeof BOARD_GROUPS];
      expect((stride * (group.word === 'int32' ? 4 : 8)) % LINE_BYTES, name).toBe(0);
    }
  });

  it('lets only the owner write in a stripe', () => {
    for (const [name, group] of Object.entries(STRIPE_GROUPS)) expect(group.writer, name).toBe('owning worker');
  });

  it.each([0, -1, 1.5, 2 ** 20])('refuses a capacity of %s', (workers) => {
    expect(() =>
      layoutFor({
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
      }),
    ).toThrow(/1 to 256 workers/);
  });

  it('refuses client entries that fill no whole bucket', () => {
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
      workers: 1,
      listeners: 1,
      clientEntries: 24,
    };
    expect(() => layoutFor(capacities)).toThrow(/buckets of 16/);
  });
});

describe('attaching to a board', () => {
  const capacities = {
    endpointSlots: 64,
    upstreams: 2,
    turns: 2,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 2,
    routeBreakers: 0,
    routes: 1,
    workers: 2,
    listeners: 1,
    clientEntries: 16,
  };

  it('finds the capacities it was made with', () => {
    expect(attachBoard(createBoard(capacities).buffer, 1).capacities).toEqual(capacities);
  });

  it.each([
    [0, 'magic', /magic number is missing/],
    [1, 'layout version', /layout version \d+.*found 99/],
    [7, 'size', /bytes, as its capacities need/],
  ])('refuses memory whose header word %i (%s) is wrong', (word, _name, sentence) => {
    const { buffer } = createBoard(capacities);
    new Int32Array(buffer)[word] = 99;
    expect(() => attachBoard(buffer, 0)).toThrow(sentence);
  });

  it('refuses memory that is too small for a header', () => {
    expect(() => attachBoard(new SharedArrayBuffer(8), 0)).toThrow(/magic number is missing/);
  });

  it('refuses a worker that has no stripe', () => {
    expect(() => attachBoard(createBoard(capacities).buffer, 2)).toThrow(/stripe for worker 2/);
  });

  it('is taken by a worker when it has more than 2 GiB, as 1,024 rings of the largest size', () => {
    const board = createBoard({
      endpointSlots: endpointSlotsFor(1_024),
      upstreams: 1_024,
      turns: 1_024,
      hashTables: 1_024,
      hashTableWords: MOST_HASH_TABLE_WORDS,
      queueEntries: 0,
      queues: 1_024,
      routeBreakers: 0,
      routes: 1,
      workers: 2,
      listeners: 1,
      clientEntries: 16,
    });
    expect(board.buffer.byteLength).toBeGreaterThan(2 ** 31);
    expect(() => attachBoard(board.buffer, 1)).not.toThrow();
  });
});
