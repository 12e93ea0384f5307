/** What the primary knows of blockages of its own loop, with time moved by hand. */
import { describe, expect, it } from 'vitest';
import { BlockageWatch } from '../../../src/control/blockage.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';

function watch() {
  const time = new FakeTime();
  const log = captureLog();
  const blockage = new BlockageWatch({ clock: time, timers: time, logger: log.logger });
  blockage.start();
  return { time, log, blockage };
}

describe('blockage watch', () => {
  it('knows of none while the loop turns', async () => {
    const { time, blockage, log } = watch();
    await time.pass(10_000);
    expect(blockage.blockedMsSince(0)).toBe(0);
    expect(log.events()).toEqual([]);
  });

  it('tells how much of a time was blocked', async () => {
    const { time, blockage } = watch();
    await time.pass(1_000);
    const beforeMs = time.nowMs();
    time.block(3_000);
    await time.pass(0);
    const afterMs = time.nowMs();
    await time.pass(5_000);
    expect(blockage.blockedMsSince(beforeMs)).toBe(2_900); // less the pause between two looks
    expect(blockage.blockedMsSince(afterMs - 500)).toBe(500);
    expect(blockage.blockedMsSince(afterMs)).toBe(0);
  });

  it('knows of a blockage before its own timer has fired', () => {
    const { time, blockage } = watch();
    const beforeMs = time.nowMs();
    time.block(2_000);
    expect(blockage.blockedMsSince(beforeMs)).toBe(1_900);
  });

  it('does not count a short delay', async () => {
    const { time, blockage, log } = watch();
    for (let delay = 0; delay < 50; delay++) {
      time.block(150);
      await time.pass(0);
    }
    expect(blockage.blockedMsSince(0)).toBe(0);
    expect(log.events()).toEqual([]);
  });

  it('tells the log of a long one', async () => {
    const { time, log } = watch();
    time.block(900);
    await time.pass(0);
    expect(log.events()).toEqual([]);
    time.block(10_100);
    await time.pass(0);
    expect(log.records).toMatchObject([{ event: 'primary-blocked', blockedMs: 10_000 }]);
  });

  it('keeps no timer and finds nothing once it is closed', async () => {
    const { time, blockage } = watch();
    blockage.close();
    blockage.close();
    time.block(5_000);
    expect(blockage.blockedMsSince(0)).toBe(0);
    expect(time.pending).toBe(0);
  });
});

describe('question that is repeated', () => {
  /** Asks somebody whose answers are given, each after a time in which the loop is blocked or not. */
  function asking(answers: readonly { readonly isGood: boolean; readonly blockedMs?: number }[]) {
    const { time, blockage } = watch();
    let asked = 0;
    const ask = blockage.repeating(
      async (name: string) => {
        const { isGood, blockedMs = 0 } = answers[asked++] as (typeof answers)[number];
        time.block(blockedMs);
        return { name, isGood, asked };
      },
      ({ isGood }) => isGood,
    );
    return ask('a');
  }

  it('is not asked again for a good answer, however late', async () => {
    expect(await asking([{ isGood: true, blockedMs: 5_000 }])).toEqual({ name: 'a', isGood: true, asked: 1 });
  });

  it('is not asked again for a bad answer of a loop that turned', async () => {
    expect(await asking([{ isGood: false }])).toMatchObject({ isGood: false, asked: 1 });
  });

  it('is asked again where the loop stood still, and only while it does', async () => {
    expect(await asking([{ isGood: false, blockedMs: 5_000 }, { isGood: true }])).toMatchObject({
      isGood: true,
      asked: 2,
    });
    expect(await asking([{ isGood: false, blockedMs: 5_000 }, { isGood: false }])).toMatchObject({
      isGood: false,
      asked: 2,
    });
  });

  it('takes the third answer in any case', async () => {
    const bad = { isGood: false, blockedMs: 5_000 };
    expect(await asking([bad, bad, bad])).toMatchObject({ isGood: false, asked: 3 });
  });
});
