/** Orders by ACME over time, against an authority that does what the test says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ListenerPlan } from '../../../../src/config/plan.js';
import type { AcmePlan } from '../../../../src/config/tls-plan.js';
import { AuthorityError } from '../../../../src/control/acme/authority-transport.js';
import { CertificateOrders } from '../../../../src/control/acme/certificate-orders.js';
import { pauseAfter, renewalAt } from '../../../../src/control/acme/renewal-schedule.js';
import { makeCertificate } from '../../../harness/certificate-maker.js';
import { until } from '../../../harness/wire.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const NOW = Date.parse('2030-01-01T00:00:00Z');

describe('renewal', () => {
  const validity = { beginsAt: 0, endsAt: 90 * DAY_MS };
  it('is renewBefore ahead of the end, and a little earlier', () => {
    expect(renewalAt(validity, 30 * DAY_MS, 0)).toBe(60 * DAY_MS);
    expect(renewalAt(validity, 30 * DAY_MS, 0.999)).toBeGreaterThan(58 * DAY_MS);
  });
  it('is never before a third of the life is over', () => {
    expect(renewalAt(validity, 365 * DAY_MS, 0)).toBe(30 * DAY_MS);
  });
});

describe('the pause after failures', () => {
  it('lets no more than five tries fall into an hour', () => {
    let sum = 0;
    const at = [0, ...[1, 2, 3, 4, 5].map((failures) => (sum += pauseAfter(failures, 0, 0)))];
    expect(at.filter((ms) => ms < 60 * MINUTE_MS)).toHaveLength(5);
    expect(pauseAfter(50, 0, 0)).toBe(360 * MINUTE_MS);
  });
  it('is what the authority asks for, up to a day', () => {
    expect(pauseAfter(1, 2 * 3_600_000, 0)).toBe(2 * 3_600_000);
    expect(pauseAfter(1, 90 * DAY_MS, 0)).toBe(DAY_MS);
  });
});

describe('orders', () => {
  const directories: string[] = [];
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  });

  const stageOf = (storage = mkdtempSync(join(tmpdir(), 'sluice-orders-'))) => {
    if (!directories.includes(storage)) directories.push(storage);
    const time = new FakeTime();
    const log = captureLog();
    const handed: string[] = [];
    const asked: number[] = [];
    const wallClockMs = (): number => NOW + time.nowMs();
    /** What the next orders end with; a certificate when empty. */
    const failures: Error[] = [];
    const orders = new CertificateOrders({
      obtain: async () => {
        asked.push(time.nowMs());
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        const startsAt = new Date(wallClockMs());
        const { cert, key } = makeCertificate({
          name: 'a.test',
          startsAt,
          endsAt: new Date(wallClockMs() + 90 * DAY_MS),
          serial: asked.length,
        });
        return { chain: cert, key };
      },
      certificates: {
        setObtained: (listener) => void handed.push(listener),
        setChallenge: () => {},
        dropChallenge: () => {},
      },
      tokens: { showToken: async () => {}, hideToken: () => {} },
      timers: time,
      wallClockMs,
      rng: () => 0,
      logger: log.logger,
    });
    const acme: AcmePlan = {
      directory: 'https://ca.test/dir',
      email: null,
      names: ['a.test'],
      challenge: 'http-01',
      storage,
      keyType: 'ecdsa',
      renewBeforeMs: 30 * DAY_MS,
      ca: null,
      accountBinding: null,
    };
    const listener = (name: string): ListenerPlan => ({ name, tls: { acme } }) as unknown as ListenerPlan;
    return { orders, time, handed, asked, failures, listener, storage, log };
  };

  it('wait until workers accept, and serve all listeners that want the same', async () => {
    const { orders, handed, asked, listener } = stageOf();
    await orders.apply([listener('one'), listener('two')]);
    expect(asked).toEqual([]);
    orders.open();
    await until('handed', () => handed.length === 2);
    expect(asked).toHaveLength(1);
    orders.close();
  });

  it('take what is stored without asking anybody', async () => {
    const first = stageOf();
    await first.orders.apply([first.listener('one')]);
    first.orders.open();
    await until('handed', () => first.handed.length === 1);
    first.orders.close();
    const again = stageOf(first.storage);
    await again.orders.apply([again.listener('one')]);
    expect(again.handed).toEqual(['one']);
    expect(again.asked).toEqual([]);
    again.orders.close();
  });

  it('renew in time', async () => {
    const { orders, time, handed, asked, listener } = stageOf();
    await orders.apply([listener('one')]);
    orders.open();
    await until('handed', () => handed.length === 1);
    for (let day = 0; day < 59; day++) await time.pass(DAY_MS);
    expect(asked).toHaveLength(1);
    await time.pass(2 * DAY_MS);
    await until('renewed', () => handed.length === 2);
    orders.close();
  });

  it('try again after a pause, which the authority may lengthen', async () => {
    const { orders, time, handed, asked, failures, listener, log } = stageOf();
    failures.push(new Error('no'), new AuthorityError('too many', 20 * MINUTE_MS));
    await orders.apply([listener('one')]);
    orders.open();
    const told = (): number => log.records.filter(({ event }) => event === 'acme-failed').length;
    await until('told', () => told() === 1);
    await time.pass(MINUTE_MS);
    await until('told again', () => told() === 2);
    await time.pass(19 * MINUTE_MS);
    expect(asked).toHaveLength(2);
    await time.pass(MINUTE_MS);
    await until('handed', () => handed.length === 1);
    orders.close();
  });

  it('keep what they have while a renewal fails, with longer and longer pauses, and begin anew after it has come', async () => {
    const { orders, time, handed, asked, failures, listener, log } = stageOf();
    await orders.apply([listener('one')]);
    orders.open();
    await until('handed', () => handed.length === 1);
    const told = () => log.records.filter(({ event }) => event === 'acme-failed');
    failures.push(new Error('away'), new Error('away'), new Error('away'));
    for (let day = 0; day < 60; day++) await time.pass(DAY_MS);
    for (const [at, pause] of [1, 5, 15].entries()) {
      await until('told', () => told().length === at + 1);
      expect(told()[at]).toMatchObject({ names: ['a.test'], reason: 'away', pauseMs: pause * MINUTE_MS });
      await time.pass(pause * MINUTE_MS - 1);
      expect(asked).toHaveLength(at + 2);
      await time.pass(1);
    }
    await until('renewed', () => handed.length === 2);
    failures.push(new Error('away again'));
    for (let day = 0; day < 61; day++) await time.pass(DAY_MS);
    await until('told again', () => told().length === 4);
    expect(told()[3]).toMatchObject({ pauseMs: MINUTE_MS });
    orders.close();
  });
});
