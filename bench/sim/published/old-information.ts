/** Published: herding. What happens when many decide on a picture of the load that is out of date? */
import { poisson } from '../model/arrivals.js';
import { type BulletinChoice, BulletinSteering } from '../model/bulletin.js';
import { exponential } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { MeanLatency } from '../model/recording.js';
import { fleetFor, play, type Scenario } from '../model/scenario.js';
import { difference } from '../report/table.js';
import type { Story } from '../story.js';
import { twoChoicesByOldBoard } from './formulas.js';

const QUEUES = 100;
const SERVICE_MS = 10;
const RHO = 0.9;
const PERIODS = [0.1, 0.5, 1, 2, 5, 10, 20, 50];
const QUICK_PERIODS = [1, 10];
const WAYS: readonly BulletinChoice[] = ['any', 'lesser of two', 'least'];

export const OLD_INFORMATION: Story = {
  name: 'old-information',
  title: 'Herding: deciding on old information',
  model: [
    `${QUEUES} endpoints that serve one request after the other, exponential work, Poisson arrivals at a load of ${RHO}. In the published model (Mitzenmacher, [How Useful Is Old Information?](https://www.eecs.harvard.edu/~michaelm/abstracts/tpds2000.html), 2000) the loads stand on a bulletin board that is written anew every T service times; whoever picks sees only that. Its findings: two choices stay good over a large range of T, while everybody's going to the apparently least loaded endpoint can be worse than choosing blindly.`,
    "Beside it: sluice's own balancers. Their counts are on the board that all workers share, and a claim succeeds only if the count it was decided on still holds; there is no T.",
  ],
  steps: WAYS.length * PERIODS.length + 2,
  tell(telling) {
    const periods = telling.isQuick ? QUICK_PERIODS : PERIODS;
    const durationMs = (telling.isQuick ? 800 : 3_000) * SERVICE_MS;
    const scenario: Scenario = {
      endpoints: fleetOf(QUEUES, sound(1)),
      arrivals: poisson((RHO * QUEUES * 1_000) / SERVICE_MS),
      requests: { work: exponential(SERVICE_MS) },
      durationMs,
      seed: telling.seed,
    };
    const timeOf = (steering: Parameters<typeof play>[1]): number => {
      const observer = new MeanLatency(durationMs / 3);
      play(scenario, steering, observer);
      return observer.meanMs / SERVICE_MS;
    };
    const times = WAYS.map((way) =>
      periods.map((period) => {
        const time = timeOf(new BulletinSteering(way, QUEUES, period * SERVICE_MS, telling.seed));
        telling.step(`${way}, T = ${period}`);
        return time;
      }),
    ) as [number[], number[], number[]];
    const [randomTwo, leastConn] = (['random-two', 'least-conn'] as const).map((balance) => {
      const time = timeOf(fleetFor(scenario, { balance }));
      telling.step(`sluice, ${balance}`);
      return time;
    }) as [number, number];
    const limits = periods.map((period) => twoChoicesByOldBoard(RHO, period));
    const worst = Math.max(...limits.map((limit, at) => Math.abs(times[1][at]! / limit - 1)));
    const last = periods.length - 1;
    const flat = (time: number) => periods.map((period) => [period, time] as const);
    return {
      tables: [
        {
          caption: `Mean time in the system, in service times. Blind choice: published 1/(1 - rho) = ${(1 / (1 - RHO)).toFixed(2)}, ours ${times[0][0]!.toFixed(2)}. sluice, whatever T: \`random-two\` ${randomTwo.toFixed(2)}, \`least-conn\` ${leastConn.toFixed(2)} (100 endpoints: two choices).`,
          head: [
            'T',
            'two choices, published: limit',
            'two choices, ours',
            'difference',
            'least of all, ours',
            'random, ours',
          ],
          rows: periods.map((period, at) => [
            period,
            limits[at]!.toFixed(2),
            times[1][at]!.toFixed(2),
            difference(limits[at]!, times[1][at]!),
            times[2][at]!.toFixed(2),
            times[0][at]!.toFixed(2),
          ]),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'Mean time in the system by the age of the information',
            xLabel: 'T: service times between two updates of the loads, scale of tens',
            yLabel: 'service times, scale of tens',
            isLogX: true,
            isLogY: true,
            lines: [
              ...WAYS.map((way, index) => ({
                name: way === 'any' ? 'random' : way === 'least' ? 'least of all, old' : 'lesser of two, old',
                points: periods.map((period, at) => [period, times[index]![at]!] as const),
              })),
              { name: 'sluice: least-conn', points: flat(leastConn) },
              { name: 'sluice: random-two', points: flat(randomTwo) },
            ],
          },
        },
      ],
      targets: [
        {
          what: 'two choices against the published limiting system, largest difference',
          wanted: 'at most 10 %',
          found: `${(worst * 100).toFixed(1)} %`,
          isMet: worst <= 0.1,
        },
        {
          what: `least of all at T = ${periods[last]}, as published`,
          wanted: `worse than a blind choice (${times[0][last]!.toFixed(1)})`,
          found: times[2][last]!.toFixed(1),
          isMet: times[2][last]! > times[0][last]!,
        },
      ],
      notes: [],
    };
  },
};
