/** What a policy says before an exchange is let on. */
import type { ErrorCode } from '../core/error-catalog.js';

/** ADMIT, or the code of the reason why not. A plain string, so that the hot path allocates nothing. */
export type Verdict = typeof ADMIT | ErrorCode;

/** The exchange may go on. */
export const ADMIT = 'ADMIT';
