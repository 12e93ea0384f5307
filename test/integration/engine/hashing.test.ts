/** The addon's hashes and tables against the golden files, and its words to a caller's mistakes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BuiltTable } from '../../../src/engine/hashing.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { madeBytes, TABLE_CASES, type TableCase } from '../../reference/hash/cases.js';

const addon = loadEngine();

function goldenLines(name: string): string[][] {
  const text = readFileSync(new URL(`../../golden/hash/${name}.txt`, import.meta.url), 'latin1');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '));
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

function hashOf(hash: (words: Int32Array) => void): string {
  const words = new Int32Array(2);
  hash(words);
  return hex(words[1] as number) + hex(words[0] as number);
}

function built({ kind, room, members }: TableCase): BuiltTable {
  const names = members.map(({ name }) => name);
  const slots = Uint16Array.from(members, ({ slot }) => slot);
  const weights = Uint32Array.from(members, ({ weight }) => weight);
  const build = kind === 'ketama' ? addon.buildKetama : addon.buildMaglev;
  return build(names, slots, weights, room);
}

/** Entries of each of `count` equal endpoints, by slot, and the slots themselves. */
function maglevOf(names: readonly string[]): number[] {
  const { words, size } = built({
    kind: 'maglev',
    room: 65_537,
    members: names.map((name) => ({ name, slot: Number(name.slice(1)), weight: 100 })),
  });
  return [...new Uint16Array(words.buffer, 0, size)];
}

describe('hashes of the addon', () => {
  it('hash bytes and texts of the same bytes to the golden values', () => {
    const found = goldenLines('xxhash64')
      .filter(([, seed]) => Number(`0x${seed}`) === 0)
      .flatMap(([length, , wanted]) => {
        const bytes = madeBytes(Number(length));
        const text = Buffer.from(bytes).toString('latin1');
        const isSame =
          hashOf((words) => addon.hashBytes(bytes, words)) === wanted &&
          hashOf((words) => addon.hashText(text, words)) === wanted;
        return isSame ? [] : [length];
      });
    expect(found).toEqual([]);
  });

  it('give the golden CRC-32 of texts', () => {
    const found = goldenLines('crc32').filter(
      ([length, wanted]) => hex(addon.crc32Text(Buffer.from(madeBytes(Number(length))).toString('latin1'))) !== wanted,
    );
    expect(found).toEqual([]);
  });

  it('hash a view into the middle of a buffer, and shared memory', () => {
    const whole = hashOf((words) => addon.hashText('middle', words));
    const shared = new Uint8Array(new SharedArrayBuffer(10));
    shared.set(Buffer.from('12middle34'));
    expect(hashOf((words) => addon.hashBytes(shared.subarray(2, 8), words))).toBe(whole);
  });

  it.each([
    ['a number for a text', () => addon.hashText(7 as never, new Int32Array(2)), TypeError, 'text must be a string'],
    ['no place for the hash', () => addon.hashText('a', undefined as never), TypeError, 'must be an Int32Array'],
    ['too small a place', () => addon.hashText('a', new Int32Array(1)), RangeError, 'room for 2'],
    ['a text for bytes', () => addon.hashBytes('a' as never, new Int32Array(2)), TypeError, 'bytes must be'],
    ['nothing for a text', () => addon.crc32Text(undefined as never), TypeError, 'text must be a string'],
  ])('refuse %s', (_, call, kind, text) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(text);
  });
});

describe('tables of the addon', () => {
  it('are the golden ones', () => {
    const wanted = goldenLines('tables').filter(([word]) => word === 'built');
    const found = TABLE_CASES.map((each) => {
      const { words, size } = built(each);
      const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
      return ['built', `${size}`, `${words.length}`, hashOf((into) => addon.hashBytes(bytes, into))];
    });
    expect(found).toEqual(wanted);
  });

  it('move at most a percent of the keys of those that stay when one of ten leaves (Maglev)', () => {
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
    const before = maglevOf(names);
    const moved = names.map((gone) => {
      const after = maglevOf(names.filter((name) => name !== gone));
      return before.filter((slot, entry) => slot !== Number(gone.slice(1)) && slot !== after[entry]).length;
    });
    expect(Math.max(...moved)).toBeLessThan(656);
  });

  it.each([
    ['no array of names', () => addon.buildMaglev('a' as never, new Uint16Array(1), new Uint32Array(1), 7), TypeError],
    ['a number as a name', () => addon.buildMaglev([7 as never], new Uint16Array(1), new Uint32Array(1), 7), TypeError],
    ['other arrays', () => addon.buildMaglev(['a'], new Int32Array(1) as never, new Uint32Array(1), 7), TypeError],
    ['too few weights', () => addon.buildMaglev(['a'], new Uint16Array(1), new Uint32Array(0), 7), RangeError],
    ['entries that are no prime', () => addon.buildMaglev([], new Uint16Array(0), new Uint32Array(0), 8), RangeError],
    ['a fraction of points', () => addon.buildKetama([], new Uint16Array(0), new Uint32Array(0), 1.5), RangeError],
    [
      'room for fewer points than endpoints',
      () => addon.buildKetama(['a:1', 'b:1'], new Uint16Array(2), new Uint32Array(2).fill(100), 1),
      RangeError,
    ],
  ])('refuse %s', (_, call, kind) => {
    expect(call).toThrow(kind);
  });
});
