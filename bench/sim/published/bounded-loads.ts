/** Published: consistent hashing with bounded loads, arXiv 1608.01350. How full is the fullest, and how much moves when one leaves? */
import { PickKey } from '../../../src/balancing/balancer.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { UpstreamPicker } from '../../../src/balancing/upstream-picker.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { boardOf } from '../model/fleet.js';
import { mean } from '../model/recording.js';
import { hashBits } from '../model/scenario.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';

const ENDPOINTS = 50;
const FACTORS = [1.1, 1.25, 1.5, 2, 3];
const BALANCES = ['ketama', 'maglev'] as const satisfies readonly BalancerName[];
const SALT = 0x51_7c_c1;

/** Where each of the requests went; none of them ends. @param without an endpoint that takes no work; -1: all do */
function placed(
  balance: BalancerName,
  loadFactor: number,
  requests: number,
  without: number,
  seed: number,
): Int16Array {
  const { board, plan } = boardOf({
    endpoints: Array.from({ length: ENDPOINTS }, () => ({})),
    picking: { balance, loadFactor },
    workers: 1,
    isApart: false,
    seed,
  });
  const leaver = plan.endpoints[without];
  if (leaver) board.control.setEnabled(leaver.slot, false);
  const picker = new UpstreamPicker(plan, attachBoard(board.buffer, 0), seededRng(seed), null);
  const key = new PickKey();
  return Int16Array.from({ length: requests }, (_, request) => {
    key.hash = hashBits(seed * requests + request);
    key.hashHigh = hashBits(key.hash ^ SALT);
    // A tick of its own for each, so that the mean is never behind.
    return picker.pick(key, NONE_TRIED, request + 1);
  });
}

function countsOf(places: Int16Array): number[] {
  const counts = new Array<number>(ENDPOINTS).fill(0);
  for (const endpoint of places) counts[endpoint]! += 1;
  return counts;
}

/** How many of what stayed went elsewhere. */
function movedBeside(before: Int16Array, after: Int16Array, leaver: number): number {
  return before.reduce((moved, endpoint, at) => moved + (endpoint !== leaver && endpoint !== after[at] ? 1 : 0), 0);
}

export const BOUNDED_LOADS: Story = {
  name: 'bounded-loads',
  title: 'Bounded loads',
  model: [
    `${ENDPOINTS} endpoints, 5,000 requests with a key each, of which none ends. Published ([arXiv 1608.01350](https://arxiv.org/abs/1608.01350), Mirrokni, Thorup, Zadimoghaddam) for a capacity of c = 1 + ε times the mean: no endpoint is above c times the mean, rounded up, and when an endpoint leaves or joins, O(1/ε²) times the mean load moves in expectation (for ε up to 1), whatever the number of endpoints. The paper proves the order, not the constant; the table shows ours. The paper's figures of simulations were not at hand and are not quoted.`,
    'Moved: with the same requests placed again after one endpoint has left, those that had been elsewhere and changed all the same, in units of the mean load. The minimum is 0.',
  ],
  steps: BALANCES.length * (FACTORS.length + 1),
  tell(telling) {
    const requests = 5_000;
    const repeats = telling.isQuick ? 1 : 5;
    const meanLoad = requests / ENDPOINTS;
    const found = BALANCES.map((balance) =>
      [0, ...FACTORS].map((factor) => {
        const trials = Array.from({ length: repeats }, (_, at) => {
          const seed = telling.seed * 131 + at;
          const home = placed(balance, 0, requests, -1, seed);
          const before = placed(balance, factor, requests, -1, seed);
          const leaver = (7 * at + 3) % ENDPOINTS;
          const after = placed(balance, factor, requests, leaver, seed);
          return {
            highest: Math.max(...countsOf(before)) / meanLoad,
            away: before.reduce((count, endpoint, one) => count + (endpoint === home[one] ? 0 : 1), 0) / requests,
            moved: movedBeside(before, after, leaver) / meanLoad,
          };
        });
        telling.step(`${balance} ${factor === 0 ? 'without a bound' : factor}`);
        return {
          factor,
          highest: Math.max(...trials.map(({ highest }) => highest)),
          away: mean(trials.map(({ away }) => away)),
          moved: mean(trials.map(({ moved }) => moved)),
        };
      }),
    );
    const boundOf = (factor: number) => Math.ceil(factor * meanLoad) / meanLoad;
    const worst = Math.max(
      ...found.flatMap((all) => all.filter(({ factor }) => factor > 0).map((one) => one.highest / boundOf(one.factor))),
    );
    return {
      tables: [
        {
          head: [
            'balancer',
            'c',
            'highest load of the mean, published bound',
            'ours',
            'not at their own endpoint',
            '1/ε²',
            'moved, mean loads',
            'moved x ε²',
          ],
          rows: found.flatMap((all, index) =>
            all.map(({ factor, highest, away, moved }) => {
              const epsilon = factor - 1;
              return [
                BALANCES[index]!,
                factor === 0 ? 'off' : factor,
                factor === 0 ? '–' : boundOf(factor).toFixed(2),
                highest.toFixed(2),
                percent(away),
                factor === 0 ? '–' : (1 / epsilon ** 2).toFixed(2),
                moved.toFixed(2),
                factor === 0 ? '–' : (moved * epsilon ** 2).toFixed(2),
              ];
            }),
          ),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'Bounded loads: highest load, of the mean',
            xLabel: 'c',
            yLabel: 'multiples of the mean',
            groups: ['off', ...FACTORS.map(String)],
            series: BALANCES.map((balance, index) => ({
              name: balance,
              values: found[index]!.map(({ highest }) => highest),
            })),
          },
        },
      ],
      targets: [
        atMost('highest load against the published bound', 1, worst, (value) => value.toFixed(3)),
        atMost(
          'moved x ε², the constant of the published order, for c up to 2',
          2,
          Math.max(
            ...found.flatMap((all) =>
              all
                .filter(({ factor }) => factor > 0 && factor <= 2)
                .map(({ factor, moved }) => moved * (factor - 1) ** 2),
            ),
          ),
          (value) => value.toFixed(2),
        ),
      ],
      notes: [
        'The paper keeps all keys where they belong at every moment and moves them when others leave. sluice places a request once, by the load of that moment, and never moves it; its bound is that of HAProxy.',
      ],
    };
  },
};
