/** Circuit breakers: when a circuit opens, for how long, and when it closes again; the same for endpoints and for routes. */
import type { BreakerTable } from '../board/breaker-table.js';
import type { Circuit, CircuitPhase } from '../board/circuit-table.js';
import type { BreakerPlan } from '../config/resilience-plan.js';
import { msBetween, NEVER, type Tick, tickAfter } from '../core/tick.js';

const US_PER_MS = 1_000;

/** Why a circuit opens. `probe-failed`: it was half-open. */
export type BreakerReason = 'failures-in-row' | 'error-ratio' | 'latency' | 'probe-failed';

/** Who is told of transitions: once each over all workers, in the one that made it. */
export interface BreakerEvents {
  /** @param record of the breaker: an endpoint's slot, or RouteBreakerPlan.record; the same in all of them */
  opened(record: number, reason: BreakerReason, openMs: number): void;
  halfOpened(record: number): void;
  closed(record: number): void;
}

/** When an attempt or exchange began, and whether it was let through to probe. */
export interface ProbeFacts {
  readonly isProbe: boolean;
  readonly startedAt: Tick;
}

// --- the state machine: pure ------------------------------------------------------------------------------------------------

/** How long the n-th opening in a row lasts: doubled each time, up to the most. Exact: proxies that open together may probe together. */
export function openMsOf(openings: number, { openMs, mostOpenMs }: Pick<BreakerPlan, 'openMs' | 'mostOpenMs'>): number {
  return Math.min(openMs * 2 ** (openings - 1), mostOpenMs);
}

/** Openings begin anew with 1 once the circuit has been closed for as long as it may be open at the most. */
export function opened(circuit: Circuit, plan: BreakerPlan, now: Tick): Circuit {
  const closedMs = circuit.at === NEVER ? plan.mostOpenMs : msBetween(circuit.at, now);
  // Negative: closed for more than 24 days.
  const isForgotten = circuit.phase === 'closed' && (closedMs < 0 || closedMs >= plan.mostOpenMs);
  const openings = isForgotten ? 1 : circuit.openings + 1;
  return { ...circuit, phase: 'open', openings, successes: 0, at: tickAfter(now, openMsOf(openings, plan)) };
}

/** What time makes of a circuit: an open one becomes half-open. @returns the circuit itself when nothing changes */
export function movedByTime(circuit: Circuit, now: Tick): Circuit {
  if (circuit.phase !== 'open' || msBetween(now, circuit.at) > 0) return circuit;
  return { ...circuit, phase: 'half-open', successes: 0, at: now };
}

/** What a success of a probe makes of a half-open circuit. @param probes that have to succeed until it closes */
export function afterSuccess(circuit: Circuit, probes: number, now: Tick): Circuit {
  const successes = circuit.successes + 1;
  return successes < probes ? { ...circuit, successes } : { ...circuit, phase: 'closed', successes: 0, at: now };
}

/**
 * Did something begin before a circuit came into its state? By ages, not moments: a circuit that has been closed for 25 days has a negative age
 * by the clock's wrap, and then nothing that still runs began before it.
 */
export function beganBefore(circuit: Circuit, startedAt: Tick, now: Tick): boolean {
  if (circuit.at === NEVER) return false;
  const ageMs = msBetween(circuit.at, now);
  return ageMs >= 0 && ageMs < msBetween(startedAt, now);
}

// --- the state machine over a table -----------------------------------------------------------------------------------------

/**
 * One set of settings over the breakers of a table. What is counted is counted over all workers; of several that see a circuit's last failure one
 * opens it. Only probes decide over a half-open circuit, and only those that began since it is: what was sent before it opened says nothing of how
 * its endpoint is now.
 *
 * Thread: worker. `succeeded` is HOT: with a closed circuit some plain loads and an Atomics.add.
 */
export class CircuitBreaker {
  readonly plan: BreakerPlan;
  readonly #table: BreakerTable;
  readonly #events: BreakerEvents;
  readonly #slowUs: number;

  constructor(plan: BreakerPlan, table: BreakerTable, events: BreakerEvents) {
    this.plan = plan;
    this.#table = table;
    this.#events = events;
    this.#slowUs = plan.latency === null ? Infinity : plan.latency.aboveMs * US_PER_MS;
  }

  /** HOT. How the circuit is now; an open one whose time is over becomes half-open by this. */
  phase(record: number, now: Tick): CircuitPhase {
    return this.#table.circuits.isClosedHint(record) ? 'closed' : this.#moved(record, now).phase;
  }

  /** How long nothing passes yet; 0: something does, or probes find out. */
  openForMs(record: number, now: Tick): number {
    const circuit = this.#moved(record, now);
    return circuit.phase === 'open' ? msBetween(now, circuit.at) : 0;
  }

  /** When an open circuit becomes half-open; NEVER: it is not open. */
  opensUntil(record: number): Tick {
    const circuit = this.#table.circuits.load(record);
    return circuit.phase === 'open' ? circuit.at : NEVER;
  }

  /**
   * HOT.
   *
   * @param generation of the slot that the work was done on; ROUTE_GENERATION for routes
   * @param elapsedUs  to the first byte, or to the connection
   */
  succeeded(record: number, generation: number, elapsedUs: number, probe: ProbeFacts, now: Tick): void {
    if (!this.#table.circuits.isClosedHint(record)) return this.#probeSucceeded(record, generation, probe, now);
    const { windowMs } = this.plan;
    this.#table.endRow(record);
    this.#table.countRequest(record, windowMs, now);
    if (elapsedUs > this.#slowUs) {
      this.#table.countSlow(record, windowMs, now);
      if (this.#isTooSlow(record, now)) this.#openIfClosed(record, generation, 'latency', now);
    }
  }

  /** @param isCounted it has succeeded before, with the head of a response, and is no further request */
  failed(record: number, generation: number, isCounted: boolean, probe: ProbeFacts, now: Tick): void {
    const circuit = this.#moved(record, now);
    if (circuit.generation !== generation || beganBefore(circuit, probe.startedAt, now)) return;
    if (circuit.phase === 'half-open' && probe.isProbe) this.#open(record, circuit, 'probe-failed', now);
    if (circuit.phase !== 'closed') return;
    const { windowMs, failuresInRow } = this.plan;
    if (!isCounted) this.#table.countRequest(record, windowMs, now);
    this.#table.countFailure(record, windowMs, now);
    const inRow = this.#table.countFailureInRow(record);
    if (failuresInRow > 0 && inRow >= failuresInRow) this.#openIfClosed(record, generation, 'failures-in-row', now);
    else if (this.#fails(record, now)) this.#openIfClosed(record, generation, 'error-ratio', now);
  }

  #fails(record: number, now: Tick): boolean {
    const { errorRatio, leastRequests, windowMs } = this.plan;
    if (errorRatio === 0) return false;
    const { requests, failures } = this.#table.window(record, windowMs, now);
    return requests >= leastRequests && failures >= errorRatio * requests;
  }

  #isTooSlow(record: number, now: Tick): boolean {
    const { latency, leastRequests, windowMs } = this.plan;
    if (latency === null) return false;
    const { requests, slow } = this.#table.window(record, windowMs, now);
    return requests >= leastRequests && slow > (1 - latency.quantile) * requests;
  }

  #probeSucceeded(record: number, generation: number, probe: ProbeFacts, now: Tick): void {
    if (!probe.isProbe) return;
    for (;;) {
      const circuit = this.#moved(record, now);
      const counts = circuit.phase === 'half-open' && circuit.generation === generation;
      if (!counts || beganBefore(circuit, probe.startedAt, now)) return;
      const next = afterSuccess(circuit, this.plan.probes, now);
      // Before it closes: until then nobody counts, and afterwards everybody counts from nothing.
      if (next.phase === 'closed') this.#table.forget(record);
      if (!this.#table.circuits.replace(record, circuit, next)) continue;
      if (next.phase === 'closed') this.#events.closed(record);
      return;
    }
  }

  #openIfClosed(record: number, generation: number, reason: BreakerReason, now: Tick): void {
    const circuit = this.#table.circuits.load(record);
    if (circuit.phase === 'closed' && circuit.generation === generation) this.#open(record, circuit, reason, now);
  }

  /** Once only: whoever is late finds it replaced, and leaves it at that. */
  #open(record: number, circuit: Circuit, reason: BreakerReason, now: Tick): void {
    const next = opened(circuit, this.plan, now);
    if (!this.#table.circuits.replace(record, circuit, next)) return;
    this.#table.countOpening(record);
    this.#events.opened(record, reason, openMsOf(next.openings, this.plan));
  }

  #moved(record: number, now: Tick): Circuit {
    const circuit = this.#table.circuits.load(record);
    const next = movedByTime(circuit, now);
    if (next === circuit) return circuit;
    if (!this.#table.circuits.replace(record, circuit, next)) return this.#table.circuits.load(record);
    this.#events.halfOpened(record);
    return next;
  }
}
