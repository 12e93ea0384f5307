/** What a board has besides what the first configuration needs. */
import { describe, expect, it } from 'vitest';
import { layoutFor } from '../../../src/board/layout.js';
import { capacitiesWithRoom, endpointSlotsFor, type NeededRoom } from '../../../src/board/spare-room.js';

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
});
