/** The timeline: what of the log stands in it, and how bursts are told. */
import { describe, expect, it } from 'vitest';
import type { TimelineEntry } from '../../../src/observability/live-figures.js';
import { LogGate, loggedLevel } from '../../../src/observability/log-gate.js';
import { createLogger } from '../../../src/observability/logger.js';
import { TIMELINE_LENGTH, Timeline } from '../../../src/observability/timeline.js';
import { FakeTime } from '../control/fake-time.js';

function stage(level: 'info' | 'warn' | 'silent' | 'trace' = 'info') {
  const time = new FakeTime();
  const timeline = new Timeline({ timers: time });
  const lines: string[] = [];
  const gate = new LogGate(level, { write: (line) => lines.push(line), droppedLines: 0 }, timeline);
  const logger = createLogger(loggedLevel(level), gate);
  const failed = (endpoint: string, more = {}) =>
    logger.warn({ event: 'attempt-failed', code: 'SLUICE_CONNECT_REFUSED', upstream: 'api', endpoint, ...more }, 'no');
  return { time, timeline, lines, gate, logger, failed };
}

const told = ({ event, endpoint, count }: TimelineEntry) => [event, endpoint, count];

describe('timeline', () => {
  it('has the facts of a line that people look for, and a number of its own', () => {
    const { timeline, failed } = stage();
    failed('a:1');
    expect(timeline.entries()).toEqual([
      {
        id: 1,
        at: expect.any(Number),
        level: 'warn',
        event: 'attempt-failed',
        text: 'no',
        code: 'SLUICE_CONNECT_REFUSED',
        upstream: 'api',
        endpoint: 'a:1',
        count: 1,
      },
    ]);
  });

  it('leaves out what is only of use to who debugs', () => {
    const { timeline, logger } = stage('trace');
    logger.info({ event: 'weights-moved' }, 'x');
    logger.debug({ event: 'endpoint-healthy' }, 'x');
    logger.info({ event: 'endpoint-healthy' }, 'x');
    timeline.hear('no line of ours\n');
    timeline.hear('{"level":"warn","event":"constructor"}\n');
    expect(timeline.entries().map(({ event }) => event)).toEqual(['endpoint-healthy']);
  });

  it('hears what a silent log does not write', () => {
    const { timeline, lines, logger } = stage('silent');
    logger.error({ event: 'worker-exited' }, 'x');
    logger.info({ event: 'reloaded' }, 'x');
    expect(timeline.entries()).toHaveLength(2);
    expect(lines).toEqual([]);
  });

  it('writes lines of the level of the log and above, which may change', () => {
    const { lines, gate, logger } = stage('warn');
    logger.info({ event: 'ready' }, 'first');
    logger.warn({ event: 'panic' }, 'second');
    gate.setLevel('info');
    logger.info({ event: 'ready' }, 'third');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['second', 'third']);
  });

  it('tells the first of a burst at once, and the others together, at longer and longer intervals', async () => {
    const { time, timeline, failed } = stage();
    for (let each = 0; each < 5; each++) failed('a:1');
    expect(timeline.entries().map(told)).toEqual([['attempt-failed', 'a:1', 1]]);
    await time.pass(1_000);
    expect(timeline.entries(1).map(told)).toEqual([['attempt-failed', 'a:1', 4]]);
    failed('a:1');
    await time.pass(1_000);
    expect(timeline.entries(2)).toEqual([]);
    await time.pass(1_000);
    expect(timeline.entries(2).map(told)).toEqual([['attempt-failed', 'a:1', 1]]);
  });

  it('tells bursts of different endpoints apart, and a new one at once when the old is over', async () => {
    const { time, timeline, failed } = stage();
    failed('a:1');
    failed('b:1');
    await time.pass(1_000);
    failed('a:1');
    expect(timeline.entries().map(told)).toEqual([
      ['attempt-failed', 'a:1', 1],
      ['attempt-failed', 'b:1', 1],
      ['attempt-failed', 'a:1', 1],
    ]);
  });

  it('counts the failures that the log has suppressed', () => {
    const { timeline, failed } = stage();
    failed('a:1', { suppressed: 41 });
    expect(timeline.entries()[0]?.count).toBe(42);
  });

  it('keeps the last entries only, and gives those after an id', () => {
    const { timeline, failed } = stage();
    for (let each = 0; each < TIMELINE_LENGTH + 3; each++) failed(`a:${each}`);
    expect(timeline.entries()).toHaveLength(TIMELINE_LENGTH);
    expect(timeline.entries()[0]?.id).toBe(4);
    expect(timeline.entries(timeline.latestId - 2).map(({ id }) => id)).toEqual([502, 503]);
    expect(timeline.entries(timeline.latestId)).toEqual([]);
  });

  it('calls who listens until it listens no more', () => {
    const { timeline, failed } = stage();
    const heard: string[] = [];
    const stop = timeline.onEntry(({ endpoint }) => heard.push(String(endpoint)));
    failed('a:1');
    stop();
    failed('b:1');
    expect(heard).toEqual(['a:1']);
  });

  it('tells what it has held back when it closes, and waits for nothing then', async () => {
    const { time, timeline, failed } = stage();
    failed('a:1');
    failed('a:1');
    timeline.close();
    expect(timeline.entries().map(told)).toEqual([
      ['attempt-failed', 'a:1', 1],
      ['attempt-failed', 'a:1', 1],
    ]);
    await time.pass(60_000);
    expect(timeline.entries()).toHaveLength(2);
  });
});
