/** Addresses and the ranges that hold them. */
import { describe, expect, it } from 'vitest';
import { AddressRanges, ipAddressOf } from '../../../src/core/address-ranges.js';

const mapped = (...v4: number[]) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...v4];
const v6 = (first: number[], last: number[]) => [
  ...first,
  ...new Array(16 - first.length - last.length).fill(0),
  ...last,
];

describe('address ranges', () => {
  const ranges = new AddressRanges(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);

  it.each<[number[], boolean]>([
    [[10, 1, 2, 3], true],
    [[11, 1, 2, 3], false],
    [[192, 0, 2, 7], true],
    [[192, 0, 2, 8], false],
    [mapped(10, 9, 9, 9), true],
    [mapped(11, 9, 9, 9), false],
    [v6([0x20, 1, 0xd, 0xb8], [9]), true],
    [v6([0x20, 1, 0xd, 0xb9], [9]), false],
    [v6([], [1]), true],
  ])('hold %j: %s', (bytes, isIncluded) => {
    expect(ranges.includes(ipAddressOf(bytes))).toBe(isIncluded);
  });

  it('of which there are none hold nothing', () => {
    expect(new AddressRanges([]).includes(ipAddressOf([127, 0, 0, 1]))).toBe(false);
  });
});

describe('ipAddressOf', () => {
  it('spells an IPv4-mapped IPv6 address as IPv4', () => {
    expect(ipAddressOf(mapped(192, 0, 2, 1)).toString()).toBe('192.0.2.1');
    expect(ipAddressOf(v6([0x20, 1], [1])).toString()).toBe('2001::1');
  });
});
