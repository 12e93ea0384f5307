/** Several data planes as one. */
import { describe, expect, it } from 'vitest';
import type { ListenerPlan } from '../../../src/config/plan.js';
import { ProxyError } from '../../../src/core/proxy-error.js';
import type { DataPlane, DataPlaneOptions, HandOffPlace, PlanChange } from '../../../src/worker/data-plane.js';
import { dataPlanesOf } from '../../../src/worker/data-planes.js';
import { listenerPlan, plan, sessionListenerPlan } from '../control/plans.js';

const web = listenerPlan('web', '127.0.0.1', 80);
const db = sessionListenerPlan('db');

const changeTo = (...listeners: ListenerPlan[]): PlanChange => ({
  plan: plan({ epoch: 2, listeners }),
  addresses: {},
  sessionListenings: {},
});

/** @param failing one that cannot be made, or does not start, or cannot apply, as `how` says */
function underTest(
  listeners: readonly ListenerPlan[],
  failing?: 'l7' | 'l4',
  how: 'make' | 'start' | 'apply' = 'make',
) {
  const calls: string[] = [];
  const failIf = (mode: string, step: typeof how): void => {
    if (mode === failing && step === how) throw new ProxyError('SLUICE_ADDRESS_IN_USE', { mode });
  };
  const make =
    (mode: 'l7' | 'l4', place: HandOffPlace, open: number) =>
    (_options: DataPlaneOptions): DataPlane => {
      failIf(mode, 'make');
      calls.push(`make ${mode}`);
      return {
        start: async () => {
          calls.push(`start ${mode}`);
          failIf(mode, 'start');
        },
        drain: () => void calls.push(`drain ${mode}`),
        handOffPlaces: () => [place],
        openExchanges: () => open,
        certificatesChanged: (listener) => void calls.push(`certificates ${mode} ${listener}`),
        setChallenge: (token, keyAuthorization) => void calls.push(`challenge ${mode} ${token} ${keyAuthorization}`),
        setAddresses: (slot) => void calls.push(`addresses ${mode} ${slot}`),
        apply: async () => {
          calls.push(`apply ${mode}`);
          failIf(mode, 'apply');
        },
        explain: () => null,
        cut: (slot, generation) => void calls.push(`cut ${mode} ${slot} ${generation}`),
        stats: () => ({ openConnections: open, openExchanges: open, exchanges: open, upstreamConnections: open }),
        close: () => void calls.push(`close ${mode}`),
      };
    };
  const makeDataPlane = dataPlanesOf({
    l7: make('l7', { kind: 'app', listener: 'web', descriptor: 1 }, 1),
    l4: make('l4', { kind: 'mailbox', mode: 'l4', mailbox: 2 }, 10),
  });
  return {
    calls,
    make: () =>
      makeDataPlane({
        plan: plan({ listeners }),
        spans: { apply: () => {} },
        accessLog: { apply: () => {} },
      } as unknown as DataPlaneOptions),
  };
}

describe('data planes', () => {
  it.each<[string, readonly ListenerPlan[], string[]]>([
    ['l7', [web], ['make l7']],
    ['l4', [db, db], ['make l4']],
    ['both modes', [web, db, web], ['make l7', 'make l4']],
  ])('are made for the modes of the listeners: %s', (_name, listeners, made) => {
    const { calls, make } = underTest(listeners);
    make();
    expect(calls).toEqual(made);
  });

  it('are started, told and closed together', async () => {
    const { calls, make } = underTest([web, db]);
    const dataPlane = make();
    await dataPlane.start();
    dataPlane.setAddresses(4, []);
    dataPlane.cut(4, 2);
    dataPlane.drain();
    dataPlane.close();
    expect(calls.slice(2)).toEqual([
      ...['start l7', 'start l4', 'addresses l7 4', 'addresses l4 4', 'cut l7 4 2', 'cut l4 4 2'],
      ...['drain l7', 'drain l4', 'close l7', 'close l4'],
    ]);
  });

  it('add up what they have open and counted, and offer all their places', () => {
    const dataPlane = underTest([web, db]).make();
    expect(dataPlane.openExchanges()).toBe(11);
    expect(dataPlane.stats()).toEqual({
      openConnections: 11,
      openExchanges: 11,
      exchanges: 11,
      upstreamConnections: 11,
    });
    expect(dataPlane.handOffPlaces().map(({ kind }) => kind)).toEqual(['app', 'mailbox']);
  });

  it('leave nothing open when one of them cannot be made', () => {
    const { calls, make } = underTest([web, db], 'l4');
    expect(make).toThrow(ProxyError);
    expect(calls).toEqual(['make l7', 'close l7']);
  });

  it('are made and started when a plan has their first listener, and stay when it has none any more', async () => {
    const { calls, make } = underTest([web]);
    const dataPlane = make();
    await dataPlane.start();
    await dataPlane.apply(changeTo(web, db));
    await dataPlane.apply(changeTo(db));
    expect(calls).toEqual(['make l7', 'start l7', 'apply l7', 'make l4', 'start l4', 'apply l7', 'apply l4']);
    expect(dataPlane.handOffPlaces()).toHaveLength(2);
  });

  it('all get their part of a plan that one of them cannot do in full', async () => {
    const { calls, make } = underTest([web, db], 'l7', 'apply');
    const dataPlane = make();
    await expect(dataPlane.apply(changeTo(web, db))).rejects.toMatchObject({ code: 'SLUICE_ADDRESS_IN_USE' });
    expect(calls.slice(2)).toEqual(['apply l7', 'apply l4']);
  });

  it('are closed when they do not start with a plan, and made again with the next one', async () => {
    const { calls, make } = underTest([web], 'l4', 'start');
    const dataPlane = make();
    for (let time = 0; time < 2; time++)
      await expect(dataPlane.apply(changeTo(web, db))).rejects.toMatchObject({ code: 'SLUICE_ADDRESS_IN_USE' });
    const once = ['apply l7', 'make l4', 'start l4', 'close l4'];
    expect(calls.slice(1)).toEqual([...once, ...once]);
    expect(dataPlane.handOffPlaces()).toHaveLength(1);
  });
});
