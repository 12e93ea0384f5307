/** How many numbers exchanges and sessions have in the one ledger of a worker. */
import { FIRST_SESSION_NUMBER, MAX_SESSIONS } from '../engine/session-engine.js';

/**
 * Exchanges have the engine's own numbers, their hedges come behind them (HEDGE_OFFSET), and sessions behind them all. There is room for
 * every mode from the start, since a later plan may have what the first one has not; what does not come costs address space only.
 */
export const ATTEMPT_NUMBERS = FIRST_SESSION_NUMBER + MAX_SESSIONS;
