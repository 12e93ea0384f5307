/** How much room to ask for: what the first configuration needs, and some for those that come after it by a reload. */
import {
  type BoardCapacities,
  MOST_CLIENT_ENTRIES,
  MOST_ENDPOINT_SLOTS,
  MOST_LISTENERS,
  MOST_QUEUE_ENTRIES,
  MOST_QUEUES,
  MOST_ROUTE_BREAKERS,
  MOST_ROUTES,
  MOST_TURNS,
  MOST_UPSTREAMS,
} from './capacities.js';
import { layoutFor } from './layout.js';

/** What a configuration needs; hashTableWords is not of a table that may come, but of the largest that any may have. */
export type NeededRoom = Omit<BoardCapacities, 'endpointSlots' | 'clientEntries'> & { readonly endpoints: number };

/** Pages of 64 KiB that WebAssembly memory can have with 32-bit addresses: 4 GiB. */
export const MOST_PAGES = 65_536;

/** Slots come in steps: 64 records of the smallest group fill whole lines. */
const SLOT_STEP = 64;

/**
 * Spare records besides as many as the configuration has itself, so that one reload may replace everything while what was there finishes, and
 * small configurations may grow. The memory is real only where something was written.
 */
const SPARE = {
  endpointSlots: 128,
  upstreams: 32,
  listeners: 1_024,
  turns: 64,
  hashTables: 8,
  queues: 16,
  queueEntries: 16_384,
  routeBreakers: 32,
  routes: 128,
} as const;

/** Of the spare room, what is asked for: less and less, until the board fits. */
const SHARES = [1, 0.5, 0.25, 0.1, 0];

/** Slots to ask for when the configuration has so many endpoints. Pure. @param share of the spare room, 0 to 1 */
export function endpointSlotsFor(endpoints: number, share = 1): number {
  const slots = withSpare(endpoints, SPARE.endpointSlots, MOST_ENDPOINT_SLOTS, share);
  return Math.max(1, Math.ceil(slots / SLOT_STEP)) * SLOT_STEP;
}

/**
 * Capacities for a board that begins with this configuration. Pure.
 *
 * @param mostPages that the memory may have
 */
export function capacitiesWithRoom(needed: NeededRoom, mostPages = MOST_PAGES): BoardCapacities {
  const offers = SHARES.map((share) => capacitiesFor(needed, share));
  const fitting = offers.find((capacities) => layoutFor(capacities).pages <= mostPages);
  return fitting ?? capacitiesFor(needed, 0);
}

function capacitiesFor(needed: NeededRoom, share: number): BoardCapacities {
  const { endpoints, ...records } = needed;
  const room = (kind: Exclude<keyof typeof SPARE, 'endpointSlots'>, most: number): number =>
    withSpare(records[kind], SPARE[kind], most, share);
  return {
    workers: records.workers,
    hashTableWords: records.hashTableWords,
    endpointSlots: endpointSlotsFor(endpoints, share),
    upstreams: Math.max(1, room('upstreams', MOST_UPSTREAMS)),
    listeners: Math.max(1, room('listeners', MOST_LISTENERS)),
    turns: Math.max(1, room('turns', MOST_TURNS)),
    hashTables: room('hashTables', MOST_UPSTREAMS),
    queues: room('queues', MOST_QUEUES),
    queueEntries: room('queueEntries', MOST_QUEUE_ENTRIES),
    routeBreakers: room('routeBreakers', MOST_ROUTE_BREAKERS),
    routes: room('routes', MOST_ROUTES),
    // In full, whether some listener limits clients or not: another configuration may.
    clientEntries: MOST_CLIENT_ENTRIES,
  };
}

function withSpare(count: number, spare: number, most: number, share: number): number {
  return Math.max(count, Math.min(most, count + Math.ceil(share * (count + spare))));
}
