/** Addresses of sessions as the engine's events have them. */
import { describe, expect, it } from 'vitest';
import { type AddressWords, addressText, TrustedPeers } from '../../../src/core/peer-address.js';

const words = (word0: number, word1: number, word2: number, word3: number): AddressWords => ({
  word0: word0 | 0,
  word1: word1 | 0,
  word2: word2 | 0,
  word3: word3 | 0,
});
const v4 = (word3: number) => words(0, 0, 0xffff, word3);
const UNIX = words(0, 0, 0, 0);

describe('addressText', () => {
  it.each<[AddressWords, string]>([
    [v4(0x7f000001), '127.0.0.1'],
    [v4(0xfffefdfc), '255.254.253.252'],
    [words(0x20010db8, 0, 0, 1), '2001:db8::1'],
    [words(0, 0, 0, 1), '::1'],
    [words(0xfe80_0000, 0, 0xdead_beef, 0x8000_0001), 'fe80::dead:beef:8000:1'],
    [UNIX, 'unix'],
  ])('spells %j as %s', (address, text) => {
    expect(addressText(address)).toBe(text);
  });
});

describe('trusted peers', () => {
  const trusted = new TrustedPeers(['10.0.0.0/8', '2001:db8::/32']);

  it.each<[AddressWords, boolean]>([
    [v4(0x0a010203), true],
    [v4(0x0b010203), false],
    [words(0x20010db8, 0, 0, 1), true],
    [words(0x20010db9, 0, 0, 1), false],
    [UNIX, true],
  ])('include %j: %s, also when asked again', (peer, isTrusted) => {
    expect([trusted.isTrusted(peer), trusted.isTrusted(peer)]).toEqual([isTrusted, isTrusted]);
  });

  it('are none of a network where none are listed', () => {
    expect(new TrustedPeers([]).isTrusted(v4(0x7f000001))).toBe(false);
  });
});
