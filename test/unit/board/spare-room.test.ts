/** What a board has besides what the first configuration needs. */
import { describe, expect, it } from 'vitest';
import { MOST_HASH_TABLE_WORDS } from '../../../src/board/capacities.js';
import { layoutFor } from '../../../src/board/layout.js';
import { capacitiesWithRoom, endpointSlotsFor, MOST_PAGES, type NeededRoom } from '../../../src/board/spare-room.js';
import { ENDPOINTS_MAX, LISTENERS_MAX } from '../../../src/config/cross-checks.js';
import { QUEUED_MAX } from '../../../src/config/resilience-checks.js';
import { WORKERS_MAX } from '../../../src/config/schema/config.js';

const small: NeededRoom = {
  endpoints: 3,
  upstreams: 1,
  turns: 1,
  hashTables: 0,
  hashTableWords: 40_000,
  queues: 0,
  queueEntries: 0,
  routeBreakers: 0,
  routes: 1,
  workers: 2,
  listeners: 1,
};

describe('spare room', () => {
  it.each([
    [0, 128],
    [1, 192],
    [100, 384],
  ])('has slots for a reload of %i endpoints, in whole steps', (endpoints, slots) => {
    expect(endpointSlotsFor(endpoints)).toBe(slots);
  });

  it('has room for what a small configuration has none of yet', () => {
    const { queues, queueEntries, hashTables, routeBreakers } = capacitiesWithRoom(small);
    expect(Math.min(queues, queueEntries, hashTables, routeBreakers)).toBeGreaterThan(0);
  });

  it('lets everything be replaced at once', () => {
    const capacities = capacitiesWithRoom({ ...small, endpoints: 500, upstreams: 100, listeners: 50, routes: 300 });
    expect(capacities.endpointSlots).toBeGreaterThanOrEqual(1_000);
    expect(capacities.upstreams).toBeGreaterThanOrEqual(200);
    expect(capacities.listeners).toBeGreaterThanOrEqual(100);
    expect(capacities.routes).toBeGreaterThanOrEqual(600);
  });

  it('asks for less and less room where the memory has no more, and never for less than is needed', () => {
    const whole = layoutFor(capacitiesWithRoom(small)).pages;
    const tight = capacitiesWithRoom(small, whole - 1);
    expect(layoutFor(tight).pages).toBeLessThan(whole);
    expect(capacitiesWithRoom(small, 1)).toMatchObject({ upstreams: 1, listeners: 1, queues: 0, routes: 1 });
  });

  it.each([
    ['many workers', { workers: WORKERS_MAX, hashTables: 0 }],
    ['a large ring for each upstream', { workers: 2, hashTables: ENDPOINTS_MAX }],
  ])('fits the board at its largest: %s', (_name, { workers, hashTables }) => {
    const capacities = capacitiesWithRoom({
      endpoints: ENDPOINTS_MAX,
      upstreams: ENDPOINTS_MAX,
      turns: 2 * ENDPOINTS_MAX,
      hashTables,
      hashTableWords: MOST_HASH_TABLE_WORDS,
      queueEntries: QUEUED_MAX,
      queues: ENDPOINTS_MAX,
      routeBreakers: LISTENERS_MAX,
      routes: 4 * LISTENERS_MAX,
      workers,
      listeners: LISTENERS_MAX,
    });
    expect(layoutFor(capacities).pages).toBeLessThanOrEqual(MOST_PAGES);
  });
});
