/** Watches the attempts on the endpoints of one upstream: counts them, ejects endpoints, and opens their breakers. */

import { AS_PROBE, IN_PANIC } from '../balancing/attempt-measure.js';
import { type AttemptObserver, Standing } from '../balancing/attempt-observer.js';
import { generationOf } from '../board/claims-word.js';
import type { EndpointEjectionTable } from '../board/endpoint-ejection.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { type BreakerReason, beganBefore, CircuitBreaker } from './circuit-breaker.js';
import { type EjectionReason, Ejector, type OutlierEvents, type TrialFacts } from './outlier.js';

const NO_STATUS = 0;
const BAD_GATEWAY = 502;
const GATEWAY_TIMEOUT = 504;

/** Who is told of what became of an upstream's endpoints, in the one thread that decided; indices of the plan. */
export interface EndpointEvents extends OutlierEvents {
  breakerOpened(endpoint: number, reason: BreakerReason, openMs: number): void;
  breakerHalfOpened(endpoint: number): void;
  breakerClosed(endpoint: number): void;
}

/** An attempt that failed, or an answer by which a gateway says that it could not reach what is behind it. */
function isGatewayFailure(status: number): boolean {
  return status === NO_STATUS || (status >= BAD_GATEWAY && status <= GATEWAY_TIMEOUT);
}

/**
 * @param events of this upstream
 * @returns null: nothing of this upstream depends on how its attempts end
 */
export function endpointWatchFor(
  upstream: UpstreamPlan,
  board: WorkerBoard,
  events: EndpointEvents,
): AttemptObserver | null {
  const { outlier, breaker, concurrency } = upstream;
  const isWatched = outlier !== null || breaker !== null || concurrency !== null;
  return isWatched ? new EndpointWatch(upstream, board, events) : null;
}

/** Thread: worker; one for each upstream that is watched. */
class EndpointWatch implements AttemptObserver {
  readonly #upstream: UpstreamPlan;
  readonly #board: WorkerBoard;
  readonly #ejections: EndpointEjectionTable;
  /** null: it has no outlier detection. */
  readonly #ejector: Ejector | null;
  /** null: it has none. */
  readonly #breaker: CircuitBreaker | null;
  /** By endpoint. */
  readonly #slots: Int32Array;
  readonly #generations: Uint16Array;
  /** Written anew for each call. */
  readonly #facts = { isProbe: false, isInPanic: false, startedAt: NEVER };
  #changesAt: Tick = NEVER;
  #probes = 0;

  constructor(upstream: UpstreamPlan, board: WorkerBoard, events: EndpointEvents) {
    const { outlier, breaker, endpoints } = upstream;
    this.#upstream = upstream;
    this.#board = board;
    this.#ejections = board.health.ejections;
    this.#slots = Int32Array.from(endpoints, ({ slot }) => slot);
    this.#generations = Uint16Array.from(endpoints, ({ generation }) => generation);
    this.#ejector = outlier === null ? null : new Ejector(upstream, outlier, board, board.worker, events);
    this.#breaker =
      breaker === null
        ? null
        : new CircuitBreaker(breaker, board.health.breakers, {
            opened: (slot, reason, openMs) => {
              this.#bump();
              events.breakerOpened(this.#endpointOf(slot), reason, openMs);
            },
            // Whoever knows that it was open knows until when, and looks again by itself.
            halfOpened: (slot) => events.breakerHalfOpened(this.#endpointOf(slot)),
            closed: (slot) => {
              this.#bump();
              events.breakerClosed(this.#endpointOf(slot));
            },
          });
  }

  get changesAt(): Tick {
    return this.#changesAt;
  }

  get probes(): number {
    return this.#probes;
  }

  /** HOT: for outlier detection three plain loads and a branch, for a breaker some more and an Atomics.add. */
  succeeded(endpoint: number, elapsedUs: number, measure: number, startedAt: Tick, now: Tick): void {
    const slot = this.#slots[endpoint] as number; // of the plan
    const generation = this.#generations[endpoint] as number;
    if (generationOf(this.#board.load.claimsHint(slot)) !== generation) return;
    this.#board.stripe.countSuccess(slot, elapsedUs);
    if (this.#ejector !== null && !this.#ejections.isSound(slot))
      this.#endTrouble(this.#ejector, endpoint, slot, this.#factsOf(measure, startedAt), now);
    if (this.#breaker !== null)
      this.#breaker.succeeded(slot, generation, elapsedUs, this.#factsOf(measure, startedAt), now);
  }

  failed(endpoint: number, status: number, isCounted: boolean, measure: number, startedAt: Tick, now: Tick): void {
    const slot = this.#slots[endpoint] as number; // of the plan
    const generation = this.#generations[endpoint] as number;
    if (generationOf(this.#board.load.claimsHint(slot)) !== generation) return;
    const isGateway = isGatewayFailure(status);
    if (isGateway) this.#board.stripe.countGatewayFailure(slot);
    if (status !== NO_STATUS) this.#board.stripe.countServerError(slot);
    const facts = this.#factsOf(measure, startedAt);
    this.#breaker?.failed(slot, generation, isCounted, facts, now);
    if (this.#ejector !== null) this.#countAgainst(this.#ejector, endpoint, slot, isGateway, facts, now);
  }

  standingOf(endpoint: number, now: Tick): number {
    const slot = this.#slots[endpoint] as number; // of the plan
    this.#changesAt = NEVER;
    this.#probes = Number.MAX_SAFE_INTEGER;
    if (this.#board.health.isInGoodStanding(slot)) return 0;
    return this.#standingInEjection(endpoint, now) | this.#standingWithBreaker(slot, now);
  }

  #standingInEjection(endpoint: number, now: Tick): number {
    const { outlier } = this.#upstream;
    if (this.#ejector === null || outlier === null) return 0;
    const { phase, at, generation } = this.#ejector.circuit(endpoint, now);
    if (phase === 'closed' || generation !== this.#generations[endpoint]) return 0;
    if (phase === 'open') {
      this.#noteChange(at);
      return Standing.EJECTED;
    }
    this.#probes = Math.min(this.#probes, outlier.trials);
    return Standing.ON_TRIAL;
  }

  #standingWithBreaker(slot: number, now: Tick): number {
    if (this.#breaker === null) return 0;
    const phase = this.#breaker.phase(slot, now);
    if (phase === 'closed') return 0;
    if (phase === 'open') {
      this.#noteChange(this.#breaker.opensUntil(slot));
      return Standing.BREAKER_OPEN;
    }
    this.#probes = Math.min(this.#probes, this.#breaker.plan.probes);
    return Standing.HALF_OPEN;
  }

  #noteChange(at: Tick): void {
    const isFirst = this.#changesAt === NEVER || msBetween(at, this.#changesAt) > 0;
    if (isFirst) this.#changesAt = at;
  }

  /** A success of an endpoint that has failed, or is out. */
  #endTrouble(ejector: Ejector, endpoint: number, slot: number, facts: TrialFacts, now: Tick): void {
    if (this.#ejections.circuits.isClosedHint(slot)) this.#ejections.endRow(slot);
    else ejector.succeeded(endpoint, facts, now);
  }

  #countAgainst(
    ejector: Ejector,
    endpoint: number,
    slot: number,
    isGateway: boolean,
    { isProbe, isInPanic, startedAt }: TrialFacts,
    now: Tick,
  ): void {
    const circuit = ejector.circuit(endpoint, now);
    // What was sent before it returned, or before its trial, says nothing new.
    if (circuit.phase === 'open' || beganBefore(circuit, startedAt, now)) return;
    if (circuit.phase === 'half-open') {
      if (isProbe || isInPanic) ejector.eject(endpoint, 'trial-failed', now);
      return;
    }
    const reason = this.#reasonFor(slot, isGateway);
    // Where as many are out as may be, the row begins anew: the question is asked again after as many failures.
    if (reason !== null && ejector.eject(endpoint, reason, now) === 'suppressed') this.#ejections.endRow(slot);
  }

  #reasonFor(slot: number, isGateway: boolean): EjectionReason | null {
    const { failures, gatewayFailures } = this.#ejections.countFailureInRow(slot, isGateway);
    const { outlier } = this.#upstream;
    if (outlier === null) return null;
    const { failuresInRow, gatewayFailuresInRow } = outlier;
    if (gatewayFailuresInRow > 0 && gatewayFailures >= gatewayFailuresInRow) return 'gateway-failures-in-row';
    return failuresInRow > 0 && failures >= failuresInRow ? 'failures-in-row' : null;
  }

  #factsOf(measure: number, startedAt: Tick): TrialFacts {
    this.#facts.isProbe = (measure & AS_PROBE) !== 0;
    this.#facts.isInPanic = (measure & IN_PANIC) !== 0;
    this.#facts.startedAt = startedAt;
    return this.#facts;
  }

  #bump(): void {
    this.#board.upstreams.bumpControlEpoch(this.#upstream.record);
  }

  #endpointOf(slot: number): number {
    return this.#upstream.endpoints.findIndex((endpoint: EndpointPlan) => endpoint.slot === slot);
  }
}
