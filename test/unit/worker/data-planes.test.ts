/** Several data planes as one. */
import { describe, expect, it } from 'vitest';
import type { ListenerPlan } from '../../../src/config/plan.js';
import type { DataPlane, DataPlaneOptions, HandOffPlace } from '../../../src/worker/data-plane.js';
import { dataPlanesOf } from '../../../src/worker/data-planes.js';
import { listenerPlan, plan, sessionListenerPlan } from '../control/plans.js';

const web = listenerPlan('web', '127.0.0.1', 80);
const db = sessionListenerPlan('db');

function underTest(listeners: readonly ListenerPlan[], failing?: 'l7' | 'l4') {
  const calls: string[] = [];
  const make =
    (mode: 'l7' | 'l4', place: HandOffPlace, open: number) =>
    (_options: DataPlaneOptions): DataPlane => {
      if (mode === failing) throw new Error(`no ${mode} here`);
      calls.push(`make ${mode}`);
      return {
        start: async () => void calls.push(`start ${mode}`),
        drain: () => void calls.push(`drain ${mode}`),
        handOffPlaces: () => [place],
        openExchanges: () => open,
        setAddresses: (slot) => void calls.push(`addresses ${mode} ${slot}`),
        apply: async () => void calls.push(`apply ${mode}`),
        reopenFiles: () => void calls.push(`reopen ${mode}`),
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
  return { calls, make: () => makeDataPlane({ plan: plan({ listeners }) } as DataPlaneOptions) };
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
    expect(make).toThrow('no l4 here');
    expect(calls).toEqual(['make l7', 'close l7']);
  });
});
