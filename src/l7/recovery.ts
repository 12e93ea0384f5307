/** What is kept of an exchange for the case that its attempt fails: whether it may be sent again, and what it waits for meanwhile. */
import { PickKey } from '../balancing/balancer.js';
import type { ErrorCode } from '../core/error-catalog.js';
import type { Cancel } from '../core/timers.js';
import { AttemptFact, PLAIN_PROFILE } from '../engine/attempt-profile.js';

/** Nothing has been taken out of the retry budget for the attempt that comes next. */
export const NOT_WITHDRAWN = -1;
/** No response waits for a decision, or none that says when to come again. */
export const NONE_ASKED = 0;

/** Of one exchange, made with it. Thread: worker. */
export class Recovery {
  /** Of the attempts that are made now: Engine.openProfile. */
  profile = PLAIN_PROFILE;
  /** The request may be carried out twice, by the upstream of now. */
  isRepeatable = false;
  /** ... by its client's word, whatever the upstream. */
  hasIdempotencyKey = false;
  /** The front end has begun an attempt: the next one is tryAgain. */
  hasBegun = false;
  /** All of the request is here to be sent; as the latest failure told. */
  isHeld = true;
  /** An endpoint may have seen it. */
  isSent = false;
  /** 0 (first) .. PRIORITIES - 1, where it has to wait. */
  priority = 0;
  /** Of a response that waits for a decision; its attempt has been settled. NONE_ASKED: there is none. */
  askedStatus = NONE_ASKED;
  /** When its endpoint wants to be asked again, in ms of the shared clock. NONE_ASKED: it did not say, or that is over. */
  askAgainAtMs = NONE_ASKED;
  /** When a retry was taken out of the budget that has not begun yet, in ms of the shared clock; else NOT_WITHDRAWN. */
  withdrawnAtMs = NOT_WITHDRAWN;
  /** Ends the pause before the next attempt; null: there is none. */
  cancelPause: Cancel | null = null;
  /** Why the upstream of its route has failed it; null: it is there. Behind this, its upstream is that of the fallback. */
  fellBackFor: ErrorCode | null = null;
  /** Attempts made at the upstream of the route, once it is not there any more. */
  attemptsBefore = 0;
  /** What the balancer of the fallback's upstream wants to know; null: nothing, or there is none. */
  fallbackKey: PickKey | null = null;
  #spareKey: PickKey | null = null;

  /** An attempt has failed, or a response is asked about. @param facts bits of AttemptFact */
  note(facts: number): void {
    this.isHeld = (facts & AttemptFact.HELD) !== 0;
    if ((facts & AttemptFact.SENT) !== 0) this.isSent = true;
  }

  /** Keeps a key for the fallback's upstream. */
  keepKey({ hash, hashHigh, bodyBytes }: PickKey): void {
    this.#spareKey ??= new PickKey();
    this.#spareKey.hash = hash;
    this.#spareKey.hashHigh = hashHigh;
    this.#spareKey.bodyBytes = bodyBytes;
    this.fallbackKey = this.#spareKey;
  }

  /** HOT. */
  reset(): void {
    this.hasBegun = false;
    this.isHeld = true;
    this.isSent = false;
    this.askedStatus = NONE_ASKED;
    this.askAgainAtMs = NONE_ASKED;
    this.withdrawnAtMs = NOT_WITHDRAWN;
    this.cancelPause = null;
    this.fellBackFor = null;
    this.attemptsBefore = 0;
    this.fallbackKey = null;
  }
}
