/** An upstream whose attempts are watched, seen by several workers of one board in this thread, with a clock moved by hand. */
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { type Attempting, UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import type { WorkerBoard } from '../../../src/board/worker-board.js';
import { NO_SUBSET, type PickingPlan } from '../../../src/config/picking-plan.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import type { BreakerPlan, OutlierPlan, ResiliencePlan } from '../../../src/config/resilience-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { type Tick, tickAfter } from '../../../src/core/tick.js';
import { type EndpointEvents, endpointWatchFor } from '../../../src/policies/endpoint-watch.js';
import { type EndpointUnderTest, letterOf, upstreamOf } from '../balancing/upstream-under-test.js';

export const OUTLIER: OutlierPlan = {
  failuresInRow: 0,
  gatewayFailuresInRow: 3,
  failureRatio: null,
  successRate: null,
  latency: null,
  intervalMs: 1_000,
  ejectionMs: 1_000,
  mostEjectionMs: 5_000,
  mostEjected: 0.5,
  trials: 1,
};

export const BREAKER: BreakerPlan = {
  errorRatio: 0.5,
  leastRequests: 4,
  windowMs: 1_000,
  failuresInRow: 0,
  latency: null,
  openMs: 1_000,
  mostOpenMs: 4_000,
  probes: 1,
};

/** One attempt that is on its way. */
export interface Underway {
  readonly worker: number;
  readonly attempting: Attempting;
  readonly startedAt: Tick;
}

/** Two workers unless told otherwise. */
export class WatchedUpstream {
  /** What was told, by the endpoints' letters: `b ejected trial-failed 2000`. */
  readonly events: string[] = [];
  readonly under;
  readonly plan: UpstreamPlan;
  readonly workers: readonly WorkerBoard[];
  readonly #runtimes: readonly UpstreamRuntime[];
  readonly #ledgers: readonly EndpointLedger[];
  #id = 0;
  now: Tick;

  constructor(
    endpoints: readonly EndpointUnderTest[],
    resilience: Partial<ResiliencePlan>,
    { start = 1, workers = 2, ...picking }: Partial<PickingPlan> & { start?: Tick; workers?: number } = {},
  ) {
    this.now = start;
    this.under = upstreamOf('round-robin', endpoints, workers, picking);
    this.plan = { ...this.under.plan, ...resilience };
    this.workers = Array.from({ length: workers }, (_, index) => this.under.attach(index).worker);
    this.#ledgers = this.workers.map((board) => new EndpointLedger(board, 4_096));
    this.#runtimes = this.workers.map(
      (board, index) =>
        new UpstreamRuntime(this.plan, {
          board,
          ledger: this.#ledgers[index]!,
          rng: seededRng(index + 1),
          observe: (plan) => endpointWatchFor(plan, board, this.eventsOf()),
        }),
    );
  }

  eventsOf(): EndpointEvents {
    const tell = (endpoint: number, ...words: (string | number)[]): void => {
      this.events.push([letterOf(endpoint), ...words].join(' '));
    };
    return {
      ejected: (endpoint, reason, ms, count) => tell(endpoint, 'ejected', reason, ms, count),
      suppressed: (endpoint, reason) => tell(endpoint, 'suppressed', reason),
      onTrial: (endpoint) => tell(endpoint, 'on-trial'),
      returned: (endpoint) => tell(endpoint, 'returned'),
      breakerOpened: (endpoint, reason, ms) => tell(endpoint, 'opened', reason, ms),
      breakerHalfOpened: (endpoint) => tell(endpoint, 'half-open'),
      breakerClosed: (endpoint) => tell(endpoint, 'closed'),
    };
  }

  /** What was told since the last call. */
  told(): string[] {
    return this.events.splice(0);
  }

  after(ms: number): void {
    this.now = tickAfter(this.now, ms);
  }

  runtime(worker = 0): UpstreamRuntime {
    return this.#runtimes[worker]!;
  }

  /** Begins an attempt. @returns null: nobody was eligible */
  begin(worker = 0, preferred = NO_ENDPOINT): Underway | null {
    const attempting: Attempting = {
      id: this.#id++ % 4_096,
      subset: NO_SUBSET,
      key: new PickKey(),
      preferred,
      endpoint: NO_ENDPOINT,
      attempts: 0,
      tried: null,
    };
    const slot = this.runtime(worker).pick(attempting, this.now);
    return slot === NO_ENDPOINT ? null : { worker, attempting, startedAt: this.now };
  }

  /** Where it went: a letter. */
  static at({ attempting }: Underway): string {
    return letterOf(attempting.endpoint);
  }

  /** Ends an attempt with a status; 0: it fails by a reset. */
  end({ worker, attempting, startedAt }: Underway, status: number, elapsedMs = this.now - startedAt): void {
    const runtime = this.runtime(worker);
    if (status === 0) return runtime.settleFailure(attempting, 'SLUICE_ENDPOINT_RESET', elapsedMs * 1_000, this.now);
    runtime.settleFirstByte(attempting, status, elapsedMs * 1_000, this.now);
    runtime.settleEnd(attempting, this.now);
  }

  /** Sends requests one after the other from the workers in turn; `status` answers by the endpoint's letter. @returns the letters */
  serve(count: number, status: (endpoint: string) => number): string {
    let letters = '';
    for (let request = 0; request < count; request++) {
      const underway = this.begin(request % this.#runtimes.length);
      letters += underway === null ? '-' : WatchedUpstream.at(underway);
      if (underway !== null) this.end(underway, status(WatchedUpstream.at(underway)));
    }
    return letters;
  }

  health(endpoint: number) {
    return this.under.board.health.health(this.plan.endpoints[endpoint]!.slot, this.now);
  }
}

/** Answers of an upstream in which these endpoints fail. */
export const failing =
  (letters: string, status = 503) =>
  (endpoint: string): number =>
    letters.includes(endpoint) ? status : 200;
