/** Groups of the board that keep the budgets of retries and hedges, see retry-budget.ts. */
import { group } from './layout-group.js';

/** Seconds that are kept: the window and some that have left it. */
export const SECONDS_KEPT = 16;

/** Retries and hedges of an upstream lately. */
export const RetryBudget = group({ writer: 'lock holder', per: 'upstream', word: 'int32', spacing: 'line' }, [
  /** As in ListenerLock. */
  'lock',
  /** Whole seconds of the shared clock. */
  ['seconds', SECONDS_KEPT],
  ['withdrawn', SECONDS_KEPT],
]);

/** Requests of one worker to each upstream, by second: [second][count:24]. */
export const RetryRequests = group({ writer: 'owning worker', per: 'upstream', word: 'float64', spacing: 'packed' }, [
  ['seconds', SECONDS_KEPT],
]);
