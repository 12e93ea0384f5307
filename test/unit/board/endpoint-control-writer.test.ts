/** Weights and caps as base times shares, and states of several authors. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { MOST_EFFECTIVE_WEIGHT } from '../../../src/board/endpoint-control-writer.js';

const settings = { weight: 3, cap: 10, isBackup: false, isResolved: true };

function boardOf(...endpoints: Partial<typeof settings>[]) {
  const board = createBoard({
    endpointSlots: 8,
    upstreams: 2,
    turns: 2,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 2,
    routeBreakers: 0,
    routes: 1,
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  });
  const slots = endpoints.map((parts) => board.assign(1, { ...settings, ...parts }).slot);
  /** Bumps of both upstreams by what `change` does. */
  const bumps = (change: () => void): number[] => {
    const before = [0, 1].map((upstream) => board.upstreams.controlEpoch(upstream));
    change();
    return [0, 1].map((upstream) => board.upstreams.controlEpoch(upstream) - before[upstream]!);
  };
  return { board, control: board.control, slots, slot: slots[0]!, bumps };
}

describe('shares', () => {
  it('multiply the weight; slow start also the cap, and not the weight of hashes', () => {
    const { control, slot } = boardOf({});
    control.setShares([{ slot, weightRamp: 0.25, capRamp: 0.25, moved: 0.5 }]);
    expect([control.weight(slot), control.steadyWeight(slot), control.cap(slot)]).toEqual([38, 150, 3]);
    expect(control.state(slot)).toMatchObject({ weight: 3, cap: 10, effectiveWeight: 0.38, effectiveCap: 3 });
    expect([control.rampShares(slot), control.movedShare(slot)]).toEqual([{ weightRamp: 0.25, capRamp: 0.25 }, 0.5]);
  });

  it('stay when the operator sets weight and cap', () => {
    const { control, slot } = boardOf({});
    control.setShares([{ slot, weightRamp: 0.1, capRamp: 0.1, moved: 2 }]);
    control.setWeight(slot, 10);
    control.setCap(slot, 30);
    expect([control.weight(slot), control.steadyWeight(slot), control.cap(slot)]).toEqual([200, 2000, 3]);
  });

  it('leave out what they do not name', () => {
    const { control, slot } = boardOf({});
    control.setShares([{ slot, weightRamp: 0.5, capRamp: 0.5 }]);
    control.setShares([{ slot, moved: 2 }]);
    expect([control.weight(slot), control.cap(slot)]).toEqual([300, 5]);
  });

  it('leave a hundredth of weight and one of a cap, but nothing of no weight and no cap', () => {
    const { control, slots } = boardOf({ weight: 1, cap: 1 }, { weight: 0, cap: 0 });
    control.setShares(slots.map((slot) => ({ slot, weightRamp: 0.001, capRamp: 0.001, moved: 0.001 })));
    expect(slots.map((slot) => [control.weight(slot), control.cap(slot)])).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('of slow start can be for the cap alone', () => {
    const { control, slot } = boardOf({});
    control.setShares([{ slot, capRamp: 0.5 }]);
    expect([control.weight(slot), control.cap(slot)]).toEqual([300, 5]);
  });

  it('end at the largest weight', () => {
    const { control, slot } = boardOf({ weight: 65_535 });
    control.setShares([{ slot, moved: 20 }]);
    expect(control.weight(slot)).toBe(MOST_EFFECTIVE_WEIGHT);
  });

  it('bump an upstream once for all its endpoints, and not when nothing changes', () => {
    const { control, slots, bumps } = boardOf({}, {}, {});
    const shares = slots.map((slot) => ({ slot, weightRamp: 0.5, capRamp: 0.5, moved: 0.5, agentCap: 4 }));
    expect(bumps(() => control.setShares(shares))).toEqual([0, 1]);
    expect(bumps(() => control.setShares(shares))).toEqual([0, 0]);
  });

  it('end with the endpoint', () => {
    const { board, control, slot } = boardOf({}, {}, {}, {}, {}, {}, {}, {});
    control.setShares([{ slot, weightRamp: 0.5, capRamp: 0.5, moved: 0.5, agentCap: 2 }]);
    board.release(slot);
    expect(board.assign(1, settings).slot).toBe(slot);
    expect([control.weight(slot), control.cap(slot)]).toEqual([300, 10]);
  });

  it.each([
    ['weightRamp', 0],
    ['capRamp', 1.1],
    ['moved', 0],
    ['moved', Number.NaN],
  ])('refuse a share of %s of %s', (kind, share) => {
    const { control, slot } = boardOf({});
    expect(() => control.setShares([{ slot, [kind]: share }])).toThrow(/a share is above 0/);
  });
});

describe('the cap of an agent', () => {
  it.each([
    [10, 4, 4],
    [10, 40, 10],
    [0, 4, 4],
    [10, 0, 10],
  ])('counts where it is below that of the operator: %i and %i give %i', (cap, agentCap, counts) => {
    const { control, slot } = boardOf({ cap });
    control.setShares([{ slot, agentCap }]);
    expect(control.cap(slot)).toBe(counts);
  });
});

describe('the cap of what an endpoint bears', () => {
  it.each([
    [10, 0, 4, 4],
    [0, 0, 4, 4],
    [3, 5, 4, 3],
    [10, 2, 4, 2],
    [10, 0, 0, 10],
  ])('counts where it is the lowest: of %i, %i and %i %i', (cap, agentCap, adaptiveCap, counts) => {
    const { control, slot } = boardOf({ cap });
    control.setShares([{ slot, agentCap, adaptiveCap }]);
    expect([control.cap(slot), control.adaptiveCap(slot)]).toEqual([counts, adaptiveCap]);
  });

  it('ends with the endpoint', () => {
    const { board, control, slot } = boardOf({ cap: 0 }, {}, {}, {}, {}, {}, {}, {});
    control.setShares([{ slot, adaptiveCap: 4 }]);
    board.release(slot);
    expect(board.assign(1, { ...settings, cap: 0 }).slot).toBe(slot);
    expect(control.cap(slot)).toBe(0);
  });
});

describe('an endpoint of which nothing is known', () => {
  it('takes no work, not even in a panic, until there is a verdict', () => {
    const { control, slot, bumps } = boardOf({});
    expect(bumps(() => control.setUnknown(slot))).toEqual([0, 1]);
    expect([control.takesWork(slot), control.takesWorkIfHealthy(slot), control.awaitsFirstProbe(slot)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(bumps(() => control.setHealthy(slot, false))).toEqual([0, 1]);
    expect([control.takesWork(slot), control.takesWorkIfHealthy(slot), control.awaitsFirstProbe(slot)]).toEqual([
      false,
      true,
      false,
    ]);
    control.setUnknown(slot);
    control.setHealthy(slot, true);
    expect([control.takesWork(slot), control.state(slot).isUnknown]).toEqual([true, false]);
  });

  it('does not await its first probe while something else keeps it from work', () => {
    const { control, slot } = boardOf({});
    control.setUnknown(slot);
    control.setDraining(slot, true);
    expect(control.awaitsFirstProbe(slot)).toBe(false);
  });

  it('takes work from its verdict on with the weight that slow start gives it', () => {
    const { control, slot } = boardOf({});
    control.rampAtReturn(() => ({ weightRamp: 0.1, capRamp: 0.1 }));
    control.setUnknown(slot);
    control.setHealthy(slot, true);
    expect(control.state(slot)).toMatchObject({ effectiveWeight: 0.3, effectiveCap: 1 });
  });
});

describe('what an agent says', () => {
  it.each([
    ['maint', { isEnabled: false, isDraining: false }],
    ['drain', { isEnabled: true, isDraining: true }],
  ] as const)('%s takes the endpoint out until it says ready', (admission, state) => {
    const { control, slot, bumps } = boardOf({});
    expect(bumps(() => control.setByAgent(slot, { admission }))).toEqual([0, 1]);
    expect(control.state(slot)).toMatchObject(state);
    expect([control.takesWork(slot), control.takesWorkIfHealthy(slot)]).toEqual([false, false]);
    control.setByAgent(slot, { admission: 'ready' });
    expect(control.takesWork(slot)).toBe(true);
  });

  it('down makes it unhealthy whatever the health check says, until it says up', () => {
    const { control, slot } = boardOf({});
    control.setByAgent(slot, { isDown: true });
    control.setHealthy(slot, true);
    expect([control.state(slot).isHealthy, control.takesWork(slot)]).toEqual([false, false]);
    expect(control.takesWorkIfHealthy(slot)).toBe(true);
    control.setByAgent(slot, { isDown: false });
    expect(control.state(slot).isHealthy).toBe(true);
  });

  it('takes nothing back that operator or health check said', () => {
    const { control, slot } = boardOf({});
    for (const takeOut of [
      () => control.setEnabled(slot, false),
      () => control.setDraining(slot, true),
      () => control.setHealthy(slot, false),
    ]) {
      takeOut();
      control.setByAgent(slot, { admission: 'ready', isDown: false });
      expect(control.takesWork(slot)).toBe(false);
      control.setEnabled(slot, true);
      control.setDraining(slot, false);
    }
  });

  it('is taken back by the operator’s word of the same thing', () => {
    const { control, slot } = boardOf({});
    control.setByAgent(slot, { admission: 'maint' });
    control.setEnabled(slot, true);
    expect(control.takesWork(slot)).toBe(true);
    control.setByAgent(slot, { admission: 'drain' });
    control.setDraining(slot, false);
    expect(control.takesWork(slot)).toBe(true);
  });
});

describe('an endpoint that takes work again', () => {
  it('begins with the share that is said for it, within the same bump', () => {
    const { control, slot, bumps } = boardOf({});
    const asked: [number, boolean][] = [];
    control.rampAtReturn((of) => {
      asked.push([of, control.takesWork(of)]);
      return { weightRamp: 0.1, capRamp: 0.05 };
    });
    control.setHealthy(slot, false);
    control.setDraining(slot, true);
    control.setHealthy(slot, true);
    expect(asked).toEqual([]);
    expect(bumps(() => control.setDraining(slot, false))).toEqual([0, 1]);
    expect(asked).toEqual([[slot, false]]);
    expect([control.weight(slot), control.steadyWeight(slot), control.cap(slot)]).toEqual([30, 300, 1]);
  });
});

describe('an endpoint that stays in a new configuration', () => {
  it('keeps states and shares, and takes new settings', () => {
    const { board, control, slot, bumps } = boardOf({});
    control.setHealthy(slot, false);
    control.setShares([{ slot, moved: 0.5 }]);
    const kept = { weight: 8, cap: 4, isBackup: true, isResolved: false };
    expect(bumps(() => board.keep(slot, 0, kept))).toEqual([1, 1]);
    expect(control.state(slot)).toMatchObject({
      upstream: 0,
      isHealthy: false,
      isResolved: true,
      isBackup: true,
      effectiveWeight: 4,
      effectiveCap: 4,
    });
    expect(bumps(() => board.keep(slot, 0, kept))).toEqual([0, 0]);
  });
});
