/** Which numbers exchanges and sessions have in the one ledger of a worker. */
import type { Plan, RoutePlan } from '../config/plan.js';
import { HEDGE_OFFSET, MAX_EXCHANGES } from '../engine/engine.js';
import { FIRST_SESSION_NUMBER, MAX_SESSIONS } from '../engine/session-engine.js';

/** Numbers from `first` on. */
export interface AttemptNumbers {
  readonly first: number;
  readonly count: number;
}

/**
 * The numbers that a worker of this plan can meet: exchanges have the engine's own, so have their hedges, and sessions come behind them
 * all. What no listener and no upstream has takes no room, unless it lies between what others have. Pure.
 */
export function attemptNumbersFor(plan: Pick<Plan, 'listeners' | 'upstreams'>): AttemptNumbers {
  const hasExchanges = plan.listeners.some(({ mode }) => mode === 'l7');
  const hasSessions = plan.listeners.some(({ mode }) => mode === 'l4');
  const first = hasExchanges ? 0 : FIRST_SESSION_NUMBER;
  if (hasSessions) return { first, count: FIRST_SESSION_NUMBER + MAX_SESSIONS - first };
  return { first, count: !hasExchanges ? 0 : hedges(plan) ? HEDGE_OFFSET + MAX_EXCHANGES : MAX_EXCHANGES };
}

function hedges({ listeners, upstreams }: Pick<Plan, 'listeners' | 'upstreams'>): boolean {
  const isHedged = (route: RoutePlan): boolean => route.hedge !== undefined && route.hedge !== null;
  return (
    upstreams.some(({ hedge }) => hedge !== null) ||
    listeners.some((listener) => listener.mode === 'l7' && listener.routes.some(isHedged))
  );
}
