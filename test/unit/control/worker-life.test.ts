/** The life of a worker: restarts, back-off, crash loops, draining. */
import { describe, expect, it } from 'vitest';
import {
  firstLife,
  hasCrashLooped,
  isHopeless,
  nextDeadlineAt,
  SUPERVISION,
  transition,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerLife,
} from '../../../src/control/worker-life.js';

/** Moves a life through events at given times and collects the effects. */
function live(
  life: WorkerLife,
  steps: readonly (readonly [atMs: number, kind: WorkerEvent['kind']])[],
): { life: WorkerLife; effects: WorkerEffect[] } {
  const effects: WorkerEffect[] = [];
  let now = life;
  for (const [atMs, kind] of steps) {
    const result = transition(now, { kind }, atMs, SUPERVISION);
    now = result.life;
    effects.push(...result.effects);
  }
  return { life: now, effects };
}

/** A worker that crashes as soon as it is started, `times` times, each restart on time. */
function crashing(times: number): { life: WorkerLife; pausesMs: number[] } {
  let life = firstLife(0, SUPERVISION);
  let nowMs = 0;
  const pausesMs: number[] = [];
  for (let crash = 0; crash < times; crash++) {
    life = live(life, [[nowMs, 'exited']]).life;
    const dueAt = nextDeadlineAt(life);
    pausesMs.push(dueAt - nowMs);
    nowMs = dueAt;
    if (crash < times - 1) life = live(life, [[nowMs, 'time']]).life;
  }
  return { life, pausesMs };
}

describe('worker life', () => {
  it('serves once it accepts', () => {
    const { life } = live(firstLife(0, SUPERVISION), [[50, 'accepts']]);
    expect(life.state).toEqual({ kind: 'serving', servingAt: 50 });
  });

  it('gives back what a crashed worker held before it is started again', () => {
    const { life, effects } = live(firstLife(0, SUPERVISION), [
      [50, 'accepts'],
      [5_000, 'exited'],
      [5_099, 'time'],
      [5_100, 'time'],
    ]);
    expect(effects).toEqual(['reclaim', 'spawn']);
    expect(life.restarts).toBe(1);
    expect(life.state.kind).toBe('starting');
  });

  it('doubles the pause with each crash, up to ten seconds', () => {
    expect(crashing(9).pausesMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  it('begins with the first pause again after thirty seconds of health', () => {
    const { life } = crashing(4);
    const { life: after } = live(life, [
      [10_000, 'time'],
      [10_100, 'accepts'],
      [40_100, 'exited'],
    ]);
    expect(after.state).toEqual({ kind: 'waiting', restartAt: 40_200 });
  });

  it('keeps its long pause when it served for less', () => {
    const { life } = crashing(4);
    const { life: after } = live(life, [
      [10_000, 'time'],
      [10_100, 'accepts'],
      [40_099, 'exited'],
    ]);
    expect(after.state).toEqual({ kind: 'waiting', restartAt: 40_099 + 1_600 });
  });

  it('ends a thread that does not accept in time, once', () => {
    const { effects } = live(firstLife(0, SUPERVISION), [
      [9_999, 'time'],
      [10_000, 'time'],
      [10_001, 'time'],
    ]);
    expect(effects).toEqual(['terminate']);
  });

  it('is in a crash loop after more than five early crashes in a row', () => {
    expect(hasCrashLooped(crashing(5).life, SUPERVISION)).toBe(false);
    expect(hasCrashLooped(crashing(6).life, SUPERVISION)).toBe(true);
  });

  it('is out of it after a crash that came late', () => {
    const { life } = crashing(6);
    const { life: after } = live(life, [
      [20_000, 'time'],
      [20_100, 'accepts'],
      [21_100, 'exited'],
    ]);
    expect(hasCrashLooped(after, SUPERVISION)).toBe(false);
  });

  it.each([
    ['serving', [[1, 'accepts']], ['send-drain', 'reclaim']],
    ['starting', [], ['terminate', 'reclaim']],
  ] as const)('drains when %s, and ends', (_state, before, effects) => {
    const begun = live(firstLife(0, SUPERVISION), [...before]);
    const result = live(begun.life, [
      [2, 'drain'],
      [2, 'drain'],
      [3, 'exited'],
      [4, 'exited'],
    ]);
    expect(result.effects).toEqual(effects);
    expect(result.life.state.kind).toBe('ended');
  });

  it('ends at once when it is drained while it waits for its restart', () => {
    const { life } = live(firstLife(0, SUPERVISION), [
      [1, 'exited'],
      [2, 'drain'],
      [500, 'time'],
    ]);
    expect(life.state.kind).toBe('ended');
  });
});

describe('hopelessness', () => {
  const looping = crashing(6).life;
  const serving = live(firstLife(0, SUPERVISION), [[1, 'accepts']]).life;

  it('begins with the first crash loop while the proxy has never been ready', () => {
    expect(isHopeless([serving, looping], false, SUPERVISION)).toBe(true);
  });

  it('does not begin later as long as one worker serves', () => {
    expect(isHopeless([serving, looping], true, SUPERVISION)).toBe(false);
    expect(isHopeless([looping, looping], true, SUPERVISION)).toBe(true);
  });

  it('leaves out a worker that has crashed often but serves now', () => {
    const mended = live(looping, [
      [20_000, 'time'],
      [20_001, 'accepts'],
    ]).life;
    expect(isHopeless([mended, looping], true, SUPERVISION)).toBe(false);
  });
});
