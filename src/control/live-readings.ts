/** Reads counters and histograms of the board once a second, and knows by how much each has grown over the last 10 s. */
import type { Board } from '../board/board.js';
import type { FlowFigures } from '../board/figures.js';
import type { FigureKind, LatencyOf } from '../board/figures-layout.js';
import type { EndpointPlan, Plan } from '../config/plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import { LatencyWindow } from '../observability/latency-window.js';
import { type Counts, SlidingWindow } from '../observability/sliding-window.js';

/** Time that rates and latencies are of. */
export const WINDOW_MS = 10_000;

/** Ended, failed, bytes in, bytes out: of a window or since the beginning. */
export type FlowCounts = Counts;
export const NO_FLOW: FlowCounts = [0, 0, 0, 0];

type FlowKind = 'listener' | 'route' | 'upstream';

/** Thread: primary. */
export class LiveReadings {
  readonly #board: Board;
  readonly #window = new SlidingWindow<string>(WINDOW_MS);
  #latencies: ReadonlyMap<string, LatencyWindow> = new Map();
  #latestMs = 0;

  constructor(board: Board) {
    this.#board = board;
  }

  /** How long the window is by now; 0: there are not two readings yet. */
  get spanMs(): number {
    return this.#window.spanMs;
  }

  /** Reads everything that the plan has. Series of what is gone are forgotten. */
  read(plan: Plan, atMs: number): void {
    const counts = new Map<string, Counts>();
    const latencies = new Map<string, LatencyWindow>();
    const withHttp = upstreamsWithHttp(plan);
    const latency = <Kind extends FigureKind>(
      key: string,
      kind: Kind,
      number: number,
      which: LatencyOf<Kind>,
    ): void => {
      const count = this.#board.figures.count(kind, number, which);
      const known = this.#latencies.get(key);
      if (count === 0) return; // also where it has begun anew
      const window = known === undefined || known.seen > count ? new LatencyWindow() : known;
      if (window.seen !== count) window.add(atMs, (into) => this.#board.figures.read(kind, number, which, into));
      latencies.set(key, window);
    };
    for (const { number, mode, ...listener } of plan.listeners) {
      counts.set(keyOf('listener', number), this.#flow('listener', number));
      if (mode === 'l4') continue;
      latency(keyOf('listener', number), 'listener', number, 'total');
      for (const route of listener.routes) {
        if (!('record' in route)) continue;
        counts.set(keyOf('route', route.record), this.#flow('route', route.record));
        latency(keyOf('route', route.record), 'route', route.record, 'total');
      }
    }
    for (const { index, endpoints } of plan.upstreams) {
      const which = withHttp.has(index) ? 'firstByte' : 'connect';
      for (const endpoint of endpoints) {
        counts.set(endpointKey(endpoint), this.#attempts(endpoint));
        latency(endpointKey(endpoint), 'endpoint', endpoint.slot, which);
      }
    }
    this.#window.add(atMs, counts);
    this.#latestMs = atMs;
    for (const window of latencies.values()) window.beginAt(this.#window.beginMs);
    this.#latencies = latencies;
  }

  /** Growth over the window. */
  flow(kind: FlowKind, number: number): FlowCounts {
    return this.#window.growth(keyOf(kind, number)) ?? NO_FLOW;
  }

  /** Growth over the window: attempts, failed ones, bytes. */
  attempts(endpoint: EndpointPlan): FlowCounts {
    return this.#window.growth(endpointKey(endpoint)) ?? NO_FLOW;
  }

  /** null: nothing ever ended there. */
  latencies(kind: FlowKind, number: number): LatencyWindow | null {
    return this.#latencies.get(keyOf(kind, number)) ?? null;
  }

  /** To the first byte; of an upstream that sessions only go to: to connect. null: there was no answer ever. */
  endpointLatencies(endpoint: EndpointPlan): LatencyWindow | null {
    return this.#latencies.get(endpointKey(endpoint)) ?? null;
  }

  /** When it was last read, on the clock of read(). */
  get latestMs(): number {
    return this.#latestMs;
  }

  #flow(kind: FlowKind, number: number): FlowCounts {
    const flow = this.#board.figures.flow(kind, number);
    return [
      flow.exchanges + flow.sessions,
      this.#failed(kind, number, flow),
      flow.bytesFromClients,
      flow.bytesToClients,
    ];
  }

  /**
   * Answered 5xx, or ended with an error that is not the client's fault. The proxy's own answers are both, so that the larger of the two counts: too few
   * where answers of endpoints and answers that broke off come together.
   */
  #failed(kind: FlowKind, number: number, { failures, responses5xx }: FlowFigures): number {
    if (failures === 0) return responses5xx;
    const errors = Object.entries(this.#board.figures.errors(kind, number)) as [ErrorCode, number][]; // its own keys
    const ours = errors.reduce((sum, [code, count]) => sum + (ERROR_CATALOG[code].fault === 'client' ? 0 : count), 0);
    return Math.max(responses5xx, ours);
  }

  #attempts({ slot }: EndpointPlan): FlowCounts {
    const { attempts, failures } = this.#board.endpointFigures(slot);
    const { responses5xx, bytesFromClients, bytesToClients } = this.#board.figures.endpoint(slot);
    return [attempts, failures + responses5xx, bytesFromClients, bytesToClients];
  }
}

function keyOf(kind: FlowKind, number: number): string {
  return `${kind} ${number}`;
}

/** Another generation is another endpoint, whose counters begin at 0. */
function endpointKey({ slot, generation }: EndpointPlan): string {
  return `${slot}.${generation}`;
}

/** Indices of the upstreams that requests go to, not only sessions. */
function upstreamsWithHttp(plan: Plan): ReadonlySet<number> {
  return new Set(
    plan.listeners.flatMap((listener) =>
      listener.mode === 'l4'
        ? []
        : listener.routes.flatMap(({ upstream, split }) => [
            upstream,
            ...(split === null ? [] : split.targets.map((target) => target.upstream)),
          ]),
    ),
  );
}
