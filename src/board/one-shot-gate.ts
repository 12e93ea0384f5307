/** A gate between two threads that opens once: one thread waits at it, the other opens it. */

const SHUT = 0;
const OPEN = 1;

/** Where a thread waits. Thread: worker (a thread that may block). */
export class OneShotGate {
  /** For `openGate` in the other thread. */
  readonly buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #word = new Int32Array(this.buffer);

  /**
   * Blocks this thread until the gate is open. Pair: openGate stores, then notifies; a store before this load makes the wait return at once.
   * @returns false when it is still shut after `timeoutMs`
   */
  wait(timeoutMs: number): boolean {
    return Atomics.wait(this.#word, 0, SHUT, timeoutMs) !== 'timed-out';
  }
}

/** Opens the gate and wakes whoever waits. Idempotent. @param buffer OneShotGate.buffer. Thread: any. */
export function openGate(buffer: SharedArrayBuffer): void {
  const word = new Int32Array(buffer);
  Atomics.store(word, 0, OPEN);
  Atomics.notify(word, 0);
}
