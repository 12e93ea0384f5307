/** What passive detection and breakers say of endpoints, and of routes with a breaker: all of their tables, and what a page shows of them. */
import { msBetween, type Tick } from '../core/tick.js';
import { BreakerTable } from './breaker-table.js';
import type { Circuit, CircuitPhase } from './circuit-table.js';
import { EndpointEjectionTable } from './endpoint-ejection.js';
import type { MappedBoard } from './shared-memory.js';

/** How an endpoint stands with passive detection and with its breaker now; for pages and for who counts healthy endpoints. */
export interface EndpointHealth {
  /** `trial`: its ejection is over, and requests find out whether it works. */
  readonly ejection: 'none' | 'ejected' | 'trial';
  /** How long it is still ejected; 0: it is not. */
  readonly ejectedForMs: number;
  /** Ejections that count towards the length of the next one, as of the last one. */
  readonly ejectionsInRow: number;
  /** Since the endpoint has the slot, as the next two. */
  readonly ejections: number;
  readonly suppressedEjections: number;
  readonly breakerOpenings: number;
  readonly breaker: CircuitPhase;
  /** How long the breaker is still open; 0: it is not. */
  readonly openForMs: number;
}

/** Thread: any. */
export class EndpointHealthTable {
  readonly ejections: EndpointEjectionTable;
  readonly breakers: BreakerTable;
  /** By RouteBreakerPlan.record. */
  readonly routes: BreakerTable;

  constructor(board: MappedBoard) {
    this.ejections = new EndpointEjectionTable(board);
    this.breakers = new BreakerTable(board, 'endpointBreaker');
    this.routes = new BreakerTable(board, 'routeBreaker');
  }

  /** Neither ejected, nor on trial, nor is its breaker open or half-open: as far as traffic tells it is healthy. */
  isInGoodStanding(slot: number): boolean {
    return this.ejections.circuits.isClosedHint(slot) && this.breakers.circuits.isClosedHint(slot);
  }

  /** As it is at this moment: an ejection whose time is over reads as a trial, although no worker may have noticed yet. */
  health(slot: number, now: Tick): EndpointHealth {
    const ejection = this.ejections.circuits.load(slot);
    const breaker = this.breakers.circuits.load(slot);
    const phase = phaseAt(ejection, now);
    return {
      ejection: phase === 'closed' ? 'none' : phase === 'open' ? 'ejected' : 'trial',
      ejectedForMs: openForMs(ejection, now),
      ejectionsInRow: ejection.openings,
      ejections: this.ejections.ejections(slot),
      suppressedEjections: this.ejections.suppressions(slot),
      breakerOpenings: this.breakers.openings(slot),
      breaker: phaseAt(breaker, now),
      openForMs: openForMs(breaker, now),
    };
  }

  /** A new assignment of the slot: clean. Thread: primary. */
  begin(slot: number, generation: number): void {
    this.ejections.begin(slot, generation);
    this.breakers.begin(slot, generation);
  }
}

/** What a circuit is now: an open one whose time is over is half-open, whoever writes that down. Pure. */
export function phaseAt(circuit: Circuit, now: Tick): CircuitPhase {
  return circuit.phase === 'open' && msBetween(now, circuit.at) <= 0 ? 'half-open' : circuit.phase;
}

function openForMs(circuit: Circuit, now: Tick): number {
  return circuit.phase === 'open' ? Math.max(0, msBetween(now, circuit.at)) : 0;
}
