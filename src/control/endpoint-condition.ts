/** What an endpoint is, in one word for people, and whether it takes work: from the board and from what the primary knows. */
import type { EndpointState } from '../board/endpoint-control.js';
import type { EndpointHealth } from '../board/endpoint-health.js';
import type { EndpointCondition, LiveEndpoint } from '../observability/live-figures.js';

/** What is known of an endpoint at one moment. */
export interface EndpointStanding {
  readonly state: EndpointState;
  readonly health: EndpointHealth;
  readonly inFlight: number;
  /** How far it has warmed up, above 0, at most 1; null: it does not warm up. */
  readonly warmth: number | null;
}

/** The first word that applies. Pure. */
export function conditionOf({ state, health, inFlight, warmth }: EndpointStanding): EndpointCondition {
  const word = stateWord(state, inFlight);
  if (word !== 'enabled') return word;
  if (!state.isResolved) return 'unresolved';
  if (state.isUnknown) return 'unknown';
  if (!state.isHealthy) return 'unhealthy';
  if (health.ejection === 'ejected') return 'ejected';
  if (health.breaker === 'open') return 'broken';
  if (health.ejection === 'trial' || health.breaker === 'half-open') return 'on-trial';
  return warmth === null || warmth >= 1 ? 'healthy' : 'warming-up';
}

/** As the operator sees it: what PUT takes, and whether a drain is over. Pure. */
export function stateWord({ isEnabled, isDraining }: EndpointState, inFlight: number): LiveEndpoint['state'] {
  if (!isEnabled) return 'disabled';
  if (!isDraining) return 'enabled';
  return inFlight === 0 ? 'drained' : 'draining';
}
