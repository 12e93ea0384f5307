/**
 * Where figures lie in the memory that each worker has for them: counters and errors of everything that has a record, and histograms of
 * latencies in pages that are given out when something falls into them. The only file with offsets of that memory.
 */
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import { GRPC_STATUSES, type GrpcStatus } from '../core/grpc-status.js';
import { HANDSHAKE_ENDS } from '../core/handshake-ends.js';
import { HTTP2_FLOODS } from '../core/http2-floods.js';
import type { BoardCapacities } from './capacities.js';
import { LINE_BYTES, type Placement } from './layout.js';
import { group } from './layout-group.js';

/** What has figures: endpoints by slot, routes and upstreams by record, listeners by number. */
export const FIGURE_KINDS = ['endpoint', 'route', 'listener', 'upstream'] as const;
export type FigureKind = (typeof FIGURE_KINDS)[number];

/**
 * What is measured of each kind, in µs.
 *
 * endpoint, of its attempts: firstByte to the head of an answer; total to its last byte, which tunnels have not; connect: of new connections,
 * for exchanges and sessions; queue: how long those had waited that came here after all. route, listener, of exchanges that got an
 * answer: firstByte of the endpoint whose answer it was; total from the head of the request until its client had everything, which tunnels
 * have not. listener of l4: total is how long a session lasted. queue: of those that waited, served or not, pauses before retries included.
 */
export const LATENCIES = {
  endpoint: ['firstByte', 'total', 'connect', 'queue'],
  route: ['firstByte', 'total', 'queue'],
  listener: ['firstByte', 'total', 'queue'],
  upstream: ['queue'],
} as const;
export type LatencyOf<Kind extends FigureKind> = (typeof LATENCIES)[Kind][number];

/** Name of the count of a status. */
export function grpcField<Name extends GrpcStatus>(name: Name): `grpc ${Name}` {
  return `grpc ${name}`;
}
const GRPC_FIELDS = GRPC_STATUSES.map(grpcField);

/** Counts of one endpoint; EndpointTraffic on the board has its attempts, failures and retries. */
export const EndpointFlow = group({ writer: 'owning worker', per: 'slot', word: 'float64', spacing: 'packed' }, [
  // Answers of its attempts, those included that were tried again.
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
  /** Connections opened for exchanges and sessions that got an answer, or a connection. */
  'connects',
  /** Answers that came over a connection from the pool. */
  'reuses',
  /** Exchanges and sessions that had waited and came here. */
  'queueWaits',
  // Of exchanges whose answer came from here, and of sessions; as the client's side saw them.
  'bytesFromClients',
  'bytesToClients',
  // Answers of gRPC by how their call ended, in the order of GRPC_STATUSES.
  ...GRPC_FIELDS,
]);

const FLOW_FIELDS = [
  /** Ended. */
  'exchanges',
  'sessions',
  // What went to clients; the proxy's own answers as well.
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
  /** Exchanges and sessions that ended with an error. */
  'failures',
  /** Attempts beyond the first of their exchange or session, hedges included. */
  'retries',
  'hedges',
  /** Exchanges and sessions that waited in a queue, or before a retry. */
  'queueWaits',
  'bytesFromClients',
  'bytesToClients',
] as const;

/** Counts of what went over a route, a listener or to an upstream, when it has ended. */
export const RouteFlow = group(
  { writer: 'owning worker', per: 'route', word: 'float64', spacing: 'packed' },
  FLOW_FIELDS,
);
export const ListenerFlow = group({ writer: 'owning worker', per: 'listener', word: 'float64', spacing: 'packed' }, [
  // The first are those of all.
  ...FLOW_FIELDS,
  /** Handshakes of clients by their end, in the order of HANDSHAKE_ENDS. */
  ['handshakes', HANDSHAKE_ENDS.length],
  /** Requests of HTTP/2, and streams that were refused for want of room. */
  'http2Streams',
  'http2RefusedStreams',
  /** Connections that were ended for a broken rule. */
  'http2Errors',
  /** Connections that were ended for a flood, in the order of HTTP2_FLOODS. */
  ['http2Floods', HTTP2_FLOODS.length],
]);
export const UpstreamFlow = group(
  { writer: 'owning worker', per: 'upstream', word: 'float64', spacing: 'packed' },
  FLOW_FIELDS,
);

/** Of the memory as a whole. */
export const FiguresState = group({ writer: 'owning worker', per: 'board', word: 'float64', spacing: 'packed' }, [
  /** Pages given out, the first one included, which is nobody's. */
  'pages',
  /** Latencies that were not recorded, because no page was left. */
  'missed',
]);

/** Codes in the order in which records of errors have them. */
export const ERROR_CODES = Object.keys(ERROR_CATALOG) as readonly ErrorCode[]; // ErrorCode is made of these keys

/** Records of errors: a word for each code, the same for all kinds. */
export const ErrorCounts = group(
  { writer: 'owning worker', per: 'slot', word: 'float64', spacing: 'packed' },
  ERROR_CODES,
);

/** Histograms of one record: where the directory of each begins, in int32 words of this memory; 0: nothing has been recorded. */
export const DirectoryIndex = { wordBytes: 4 } as const;

/** One page: the counts of one octave, or the directory of one histogram. */
export const FIGURES_PAGE_BYTES = 256;
export const PAGE_FLOAT64 = FIGURES_PAGE_BYTES / 8;
export const PAGE_INT32 = FIGURES_PAGE_BYTES / 4;
/** A directory: sum and count as float64, then for each octave where its page begins, in float64 words of this memory; 0: empty. */
export const DIRECTORY_SUM = 0;
export const DIRECTORY_COUNT = 1;
/** In int32 words. */
export const DIRECTORY_OCTAVES = 4;

/** Pages that one histogram takes at the most: its directory and all octaves. */
const MOST_PAGES_OF_ONE = 28;
/**
 * 256 MiB of one worker, which get real as they are written: room for some 85,000 histograms whose latencies spread over ten octaves, as
 * 20,000 busy endpoints have. What does not fit is counted as missed.
 */
export const MOST_FIGURES_PAGES = 1 << 20;

/** Capacities that count here. */
export type FigureCapacities = Pick<BoardCapacities, 'endpointSlots' | 'routes' | 'listeners' | 'upstreams'>;

/** Where everything lies in the memory of one worker. */
export interface FiguresLayout {
  readonly bytes: number;
  readonly state: Placement;
  readonly flows: Readonly<Record<FigureKind, Placement>>;
  readonly errors: Readonly<Record<FigureKind, Placement>>;
  /** In int32 words; stride: histograms of one record. */
  readonly directories: Readonly<Record<FigureKind, Placement>>;
  readonly pages: number;
  /** Where page 0 begins. */
  readonly pagesOffsetBytes: number;
}

/** Deterministic: the same capacities give the same layout in every thread. */
export function figuresLayoutFor(capacities: FigureCapacities): FiguresLayout {
  const records: Readonly<Record<FigureKind, number>> = {
    endpoint: capacities.endpointSlots,
    route: capacities.routes,
    listener: capacities.listeners,
    upstream: capacities.upstreams,
  };
  const words = { endpoint: EndpointFlow, route: RouteFlow, listener: ListenerFlow, upstream: UpstreamFlow } as const;
  let end = 0;
  const place = (count: number, stride: number, wordBytes: number): Placement => {
    const bytes = wholeLines(count * stride * wordBytes);
    const placement = { offsetBytes: end, bytes, base: end / wordBytes, stride, records: count };
    end += bytes;
    return placement;
  };
  const ofEach = (stride: (kind: FigureKind) => number, wordBytes: number): Record<FigureKind, Placement> => {
    const placed = FIGURE_KINDS.map((kind) => [kind, place(records[kind], stride(kind), wordBytes)] as const);
    return Object.fromEntries(placed) as Record<FigureKind, Placement>; // one for each kind
  };
  const state = place(1, FiguresState.words, 8);
  const directories = ofEach((kind) => LATENCIES[kind].length, DirectoryIndex.wordBytes);
  const flows = ofEach((kind) => words[kind].words, 8);
  const errors = ofEach(() => ErrorCounts.words, 8);
  const histograms = FIGURE_KINDS.reduce((sum, kind) => sum + records[kind] * LATENCIES[kind].length, 0);
  const pages = 1 + Math.min(histograms * MOST_PAGES_OF_ONE, MOST_FIGURES_PAGES);
  const pagesOffsetBytes = Math.ceil(end / FIGURES_PAGE_BYTES) * FIGURES_PAGE_BYTES;
  return {
    bytes: pagesOffsetBytes + pages * FIGURES_PAGE_BYTES,
    state,
    flows,
    errors,
    directories,
    pages,
    pagesOffsetBytes,
  };
}

function wholeLines(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}
