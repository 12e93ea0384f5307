/** Keys of session tickets that are made here, and renewed: the newest seals, the one before it still opens. */

import type { Cancel, Timers } from '../../core/timers.js';
import { TICKET_KEY_BYTES } from './trust-files.js';

/** What it needs from outside. */
export interface TicketKeysParts {
  readonly timers: Timers;
  /** So many random bytes of a cryptographic generator. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Of one listener. Survives reloads, so that clients come back with their tickets. Thread: primary. */
export class TicketKeys {
  readonly #parts: TicketKeysParts;
  #keys: readonly Uint8Array[];
  #rotateMs = 0;
  #rotated: () => void = () => {};
  #cancel: Cancel = () => {};

  constructor(parts: TicketKeysParts) {
    this.#parts = parts;
    this.#keys = [parts.randomBytes(TICKET_KEY_BYTES)];
  }

  /** The first seals; all open. */
  get keys(): readonly Uint8Array[] {
    return this.#keys;
  }

  /** Renews them from now on. @param rotateMs how long a key seals, and after that opens */
  rotate(rotateMs: number, rotated: () => void): void {
    this.#rotated = rotated;
    if (rotateMs === this.#rotateMs) return;
    this.#rotateMs = rotateMs;
    this.#later();
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
    this.#rotateMs = 0;
  }

  #later(): void {
    this.#cancel();
    this.#cancel = this.#parts.timers.after(this.#rotateMs, () => {
      const [former] = this.#keys;
      this.#keys = [this.#parts.randomBytes(TICKET_KEY_BYTES), ...(former === undefined ? [] : [former])];
      this.#rotated();
      this.#later();
    });
  }
}
