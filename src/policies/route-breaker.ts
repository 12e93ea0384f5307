/** Refuses the requests of a route while too much of them has failed lately. */
import { ROUTE_GENERATION } from '../board/breaker-table.js';
import type { ProbeJournal } from '../board/probe-journal.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { RouteBreakerPlan } from '../config/resilience-plan.js';
import { NEVER, type Tick } from '../core/tick.js';
import { type BreakerEvents, CircuitBreaker, type ProbeFacts } from './circuit-breaker.js';
import { ADMIT, type Verdict } from './verdict.js';

/** What a route's breaker keeps of an exchange that it has let through; every exchange has one of its own, and only RouteBreaker writes it. */
export class BreakerPassage implements ProbeFacts {
  /** NEVER: it was not let through, or has been settled. */
  startedAt: Tick = NEVER;
  isProbe = false;
}

/**
 * A request is admitted, then settled as soon as it is known what its client gets, and released at its end; each way out may call the last two.
 * A probe's place is given back by whichever comes first, or with the stripe of its worker, should that die.
 *
 * Thread: worker; one for each route with a breaker. HOT.
 */
export class RouteBreaker {
  readonly #record: number;
  readonly #probes: number;
  readonly #breaker: CircuitBreaker;
  readonly #journal: ProbeJournal;

  /** @param events their record is plan.record */
  constructor(plan: RouteBreakerPlan, board: Pick<WorkerBoard, 'health' | 'routeProbes'>, events: BreakerEvents) {
    this.#record = plan.record;
    this.#probes = plan.probes;
    this.#breaker = new CircuitBreaker(plan, board.health.routes, events);
    this.#journal = board.routeProbes;
  }

  /** Lets a request through, or refuses it with SLUICE_BREAKER_OPEN. With a closed circuit a load and two stores. */
  admit(passage: BreakerPassage, now: Tick): Verdict {
    const phase = this.#breaker.phase(this.#record, now);
    if (phase === 'open') return 'SLUICE_BREAKER_OPEN';
    const isProbe = phase === 'half-open';
    if (isProbe && !this.#claimProbe(now)) return 'SLUICE_BREAKER_OPEN';
    passage.isProbe = isProbe;
    passage.startedAt = now;
    return ADMIT;
  }

  /**
   * It is known what the client gets. Nothing happens where the exchange was not let through, or has been settled.
   *
   * @param isFailure the proxy's own 5xx for want of a good answer, or a failing status of an endpoint (isFailingStatus)
   * @param elapsedUs since admit(), to the first byte
   */
  settled(passage: BreakerPassage, isFailure: boolean, elapsedUs: number, now: Tick): void {
    if (passage.startedAt === NEVER) return;
    if (isFailure) this.#breaker.failed(this.#record, ROUTE_GENERATION, false, passage, now);
    else this.#breaker.succeeded(this.#record, ROUTE_GENERATION, elapsedUs, passage, now);
    this.release(passage);
  }

  /** The exchange is over, and says nothing of the route unless settled() came first, e.g. because its client has left. */
  release(passage: BreakerPassage): void {
    if (passage.isProbe) this.#journal.end(this.#record, ROUTE_GENERATION);
    passage.isProbe = false;
    passage.startedAt = NEVER;
  }

  /** When a refused request may be worth another try, in ms; 0: as soon as a probe has told. */
  retryAfterMs(now: Tick): number {
    return this.#breaker.openForMs(this.#record, now);
  }

  /** Looks again behind the claim: another probe may have failed in between. */
  #claimProbe(now: Tick): boolean {
    if (!this.#journal.claim(this.#record, ROUTE_GENERATION, this.#probes)) return false;
    if (this.#breaker.phase(this.#record, now) !== 'open') return true;
    this.#journal.end(this.#record, ROUTE_GENERATION);
    return false;
  }
}
