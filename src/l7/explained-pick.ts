/** Picks, and tells the client why with whatever answer it will get: off unless a listener says so. Cold. Thread: worker. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { explanationText, withAttempt } from '../balancing/explanation-text.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { Tick } from '../core/tick.js';
import type { Exchange } from './exchange.js';

/** Field of a response that says why its endpoints were picked. */
const EXPLANATION_FIELD = 'X-Sluice-Explain';

/**
 * As UpstreamRuntime.pick.
 *
 * @param attempting the exchange, or its second attempt
 */
export function pickExplained(
  exchange: Exchange,
  attempting: Attempting,
  upstream: UpstreamRuntime,
  now: Tick,
): number {
  const explanation = upstream.explain(attempting, now);
  const attempt = exchange.recovery.attemptsBefore + attempting.attempts + 1;
  const slot = upstream.pick(attempting, now);
  // Whoever waits is picked for again and again: that nobody was found has been said.
  if (slot === NO_ENDPOINT && exchange.state === 'waiting') return slot;
  exchange.explanation = withAttempt(
    exchange.explanation,
    explanationText(explanation, attempting.endpoint, attempt), // NO_ENDPOINT when none was picked
  );
  exchange.addResponseField(EXPLANATION_FIELD, exchange.explanation);
  return slot;
}
