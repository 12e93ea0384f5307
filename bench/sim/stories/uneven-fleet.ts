/** Story: a fleet of three generations of machines, 1 : 2 : 3 in speed, with and without weights that say so. */
import { poisson } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { percentile } from '../model/recording.js';
import type { ScenarioEndpoint } from '../model/scenario.js';
import { ms, percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { contest, latencyTable, plain, type Told, told } from './contest.js';

const CONTENDERS = plain('round-robin', 'random-two', 'least-conn', 'peak-ewma', 'least-time');
const WARM_UP_MS = 10_000;
/** Two endpoints of each kind. */
const SPEEDS = [1, 1, 2, 2, 3, 3];
const TOTAL_SPEED = 12;

function endpoints(isWeighted: boolean): ScenarioEndpoint[] {
  return SPEEDS.flatMap((speed) =>
    fleetOf(1, sound(4, 3 / speed)).map((one) => ({ ...one, weight: isWeighted ? speed : 1 })),
  );
}

/** Shares of the three kinds together: "8 : 33 : 59". */
function sharesOf({ recording }: Told, during: readonly [number, number]): string {
  const attempts = recording.attemptsOn(SPEEDS.length, ...during);
  const all = attempts.reduce((sum, count) => sum + count, 0);
  return [0, 2, 4].map((at) => Math.round(((attempts[at]! + attempts[at + 1]!) / all) * 100)).join(' : ');
}

export const UNEVEN_FLEET: Story = {
  name: 'uneven-fleet',
  title: 'A fleet of 1 : 2 : 3',
  model: [
    'Six endpoints with 4 places and a queue, two of each kind; the work of a request is lognormal with a median of 20 ms (sigma 0.4) on the fastest, one and a half times that on the middle ones, three times on the slowest. 600 requests a second (Poisson): 81 % of what the fleet can do. Once with equal weights, once with weights 1, 2 and 3.',
  ],
  steps: 2 * CONTENDERS.length,
  tell(telling) {
    const durationMs = telling.isQuick ? 25_000 : 200_000;
    const during = [WARM_UP_MS, durationMs] as const;
    const [equal, weighted] = [false, true].map((isWeighted) =>
      contest(
        {
          endpoints: endpoints(isWeighted),
          arrivals: poisson(600),
          requests: { work: lognormal(20, 0.4) },
          durationMs,
          seed: telling.seed,
        },
        CONTENDERS,
        telling,
      ),
    ) as [Told[], Told[]];
    const p95 = (all: readonly Told[], name: string) => percentile(told(all, name).latencies(...during), 95);
    const tableOf = (caption: string, all: readonly Told[]) => {
      const table = latencyTable(all, during);
      return {
        caption,
        head: [...table.head, 'shares, slow : middle : fast (%)'],
        rows: table.rows.map((row, at) => [...row, sharesOf(all[at]!, during)]),
      };
    };
    const fast = told(weighted, 'round-robin').attemptsOn(SPEEDS.length, ...during);
    const exact = Math.abs(fast[4]! / fast.reduce((sum, count) => sum + count, 0) - 3 / TOTAL_SPEED);
    return {
      tables: [tableOf('Equal weights:', equal), tableOf('Weights 1, 2, 3:', weighted)],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'P95 of a fleet of 1 : 2 : 3, with and without weights',
            xLabel: 'balancer',
            yLabel: 'P95 in ms, scale of tens',
            groups: CONTENDERS.map(({ name }) => name),
            series: [
              { name: 'equal weights', values: CONTENDERS.map(({ name }) => p95(equal, name)) },
              { name: 'weights 1, 2, 3', values: CONTENDERS.map(({ name }) => p95(weighted, name)) },
            ],
            isLogY: true,
          },
        },
      ],
      targets: [
        atMost('error of a share, round-robin with weights', 0.001, exact, (value) => percent(value, 2)),
        {
          what: 'P95 with least-time and equal weights',
          wanted: `below a tenth of round-robin's (${ms(p95(equal, 'round-robin'))})`,
          found: ms(p95(equal, 'least-time')),
          isMet: p95(equal, 'least-time') < p95(equal, 'round-robin') / 10,
        },
      ],
      notes: [
        'With equal weights round-robin gives the slow endpoints more than they can do; their queues grow for as long as the story lasts, so its figures are those of a collapse, not of an equilibrium.',
      ],
    };
  },
};
