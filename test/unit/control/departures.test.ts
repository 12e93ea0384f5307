/** When what a reload has taken away may be given to others. */
import { describe, expect, it } from 'vitest';
import type { PlaceChanges } from '../../../src/control/board-plan.js';
import { Departures } from '../../../src/control/departures.js';
import { FakeTime } from './fake-time.js';

function rig() {
  const time = new FakeTime();
  const inFlight = new Map<number, number>();
  const waiting = new Map<number, number>();
  const slots: number[] = [];
  const records: string[] = [];
  const departures = new Departures({
    board: {
      load: { inflight: (slot: number) => inFlight.get(slot) ?? 0 } as never,
      waiting: (queue) => waiting.get(queue) ?? 0,
    },
    plans: {
      release: (left) => {
        slots.push(...left.slots);
        records.push(...left.records.map(({ kind, first }) => `${kind} ${first}`));
      },
    },
    clock: time,
    timers: time,
  });
  const leave = (parts: { slots?: number[]; records?: PlaceChanges['records']['left'] }): void =>
    departures.add(
      {
        slots: { kept: [], joined: [], left: parts.slots ?? [] },
        records: { joined: [], left: parts.records ?? [] },
      },
      30_000,
    );
  return { time, departures, inFlight, waiting, slots, records, leave };
}

describe('departures', () => {
  it('give slots back once nothing is in flight there, in two looks', async () => {
    const { time, inFlight, slots, leave } = rig();
    inFlight.set(1, 2);
    leave({ slots: [0, 1] });
    await time.pass(250);
    expect(slots).toEqual([]);
    await time.pass(250);
    expect(slots).toEqual([0]);
    inFlight.set(1, 0);
    await time.pass(500);
    expect(slots).toEqual([0, 1]);
  });

  it('let records rest a minute, those of listeners until what is left of them was cut', async () => {
    const { time, records, leave } = rig();
    leave({
      records: [
        { kind: 'route', first: 3, length: 1 },
        { kind: 'listener', first: 1, length: 1 },
      ],
    });
    await time.pass(39_000);
    expect(records).toEqual([]);
    await time.pass(2_000);
    expect(records).toEqual(['listener 1']);
    await time.pass(20_000);
    expect(records).toEqual(['listener 1', 'route 3']);
  });

  it('keep a queue and its places while anybody waits there', async () => {
    const { time, waiting, records, leave } = rig();
    waiting.set(4, 1);
    leave({
      records: [
        { kind: 'queue', first: 4, length: 1 },
        { kind: 'queue entry', first: 100, length: 50 },
      ],
    });
    await time.pass(70_000);
    expect(records).toEqual([]);
    waiting.set(4, 0);
    await time.pass(500);
    expect(records).toEqual(['queue 4', 'queue entry 100']);
  });

  it('look no more when they are closed, also twice', async () => {
    const { time, departures, slots, leave } = rig();
    leave({ slots: [0] });
    departures.close();
    departures.close();
    await time.pass(1_000);
    expect(slots).toEqual([]);
  });
});
