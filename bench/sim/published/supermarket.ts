/** Published: the supermarket model. How long does a request take when it joins the shorter of d queues? */
import { poisson } from '../model/arrivals.js';
import { BulletinSteering } from '../model/bulletin.js';
import { exponential } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { MeanLatency } from '../model/recording.js';
import { fleetFor, play, type Scenario } from '../model/scenario.js';
import { difference } from '../report/table.js';
import type { Story } from '../story.js';
import { supermarketTime } from './formulas.js';

const QUEUES = 100;
const SERVICE_MS = 10;
const LOADS = [0.5, 0.7, 0.9, 0.95, 0.99];
const QUICK_LOADS = [0.5, 0.9];
const CHOICES = [1, 2, 3];
/** What chance may add in runs of these lengths, in per cent: alone, a queue at 0.9 forgets its past only in hundreds of service times. */
const NOISE = [10, 4, 4];

/** Service times that a run takes: the heavier the load, the longer until the queues have forgotten that they began empty. */
function lengthOf(rho: number, choices: number, isQuick: boolean): number {
  if (isQuick) return 1_000;
  if (rho < 0.9) return 4_000;
  if (rho < 0.99) return 8_000;
  return choices === 1 ? 20_000 : 8_000;
}

export const SUPERMARKET: Story = {
  name: 'supermarket',
  title: 'The supermarket model: time in the system',
  model: [
    `${QUEUES} endpoints that serve one request after the other, exponential work, Poisson arrivals. Published: with very many queues the expected time, in service times, is the sum over i of rho^((d^i - d)/(d - 1)); for d = 1 it is 1/(1 - rho) (M/M/1). The paper, too, simulated 100 queues. d = 1 is \`random\`, d = 2 is \`random-two\`; d = 3 is drawn by the simulator.`,
  ],
  steps: CHOICES.length * LOADS.length,
  tell(telling) {
    const loads = telling.isQuick ? QUICK_LOADS : LOADS;
    const rows: (string | number)[][] = [];
    const found = new Map<string, number>();
    for (const choices of CHOICES) {
      for (const rho of loads) {
        const durationMs = lengthOf(rho, choices, telling.isQuick) * SERVICE_MS;
        const scenario: Scenario = {
          endpoints: fleetOf(QUEUES, sound(1)),
          arrivals: poisson((rho * QUEUES * 1_000) / SERVICE_MS),
          requests: { work: exponential(SERVICE_MS) },
          durationMs,
          seed: telling.seed,
        };
        const observer = new MeanLatency(durationMs / 3);
        const steering =
          choices === 3
            ? new BulletinSteering('least of three', QUEUES, 0, telling.seed)
            : fleetFor(scenario, { balance: choices === 1 ? 'random' : 'random-two' });
        play(scenario, steering, observer);
        const ours = observer.meanMs / SERVICE_MS;
        const published = supermarketTime(rho, choices);
        found.set(`${choices}/${rho}`, ours);
        rows.push([choices, rho, published.toFixed(4), ours.toFixed(4), difference(published, ours)]);
        telling.step(`${choices} choices at ${rho}`);
      }
    }
    const worst = (choices: number, most: number) =>
      Math.max(
        ...loads
          .filter((rho) => rho <= most)
          .map((rho) => Math.abs(found.get(`${choices}/${rho}`)! / supermarketTime(rho, choices) - 1)),
      );
    return {
      tables: [{ head: ['choices', 'load (rho)', 'published: limit', 'ours, 100 queues', 'difference'], rows }],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'Time in the system with one, two and three choices',
            xLabel: 'load of each endpoint (rho)',
            yLabel: 'service times, scale of tens',
            isLogY: true,
            lines: CHOICES.flatMap((choices) => [
              {
                name: `${choices} ${choices === 1 ? 'choice' : 'choices'}, ours`,
                points: loads.map((rho) => [rho, found.get(`${choices}/${rho}`)!] as const),
              },
              {
                name: 'limit',
                points: loads.map((rho) => [rho, supermarketTime(rho, choices)] as const),
              },
            ]),
          },
        },
      ],
      targets: [1, 2, 3].map((choices) => ({
        what: `largest difference up to a load of 0.9, ${choices} ${choices === 1 ? 'choice' : 'choices'}`,
        wanted: `at most ${NOISE[choices - 1]} %`,
        found: `${(worst(choices, 0.9) * 100).toFixed(1)} %`,
        isMet: worst(choices, 0.9) * 100 <= NOISE[choices - 1]!,
      })),
      notes: [
        'The formula is for endlessly many queues. With 100 the real time is longer, the more so the heavier the load: with d choices a queue is short because there is always another short one to be drawn, and among 100 there is not always. The paper reports the same for its own 100 queues. One queue alone at 0.99 forgets that it began empty only after tens of thousands of service times, more than this run has: there our figure is too low.',
      ],
    };
  },
};
