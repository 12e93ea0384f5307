/** Which numbers exchanges and sessions have in the one ledger of a worker. */
import type { Plan } from '../config/plan.js';
import { MAX_EXCHANGES } from '../engine/engine.js';
import { MAX_SESSIONS } from '../engine/session-engine.js';

/** Number of session 0 in the ledger: exchanges have the engine's own numbers, sessions come behind the last of them. */
const FIRST_SESSION_NUMBER = MAX_EXCHANGES;

/** Numbers from `first` on. */
export interface AttemptNumbers {
  readonly first: number;
  readonly count: number;
}

/** The numbers that a worker of this plan can meet; a mode that no listener has takes no room. Pure. */
export function attemptNumbersFor({ listeners }: Pick<Plan, 'listeners'>): AttemptNumbers {
  const hasExchanges = listeners.some(({ mode }) => mode === 'l7');
  const hasSessions = listeners.some(({ mode }) => mode === 'l4');
  const first = hasExchanges ? 0 : FIRST_SESSION_NUMBER;
  return { first, count: FIRST_SESSION_NUMBER + (hasSessions ? MAX_SESSIONS : 0) - first };
}
