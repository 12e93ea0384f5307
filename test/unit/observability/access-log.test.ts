/** The access log of a worker over real files: where lines go, and what becomes of them when the file or the plan changes. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessLogPlan } from '../../../src/config/observing-plan.js';
import { systemTimers } from '../../../src/core/timers.js';
import { AccessLog, type LineMaker } from '../../../src/observability/access-log.js';
import { captureLog } from '../control/log-capture.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const planOf = (file: string, more: Partial<AccessLogPlan> = {}): { accessLog: AccessLogPlan; workers: number } => ({
  accessLog: { file, format: 'json', fields: ['path'], share: 1, bufferBytes: 65_536, ...more },
  workers: 1,
});

/** Every wait is over at once, but for the minute in which loss is not told again. */
const timers = { after: (ms: number, run: () => void) => systemTimers.after(ms >= 10_000 ? ms : 1, run) };

function logOf() {
  const captured = captureLog();
  let dropped = 0;
  let buffers: readonly [Uint8Array, Uint8Array];
  const made: LineMaker = { openText: () => 0, write: () => -1 };
  const log = new AccessLog({
    workerIndex: 0,
    makeLines: (options) => {
      buffers = options.buffers;
      return made;
    },
    factWords: 2,
    countDropped: (lines) => {
      dropped += lines;
    },
    timers,
    random: () => 0.5,
    logger: captured.logger,
  });
  const write = (text: string): void =>
    log.write({
      writeAccessLine: () => {
        const [buffer = 0, offset = 0] = log.facts;
        const half = buffers[buffer]!;
        const line = Buffer.from(`${text}\n`);
        if (offset + line.length > half.length) return -1;
        half.set(line, offset);
        return offset + line.length;
      },
    });
  return { log, write, captured, dropped: () => dropped };
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 3_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('it has not happened in time');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const textOf = (name: string): string => readFileSync(join(directory, name), 'utf8');

describe('AccessLog', () => {
  it('writes lines where the plan says that counts when they are written, and loses none', async () => {
    const { log, write } = logOf();
    log.apply(planOf(join(directory, 'a')));
    write('one');
    write('two');
    log.apply(planOf(join(directory, 'b')));
    write('three');
    log.apply({ accessLog: null, workers: 1 });
    write('nowhere');
    await log.close();
    expect([textOf('a'), textOf('b')]).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('keeps lines while its file cannot be written, drops those beyond its buffer, and tells both', async () => {
    const { log, write, captured, dropped } = logOf();
    const late = join(directory, 'late');
    log.apply(planOf(join(late, 'log')));
    const line = 'x'.repeat(999);
    for (let count = 0; count < 200; count++) write(line);
    await until(() => captured.events().includes('access-log-failed'));
    expect(dropped()).toBeGreaterThan(0);
    mkdirSync(late);
    await log.close();
    expect(textOf('late/log').length).toBe((200 - dropped()) * 1_000);
    expect(captured.events().filter((event) => event === 'access-log-failed')).toHaveLength(1);
    const told = captured.records
      .filter(({ event }) => event === 'access-log-dropped')
      .map(({ lines }) => Number(lines));
    // The first one at once, the others at the end.
    expect(told).toEqual([1, dropped() - 1]);
  });

  it('opens its file anew', async () => {
    const { log, write, captured } = logOf();
    log.apply(planOf(join(directory, 'log')));
    write('before');
    await until(() => existsSync(join(directory, 'log')) && textOf('log') !== '');
    renameSync(join(directory, 'log'), join(directory, 'log.1'));
    log.reopen();
    await until(() => captured.events().includes('file-reopened'));
    write('behind');
    await log.close();
    expect([textOf('log.1'), textOf('log')]).toEqual(['before\n', 'behind\n']);
  });

  it('writes what is left when its thread ends', () => {
    const { log, write } = logOf();
    log.apply(planOf(join(directory, 'log')));
    write('last');
    log.closeNow();
    log.closeNow();
    expect(textOf('log')).toBe('last\n');
  });

  it('wants failures always, and of the rest its share', () => {
    const { log } = logOf();
    expect(log.wants(true)).toBe(false);
    log.apply(planOf(join(directory, 'log'), { share: 0.4 }));
    expect([log.wants(false), log.wants(true)]).toEqual([false, true]);
    log.apply(planOf(join(directory, 'log'), { share: 0.6 }));
    expect(log.wants(false)).toBe(true);
    log.closeNow();
  });
});
