/** Decides what takes the place of an answer that the proxy would have to give itself, where a route has a fallback. */
import { type FallbackPlan, NO_FALLBACK } from '../config/resilience-plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';

const BAD_GATEWAY = 502;
const GATEWAY_TIMEOUT = 504;

/** What is known of the request when its own upstream has failed it. */
export interface FailedRequest {
  /** Another upstream has been tried already. */
  readonly hasFallenBack: boolean;
  /** All of it is here, to be sent. */
  readonly isHeld: boolean;
  /** An endpoint may have seen it. */
  readonly isSent: boolean;
  /** As isRepeatable() says. */
  readonly isRepeatable: boolean;
}

/** upstream: try FallbackPlan.upstream · response: give FallbackPlan.response · error: answer as without a fallback. */
export type FallbackStep = 'upstream' | 'response' | 'error';

/** Would the proxy answer this with 502, 503 or 504, and not for what the client did? Answers of endpoints are never replaced. Pure. */
export function isReplaced(code: ErrorCode): boolean {
  const { status, fault } = ERROR_CATALOG[code];
  return fault !== 'client' && status >= BAD_GATEWAY && status <= GATEWAY_TIMEOUT;
}

/**
 * Pure. The other upstream gets a request under the rules of a retry: it was never sent, or may be carried out twice. A deadline over all
 * attempts that has passed leaves no time for it.
 */
export function fallbackFor(code: ErrorCode, plan: FallbackPlan | null, request: FailedRequest): FallbackStep {
  if (plan === null || !isReplaced(code)) return 'error';
  const isSafe = request.isHeld && (!request.isSent || request.isRepeatable);
  const hasTime = code !== 'SLUICE_EXCHANGE_TIMEOUT';
  if (plan.upstream !== NO_FALLBACK && !request.hasFallenBack && isSafe && hasTime) return 'upstream';
  return plan.response === null ? 'error' : 'response';
}
