/** Warnings of certificates that end: from 30 days before, once a day. */
import { describe, expect, it } from 'vitest';
import { certificateFacts } from '../../../../src/control/certificates/certificate-facts.js';
import type { CertificateInUse } from '../../../../src/control/certificates/certificate-keeper.js';
import { ExpiryWatch } from '../../../../src/control/certificates/expiry-watch.js';
import { makeCertificate } from '../../../harness/certificate-maker.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';

const DAY_MS = 86_400_000;
const ORIGIN = Date.parse('2026-01-01T00:00:00Z');

function rig(days: number) {
  const time = new FakeTime(0);
  const log = captureLog();
  const made = makeCertificate({ name: 'a.example', endsAt: new Date(ORIGIN + days * DAY_MS) });
  const inUse: CertificateInUse[] = [
    { owner: 'listener', ownerName: 'web', facts: certificateFacts(made.x509), source: 'a.pem' },
  ];
  const watch = new ExpiryWatch({
    inUse: () => inUse,
    wallClockMs: () => ORIGIN + time.nowMs(),
    timers: time,
    logger: log.logger,
  });
  return { time, log, watch, inUse };
}

describe('a certificate', () => {
  it('that ends is told of from 30 days before, once a day', async () => {
    const { time, log, watch } = rig(32);
    watch.start();
    await time.pass(1.9 * DAY_MS);
    expect(log.events()).toEqual([]);
    await time.pass(3 * DAY_MS);
    expect(log.records).toMatchObject([
      { event: 'certificate-expiring', listener: 'web', days: 30, names: ['a.example'], source: 'a.pem' },
      { event: 'certificate-expiring', days: 29 },
      { event: 'certificate-expiring', days: 28 },
    ]);
    expect(log.records[0]?.endsAt).toBe('2026-02-02T00:00:00.000Z');
  });

  it('that has ended is told of as such', async () => {
    const { time, log, watch } = rig(0.5);
    watch.start();
    await time.pass(DAY_MS);
    watch.close();
    expect(log.events()).toEqual(['certificate-expiring', 'certificate-expired']);
    expect(time.pending).toBe(0);
  });

  it('is told of no more when another one takes its place, and not twice for two reloads', () => {
    const { log, watch, inUse } = rig(5);
    watch.start();
    watch.start();
    inUse.pop();
    watch.start();
    expect(log.events()).toEqual(['certificate-expiring']);
  });
});
