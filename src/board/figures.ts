/** The figures of all workers, added up: what the primary reads of counters, errors and latencies, and where their memory comes from. */
import type { ErrorCode } from '../core/error-catalog.js';
import { HANDSHAKE_ENDS, type HandshakeEnd } from '../core/handshake-ends.js';
import { HTTP2_FLOODS, type Http2Flood } from '../core/http2-floods.js';
import { invariant } from '../core/invariant.js';
import type { BoardCapacities } from './capacities.js';
import {
  EndpointFlow,
  ERROR_CODES,
  ErrorCounts,
  type FigureKind,
  LATENCIES,
  type LatencyOf,
  ListenerFlow,
  RouteFlow,
} from './figures-layout.js';
import { allocateFigures, type MappedFigures, mapFigures } from './figures-memory.js';
import { LatencyCounts } from './latency-counts.js';
import { LatencyPages } from './latency-pages.js';

/** Counts of one endpoint since it got its slot. */
export type EndpointFlowFigures = Readonly<Record<keyof typeof EndpointFlow.field, number>>;
/** Counts of one route, listener or upstream since it got its record. */
export type FlowFigures = Readonly<Record<keyof typeof RouteFlow.field, number>>;
/** TLS handshakes of one listener with clients, by their end, since it got its number. */
export type HandshakeFigures = Readonly<Record<HandshakeEnd, number>>;
/** HTTP/2 with clients of one listener since it got its number. */
export interface Http2Figures {
  readonly streams: number;
  readonly refusedStreams: number;
  /** Connections that were ended for a broken rule. */
  readonly errors: number;
  /** Connections that were ended for a flood. */
  readonly floods: Readonly<Record<Http2Flood, number>>;
}
/** How often each error came; those that never did are absent. */
export type ErrorFigures = Readonly<Partial<Record<ErrorCode, number>>>;

/** What stood there when the record got its present owner. */
interface Beginning {
  readonly flow: Float64Array;
  readonly errors: Float64Array;
  /** By the place in LATENCIES; null: nothing was recorded. */
  readonly latencies: readonly (LatencyCounts | null)[];
}

/**
 * One for the board. Workers' memories stay when their threads end: the next thread goes on in the same, and figures only ever grow, until
 * a record gets another owner. Thread: primary.
 */
export class Figures {
  readonly #memories: readonly MappedFigures[];
  readonly #pages: readonly LatencyPages[];
  readonly #beginnings: Readonly<Record<FigureKind, Map<number, Beginning>>> = {
    endpoint: new Map(),
    route: new Map(),
    listener: new Map(),
    upstream: new Map(),
  };

  constructor(capacities: BoardCapacities) {
    this.#memories = Array.from({ length: capacities.workers }, () =>
      mapFigures(allocateFigures(capacities), capacities),
    );
    this.#pages = this.#memories.map((memory) => new LatencyPages(memory));
  }

  /** Hand this to the worker in its workerData; attachBoard() takes it. */
  memoryOf(worker: number): SharedArrayBuffer {
    const memory = this.#memories[worker];
    invariant(memory, `there is memory for the figures of worker ${worker}`);
    return memory.buffer;
  }

  /**
   * A record has another owner from now on, whose figures begin at zero. The slots of endpoints are begun by Board.assign. Nothing of the
   * owner before may be under way any more.
   *
   * @param number slot, record or number, as LATENCIES says
   */
  begin(kind: FigureKind, number: number): void {
    this.#beginnings[kind].delete(number);
    const flow = this.#sum('flows', kind, number);
    const errors = this.#sum('errors', kind, number);
    const latencies = LATENCIES[kind].map((_, place) => this.#latencyAt(kind, number, place));
    const isNew = flow.every(isZero) && errors.every(isZero) && latencies.every((counts) => counts === null);
    if (!isNew) this.#beginnings[kind].set(number, { flow, errors, latencies });
  }

  /** Of the endpoint that has the slot. */
  endpoint(slot: number): EndpointFlowFigures {
    return named(EndpointFlow.field, this.#since('flows', 'endpoint', slot));
  }

  /** Of who has the record or number. */
  flow(kind: Exclude<FigureKind, 'endpoint'>, number: number): FlowFigures {
    return named(RouteFlow.field, this.#since('flows', kind, number));
  }

  /** Of the listener that has the number. */
  handshakes(listener: number): HandshakeFigures {
    const flow = this.#since('flows', 'listener', listener);
    const first = ListenerFlow.field.handshakes;
    const entries = HANDSHAKE_ENDS.map((end, place) => [end, flow[first + place]]);
    return Object.fromEntries(entries) as HandshakeFigures; // a word for each end
  }

  /** Of the listener that has the number. */
  http2(listener: number): Http2Figures {
    const flow = this.#since('flows', 'listener', listener);
    const { http2Streams, http2RefusedStreams, http2Errors, http2Floods } = ListenerFlow.field;
    const entries = HTTP2_FLOODS.map((flood, place) => [flood, flow[http2Floods + place]]);
    return {
      streams: flow[http2Streams] as number, // a word of the record, as the next ones
      refusedStreams: flow[http2RefusedStreams] as number,
      errors: flow[http2Errors] as number,
      floods: Object.fromEntries(entries) as Http2Figures['floods'], // a word for each
    };
  }

  /** endpoint: attempts that failed; the others: exchanges and sessions that ended with an error. */
  errors(kind: FigureKind, number: number): ErrorFigures {
    const counts = this.#since('errors', kind, number);
    const known = ERROR_CODES.map((code) => [code, counts[ErrorCounts.field[code]] as number] as const);
    return Object.fromEntries(known.filter(([, count]) => count !== 0));
  }

  /** How many latencies were recorded: cheap, to find out whether a histogram has changed since it was last read. */
  count<Kind extends FigureKind>(kind: Kind, number: number, latency: LatencyOf<Kind>): number {
    const place = placeOf(kind, latency);
    const before = this.#beginnings[kind].get(number)?.latencies[place]?.count ?? 0;
    return this.#countAt(kind, number, place) - before;
  }

  /**
   * Adds the histogram of all workers to `into`, for which nothing need be allocated: costs what it has recorded, not what it could.
   *
   * @param into of a new reading: empty
   */
  read<Kind extends FigureKind>(kind: Kind, number: number, latency: LatencyOf<Kind>, into: LatencyCounts): void {
    const place = placeOf(kind, latency);
    this.#readAt(kind, number, place, into);
    const before = this.#beginnings[kind].get(number)?.latencies[place];
    if (before !== undefined && before !== null) into.subtract(before);
  }

  /** Latencies of all workers that were not recorded, because the memory for histograms was full. */
  get missed(): number {
    return this.#pages.reduce((sum, { missed }) => sum + missed, 0);
  }

  #since(part: 'flows' | 'errors', kind: FigureKind, number: number): Float64Array {
    const now = this.#sum(part, kind, number);
    const beginning = this.#beginnings[kind].get(number);
    if (beginning === undefined) return now;
    const before = part === 'flows' ? beginning.flow : beginning.errors;
    return now.map((figure, index) => figure - (before[index] as number));
  }

  #sum(part: 'flows' | 'errors', kind: FigureKind, number: number): Float64Array {
    const { stride, records } = (this.#memories[0] as MappedFigures).layout[part][kind]; // a board has at least one worker
    invariant(number >= 0 && number < records, `${kind} ${number} has a record of figures, of ${records}`);
    const sum = new Float64Array(stride);
    for (const { float64, layout } of this.#memories) {
      const base = layout[part][kind].base + number * stride;
      for (let index = 0; index < stride; index++)
        sum[index] = (sum[index] as number) + (float64[base + index] as number);
    }
    return sum;
  }

  #latencyAt(kind: FigureKind, number: number, place: number): LatencyCounts | null {
    if (this.#countAt(kind, number, place) === 0) return null;
    const counts = new LatencyCounts();
    this.#readAt(kind, number, place, counts);
    return counts;
  }

  #countAt(kind: FigureKind, number: number, place: number): number {
    const index = this.#indexOf(kind, number, place);
    let sum = 0;
    for (const pages of this.#pages) sum += pages.countOf(index);
    return sum;
  }

  #readAt(kind: FigureKind, number: number, place: number, into: LatencyCounts): void {
    const index = this.#indexOf(kind, number, place);
    for (const pages of this.#pages) pages.addTo(into, index);
  }

  #indexOf(kind: FigureKind, number: number, place: number): number {
    const { base, stride, records } = (this.#memories[0] as MappedFigures).layout.directories[kind];
    invariant(number >= 0 && number < records, `${kind} ${number} has histograms, of ${records}`);
    return base + number * stride + place;
  }
}

function placeOf<Kind extends FigureKind>(kind: Kind, latency: LatencyOf<Kind>): number {
  return (LATENCIES[kind] as readonly string[]).indexOf(latency);
}

function isZero(figure: number): boolean {
  return figure === 0;
}

function named<Field extends string>(
  fields: Readonly<Record<Field, number>>,
  figures: Float64Array,
): Record<Field, number> {
  const entries = Object.entries<number>(fields).map(([name, index]) => [name, figures[index]]);
  return Object.fromEntries(entries) as Record<Field, number>;
}
