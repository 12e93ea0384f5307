/** The structured log. */
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/core/proxy-error.js';
import { createLogger } from '../../../src/observability/logger.js';

/** @returns what `write` logged, line by line */
function linesOf(
  write: (logger: ReturnType<typeof createLogger>) => void,
  level: 'info' | 'silent' = 'info',
): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger(level, { write: (line) => void lines.push(line) }, { worker: 2 }));
  return lines.map((line) => JSON.parse(line));
}

describe('logger', () => {
  it('writes one line of JSON with level, time, bindings, event and sentence', () => {
    const [line] = linesOf((logger) => logger.info({ event: 'ready', workers: 4 }, 'ready with 4 workers'));
    expect(line).toMatchObject({ level: 'info', worker: 2, event: 'ready', workers: 4, msg: 'ready with 4 workers' });
    expect(new Date(String(line?.time)).getTime()).toBeGreaterThan(0);
  });

  it('leaves out what is below its level', () => {
    expect(linesOf((logger) => logger.debug({ event: 'ready' }, 'x'))).toEqual([]);
    expect(linesOf((logger) => logger.fatal({ event: 'ready' }, 'x'), 'silent')).toEqual([]);
  });

  it('tells code, facts and cause of a failure', () => {
    const cause = new Error('no route to host');
    const error = new ProxyError('SLUICE_CONNECT_REFUSED', { endpoint: '10.0.0.1:80' }, { cause });
    const [line] = linesOf((logger) => logger.error({ event: 'ready', err: error }, 'x'));
    expect(line?.err).toMatchObject({ code: 'SLUICE_CONNECT_REFUSED', detail: { endpoint: '10.0.0.1:80' } });
    expect(JSON.stringify(line?.err)).toContain('no route to host');
  });
});
