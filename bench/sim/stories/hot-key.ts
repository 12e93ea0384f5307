/** Story: requests are hashed by a key, and one key is asked for far more often than all others. */
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { poisson } from '../model/arrivals.js';
import { lognormal, type Sampler, uniform, zipf } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { percentile, type Recording } from '../model/recording.js';
import { ms, percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { type Contender, contest, latencyTable, told } from './contest.js';

const ENDPOINTS = 10;
const FACTOR = 1.25;
const HOT_SHARE = 0.3;
const KEYS = 2_000;

const bounded = (balance: BalancerName): Contender => ({
  name: `${balance} ${FACTOR}`,
  picking: { balance, loadFactor: FACTOR },
});
const CONTENDERS: readonly Contender[] = [
  { name: 'ketama', picking: { balance: 'ketama' } },
  bounded('ketama'),
  bounded('maglev'),
  bounded('rendezvous'),
  { name: 'least-conn', picking: { balance: 'least-conn' } },
];

/** The hot key in its share of the draws, else one of the others by Zipf's law. */
function withHotKey(): Sampler {
  const others = zipf(KEYS, 0.9);
  return (rng) => (uniform(rng) < HOT_SHARE ? 0 : 1 + others(rng));
}

export const HOT_KEY: Story = {
  name: 'hot-key',
  title: 'One hot key',
  model: [
    `${ENDPOINTS} endpoints with 8 places and a queue, work lognormal with a median of 20 ms (sigma 0.3): each can do about 380 requests a second. 1,600 come (Poisson), 42 % of what all can do together, with a key each: ${percent(HOT_SHARE, 0)} have the same one, the others are of ${KEYS.toLocaleString('en-US')} keys by Zipf's law (exponent 0.9). "${FACTOR}" is \`loadFactor: ${FACTOR}\`. Kept together are the requests that went where most of their key went: what a cache in the endpoint could have served.`,
  ],
  steps: CONTENDERS.length,
  tell(telling) {
    const durationMs = telling.isQuick ? 10_000 : 60_000;
    const scenario = {
      endpoints: fleetOf(ENDPOINTS, sound(8)),
      arrivals: poisson(1_600),
      requests: { work: lognormal(20, 0.3), key: withHotKey() },
      durationMs,
      seed: telling.seed,
    };
    const all = contest(scenario, CONTENDERS, telling);
    const during = [2_000, durationMs] as const;
    const most = (recording: Recording) => {
      const attempts = recording.attemptsOn(ENDPOINTS, ...during);
      return (Math.max(...attempts) * ENDPOINTS) / attempts.reduce((sum, count) => sum + count, 0);
    };
    const p99 = (name: string) => percentile(told(all, name).latencies(...during), 99);
    const boundedName = `ketama ${FACTOR}`;
    return {
      tables: [
        latencyTable(all, during, [
          { head: 'busiest endpoint, of the mean', cell: (recording) => most(recording).toFixed(2) },
          { head: 'kept together', cell: (recording) => percent(recording.locality()) },
        ]),
      ],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'One hot key: requests of each endpoint',
            xLabel: 'endpoints, the busiest first',
            yLabel: 'requests, multiples of the mean',
            groups: Array.from({ length: ENDPOINTS }, (_, at) => String(at + 1)),
            series: all.map(({ name, recording }) => {
              const attempts = recording.attemptsOn(ENDPOINTS, ...during);
              const mean = attempts.reduce((sum, count) => sum + count, 0) / ENDPOINTS;
              return { name, values: attempts.map((count) => count / mean).sort((a, b) => b - a) };
            }),
          },
        },
      ],
      targets: [
        {
          what: `P99 of ketama with loadFactor ${FACTOR}`,
          wanted: `below a tenth of that without (${ms(p99('ketama'))})`,
          found: ms(p99(boundedName)),
          isMet: p99(boundedName) < p99('ketama') / 10,
        },
        atMost('busiest endpoint with the bound, of the mean', 1.5, most(told(all, boundedName)), (value) =>
          value.toFixed(2),
        ),
        {
          what: 'kept together with the bound',
          wanted: 'more than twice as much as with least-conn',
          found: percent(told(all, boundedName).locality()),
          isMet: told(all, boundedName).locality() > 2 * told(all, 'least-conn').locality(),
        },
      ],
      notes: [
        'The hot key alone is more than one endpoint can do: without a bound its queue grows for as long as the story lasts, so those latencies are of a collapse. The bound is of requests in flight at a moment; requests over a long time may be a little more uneven than that.',
      ],
    };
  },
};
