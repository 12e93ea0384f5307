/** Sizes: units, refusals with hints, and that writing and reading agree. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSize, parseSize, SIZE_PATTERN } from '../../../src/config/size.js';

describe('size', () => {
  it.each([
    ['512B', 512],
    ['16KiB', 16_384],
    ['1MiB', 1_048_576],
    ['1.5MiB', 1_572_864],
    ['0.5KiB', 512],
    ['2GiB', 2_147_483_648],
    ['0B', 0],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  it.each([
    ['16', 'add a unit: 16B for bytes or 16KiB for 1024 bytes each'],
    ['16k', 'write 16KiB'],
    ['16K', 'write 16KiB'],
    ['16kb', 'write 16KiB'],
    ['16KB', 'write 16KiB'],
    ['16kib', 'write 16KiB'],
    ['16 KiB', 'write 16KiB'],
    ['1m', 'write 1MiB'],
    ['1MB', 'write 1MiB'],
    ['1g', 'write 1GiB'],
    ['512b', 'write 512B'],
    ['512 bytes', 'write 512B'],
    ['-1KiB', 'a size is not negative'],
    ['1TiB', 'the units are B, KiB, MiB and GiB'],
    ['big', 'the units are B, KiB, MiB and GiB'],
    ['', 'the units are B, KiB, MiB and GiB'],
    ['0.3B', null],
    ['99999999999GiB', null],
  ])('refuses %j', (text, hint) => {
    expect(parseSize(text)).toMatchObject({ ok: false, hint });
  });

  it('is read back as it was written, and matches the pattern for editors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toEqual({ ok: true, value: bytes });
        expect(formatSize(bytes)).toMatch(new RegExp(SIZE_PATTERN));
      }),
    );
  });
});
