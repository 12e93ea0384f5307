/** Tables of hashes built in the plainest way that gives them: what the addon's builders are compared with. */
import { crc32 } from './crc32.js';
import { xxHash64 } from './xxhash64.js';

/** An endpoint in a table. */
export interface Member {
  readonly name: string;
  readonly slot: number;
  /** In hundredths. */
  readonly weight: number;
}

/** A point of a ring with the slot that it belongs to. */
export interface RingEntry {
  readonly point: number;
  readonly slot: number;
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

function inOrder(members: readonly Member[]): Member[] {
  return members
    .filter(({ weight }) => weight > 0)
    .sort((left, right) => Buffer.compare(bytesOf(left.name), bytesOf(right.name)) || left.slot - right.slot);
}

/** The first points of an endpoint (nginx's HOST \0 PORT and the point before). */
export function ketamaPoints(name: string, count: number): number[] {
  const colon = name.lastIndexOf(':');
  const isUnix = name.startsWith('unix:');
  const host = isUnix ? name.slice('unix:'.length) : name.slice(0, colon);
  const port = isUnix ? '' : name.slice(colon + 1);
  const points: number[] = [];
  for (let before = 0; points.length < count; ) {
    const last = Buffer.alloc(4);
    last.writeUInt32LE(before);
    before = crc32(Buffer.concat([bytesOf(`${host}\0${port}`), last]));
    points.push(before);
  }
  return points;
}

/** A ring of at most `mostPoints`. */
export function ketamaRing(members: readonly Member[], mostPoints: number): RingEntry[] {
  const ordered = inOrder(members);
  const wanted = ordered.map(({ weight }) => Math.max(1, Math.floor((160 * weight + 50) / 100)));
  const total = wanted.reduce((sum, count) => sum + count, 0);
  const spare = BigInt(mostPoints - ordered.length);
  const counts =
    total <= mostPoints
      ? wanted
      : wanted.map((count) => 1 + Number((BigInt(count - 1) * spare) / BigInt(total - ordered.length)));
  const owners = new Map<number, number>();
  ordered.forEach(({ name, slot }, index) => {
    // The first name keeps a point that two have.
    for (const point of ketamaPoints(name, counts[index] as number)) {
      if (!owners.has(point)) owners.set(point, slot);
    }
  });
  return [...owners].map(([point, slot]) => ({ point, slot })).sort((left, right) => left.point - right.point);
}

/** A table of slots: round after round over all members, as Envoy tells it. */
export function maglevSlots(members: readonly Member[], size: number): number[] {
  const entries = inOrder(members).map(({ name, slot, weight }) => ({
    slot,
    weight,
    offset: Number(xxHash64(bytesOf(name)) % BigInt(size)),
    skip: Number(xxHash64(bytesOf(name), 1n) % BigInt(size - 1)) + 1,
    steps: 0,
    target: 0,
  }));
  if (entries.length === 0) return [];
  const heaviest = Math.max(...entries.map(({ weight }) => weight));
  const slots = new Array<number>(size).fill(-1);
  let filled = 0;
  for (let round = 1; filled < size; round++) {
    for (const entry of entries) {
      if (filled === size || round * entry.weight < entry.target) continue;
      entry.target += heaviest;
      const at = (): number => (entry.offset + entry.skip * entry.steps) % size;
      while (slots[at()] !== -1) entry.steps++;
      slots[at()] = entry.slot;
      filled++;
    }
  }
  return slots;
}

function packed(slots: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(slots.length / 2) }, (_, word) => {
    return ((slots[2 * word] as number) | ((slots[2 * word + 1] ?? 0) << 16)) >>> 0;
  });
}

/** The words of a ring as they go to the board. */
export function ringWords(ring: readonly RingEntry[]): Uint32Array {
  return Uint32Array.from([...ring.map(({ point }) => point), ...packed(ring.map(({ slot }) => slot))]);
}

/** The words of a table of slots as they go to the board. */
export function slotWords(slots: readonly number[]): Uint32Array {
  return Uint32Array.from(packed(slots));
}
