/** Sizes as users write them: a number of bytes with a binary unit, or `unlimited`. */
import type { Parsed } from './address.js';

/** Units from the largest to the smallest, in bytes. */
const UNITS = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
] as const;

const SIZE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/;

/** What an editor checks a size against (JSON Schema `pattern`). */
export const SIZE_PATTERN = '^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB)$';

/**
 * Reads a size such as "512B", "16KiB" or "1.5MiB". A bare number, and units that mean 1000 to some and 1024 to others, are refused.
 *
 * @returns whole bytes
 */
export function parseSize(text: string): Parsed<number> {
  const parts = SIZE.exec(text);
  if (parts === null) return { ok: false, expected: 'a size such as 512B, 16KiB or 1MiB', hint: hintFor(text) };
  const [, digits, unitName] = parts;
  const bytes = Number(digits) * (UNITS.find(([name]) => name === unitName)?.[1] ?? 1);
  if (!Number.isSafeInteger(bytes)) return { ok: false, expected: 'a size of whole bytes', hint: null };
  return { ok: true, value: bytes };
}

/** Writes bytes in the largest unit that keeps them whole: 16384 is "16KiB", 1000 is "1000B". */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B';
  const [name, unitBytes] = UNITS.find(([, size]) => bytes % size === 0) ?? (['B', 1] as const);
  return `${bytes / unitBytes}${name}`;
}

function hintFor(text: string): string | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return `add a unit: ${trimmed}B for bytes or ${trimmed}KiB for 1024 bytes each`;
  if (trimmed.startsWith('-')) return 'a size is not negative';
  const parts = /^(\d+(?:\.\d+)?)\s*([kmgb])(i?b)?(ytes?)?$/i.exec(trimmed);
  if (parts === null) return 'the units are B, KiB, MiB and GiB';
  const [, digits = '', letter = ''] = parts;
  return `write ${digits}${letter.toLowerCase() === 'b' ? 'B' : `${letter.toUpperCase()}iB`}`;
}
