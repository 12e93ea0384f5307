/** An endpoint of a simulation: so many places, a queue before them, and a temper that changes with time. */
import type { Clockwork } from './clockwork.js';
import type { FailureKind, SimulatedRequest } from './request.js';

/** What an endpoint does with a request that reaches it now. */
export type Conduct =
  /** Works on it for work x slowness ms, once a place is free. */
  | { readonly kind: 'serves'; readonly slowness: number; readonly status?: number }
  /** Answers at once, without a place: a failing or a refusing program. */
  | { readonly kind: 'answers'; readonly status: number; readonly afterMs: number; readonly retryAfterMs?: number }
  /** Accepts and is silent. */
  | { readonly kind: 'stalls' }
  /** Nobody listens. */
  | { readonly kind: 'refuses' };

/** How one endpoint is made. */
export interface EndpointModel {
  /** Requests it works on at a time; more wait in order of arrival. Infinity: it never queues. */
  readonly places: number;
  readonly conduct: (nowMs: number, busy: number, request: SimulatedRequest) => Conduct;
}

/** Told about each attempt exactly once. */
export interface AttemptEnds {
  answered(request: SimulatedRequest, status: number, retryAfterMs: number): void;
  failed(request: SimulatedRequest, kind: FailureKind): void;
}

/** Connecting to an endpoint where nobody listens fails after this long: a packet there and one back. */
const REFUSED_AFTER_MS = 0.2;

/** An endpoint at work. */
export class SimulatedEndpoint {
  readonly #model: EndpointModel;
  readonly #clockwork: Clockwork;
  readonly #timeoutMs: number;
  readonly #ends: AttemptEnds;
  readonly #waiting: SimulatedRequest[] = [];
  #firstWaiting = 0;
  #busy = 0;
  /** Counts up when the endpoint dies: what belongs to an earlier life is not served any more. */
  #life = 0;
  readonly #held = new Set<SimulatedRequest>();

  /** @param timeoutMs the proxy gives an attempt up after this */
  constructor(model: EndpointModel, clockwork: Clockwork, timeoutMs: number, ends: AttemptEnds) {
    this.#model = model;
    this.#clockwork = clockwork;
    this.#timeoutMs = timeoutMs;
    this.#ends = ends;
  }

  /** Requests it has, working on or queued. */
  get held(): number {
    return this.#held.size;
  }

  accept(request: SimulatedRequest): void {
    const conduct = this.#model.conduct(this.#clockwork.nowMs, this.#busy, request);
    this.#held.add(request);
    if (conduct.kind === 'refuses') this.#after(REFUSED_AFTER_MS, request, () => this.#ends.failed(request, 'refused'));
    else if (conduct.kind === 'answers') {
      const { afterMs, status, retryAfterMs = 0 } = conduct;
      this.#after(afterMs, request, () => this.#ends.answered(request, status, retryAfterMs));
    } else if (conduct.kind === 'serves' && this.#busy < this.#model.places) this.#serve(request);
    else if (conduct.kind === 'serves') this.#waiting.push(request);
    if (Number.isFinite(this.#timeoutMs)) {
      const attempt = request.attempts;
      this.#clockwork.after(this.#timeoutMs, () => {
        if (request.attempts === attempt && this.#held.delete(request)) this.#ends.failed(request, 'timeout');
      });
    }
  }

  /** Loses everything it holds; what it does from here on is its model's business. */
  die(): void {
    this.#life += 1;
    this.#busy = 0;
    this.#waiting.length = 0;
    this.#firstWaiting = 0;
    const lost = [...this.#held];
    this.#held.clear();
    for (const request of lost) this.#ends.failed(request, 'reset');
  }

  #serve(request: SimulatedRequest): void {
    const conduct = this.#model.conduct(this.#clockwork.nowMs, this.#busy, request);
    const slowness = conduct.kind === 'serves' ? conduct.slowness : 1;
    const status = conduct.kind === 'serves' ? (conduct.status ?? 200) : 200;
    const life = this.#life;
    this.#busy += 1;
    this.#clockwork.after(request.work * slowness, () => {
      if (life !== this.#life) return;
      this.#busy -= 1;
      // A request that was given up meanwhile has kept its place to the end: the program does not know that nobody waits.
      if (this.#held.delete(request)) this.#ends.answered(request, status, 0);
      this.#serveNext();
    });
  }

  #serveNext(): void {
    while (this.#firstWaiting < this.#waiting.length && this.#busy < this.#model.places) {
      const next = this.#waiting[this.#firstWaiting++]!;
      if (this.#held.has(next)) this.#serve(next);
    }
    if (this.#firstWaiting > 1_024 && this.#firstWaiting * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#firstWaiting);
      this.#firstWaiting = 0;
    }
  }

  #after(delayMs: number, request: SimulatedRequest, end: () => void): void {
    this.#clockwork.after(delayMs, () => {
      if (this.#held.delete(request)) end();
    });
  }
}
