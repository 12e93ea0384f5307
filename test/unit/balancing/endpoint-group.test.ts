/** An endpoint group finds its members by the slots of the board. */
import { describe, expect, it } from 'vitest';
import { EndpointGroup, NO_POSITION } from '../../../src/balancing/endpoint-group.js';

const member = (endpoint: number, slot: number) => ({ endpoint, slot, generation: 1, weight: 100, cap: 0 });

describe('endpoint group', () => {
  it('tells the position of a slot, and that others have none', () => {
    const group = new EndpointGroup();
    expect(group.positionOf(0)).toBe(NO_POSITION);
    group.replace([member(0, 40), member(1, 7), member(3, 65_535)]);
    expect([40, 7, 65_535].map((slot) => group.positionOf(slot))).toEqual([0, 1, 2]);
    expect([0, 6, 8, 41, 65_534, 65_536].map((slot) => group.positionOf(slot))).toEqual(Array(6).fill(NO_POSITION));
  });

  it('forgets the slots of former members', () => {
    const group = new EndpointGroup();
    group.replace([member(0, 4), member(1, 5)]);
    group.replace([member(1, 5)]);
    expect([group.positionOf(4), group.positionOf(5)]).toEqual([NO_POSITION, 0]);
    group.replace([]);
    expect(group.positionOf(5)).toBe(NO_POSITION);
  });
});
