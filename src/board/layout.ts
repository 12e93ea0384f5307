/**
 * Where everything lies on the board: records grouped by who writes them, every group on cache lines of its own.
 * The only file with offsets; the tables turn them into domain words.
 */
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { type BoardCapacities, CLIENT_WAYS, checkCapacities } from './capacities.js';
import {
  EndpointBreaker,
  EndpointEjection,
  Probes,
  RouteBreaker,
  RouteProbes,
  UpstreamEjections,
} from './health-groups.js';
import { type Group, group } from './layout-group.js';
import { Bells, QueueEntry, UpstreamQueue } from './queue-groups.js';
import { RetryBudget, RetryRequests } from './retry-groups.js';

/** Two 64-byte lines: processors fetch adjacent lines in pairs, so neighbours closer than this disturb each other. */
export const LINE_BYTES = 128;
/** Size of a page of WebAssembly memory, which the board is made of. */
export const PAGE_BYTES = 65_536;
const INT32_BYTES = 4;
const FLOAT64_BYTES = 8;

/** "SLCB" read as a little-endian int32. */
export const BOARD_MAGIC = 0x42434c53;
/** Raised with every change of this file: a worker of another build must not read this board. */
export const LAYOUT_VERSION = 11;

/** Written once, before any worker starts. */
export const Header = group({ writer: 'primary', per: 'board', word: 'int32', spacing: 'packed' }, [
  'magic',
  'layoutVersion',
  'endpointSlots',
  'upstreams',
  'workers',
  'listeners',
  'turns',
  'hashTables',
  'hashTableWords',
  'queues',
  'queueEntries',
  'routeBreakers',
  'routes',
  'clientEntries',
  'bytes',
  /** Key of the hash that spreads clients over buckets; random, so that nobody outside can fill one bucket on purpose. */
  'hashKeyLow',
  'hashKeyHigh',
]);

/**
 * Counts changes of the control records of an upstream, and pauses of its endpoints, so that workers know when to rebuild what
 * they cached. A worker writes it once for each pause.
 */
export const UpstreamControl = group({ writer: 'every worker', per: 'upstream', word: 'int32', spacing: 'line' }, [
  'epoch',
]);

/** Cursors of one record: one for each level, the last for the backups. Levels beyond share the last but one. */
export const TURN_CURSORS = 16;

/**
 * The shared cursors of round-robin and of ties. Each group of endpoints has its own, or a pick that goes on from a full level
 * would take two turns, and those of two endpoints in the next level would always fall on the same one.
 */
export const UpstreamTurn = group({ writer: 'every worker', per: 'turn', word: 'int32', spacing: 'line' }, [
  ['turn', TURN_CURSORS],
]);

/** What every attempt on an endpoint changes; nothing else lives here. */
export const EndpointLoad = group({ writer: 'every worker', per: 'slot', word: 'int32', spacing: 'line' }, [
  /** [generation:11][0:1][in flight:20] */
  'claims',
  /** Estimated time to first byte (or to the last, if that is what counts) in µs; 0: no sample. */
  'latencyUs',
  /** Tick at which latencyUs was stored. */
  'latencyAt',
  /** Tick at which a failure last raised the estimate; NEVER: none did. */
  'failureAt',
  /** Tick until which the endpoint asked to be left alone (Retry-After); NEVER: it did not. */
  'pausedUntil',
  /** Peak EWMA of the latency in µs, for balancers that go by it; 0: no sample. */
  'peakUs',
  /** Tick up to which peakUs has decayed. */
  'peakAt',
]);

/** What an endpoint last reported of itself (ORCA); a statistic, whose words may be of two reports. */
export const EndpointReport = group({ writer: 'every worker', per: 'slot', word: 'float64', spacing: 'line' }, [
  /** Share of its capacity in use, 0 and up. */
  'utilization',
  /** Requests a second. */
  'rate',
  /** Errors a second. */
  'errorRate',
  /** Shared clock in ms at which the report came; 0: never. */
  'at',
]);

/** Which half of a table is current, see hash-table.ts. */
export const HashTableControl = group({ writer: 'primary', per: 'hash table', word: 'int32', spacing: 'line' }, [
  /** Number of publications; its last bit is the half that is current. 0: none yet. */
  'epoch',
  /** Entries of either half. */
  ['sizes', 2],
]);

/** The halves of all tables one after the other, `hashTableWords` each: points and slots, or slots alone. */
export const HashTableHalf = group({ writer: 'primary', per: 'hash table word', word: 'int32', spacing: 'packed' }, [
  'word',
]);

/** Guards the adding up of a listener's sessions, see listener-sessions.ts. */
export const ListenerLock = group({ writer: 'every worker', per: 'listener', word: 'int32', spacing: 'line' }, [
  /** 0: free; else the index of the worker that holds it, plus 1. */
  'lock',
]);

/** Whose entries the ways of a bucket are, see client-table.ts. */
export const ClientBucket = group({ writer: 'every worker', per: 'client bucket', word: 'int32', spacing: 'line' }, [
  /** As in ListenerLock. Guards everything of the bucket and the claims on its entries. */
  'lock',
  /** [listener + 1:31][is IPv4:1]; 0: nobody's. */
  ['owners', CLIENT_WAYS],
  /** IPv6: the /64. IPv4: 0 and the address. */
  ['highs', CLIENT_WAYS],
  ['lows', CLIENT_WAYS],
]);

/** Theoretical arrival times (core/gcra.ts) of the ways of a bucket, in µs of the shared clock; guarded by its lock. */
export const ClientArrivals = group(
  { writer: 'every worker', per: 'client bucket', word: 'float64', spacing: 'line' },
  [['arrivals', CLIENT_WAYS]],
);

/** What the operator and the health checks say of an endpoint. */
export const EndpointControl = group({ writer: 'primary', per: 'slot', word: 'int32', spacing: 'packed' }, [
  /** 0: the slot is free. */
  'generation',
  'upstream',
  /** Bits, see endpoint-control.ts. */
  'flags',
  /** In hundredths, as it counts now: slow start and moving weights are in it. */
  'weight',
  /** As it counts now: slow start is in it. */
  'cap',
  /** As weight, but without slow start: for hash tables, whose keys must not move while an endpoint warms up. */
  'steadyWeight',
  /** As configured, or as the operator set it. */
  'baseWeight',
  'baseCap',
]);

/** A worker's life as others see it. */
export const Life = group({ writer: 'owning worker', per: 'board', word: 'int32', spacing: 'packed' }, [
  'state',
  'heartbeatAt',
  'clientConnections',
  'exchanges',
  'sessions',
  /** Of the client connections, those that speak HTTP/2. */
  'http2Connections',
]);

/** Cumulative counters of one worker. float64: exact to 2^53, no carry between words. */
export const Traffic = group({ writer: 'owning worker', per: 'board', word: 'float64', spacing: 'packed' }, [
  'requests',
  'sessions',
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
  'retries',
  /** Second attempts beside a first one; they are retries as well. */
  'hedges',
  /** Retries and hedges that the upstream's budget did not allow. */
  'retriesRefused',
  'bytesFromClients',
  'bytesToClients',
  /** Lines of the access log that came faster than they could be written. */
  'accessLinesDropped',
]);

/** Cumulative counters of one worker: exchanges and sessions that ended with each error of the catalogue. */
export const Failures = group(
  { writer: 'owning worker', per: 'board', word: 'float64', spacing: 'packed' },
  Object.keys(ERROR_CATALOG) as ErrorCode[], // `kinds` has no other keys: ErrorCode is made of them
);

/** Cumulative counters of one worker for each endpoint. */
export const EndpointTraffic = group({ writer: 'owning worker', per: 'slot', word: 'float64', spacing: 'packed' }, [
  'attempts',
  'failures',
  'retries',
  /** The next four are counted where outlier detection, breakers or adaptive caps watch the endpoint. Good answers and connections. */
  'successes',
  /** Of these successes: time to first byte, or to the connection, in µs, added up. */
  'successUs',
  /** Failed attempts, and answers of 502, 503 and 504. */
  'gatewayFailures',
  /** Answers of 500 and above but 501 and 505. */
  'serverErrors',
]);

/** What one worker holds on each endpoint, see claim-journal.ts. */
export const Journal = group({ writer: 'owning worker', per: 'slot', word: 'int32', spacing: 'packed' }, [
  /** [generation:11][0:1][claims held:20] */
  'held',
  /** Odd while a claim or its end is under way. */
  'version',
]);

/** The oldest attempt of one worker on each endpoint that still waits for its first byte, see waiting-table.ts. */
export const Waiting = group({ writer: 'owning worker', per: 'slot', word: 'int32', spacing: 'packed' }, [
  'generation',
  /** Start tick; NEVER: none waits. */
  'since',
]);

/** Sessions of one worker at each listener that limits them. */
export const ListenerSessions = group({ writer: 'owning worker', per: 'listener', word: 'int32', spacing: 'packed' }, [
  'open',
]);

/** Sessions of one worker on each entry of the client table. */
export const ClientSessions = group(
  { writer: 'owning worker', per: 'client entry', word: 'int32', spacing: 'packed' },
  ['open'],
);

/** Groups that exist once, in the order they lie in. */
export const BOARD_GROUPS = {
  header: Header,
  upstreamControl: UpstreamControl,
  upstreamTurn: UpstreamTurn,
  endpointLoad: EndpointLoad,
  endpointReport: EndpointReport,
  endpointEjection: EndpointEjection,
  upstreamEjections: UpstreamEjections,
  endpointBreaker: EndpointBreaker,
  routeBreaker: RouteBreaker,
  endpointControl: EndpointControl,
  hashTableControl: HashTableControl,
  hashTableHalf: HashTableHalf,
  listenerLock: ListenerLock,
  clientBucket: ClientBucket,
  clientArrivals: ClientArrivals,
  upstreamQueue: UpstreamQueue,
  queueEntry: QueueEntry,
  bells: Bells,
  retryBudget: RetryBudget,
} as const;

/** Groups that every worker has in its stripe, in the order they lie in. */
export const STRIPE_GROUPS = {
  life: Life,
  traffic: Traffic,
  failures: Failures,
  endpointTraffic: EndpointTraffic,
  journal: Journal,
  waiting: Waiting,
  probes: Probes,
  routeProbes: RouteProbes,
  listenerSessions: ListenerSessions,
  clientSessions: ClientSessions,
  retryRequests: RetryRequests,
} as const;

/** Where the records of one group lie, in words of the group's own kind (int32 or float64). */
export interface Placement {
  readonly offsetBytes: number;
  /** Of all records together, up to the next group. */
  readonly bytes: number;
  /** Index of the first record's first word in a view over the whole board. */
  readonly base: number;
  /** Words from one record to the next. */
  readonly stride: number;
  readonly records: number;
}

type PlacementsOf<Groups> = { readonly [Name in keyof Groups]: Placement };

/** A board of given capacities, laid out. */
export interface BoardLayout {
  readonly capacities: BoardCapacities;
  /** Bytes in use. */
  readonly bytes: number;
  readonly pages: number;
  readonly board: PlacementsOf<typeof BOARD_GROUPS>;
  /** One entry for each worker. */
  readonly stripes: readonly PlacementsOf<typeof STRIPE_GROUPS>[];
}

/**
 * Lays a board out. Deterministic: the same capacities give the same layout in every thread.
 *
 * @throws Error (invariant) when a capacity is out of range
 */
export function layoutFor(capacities: BoardCapacities): BoardLayout {
  checkCapacities(capacities);
  const board = placeAll(BOARD_GROUPS, 0, capacities);
  let bytes = board.end;
  const stripes: PlacementsOf<typeof STRIPE_GROUPS>[] = [];
  for (let worker = 0; worker < capacities.workers; worker++) {
    const stripe = placeAll(STRIPE_GROUPS, bytes, capacities);
    stripes.push(stripe.placements);
    bytes = stripe.end;
  }
  return { capacities, bytes, pages: Math.ceil(bytes / PAGE_BYTES), board: board.placements, stripes };
}

function placeAll<Groups extends Readonly<Record<string, Group>>>(
  groups: Groups,
  startBytes: number,
  capacities: BoardCapacities,
): { placements: PlacementsOf<Groups>; end: number } {
  let end = startBytes;
  const placed = Object.entries(groups).map(([name, shape]) => {
    const placement = place(shape, end, capacities);
    end += placement.bytes;
    return [name, placement] as const;
  });
  return { placements: Object.fromEntries(placed) as PlacementsOf<Groups>, end };
}

function place(shape: Group, offsetBytes: number, capacities: BoardCapacities): Placement {
  const wordBytes = shape.word === 'int32' ? INT32_BYTES : FLOAT64_BYTES;
  const recordBytes = shape.words * wordBytes;
  const strideBytes = shape.spacing === 'line' ? wholeLines(recordBytes) : recordBytes;
  const records = recordsOf(shape.per, capacities);
  invariant(offsetBytes % LINE_BYTES === 0, `a group begins on a line, not at byte ${offsetBytes}`);
  return {
    offsetBytes,
    bytes: wholeLines(records * strideBytes),
    base: offsetBytes / wordBytes,
    stride: strideBytes / wordBytes,
    records,
  };
}

function recordsOf(per: Group['per'], capacities: BoardCapacities): number {
  return {
    board: 1,
    worker: capacities.workers,
    upstream: capacities.upstreams,
    turn: capacities.turns,
    'hash table': capacities.hashTables,
    'hash table word': 2 * capacities.hashTables * capacities.hashTableWords,
    queue: capacities.queues,
    'queue entry': capacities.queueEntries,
    'route breaker': capacities.routeBreakers,
    route: capacities.routes,
    slot: capacities.endpointSlots,
    listener: capacities.listeners,
    'client bucket': capacities.clientEntries / CLIENT_WAYS,
    'client entry': capacities.clientEntries,
  }[per];
}

function wholeLines(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}
