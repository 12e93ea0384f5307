/** Checks what can only be false by a programmer's mistake. */

/**
 * Crashes this thread when `fact` is false: the supervisor restarts the worker, and the log has the sentence.
 *
 * @param sentence what should have been true
 * @throws Error always, when `fact` is false; never catch it to continue
 */
export function invariant(fact: unknown, sentence: string): asserts fact {
  if (!fact) throw new Error(`invariant failed: ${sentence}`);
}
