/** The watch over heartbeats, with time moved by hand. */
import { describe, expect, it } from 'vitest';
import { HeartbeatWatch } from '../../../src/control/heartbeat-watch.js';
import { NEVER } from '../../../src/core/tick.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';

function watch(endsStuck = true) {
  const time = new FakeTime();
  const log = captureLog();
  const beats = [NEVER, NEVER];
  const serving = [true, true];
  const ended: number[] = [];
  const watched = new HeartbeatWatch({
    workers: 2,
    beatAt: (index) => beats[index] as number,
    isServing: (index) => serving[index] as boolean,
    end: (index) => void ended.push(index),
    mayEnd: () => endsStuck,
    clock: time,
    timers: time,
    logger: log.logger,
  });
  watched.start();
  return {
    time,
    log,
    beats,
    serving,
    ended,
    watched,
    /** Lets seconds pass in which these workers beat. */
    pass: async (seconds: number, ...beating: number[]) => {
      for (let second = 0; second < seconds; second++) {
        for (const index of beating) beats[index] = time.nowTick();
        await time.pass(1_000);
      }
    },
  };
}

describe('heartbeat watch', () => {
  it('warns once about a worker whose event loop stands still, and says when it goes on', async () => {
    const { pass, log, ended } = watch();
    await pass(2, 0, 1);
    await pass(9, 1);
    expect(log.events()).toEqual(['worker-stuck']);
    expect(log.records[0]).toMatchObject({ worker: 0, silentMs: 6_000 });
    await pass(2, 0, 1);
    expect(log.events()).toEqual(['worker-stuck', 'worker-unstuck']);
    expect(ended).toEqual([]);
  });

  it('ends a worker that is stuck for half a minute, once', async () => {
    const { pass, log, ended } = watch();
    await pass(1, 0, 1);
    await pass(60, 1);
    expect(ended).toEqual([0]);
    expect(log.events()).toEqual(['worker-stuck', 'worker-stuck']);
  });

  it.each([0.06, 0.4, 0.6, 7.3])('tells and ends where each look is %f ms late', async (lateMs) => {
    const { pass, time, log, ended } = watch();
    await pass(1, 0, 1);
    for (let look = 0; look < 40; look++) {
      await time.pass(999);
      time.block(1 + lateMs);
      await time.pass(0);
    }
    expect(log.records.filter(({ worker }) => worker === 0)).toHaveLength(2);
    expect(ended).toEqual([0, 1]);
  });

  it('only tells where ending is not wanted', async () => {
    const { pass, log } = watch(false);
    await pass(1, 0, 1);
    await pass(60, 1);
    expect(log.events()).toEqual(['worker-stuck']);
  });

  it.each([10_000, 100_000])('takes nobody for stuck when it was blocked itself for %i ms', async (ms) => {
    const { pass, time, log, ended } = watch();
    await pass(3, 0, 1);
    time.block(ms);
    await time.pass(0); // the look that is due, before anybody has beaten
    await pass(3, 0, 1);
    expect(log.events()).toEqual([]);
    expect(ended).toEqual([]);
  });

  it('begins anew with the next thread, and waits for its first heartbeat', async () => {
    const { pass, beats, serving, log } = watch();
    await pass(1, 0, 1);
    await pass(4, 1);
    serving[0] = false;
    await pass(20, 1);
    serving[0] = true;
    beats[0] = NEVER;
    await pass(20, 1);
    expect(log.events()).toEqual([]);
  });

  it('looks no more once it is closed', async () => {
    const { pass, watched, time } = watch();
    await pass(1, 0, 1);
    watched.close();
    watched.close();
    expect(time.pending).toBe(0);
  });
});
