/** Says how long an answer is waited for before a second attempt is made beside the first. */
import type { HedgePlan } from '../config/resilience-plan.js';
import { LatencyQuantile, NOT_KNOWN } from './latency-quantile.js';

/** No second attempt: too few answers have come to tell what is late. */
export const NO_HEDGE = -1;

const US_PER_MS = 1_000;

/** Thread: worker; one for each set of attempt settings that hedges. */
export class HedgeDelay {
  readonly #plan: HedgePlan;
  /** null: the delay is configured. */
  readonly #quantile: LatencyQuantile | null;

  constructor(plan: HedgePlan) {
    this.#plan = plan;
    this.#quantile = plan.kind === 'quantile' ? new LatencyQuantile(plan.quantile) : null;
  }

  /** An answer has come, of a first or a second attempt. HOT. @param elapsedUs since the attempt began */
  answered(elapsedUs: number): void {
    this.#quantile?.record(elapsedUs);
  }

  /** From the begin of the first attempt, in ms; or NO_HEDGE. HOT. */
  get delayMs(): number {
    const plan = this.#plan;
    if (plan.kind === 'delay') return plan.afterMs;
    const us = this.#quantile?.valueUs ?? NOT_KNOWN;
    return us === NOT_KNOWN ? NO_HEDGE : Math.max(plan.leastMs, us / US_PER_MS);
  }
}
