/** Figures of all workers as the primary reads them: counters, errors and latencies, and whose they are. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import type { EndedExchange } from '../../../src/board/figure-writer.js';
import { figuresLayoutFor, MOST_FIGURES_PAGES } from '../../../src/board/figures-layout.js';
import { mapFigures } from '../../../src/board/figures-memory.js';
import { LONGEST_LATENCY_US } from '../../../src/board/latency-buckets.js';
import { LatencyCounts } from '../../../src/board/latency-counts.js';
import { LatencyPages } from '../../../src/board/latency-pages.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const capacities = {
  endpointSlots: 2,
  upstreams: 2,
  turns: 2,
  hashTables: 0,
  hashTableWords: 0,
  queues: 1,
  queueEntries: 0,
  routeBreakers: 0,
  routes: 3,
  workers: 2,
  listeners: 2,
  clientEntries: 16,
};
const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };
const exchange: EndedExchange = {
  status: 200,
  answeredBy: 0,
  firstByteUs: 900,
  totalUs: 1_000,
  queueUs: 0,
  bytesFromClient: 100,
  bytesToClient: 2_000,
};

function rig() {
  const board = createBoard(capacities, [1, 2]);
  const workers = [0, 1].map((worker) => attachBoard(board.buffer, worker, board.figures.memoryOf(worker)).figures);
  return { board, figures: board.figures, first: workers[0]!, second: workers[1]! };
}

function read(read: (into: LatencyCounts) => void): LatencyCounts {
  const counts = new LatencyCounts();
  read(counts);
  return counts;
}

describe('the figures of a board', () => {
  it('are zero, and nobody has an error, before anything is recorded', () => {
    const { figures } = rig();
    expect(Object.values(figures.flow('route', 2)).every((figure) => figure === 0)).toBe(true);
    expect(figures.errors('upstream', 1)).toEqual({});
    expect(figures.count('endpoint', 0, 'firstByte')).toBe(0);
    expect(figures.missed).toBe(0);
  });

  it('are those of all workers together', () => {
    const { figures, first, second } = rig();
    first.routes.exchangeEnded(1, exchange, 0, false);
    second.routes.exchangeEnded(1, { ...exchange, status: 503, totalUs: 3_000, queueUs: 70 }, 2, true);
    second.routes.failed(1, 'SLUICE_NO_ENDPOINT');
    expect(figures.flow('route', 1)).toEqual({
      exchanges: 2,
      sessions: 0,
      responses1xx: 0,
      responses2xx: 1,
      responses3xx: 0,
      responses4xx: 0,
      responses5xx: 1,
      failures: 1,
      retries: 2,
      hedges: 1,
      queueWaits: 1,
      bytesFromClients: 200,
      bytesToClients: 4_000,
    });
    expect(figures.errors('route', 1)).toEqual({ SLUICE_NO_ENDPOINT: 1 });
    const total = read((into) => figures.read('route', 1, 'total', into));
    expect([total.count, total.sumUs]).toEqual([2, 4_000]);
    expect(figures.count('route', 1, 'queue')).toBe(1);
    expect(figures.count('route', 0, 'total')).toBe(0);
  });

  it('tell what endpoints answered, how they were connected to, and what failed there', () => {
    const { figures, first } = rig();
    first.endpoints.answered(1, 200, false, 150, 900);
    first.endpoints.answered(1, 404, true, 0, 800);
    first.endpoints.completed(1, 1_100);
    first.endpoints.failed(1, 'SLUICE_ENDPOINT_RESET');
    first.endpoints.served(1, 40, 10, 20);
    expect(figures.endpoint(1)).toMatchObject({
      responses2xx: 1,
      responses4xx: 1,
      connects: 1,
      reuses: 1,
      queueWaits: 1,
      bytesFromClients: 10,
      bytesToClients: 20,
    });
    expect(figures.errors('endpoint', 1)).toEqual({ SLUICE_ENDPOINT_RESET: 1 });
    for (const [latency, count] of [
      ['firstByte', 2],
      ['total', 1],
      ['connect', 1],
      ['queue', 1],
    ] as const)
      expect(figures.count('endpoint', 1, latency)).toBe(count);
  });

  it('count a tunnel, but not how long it lasted', () => {
    const { figures, first } = rig();
    first.routes.exchangeEnded(0, { ...exchange, status: 101, totalUs: 9_000_000 }, 0, false);
    expect(figures.flow('route', 0)).toMatchObject({ exchanges: 1, responses1xx: 1, bytesToClients: 2_000 });
    expect([figures.count('route', 0, 'firstByte'), figures.count('route', 0, 'total')]).toEqual([1, 0]);
  });

  it('take what nobody answered as no latency', () => {
    const { figures, first } = rig();
    first.listeners.exchangeEnded(1, { ...exchange, status: 0, answeredBy: -1 }, 0, false);
    first.listeners.exchangeEnded(1, { ...exchange, status: 502, answeredBy: -1 }, 0, false);
    first.routes.exchangeEnded(1, { ...exchange, status: 502, answeredBy: -1 }, 0, false);
    expect([figures.count('route', 1, 'firstByte'), figures.count('listener', 1, 'total')]).toEqual([0, 1]);
  });

  it('begin at zero for the next owner of a record, and stay with the one that keeps it', () => {
    const { board, figures, first } = rig();
    first.routes.exchangeEnded(0, exchange, 0, false);
    first.routes.failed(0, 'SLUICE_NO_ENDPOINT');
    board.beginRecords([{ kind: 'route', first: 0, length: 1 }]);
    expect(figures.flow('route', 0).exchanges).toBe(0);
    expect(figures.errors('route', 0)).toEqual({});
    expect(read((into) => figures.read('route', 0, 'total', into)).count).toBe(0);
    first.routes.exchangeEnded(0, { ...exchange, totalUs: 50 }, 0, false);
    const total = read((into) => figures.read('route', 0, 'total', into));
    expect([total.count, total.sumUs, total.maxUs]).toEqual([1, 50, 50]);
  });

  it('begin at zero with each endpoint that gets a slot', () => {
    const { board, figures, first } = rig();
    const { slot } = board.assign(0, settings);
    first.endpoints.answered(slot, 200, false, 10, 20);
    board.release(slot);
    board.assign(0, settings);
    expect(board.assign(1, settings).slot).toBe(slot);
    expect(figures.endpoint(slot).responses2xx).toBe(0);
    expect(figures.count('endpoint', slot, 'connect')).toBe(0);
  });

  it('go on when another thread takes the place of a worker', () => {
    const { board, figures, first } = rig();
    first.listeners.sessionEnded(0, { durationUs: 5, queueUs: 0, bytesFromClient: 1, bytesToClient: 2 }, 1);
    const next = attachBoard(board.buffer, 0, figures.memoryOf(0)).figures;
    next.listeners.sessionEnded(0, { durationUs: 5, queueUs: 0, bytesFromClient: 1, bytesToClient: 2 }, 0);
    expect(figures.flow('listener', 0)).toMatchObject({ sessions: 2, retries: 1, bytesToClients: 4 });
    expect(figures.count('listener', 0, 'total')).toBe(2);
  });

  it('refuse records that the board has no room for, and memory of another board', () => {
    const { figures } = rig();
    expect(() => figures.flow('route', 3)).toThrow(/route 3/);
    expect(() => figures.count('endpoint', 2, 'total')).toThrow(/endpoint 2/);
    expect(() => mapFigures(new SharedArrayBuffer(1_024), capacities)).toThrow(/memory of figures/);
  });
});

describe('the pages of histograms', () => {
  it('take every latency, the longest and impossible ones included', () => {
    const { figures, first } = rig();
    for (const totalUs of [-5, 0, LONGEST_LATENCY_US, LONGEST_LATENCY_US + 10])
      first.routes.exchangeEnded(0, { ...exchange, totalUs }, 0, false);
    const counts = read((into) => figures.read('route', 0, 'total', into));
    expect([counts.buckets[0], counts.buckets.at(-1)]).toEqual([2, 2]);
    expect(counts.maxUs).toBe(LONGEST_LATENCY_US);
  });

  it('are bounded: what finds no page is counted as missed, and what has one goes on', () => {
    const layout = figuresLayoutFor(capacities);
    const buffer = new SharedArrayBuffer(layout.bytes);
    const mapped = mapFigures(buffer, capacities);
    const pages = new LatencyPages({ ...mapped, layout: { ...mapped.layout, pages: 4 } });
    pages.record(layout.directories.route.base, 100);
    pages.record(layout.directories.route.base, 100_000);
    for (let times = 0; times < 3; times++) pages.record(layout.directories.route.base, 10);
    pages.record(layout.directories.listener.base, 100);
    pages.record(layout.directories.route.base, 100);
    expect(pages.missed).toBe(4);
    expect(pages.countOf(layout.directories.route.base)).toBe(3);
  });

  it('of the largest board are at most 256 MiB for a worker', () => {
    const layout = figuresLayoutFor({ endpointSlots: 65_536, routes: 65_536, listeners: 16_384, upstreams: 16_384 });
    expect(layout.pages).toBe(1 + MOST_FIGURES_PAGES);
    expect(layout.bytes - layout.pagesOffsetBytes).toBeLessThanOrEqual(2 ** 28 + 256);
  });
});
