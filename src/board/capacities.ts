/** How much a board has room for. */
import { invariant } from '../core/invariant.js';

/** How much the board has room for; fixed for the life of the process. */
export interface BoardCapacities {
  /** Endpoints of all upstreams together, spare ones for reloads included. */
  readonly endpointSlots: number;
  readonly upstreams: number;
  readonly workers: number;
  /** Listeners of both modes. */
  readonly listeners: number;
  /** Cursors: one for each upstream and one for each of their subsets. */
  readonly turns: number;
  /** Upstreams whose balancer has a table, >= 0. */
  readonly hashTables: number;
  /** Words of the largest half of a table, see hash-table.ts; 0 without tables. */
  readonly hashTableWords: number;
  /** Queues of upstreams, >= 0. */
  readonly queues: number;
  /** Waiters that the queues of all upstreams have room for together, >= 0. */
  readonly queueEntries: number;
  /** Routes with a breaker, >= 0. */
  readonly routeBreakers: number;
  /** L7 routes, each with figures of its own, >= 0. */
  readonly routes: number;
  /** Entries of clients at listeners that limit each one; whole buckets. */
  readonly clientEntries: number;
}

/** Larger boards are a mistake in the arithmetic of whoever asked; that of the largest configuration has 3.1 GiB, of which tables of hashes use what they fill. */
export const MOST_ENDPOINT_SLOTS = 1 << 16;
export const MOST_UPSTREAMS = 1 << 14;
export const MOST_TURNS = 1 << 16;
/** A ketama ring of 2^18 points: a word for each, and half a word for its slot. */
export const MOST_HASH_TABLE_WORDS = 3 * (1 << 17);
export const MOST_QUEUES = MOST_UPSTREAMS;
export const MOST_QUEUE_ENTRIES = 1 << 22;
export const MOST_ROUTE_BREAKERS = 1 << 14;
export const MOST_ROUTES = 1 << 16;
export const MOST_WORKERS = 256;
export const MOST_LISTENERS = 1 << 14;
/** With 20,000 clients at a time hardly any of the 4096 buckets has more than its 16 (mean 5; Poisson: 15 of a million buckets). */
export const MOST_CLIENT_ENTRIES = 1 << 16;

/** Entries in one bucket of the client table. */
export const CLIENT_WAYS = 16;

/** @throws Error (invariant) when one is out of range */
export function checkCapacities(capacities: BoardCapacities): void {
  checkCapacity('endpoint slots', capacities.endpointSlots, MOST_ENDPOINT_SLOTS);
  checkCapacity('upstreams', capacities.upstreams, MOST_UPSTREAMS);
  checkCapacity('workers', capacities.workers, MOST_WORKERS);
  checkCapacity('turns', capacities.turns, MOST_TURNS);
  checkCapacity('hash tables', capacities.hashTables, MOST_UPSTREAMS, 0);
  checkCapacity('words of a hash table', capacities.hashTableWords, MOST_HASH_TABLE_WORDS, 0);
  checkCapacity('queues', capacities.queues, MOST_QUEUES, 0);
  checkCapacity('queue entries', capacities.queueEntries, MOST_QUEUE_ENTRIES, 0);
  checkCapacity('route breakers', capacities.routeBreakers, MOST_ROUTE_BREAKERS, 0);
  checkCapacity('routes', capacities.routes, MOST_ROUTES, 0);
  checkCapacity('listeners', capacities.listeners, MOST_LISTENERS);
  checkCapacity('client entries', capacities.clientEntries, MOST_CLIENT_ENTRIES);
  invariant(capacities.clientEntries % CLIENT_WAYS === 0, `client entries come in buckets of ${CLIENT_WAYS}`);
}

function checkCapacity(what: string, count: number, most: number, least = 1): void {
  const isInRange = Number.isInteger(count) && count >= least && count <= most;
  invariant(isInRange, `a board has ${least} to ${most} ${what}, asked for ${count}`);
}
