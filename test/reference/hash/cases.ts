/** The cases of the golden files in test/golden/hash, and the files' text as the reference gives it. */
import { crc32 } from './crc32.js';
import { ketamaPoints, ketamaRing, type Member, maglevSlots, ringWords, slotWords } from './tables.js';
import { xxHash64 } from './xxhash64.js';

const SEEDS = [0n, 1n, 0x9e3779b97f4a7c15n, 0xffff_ffff_ffff_ffffn];
const SHORT_LENGTHS = Array.from({ length: 257 }, (_, length) => length);
const LONG_LENGTHS = [1_000, 4_096, 65_537];

/** Names, as a configuration has them, of 10.0.0.1:80 and so on. */
const numbered = (count: number): Member[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `10.0.${index >> 8}.${index & 255}:80`,
    slot: index,
    weight: 100,
  }));

/** A table to be built. */
export interface TableCase {
  readonly kind: 'ketama' | 'maglev';
  /** ketama: most points; maglev: entries. */
  readonly room: number;
  readonly members: readonly Member[];
}

const ALL_FORMS: readonly Member[] = [
  { name: 'unix:/run/api.sock', slot: 65_535, weight: 100 },
  { name: '[2001:db8::1]:443', slot: 9, weight: 250 },
  { name: 'api.internal:9001', slot: 3, weight: 1 },
  { name: '127.0.0.1:8081', slot: 40_000, weight: 333 },
  { name: '127.0.0.1:8082', slot: 5, weight: 0 },
];
/** Names and weights of Envoy's own tests, whose tables are known (maglev_lb_test.cc: Basic, BasicWithHostName, Weighted). */
const ENVOY_ADDRESSES = [90, 91, 92, 93, 94, 95].map((port, slot) => ({
  name: `127.0.0.1:${port}`,
  slot,
  weight: 100,
}));
const ENVOY_NAMES = ENVOY_ADDRESSES.map((member) => ({ ...member, name: member.name.slice(-2) }));
const ENVOY_WEIGHTED = [
  { name: '127.0.0.1:90', slot: 0, weight: 100 },
  { name: '127.0.0.1:91', slot: 1, weight: 200 },
];

export const TABLE_CASES: readonly TableCase[] = [
  { kind: 'ketama', room: 4_096, members: [{ name: '127.0.0.1:8081', slot: 0, weight: 100 }] },
  { kind: 'ketama', room: 4_096, members: ALL_FORMS },
  { kind: 'ketama', room: 4_096, members: numbered(12) },
  // More points than there is room for: fewer for all, one at least.
  { kind: 'ketama', room: 100, members: ALL_FORMS },
  { kind: 'ketama', room: 2_048, members: numbered(100) },
  { kind: 'ketama', room: 300, members: [...numbered(10), { name: '10.1.0.0:80', slot: 10, weight: 6_553_500 }] },
  { kind: 'ketama', room: 262_144, members: numbered(300) },
  { kind: 'ketama', room: 16, members: [] },
  { kind: 'maglev', room: 7, members: ENVOY_ADDRESSES },
  { kind: 'maglev', room: 7, members: ENVOY_NAMES },
  { kind: 'maglev', room: 17, members: ENVOY_WEIGHTED },
  { kind: 'maglev', room: 5, members: numbered(9) },
  { kind: 'maglev', room: 251, members: ALL_FORMS },
  { kind: 'maglev', room: 65_537, members: ALL_FORMS },
  { kind: 'maglev', room: 65_537, members: numbered(10) },
  { kind: 'maglev', room: 65_537, members: numbered(1_000) },
  { kind: 'maglev', room: 65_537, members: [...numbered(10), { name: '10.1.0.0:80', slot: 10, weight: 6_553_500 }] },
  { kind: 'maglev', room: 65_537, members: [] },
];

/** Bytes without a pattern: the high byte of each state of a linear congruential generator that begins at 1. */
export function madeBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

const hex = (value: number | bigint, digits: number): string => value.toString(16).padStart(digits, '0');

/** Which words a table has, without listing them: xxHash64 over them, each with its low byte first. */
export function digestOf(words: Uint32Array): string {
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => void bytes.writeUInt32LE(word, index * 4));
  return hex(xxHash64(bytes), 16);
}

const ABOUT_BYTES =
  '# The bytes are the first LENGTH of these: state = state * 1664525 + 1013904223 mod 2^32 from 1 on, its highest byte.';

/** Text of xxhash64.txt. */
export function xxHash64Lines(): string {
  const lines = [...SHORT_LENGTHS, ...LONG_LENGTHS].flatMap((length) =>
    SEEDS.map((seed) => `${length} ${hex(seed, 16)} ${hex(xxHash64(madeBytes(length), seed), 16)}`),
  );
  return ['# LENGTH SEED XXHASH64', ABOUT_BYTES, ...lines, ''].join('\n');
}

/** Text of crc32.txt. */
export function crc32Lines(): string {
  const lines = [...SHORT_LENGTHS, ...LONG_LENGTHS].map((length) => `${length} ${hex(crc32(madeBytes(length)), 8)}`);
  return ['# LENGTH CRC32', ABOUT_BYTES, ...lines, ''].join('\n');
}

/** Text of points.txt. */
export function pointLines(): string {
  const lines = [...ALL_FORMS.map(({ name }) => name), '[::1]:8080', 'unix:@name'].map(
    (name) =>
      `${name} ${ketamaPoints(name, 160)
        .map((point) => hex(point, 8))
        .join(' ')}`,
  );
  return ['# NAME and its first 160 points', ...lines, ''].join('\n');
}

/** Text of tables.txt. */
export function tableLines(): string {
  const blocks = TABLE_CASES.map(({ kind, room, members }) => {
    const ring = kind === 'ketama' ? ketamaRing(members, room) : [];
    const slots = kind === 'maglev' ? maglevSlots(members, room) : ring.map(({ slot }) => slot);
    const words = kind === 'ketama' ? ringWords(ring) : slotWords(slots);
    return [
      `${kind} ${room}`,
      ...members.map(({ name, slot, weight }) => `member ${name} ${slot} ${weight}`),
      `built ${slots.length} ${words.length} ${digestOf(words)}`,
      // Short tables in full, so that a difference can be read.
      ...(slots.length > 0 && slots.length <= 400 ? [`slots ${slots.join(' ')}`] : []),
    ];
  });
  return [
    '# KIND ROOM (ketama: most points; maglev: entries), then: member NAME SLOT WEIGHT (in hundredths),',
    '# built ENTRIES WORDS DIGEST (xxHash64 of the words, low byte first), and of short tables: slots SLOT …',
    ...blocks.flat(),
    '',
  ].join('\n');
}
