/** The second attempt of an exchange, which runs beside the first (a hedge): one more to the ledger and to the balancers. */
import { NO_ENDPOINT, type PickKey } from '../balancing/balancer.js';
import { TriedSet } from '../balancing/tried-set.js';
import type { Attempting } from '../balancing/upstream-runtime.js';
import { NO_SUBSET } from '../config/picking-plan.js';
import { HEDGE_OFFSET } from '../engine/engine.js';

/** Made when an exchange is hedged for the first time, and kept for its next request. Thread: worker. */
export class SecondAttempt implements Attempting {
  readonly id: number;
  readonly key: PickKey;
  readonly preferred = NO_ENDPOINT;
  readonly tried = new TriedSet();
  endpoint = NO_ENDPOINT;
  subset = NO_SUBSET;
  attempts = 0;
  /** For this request there has been one. */
  isUsed = false;

  /** @param first the exchange, whose key it shares */
  constructor(first: Attempting) {
    this.id = first.id + HEDGE_OFFSET;
    this.key = first.key;
  }

  /** Makes it ready to be picked for: where the first attempt is, or others have failed, it may not go. */
  follow(first: Attempting): void {
    this.isUsed = true;
    this.subset = first.subset;
    this.attempts = first.attempts;
    this.tried.addAll(first.tried);
    this.tried.add(first.endpoint);
  }

  reset(): void {
    this.isUsed = false;
    this.endpoint = NO_ENDPOINT;
    this.tried.clear();
  }
}
