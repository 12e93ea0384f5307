/** Takes back what a rule has made of endpoints once the plan has the rule no more: nobody else would ever look at it again. */
import type { Board } from '../board/board.js';
import type { CircuitTable } from '../board/circuit-table.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';

/** `adaptiveCap` of an endpoint that nobody measures. */
const NO_CAP = 0;

/** What it reads and writes. */
export interface SwitchedOffParts {
  readonly board: Pick<Board, 'control' | 'health' | 'upstreams'>;
  readonly clock: Clock;
}

/**
 * Without a health check an endpoint counts as healthy, without outlier detection as never ejected, without a breaker as closed, and without
 * adaptive concurrency it has no cap but its own. Idempotent; for each new plan, before workers go by it. Thread: primary.
 */
export function settleSwitchedOff(upstreams: readonly UpstreamPlan[], { board, clock }: SwitchedOffParts): void {
  const { control, health } = board;
  for (const { record, endpoints, healthCheck, outlier, breaker, concurrency } of upstreams) {
    let hasReturned = false;
    for (const endpoint of endpoints) {
      const { slot } = endpoint;
      const { isHealthy, isUnknown } = control.state(slot);
      if (healthCheck === null && (isUnknown || !isHealthy)) control.setHealthy(slot, true);
      if (outlier === null) hasReturned = close(health.ejections.circuits, endpoint, clock) || hasReturned;
      if (breaker === null) hasReturned = close(health.breakers.circuits, endpoint, clock) || hasReturned;
    }
    if (hasReturned) board.upstreams.bumpControlEpoch(record);
    const capped = concurrency === null ? endpoints.filter(({ slot }) => control.adaptiveCap(slot) !== NO_CAP) : [];
    control.setShares(capped.map(({ slot }) => ({ slot, adaptiveCap: NO_CAP })));
  }
}

/** @returns true: it was open */
function close(circuits: CircuitTable, { slot, generation }: EndpointPlan, clock: Clock): boolean {
  for (;;) {
    const circuit = circuits.load(slot);
    if (circuit.generation !== generation || circuit.phase === 'closed') return false;
    // Workers that still go by the plan before may change it in between.
    const closed = { ...circuit, phase: 'closed', openings: 0, successes: 0, at: clock.nowTick() } as const;
    if (circuits.replace(slot, circuit, closed)) return true;
  }
}
