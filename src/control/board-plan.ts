/** Makes the board for a configuration and compiles the plan whose endpoints have their places on it. */

import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { type Board, createBoard } from '../board/board.js';
import { clientEntriesFor, endpointSlotsFor } from '../board/capacities.js';
import { compilePlan } from '../config/compile.js';
import { weightOf } from '../config/compile-picking.js';
import type { Plan } from '../config/plan.js';
import { FreshRecords } from '../config/plan-records.js';
import { AUTO_WORKERS, type Config, WORKERS_MAX } from '../config/schema/config.js';
import { invariant } from '../core/invariant.js';
import { hashTableWordsFor } from './hash-table-capacity.js';
import { SlotBook } from './slot-book.js';

/** Of the key that signs cookies of affinity in this process, where the configuration has none. */
const AFFINITY_SECRET_BYTES = 32;

/** The first plan of a process, and its board. */
export interface BoardAndPlan {
  readonly board: Board;
  readonly plan: Plan;
  /** Who has which slot. */
  readonly slots: SlotBook;
}

/**
 * Makes board and plan. An endpoint named by a host name begins unresolved, hence not eligible. Thread: primary.
 *
 * @param processors what `workers: auto` stands for
 */
export function makeBoardAndPlan(config: Config, processors: number): BoardAndPlan {
  const endpoints = Object.values(config.upstreams).reduce((count, upstream) => count + upstream.endpoints.length, 0);
  const options = { epoch: 1, processors, affinitySecret: randomBytes(AFFINITY_SECRET_BYTES).toString('hex') };
  const counted = new FreshRecords();
  compilePlan(config, { ...options, records: counted, assignSlot: () => ({ slot: 0, generation: 0 }) });
  const endpointSlots = endpointSlotsFor(endpoints);
  const board = createBoard({
    endpointSlots,
    upstreams: Math.max(1, counted.countOf('upstream')),
    turns: Math.max(1, counted.countOf('turn')),
    hashTables: counted.countOf('hash table'),
    hashTableWords: hashTableWordsFor(config.upstreams, endpointSlots),
    queueEntries: counted.countOf('queue entry'),
    routeBreakers: counted.countOf('route breaker'),
    workers: config.workers === AUTO_WORKERS ? Math.min(processors, WORKERS_MAX) : config.workers,
    listeners: config.listeners.length,
    clientEntries: clientEntriesFor(config.listeners.some(limitsClients)),
  });
  const slots = new SlotBook(board);
  const edition = slots.edit();
  const plan = compilePlan(config, {
    ...options,
    records: new FreshRecords(),
    assignSlot: ({ name, record }, endpointName) => {
      const upstream = config.upstreams[name];
      const endpoint = upstream?.endpoints.find(({ address }) => address.text === endpointName);
      invariant(upstream && endpoint, `endpoint ${endpointName} of ${name} is in the configuration`);
      const { address } = endpoint;
      return edition.assign({ upstream: name, endpoint: endpointName }, record, {
        weight: weightOf(upstream, endpoint),
        cap: endpoint.maxConns,
        isBackup: endpoint.backup,
        isResolved: address.kind === 'unix' || isIP(address.host) !== 0,
      });
    },
  });
  edition.commit();
  return { board, plan, slots };
}

function limitsClients(listener: Config['listeners'][number]): boolean {
  if (listener.mode === 'l4') {
    const { sessionsPerClient, newSessionsPerClient } = listener.limits;
    return sessionsPerClient !== 0 || newSessionsPerClient !== 'unlimited';
  }
  const { connectionsPerClient, newConnectionsPerClient } = listener.limits;
  return connectionsPerClient !== 0 || newConnectionsPerClient !== 'unlimited';
}
