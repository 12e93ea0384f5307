/** Changed files of certificates: when they are read again, and what the log is told. */
import { describe, expect, it } from 'vitest';
import type { Refreshing } from '../../../../src/control/certificates/certificate-keeper.js';
import { CertificateWatch } from '../../../../src/control/certificates/certificate-watch.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';

const GOOD: Refreshing = { problems: [], isHalf: false, needsPlan: false };
const HALF: Refreshing = { problems: ['the key does not match'], isHalf: true, needsPlan: false };

function rig() {
  const time = new FakeTime();
  const log = captureLog();
  const found: Refreshing[] = [];
  let hasChanged = false;
  let reads = 0;
  let plans = 0;
  const watch = new CertificateWatch({
    keeper: {
      files: ['/nowhere/a.pem'],
      hasChanged: () => hasChanged,
      refresh: () => {
        reads += 1;
        hasChanged = false;
        return found.length > 1 ? (found.shift() ?? GOOD) : (found[0] ?? GOOD);
      },
    },
    timers: time,
    logger: log.logger,
    republish: () => {
      plans += 1;
    },
  });
  watch.set(true);
  return {
    watch,
    time,
    log,
    reads: () => reads,
    plans: () => plans,
    /** Files change; what reading them again comes to, each time. */
    change: (...next: Refreshing[]) => {
      found.splice(0, found.length, ...next);
      hasChanged = true;
    },
  };
}

describe('watched certificates', () => {
  it('are read again when they changed, and not before', async () => {
    const { time, change, reads, watch } = rig();
    await time.pass(60_000);
    expect(reads()).toBe(0);
    change(GOOD);
    await time.pass(10_000);
    expect(reads()).toBe(1);
    watch.set(false);
    change(GOOD);
    await time.pass(60_000);
    expect([reads(), time.pending]).toEqual([1, 0]);
  });

  it('of which one half was replaced so far are tried again, and nothing is told', async () => {
    const { time, change, reads, log } = rig();
    change(HALF, HALF, GOOD);
    await time.pass(10_000);
    expect(reads()).toBe(3);
    expect(log.events()).toEqual([]);
  });

  it('that stay halves are told, once', async () => {
    const { time, change, log } = rig();
    change(HALF);
    await time.pass(20_000);
    change(HALF);
    await time.pass(20_000);
    expect(log.records).toMatchObject([{ event: 'certificates-failed', reason: 'the key does not match' }]);
    change({ problems: ['it ended'], isHalf: false, needsPlan: false });
    await time.pass(10_000);
    expect(log.events()).toEqual(['certificates-failed', 'certificates-failed']);
  });

  it('that need another plan get one', async () => {
    const { time, change, plans } = rig();
    change({ ...GOOD, needsPlan: true }, GOOD);
    await time.pass(10_000);
    expect(plans()).toBe(1);
  });

  it('are read again every hour for what passes by itself', async () => {
    const { time, reads } = rig();
    await time.pass(3_600_000);
    expect(reads()).toBe(1);
  });

  it('are read at once for who asks', () => {
    const { watch, change, log } = rig();
    change(HALF);
    expect(watch.refresh()).toEqual(HALF);
    expect(log.events()).toEqual([]);
  });
});
