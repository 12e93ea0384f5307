/** How threads under test begin at the same moment. */

/** Says in shared[0] that the thread is ready, then waits until shared[1] says go. @param shared undefined: begins at once */
export function awaitStart(shared) {
  if (!shared) return;
  Atomics.add(shared, 0, 1);
  Atomics.notify(shared, 0);
  while (Atomics.load(shared, 1) === 0) Atomics.wait(shared, 1, 0);
}
