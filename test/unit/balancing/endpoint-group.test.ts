/** An endpoint group finds its members by the slots of the board. */
import { describe, expect, it } from 'vitest';
import { EndpointGroup, NO_POSITION } from '../../../src/balancing/endpoint-group.js';

/** A group with room for four members. */
const emptyGroup = (): EndpointGroup => new EndpointGroup(0, 2, 4);

function replace(group: EndpointGroup, members: readonly { readonly endpoint: number; readonly slot: number }[]): void {
  group.begin();
  for (const { endpoint, slot } of members) group.add(endpoint, slot, 1, 100, 0);
  group.end(false);
}

const member = (endpoint: number, slot: number) => ({ endpoint, slot });

describe('endpoint group', () => {
  it('tells the position of a slot, and that others have none', () => {
    const group = emptyGroup();
    expect(group.positionOf(0)).toBe(NO_POSITION);
    replace(group, [member(0, 40), member(1, 7), member(3, 65_535)]);
    expect([40, 7, 65_535].map((slot) => group.positionOf(slot))).toEqual([0, 1, 2]);
    expect([0, 6, 8, 41, 65_534, 65_536].map((slot) => group.positionOf(slot))).toEqual(Array(6).fill(NO_POSITION));
  });

  it('forgets the slots of former members', () => {
    const group = emptyGroup();
    replace(group, [member(0, 4), member(1, 5)]);
    replace(group, [member(1, 5)]);
    expect([group.positionOf(4), group.positionOf(5)]).toEqual([NO_POSITION, 0]);
    replace(group, []);
    expect(group.positionOf(5)).toBe(NO_POSITION);
  });
});
