/** The state machine of a drain. */
import { describe, expect, it } from 'vitest';
import {
  beginDrain,
  type Drain,
  type DrainEffect,
  endsAt,
  stepDrain,
  withTimeout,
} from '../../../src/control/drains.js';

/** Looks every 100 ms at what is in flight. @returns the drain, and the effects by the time since its begin */
function looked(
  timeoutMs: number | null,
  inFlight: readonly number[],
): { drain: Drain; told: [number, DrainEffect][] } {
  const told: [number, DrainEffect][] = [];
  let drain = beginDrain(inFlight[0] ?? 0, timeoutMs, 1_000);
  for (const [look, count] of inFlight.slice(1).entries()) {
    const ms = 100 * (look + 1);
    const step = stepDrain(drain, count, 1_000 + ms);
    drain = step.drain;
    for (const effect of step.effects) told.push([ms, effect]);
  }
  return { drain, told };
}

describe('drain', () => {
  it('is over when two looks in a row find nothing in flight', () => {
    const { drain, told } = looked(null, [2, 1, 0, 1, 0, 0, 0]);
    expect([drain.phase.kind, told]).toEqual(['drained', [[500, 'tell-drained']]]);
  });

  it('waits for ever where it has no time', () => {
    const { drain, told } = looked(null, new Array(1_000).fill(1));
    expect([drain.phase.kind, told, endsAt(drain)]).toEqual(['waiting', [], null]);
  });

  it('cuts what is left when its time is over, and again each second until that has ended', () => {
    const { drain, told } = looked(300, [5, 5, 5, 5, ...new Array(10).fill(2), 0]);
    expect(told).toEqual([
      [300, 'tell-timeout'],
      [300, 'cut'],
      [1_300, 'cut'],
      [1_400, 'tell-drained'],
    ]);
    expect(drain).toMatchObject({ since: 1_000, timeoutMs: 300, inFlightAtStart: 5, phase: { kind: 'drained' } });
  });

  it('cuts nothing that has ended just then', () => {
    expect(looked(200, [1, 1, 0, 0]).told).toEqual([[300, 'tell-drained']]);
  });

  it('counts another time from its begin', () => {
    const drain = withTimeout(looked(null, [1, 1, 1, 1]).drain, 200);
    expect(endsAt(drain)).toBe(1_200);
    expect(stepDrain(drain, 1, 1_400).effects).toEqual(['tell-timeout', 'cut']);
    expect(stepDrain(withTimeout(drain, null), 1, 9_999_999).effects).toEqual([]);
  });
});
