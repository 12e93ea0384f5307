/** Failures in the log. */
import { describe, expect, it } from 'vitest';
import { FailureLog } from '../../../src/observability/failure-log.js';
import type { Logger } from '../../../src/observability/logger.js';

function logWith(isDebug = false) {
  const lines: Record<string, unknown>[] = [];
  const time = { ms: 0 };
  const logger = {
    isLevelEnabled: (level: string) => level === 'warn' || isDebug,
    warn: (facts: Record<string, unknown>) => lines.push({ level: 'warn', ...facts }),
    debug: (facts: Record<string, unknown>) => lines.push({ level: 'debug', ...facts }),
  } as unknown as Logger;
  return { lines, time, log: new FailureLog(logger, () => time.ms) };
}

describe('failure log', () => {
  it('writes ten lines of a code in a second and tells with the next how many it kept back', () => {
    const { lines, time, log } = logWith();
    for (let i = 0; i < 25; i++) log.write('attempt-failed', 'SLUICE_CONNECT_REFUSED', { i });
    expect(lines).toHaveLength(10);
    log.write('attempt-failed', 'SLUICE_CONNECT_TIMEOUT', {});
    expect(lines).toHaveLength(11);
    time.ms = 1000;
    log.write('attempt-failed', 'SLUICE_CONNECT_REFUSED', {});
    expect(lines.at(-1)).toEqual({
      level: 'warn',
      event: 'attempt-failed',
      code: 'SLUICE_CONNECT_REFUSED',
      suppressed: 15,
    });
  });

  it('has lines for the ends of exchanges, however many attempts have failed for the same code', () => {
    const { lines, log } = logWith();
    for (let i = 0; i < 25; i++) log.write('attempt-failed', 'SLUICE_FILE_LIMIT', { i });
    log.write('exchange-failed', 'SLUICE_FILE_LIMIT', {});
    expect(lines.at(-1)).toMatchObject({ event: 'exchange-failed' });
  });

  it('keeps what clients do wrong for the debug level', () => {
    const quiet = logWith();
    quiet.log.write('exchange-failed', 'SLUICE_NO_ROUTE', {});
    expect(quiet.lines).toEqual([]);
    const loud = logWith(true);
    loud.log.write('exchange-failed', 'SLUICE_NO_ROUTE', {});
    expect(loud.lines).toMatchObject([{ level: 'debug', code: 'SLUICE_NO_ROUTE' }]);
  });
});
