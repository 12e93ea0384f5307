/** Decides whether a failed attempt is followed by another one on another endpoint. */

import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';

/** Facts of a failed attempt. */
export interface FailedAttempt {
  readonly code: ErrorCode;
  /** Nothing of the request reached an endpoint and all of it is still held. */
  readonly isUnsent: boolean;
  /** Tries made so far, the failed one included. */
  readonly attempts: number;
}

/**
 * This version tries again only what no endpoint has seen (refused and timed-out connects): that is safe for every method. What was
 * sent and then failed is the client's to repeat. Thread: worker.
 *
 * @param maxAttempts the upstream's `retry.attempts`, >= 1
 */
export function mayRetry(failed: FailedAttempt, maxAttempts: number): boolean {
  return failed.isUnsent && failed.attempts < maxAttempts && ERROR_CATALOG[failed.code].retry !== 'never';
}
