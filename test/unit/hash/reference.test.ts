/**
 * The reference of the hashes against published values, and the golden files against the reference. After a change of the cases:
 * `npx vitest run test/unit/hash --update` writes the files anew.
 */
import { describe, expect, it } from 'vitest';
import { crc32Lines, pointLines, tableLines, xxHash64Lines } from '../../reference/hash/cases.js';
import { crc32 } from '../../reference/hash/crc32.js';
import { ketamaPoints, maglevSlots } from '../../reference/hash/tables.js';
import { xxHash64 } from '../../reference/hash/xxhash64.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const golden = (name: string): string => `../../golden/hash/${name}.txt`;

describe('reference of the hashes', () => {
  it.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('gives the published xxHash64 of %j', (text, wanted) => {
    expect(xxHash64(bytes(text))).toBe(wanted);
  });

  it.each([
    ['', 0],
    ['a', 0xe8b7be43],
    ['123456789', 0xcbf43926],
  ])('gives the published CRC-32 of %j', (text, wanted) => {
    expect(crc32(bytes(text))).toBe(wanted);
  });

  it("gives nginx's points", () => {
    expect(ketamaPoints('127.0.0.1:8081', 4)).toEqual([0x50aabcf7, 0xb8dc900a, 0x2a3355ce, 0x839f657f]);
  });

  it.each([
    [['127.0.0.1:90', '127.0.0.1:91', '127.0.0.1:92', '127.0.0.1:93', '127.0.0.1:94', '127.0.0.1:95'], '2 4 0 1 5 0 3'],
    [['90', '91', '92', '93', '94', '95'], '2 5 0 3 4 1 0'],
  ])("gives Envoy's table of %j", (names, wanted) => {
    const members = names.map((name, slot) => ({ name, slot, weight: 100 }));
    expect(maglevSlots(members, 7).join(' ')).toBe(wanted);
  });

  it("gives Envoy's table of two weights", () => {
    const members = [
      { name: '127.0.0.1:90', slot: 0, weight: 100 },
      { name: '127.0.0.1:91', slot: 1, weight: 200 },
    ];
    expect(maglevSlots(members, 17).join(' ')).toBe('1 0 0 1 0 1 1 0 1 1 1 1 1 0 1 0 1');
  });
});

describe('golden files of the hashes', () => {
  it.each([
    ['xxhash64', xxHash64Lines],
    ['crc32', crc32Lines],
    ['points', pointLines],
    ['tables', tableLines],
  ])('hold what the reference gives: %s', async (name, text) => {
    await expect(text()).toMatchFileSnapshot(golden(name));
  });
});
