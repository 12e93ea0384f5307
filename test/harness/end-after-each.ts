/** Remembers what a test has started, and ends all of it after the test, the last first. */
import { afterEach } from 'vitest';

/** What a test starts. */
type Started = { close(): unknown } | { stop(): unknown };

/** For the top of a test file. @returns a function that keeps what was started, and gives it back */
export function endAfterEach(): <T extends Started>(started: T | Promise<T>) => Promise<T> {
  const open: Started[] = [];
  afterEach(async () => {
    for (const started of open.splice(0).reverse()) await ('stop' in started ? started.stop() : started.close());
  });
  return async (starting) => {
    const started = await starting;
    open.push(started);
    return started;
  };
}
