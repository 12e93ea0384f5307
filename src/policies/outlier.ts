/** Passive detection: ejects endpoints for what they do to traffic, a bounded share of them, and takes them back by trial. */
import type { Circuit } from '../board/circuit-table.js';
import type { EndpointControlTable } from '../board/endpoint-control.js';
import type { EndpointEjectionTable } from '../board/endpoint-ejection.js';
import type { EndpointHealthTable } from '../board/endpoint-health.js';
import type { UpstreamTable } from '../board/upstream-table.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { OutlierPlan } from '../config/resilience-plan.js';
import { msBetween, NEVER, type Tick, tickAfter } from '../core/tick.js';
import { beganBefore, movedByTime, type ProbeFacts } from './circuit-breaker.js';

/** The log tells of an endpoint that is not ejected the most once in this time, over all workers. */
const SUPPRESSED_LOG_PAUSE_MS = 10_000;

/** Why an endpoint is ejected. The last three are found by the primary, in intervals. */
export type EjectionReason =
  | 'failures-in-row'
  | 'gateway-failures-in-row'
  | 'trial-failed'
  | 'failure-ratio'
  | 'success-rate'
  | 'latency';

/** Who is told what became of endpoints: once each over all threads, in the one that decided. Indices of the plan. */
export interface OutlierEvents {
  /** @param ejections that lengthened this one */
  ejected(endpoint: number, reason: EjectionReason, ejectionMs: number, ejections: number): void;
  suppressed(endpoint: number, reason: EjectionReason): void;
  onTrial(endpoint: number): void;
  returned(endpoint: number): void;
}

/** The tables that the ejector reads and writes; both sides of the board have them. */
export interface OutlierBoard {
  readonly health: EndpointHealthTable;
  readonly control: EndpointControlTable;
  readonly upstreams: UpstreamTable;
}

/** What became of an ejection. `busy`: somebody else ejects an endpoint of the upstream; ask again with the next evidence. */
export type EjectionOutcome = 'ejected' | 'suppressed' | 'out-already' | 'busy';

/** How the attempt began that tells something of an endpoint that is out. */
export interface TrialFacts extends ProbeFacts {
  /** It was picked in panic although it was out. */
  readonly isInPanic: boolean;
}

// --- pure -------------------------------------------------------------------------------------------------------------------

/** How many endpoints of an upstream may be ejected at a time. @param endpoints that take work, or would if they were healthy */
export function mostEjectedOf(endpoints: number, mostEjected: number): number {
  return Math.max(0, Math.min(endpoints - 1, Math.max(1, Math.floor(endpoints * mostEjected))));
}

/** How long the n-th ejection lasts. */
export function ejectionMsOf(
  ejections: number,
  { ejectionMs, mostEjectionMs }: Pick<OutlierPlan, 'ejectionMs' | 'mostEjectionMs'>,
): number {
  return Math.min(ejections * ejectionMs, mostEjectionMs);
}

/** Ejections that still count: one less for each ejectionMs of good service since the endpoint returned (Envoy). */
export function ejectionsLeft(circuit: Circuit, ejectionMs: number, now: Tick): number {
  if (circuit.phase !== 'closed') return circuit.openings;
  const closedMs = circuit.at === NEVER ? -1 : msBetween(circuit.at, now);
  // Negative: in service for more than 24 days, or always.
  return closedMs < 0 ? 0 : Math.max(0, circuit.openings - Math.floor(closedMs / ejectionMs));
}

/** The circuit of an endpoint that is ejected (again) now. */
export function ejectedFrom(circuit: Circuit, plan: OutlierPlan, now: Tick): Circuit {
  const openings = ejectionsLeft(circuit, plan.ejectionMs, now) + 1;
  return { ...circuit, phase: 'open', openings, successes: 0, at: tickAfter(now, ejectionMsOf(openings, plan)) };
}

/** Does this success bring an endpoint back? A trial does, and what was sent in panic to an endpoint that was out already. */
function returns(circuit: Circuit, plan: OutlierPlan, facts: TrialFacts, now: Tick): boolean {
  const { isProbe, isInPanic, startedAt } = facts;
  // In panic it may have begun before the trial did.
  if (circuit.phase === 'half-open') return isInPanic || (isProbe && !beganBefore(circuit, startedAt, now));
  const ejectedAt = tickAfter(circuit.at, -ejectionMsOf(circuit.openings, plan));
  return isInPanic && !beganBefore({ ...circuit, at: ejectedAt }, startedAt, now);
}

// --- over the board ---------------------------------------------------------------------------------------------------------

/**
 * Ejects endpoints of one upstream, and takes them back. The share is exact over all threads: who ejects holds the upstream's lock and counts who
 * is out, so never are more ejected than `mostEjected` allows, of two at least one may always be, and the last one that takes work is not. An
 * endpoint on trial is not counted: it has few requests, and must not keep a worse one from being ejected.
 *
 * Thread: any; workers for what they see at once, the primary for what it sees in intervals, and for active checks.
 */
export class Ejector {
  readonly #upstream: UpstreamPlan;
  readonly #plan: OutlierPlan;
  readonly #board: OutlierBoard;
  readonly #table: EndpointEjectionTable;
  readonly #holder: number;
  readonly #events: OutlierEvents;

  /** @param holder index of the worker; the primary's is the number of workers */
  constructor(upstream: UpstreamPlan, plan: OutlierPlan, board: OutlierBoard, holder: number, events: OutlierEvents) {
    this.#upstream = upstream;
    this.#plan = plan;
    this.#board = board;
    this.#table = board.health.ejections;
    this.#holder = holder;
    this.#events = events;
  }

  /** Leaves an endpoint alone, for all workers at once, if as many are out as may be. @param endpoint index in the plan */
  eject(endpoint: number, reason: EjectionReason, now: Tick): EjectionOutcome {
    const { record } = this.#upstream;
    const { slot } = this.#endpointAt(endpoint);
    if (!this.#table.tryLock(record, this.#holder)) return 'busy';
    const outcome = this.#ejectLocked(endpoint, slot, reason === 'trial-failed', now);
    this.#table.unlock(record);
    if (outcome === 'suppressed' && this.#table.countSuppression(slot, SUPPRESSED_LOG_PAUSE_MS, now))
      this.#events.suppressed(endpoint, reason);
    if (typeof outcome === 'string') return outcome;
    this.#table.endRow(slot);
    this.#table.countEjection(slot);
    this.#board.upstreams.bumpControlEpoch(record);
    this.#events.ejected(endpoint, reason, ejectionMsOf(outcome.openings, this.#plan), outcome.openings);
    return 'ejected';
  }

  /** An active check has passed, or traffic does well: takes an endpoint back that is out. @returns false: it was not out */
  uneject(endpoint: number, now: Tick): boolean {
    return this.#return(endpoint, now, () => true);
  }

  /** An endpoint that is out has served something. */
  succeeded(endpoint: number, facts: TrialFacts, now: Tick): void {
    this.#return(endpoint, now, (circuit) => returns(circuit, this.#plan, facts, now));
  }

  /** How an endpoint stands now; an ejection whose time is over becomes a trial by this. */
  circuit(endpoint: number, now: Tick): Circuit {
    const { slot } = this.#endpointAt(endpoint);
    const circuit = this.#table.circuits.load(slot);
    const next = movedByTime(circuit, now);
    if (next === circuit || circuit.generation !== this.#endpointAt(endpoint).generation) return circuit;
    if (!this.#table.circuits.replace(slot, circuit, next)) return this.#table.circuits.load(slot);
    this.#events.onTrial(endpoint);
    return next;
  }

  #return(endpoint: number, now: Tick, may: (circuit: Circuit) => boolean): boolean {
    const { slot, generation } = this.#endpointAt(endpoint);
    for (;;) {
      const circuit = this.#table.circuits.load(slot);
      if (circuit.generation !== generation || circuit.phase === 'closed' || !may(circuit)) return false;
      // Before it is back: what fails from then on counts.
      this.#table.endRow(slot);
      if (!this.#table.circuits.replace(slot, circuit, { ...circuit, phase: 'closed', successes: 0, at: now }))
        continue;
      this.#board.upstreams.bumpControlEpoch(this.#upstream.record);
      this.#events.returned(endpoint);
      return true;
    }
  }

  #ejectLocked(
    endpoint: number,
    slot: number,
    isTrial: boolean,
    now: Tick,
  ): Circuit | Exclude<EjectionOutcome, 'ejected'> {
    const { generation } = this.#endpointAt(endpoint);
    const circuit = this.circuit(endpoint, now);
    if (circuit.generation !== generation || circuit.phase === 'open') return 'out-already';
    // Its trial has been decided, or has begun, since the caller looked: what it saw was another time's.
    if ((circuit.phase === 'half-open') !== isTrial) return 'out-already';
    if (!this.#mayEject(endpoint, now)) return 'suppressed';
    const next = ejectedFrom(circuit, this.#plan, now);
    // Only a success can have come in between: then there is nothing to eject it for.
    return this.#table.circuits.replace(slot, circuit, next) ? next : 'out-already';
  }

  /** Backups count, too: they serve when nobody else does. */
  #mayEject(endpoint: number, now: Tick): boolean {
    const { control } = this.#board;
    let counted = 0;
    let ejected = 0;
    let takers = 0;
    for (const [index, { slot, generation }] of this.#upstream.endpoints.entries()) {
      if (control.generation(slot) !== generation || !control.takesWorkIfHealthy(slot) || control.weight(slot) === 0)
        continue;
      counted += 1;
      const circuit = this.#table.circuits.load(slot);
      const isEjected = circuit.phase === 'open' && msBetween(now, circuit.at) > 0;
      if (isEjected) ejected += 1;
      else if (index !== endpoint && control.takesWork(slot)) takers += 1;
    }
    return takers > 0 && ejected < mostEjectedOf(counted, this.#plan.mostEjected);
  }

  #endpointAt(endpoint: number): EndpointPlan {
    return this.#upstream.endpoints[endpoint] as EndpointPlan; // of the plan
  }
}
