/** Published: Maglev's table (NSDI 2016). How even is it, and how much of it changes when an endpoint leaves, beside ketama and rendezvous? */
import { ketamaRing, type Member, maglevSlots, type RingEntry } from '../../../test/reference/hash/tables.js';
import { hashBits } from '../model/scenario.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';

const COUNTS = [10, 100, 1_000];
/** The paper's two sizes; sluice's tables have the first. */
const SIZES = [65_537, 655_373];
const MOST_POINTS = 262_144;
const TWO_TO_32 = 2 ** 32;

function members(count: number): Member[] {
  return Array.from({ length: count }, (_, slot) => ({
    name: `10.${slot >> 8}.${slot & 255}.1:8080`,
    slot,
    weight: 100,
  }));
}

/** Shares of all hashes that belong to each endpoint, of the mean: [least, most]. */
function rangeOf(shares: readonly number[]): readonly [number, number] {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return [Math.min(...shares) / mean, Math.max(...shares) / mean];
}

function entriesOf(slots: readonly number[], count: number): number[] {
  const entries = new Array<number>(count).fill(0);
  for (const slot of slots) entries[slot]! += 1;
  return entries;
}

/** Share of the entries that were not the leaver's and have changed. */
function changed(before: readonly number[], after: readonly number[], leaver: number): number {
  return before.reduce((sum, slot, at) => sum + (slot !== leaver && slot !== after[at] ? 1 : 0), 0) / before.length;
}

/** Arcs of the ring that belong to each endpoint. */
function arcsOf(ring: readonly RingEntry[], count: number): number[] {
  const arcs = new Array<number>(count).fill(0);
  ring.forEach(({ point, slot }, at) => {
    const before = at === 0 ? ring.at(-1)!.point - TWO_TO_32 : ring[at - 1]!.point;
    arcs[slot]! += point - before;
  });
  return arcs;
}

/** Endpoint of a hash on the ring: that of the first point at or behind it. */
function ownerOf(ring: readonly RingEntry[], hash: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ring[middle]!.point < hash) low = middle + 1;
    else high = middle;
  }
  return ring[low % ring.length]!.slot;
}

/** Endpoints of as many keys as a table has entries. */
function ownersOf(ring: readonly RingEntry[]): number[] {
  return Array.from({ length: SIZES[0]! }, (_, key) => ownerOf(ring, hashBits(key)));
}

/** Keys that rendezvous hashing gives to each endpoint: by the highest of independent random numbers. */
function rendezvousCounts(count: number, keys: number, seed: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (let key = 0; key < keys; key++) {
    let best = 0;
    let highest = -1;
    for (let endpoint = 0; endpoint < count; endpoint++) {
      const value = hashBits(hashBits(key * 31 + seed) ^ hashBits(endpoint + 1));
      if (value > highest) {
        highest = value;
        best = endpoint;
      }
    }
    counts[best]! += 1;
  }
  return counts;
}

export const MAGLEV_EVENNESS: Story = {
  name: 'maglev-evenness',
  title: 'Maglev: evenness and disruption',
  model: [
    "Published ([Maglev](https://research.google/pubs/maglev-a-fast-and-reliable-software-network-load-balancer/), section 3.4): endpoints take entries in turn, so their shares differ by one entry, at most 1 % when the table has more than 100 entries for each endpoint; removing an endpoint changes a few entries of others, too, the fewer the larger the table. The paper's tables have 65,537 and 655,373 entries; sluice's have 65,537. Tables and rings are those of the reference in `test/reference/hash/tables.ts`, which golden files hold to the native builders entry by entry.",
    'Keys in a table are as even as its entries. Of rendezvous hashing the shares of 65,537 keys are counted, with scores that the simulator draws; what is uneven there is chance. A ring of ketama has 160 points for each endpoint.',
  ],
  steps: COUNTS.length,
  tell(telling) {
    const counts = telling.isQuick ? [10, 100] : COUNTS;
    const sizes = telling.isQuick ? [65_537] : SIZES;
    const even: (string | number)[][] = [];
    const moved: (string | number)[][] = [];
    let mostUneven = 0;
    let mostMoved = 0;
    let mostMovedOnRing = 0;
    const bars: { name: string; values: number[] }[] = [];
    const range = ([least, most]: readonly [number, number]) => `${least.toFixed(3)} to ${most.toFixed(3)}`;
    for (const count of counts) {
      const all = members(count);
      const leaver = Math.floor(count / 3);
      const rest = all.filter(({ slot }) => slot !== leaver);
      for (const size of sizes) {
        const before = maglevSlots(all, size);
        const [least, most] = rangeOf(entriesOf(before, count));
        const floor = Math.floor(size / count) / (size / count);
        const ceiling = Math.ceil(size / count) / (size / count);
        const beside = changed(before, maglevSlots(rest, size), leaver);
        even.push([
          `maglev, ${size.toLocaleString('en-US')}`,
          count,
          range([floor, ceiling]),
          range([least, most]),
          percent(most - least, 2),
        ]);
        moved.push([`maglev, ${size.toLocaleString('en-US')}`, count, percent(1 / count, 2), percent(beside, 2)]);
        if (size >= 100 * count) mostUneven = Math.max(mostUneven, most - least);
        if (size === SIZES[0]) {
          mostMoved = Math.max(mostMoved, beside);
          bars.push({ name: `maglev, ${count}`, values: [(most - 1) * 100, beside * 100] });
        }
      }
      const ring = ketamaRing(all, MOST_POINTS);
      const ketama = rangeOf(arcsOf(ring, count));
      const besideRing = changed(ownersOf(ring), ownersOf(ketamaRing(rest, MOST_POINTS)), leaver);
      mostMovedOnRing = Math.max(mostMovedOnRing, besideRing);
      even.push(['ketama, 160 points', count, '–', range(ketama), percent(ketama[1] - ketama[0], 2)]);
      moved.push(['ketama, 160 points', count, percent(1 / count, 2), percent(besideRing, 2)]);
      const rendezvous = rangeOf(rendezvousCounts(count, SIZES[0]!, telling.seed));
      even.push(['rendezvous', count, '–', range(rendezvous), percent(rendezvous[1] - rendezvous[0], 2)]);
      telling.step(`${count} endpoints`);
    }
    return {
      tables: [
        {
          caption: 'Shares of the endpoints, of the mean:',
          head: ['table', 'endpoints', 'published', 'ours', 'between least and most'],
          rows: even,
        },
        {
          caption: 'One endpoint leaves:',
          head: ['table', 'endpoints', 'its own keys', 'keys of others that move'],
          rows: moved,
        },
      ],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'Maglev with 65,537 entries: unevenness and disruption',
            xLabel: '',
            yLabel: 'in %',
            groups: ['fullest above the mean', 'keys of others that move when one leaves'],
            series: bars,
          },
        },
      ],
      targets: [
        atMost('difference of shares where there are 100 entries for each, as published', 0.01, mostUneven, (value) =>
          percent(value, 2),
        ),
        atMost('keys of others that move when one endpoint leaves, 65,537 entries', 0.02, mostMoved, (value) =>
          percent(value, 2),
        ),
        atMost('the same with ketama, whose points stay where they are', 0, mostMovedOnRing, (value) =>
          percent(value, 2),
        ),
      ],
      notes: [
        'With rendezvous no key of others can move: the highest score stays the highest. sluice makes its tables over all endpoints whatever their health, so an endpoint that is unhealthy for a while moves only its own keys with Maglev, too; the figures above are for one that leaves the configuration.',
      ],
    };
  },
};
