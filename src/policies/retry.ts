/** Decides whether what failed on one endpoint may be tried on another, and after which pause. */
import type { RetryCondition, RetryPlan } from '../config/resilience-plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Rng } from '../core/rng.js';
import { AttemptFact } from '../engine/attempt-profile.js';

/** Facts of a session that found no connection. */
export interface FailedAttempt {
  readonly code: ErrorCode;
  /** Nothing of it has reached an endpoint. */
  readonly isUnsent: boolean;
  /** Tries made so far, the failed one included. */
  readonly attempts: number;
}

/**
 * For sessions: only what no endpoint has seen is tried again. Thread: worker.
 *
 * @param maxAttempts the upstream's `retry.connectAttempts`, >= 1
 */
export function mayRetry(failed: FailedAttempt, maxAttempts: number): boolean {
  return failed.isUnsent && failed.attempts < maxAttempts && ERROR_CATALOG[failed.code].retry !== 'never';
}

/** What each failure of an attempt is to `retry.on`; the others are never tried again. */
const CONDITIONS: Partial<Readonly<Record<ErrorCode, RetryCondition>>> = {
  SLUICE_CONNECT_REFUSED: 'connect',
  SLUICE_CONNECT_TIMEOUT: 'connect',
  SLUICE_POOL_TIMEOUT: 'connect',
  SLUICE_ENDPOINT_TLS: 'connect',
  SLUICE_STREAM_REFUSED: 'connect',
  SLUICE_ENDPOINT_RESET: 'reset',
  SLUICE_FIRST_BYTE_TIMEOUT: 'timeout',
  SLUICE_ATTEMPT_TIMEOUT: 'timeout',
  SLUICE_BAD_RESPONSE: 'bad-response',
};

/**
 * May a request be carried out twice? By its method (RFC 9110 9.2.2), by its client's word (Idempotency-Key), or by the operator's.
 * Pure.
 */
export function isRepeatable(
  isIdempotent: boolean,
  hasIdempotencyKey: boolean,
  { nonIdempotent }: Pick<RetryPlan, 'nonIdempotent'>,
): boolean {
  return isIdempotent || hasIdempotencyKey || nonIdempotent;
}

/**
 * May a request whose attempt failed be sent to another endpoint? As far as the failure itself goes: attempts, budget and deadline are
 * asked elsewhere. Pure.
 *
 * - Never sent: whatever the request, where `connect` is tried again (no endpoint has seen it, as if no connection had come about), or
 *   where what happened is.
 * - Sent, and its connection, which had served before, died without a byte of an answer: most likely it was dead already. Where the
 *   request may be carried out twice, and connections that do not come about, or break, are tried again.
 * - Sent: where the request may be carried out twice, and what happened is tried again. A response that broke off within its head is no
 *   valid response.
 *
 * An endpoint that was drained is the operator's doing, and no condition: only safety counts.
 *
 * @param facts        bits of AttemptFact
 * @param repeatable   isRepeatable()
 */
export function mayTryElsewhere(
  code: ErrorCode,
  facts: number,
  repeatable: boolean,
  on: readonly RetryCondition[],
): boolean {
  if ((facts & AttemptFact.HELD) === 0) return false;
  const isSent = (facts & AttemptFact.SENT) !== 0;
  if (isSent && !repeatable) return false;
  if (code === 'SLUICE_ENDPOINT_DRAINED') return true;
  const condition = CONDITIONS[code];
  if (condition === undefined) return false;
  if (!isSent) return on.includes('connect') || on.includes(condition);
  if (condition !== 'reset') return on.includes(condition);
  if ((facts & AttemptFact.ANSWERED) !== 0) return on.includes('bad-response');
  return on.includes('reset') || ((facts & AttemptFact.REUSED) !== 0 && on.includes('connect'));
}

/** Envoy's: the bound grows by 2^N - 1. More than so many retries have reached any bound. */
const MOST_DOUBLINGS = 30;

/**
 * The longest pause before a retry (semantics.md 7: with base 25 ms and most 250 ms it is 25, 75, 175, 250, 250, …). Pure.
 *
 * @param retry 1 for the first
 */
export function longestPauseMs(retry: number, { baseMs, mostMs }: RetryPlan['backoff']): number {
  return Math.min(mostMs, baseMs * (2 ** Math.min(retry, MOST_DOUBLINGS) - 1));
}

/**
 * Full jitter: evenly from 0 up to below the longest pause, so that what failed together does not come back together. None after a
 * connection that was refused: that costs the next endpoint nothing.
 *
 * @param code why the attempt failed; null: it was answered
 * @returns whole ms; 0: at once
 */
export function pauseMs(retry: number, code: ErrorCode | null, backoff: RetryPlan['backoff'], rng: Rng): number {
  if (code === 'SLUICE_CONNECT_REFUSED') return 0;
  const longestMs = Math.floor(longestPauseMs(retry, backoff));
  return longestMs <= 0 ? 0 : rng.below(longestMs);
}
