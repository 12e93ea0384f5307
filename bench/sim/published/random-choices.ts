/** Published: balls into bins. How high is the highest load after as many requests as endpoints, with one, two and three choices? */
import { NO_KEY } from '../../../src/balancing/balancer.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { UpstreamPicker } from '../../../src/balancing/upstream-picker.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { seededRng } from '../../../src/core/rng.js';
import { boardOf } from '../model/fleet.js';
import { mean } from '../model/recording.js';
import { difference, percent } from '../report/table.js';
import type { Story, Telling } from '../story.js';
import { highestOfOneChoice, loadsOfChoices } from './formulas.js';

/** A trial: requests in flight of every endpoint, after n of them have come and none has ended. */
type Trial = (n: number, seed: number) => Int32Array;

/** With the real balancer on a real board; one board for all trials of a size, emptied after each. */
function withBalancer(balance: 'random' | 'random-two'): Trial {
  let made: ReturnType<typeof boardOf> | undefined;
  return (n, seed) => {
    if (made?.plan.endpoints.length !== n)
      made = boardOf({
        endpoints: Array.from({ length: n }, () => ({})),
        picking: { balance },
        workers: 1,
        isApart: false,
        seed,
      });
    const { board, plan } = made;
    const worker = attachBoard(board.buffer, 0);
    const picker = new UpstreamPicker(plan, worker, seededRng(seed), null);
    for (let ball = 0; ball < n; ball++) picker.pick(NO_KEY, NONE_TRIED, 1);
    return Int32Array.from(plan.endpoints, ({ slot, generation }) => {
      const load = board.load.inflight(slot);
      for (let claim = 0; claim < load; claim++) worker.claims.end(slot, generation);
      return load;
    });
  };
}

/** Drawn by the simulator: for sizes and numbers of choices that sluice does not have. */
function withDraws(choices: number): Trial {
  return (n, seed) => {
    const rng = seededRng(seed);
    const loads = new Int32Array(n);
    for (let ball = 0; ball < n; ball++) {
      let chosen = rng.below(n);
      for (let draw = 1; draw < choices; draw++) {
        const other = rng.below(n);
        if (loads[other]! < loads[chosen]!) chosen = other;
      }
      loads[chosen]! += 1;
    }
    return loads;
  };
}

function trialsOf(trial: Trial, n: number, count: number, { seed }: Telling): Int32Array[] {
  return Array.from({ length: count }, (_, at) => trial(n, seed * 100_003 + at));
}

function highest(loads: Int32Array): number {
  return loads.reduce((most, load) => Math.max(most, load), 0);
}

function shareWithAtLeast(trials: readonly Int32Array[], load: number): number {
  return mean(trials.map((loads) => loads.reduce((count, own) => count + (own >= load ? 1 : 0), 0) / loads.length));
}

const LARGE = 1_000_000;
const BOARD_SIZES = [4_096, 65_536];

export const RANDOM_CHOICES: Story = {
  name: 'random-choices',
  title: 'Balls into bins: one, two and three choices',
  model: [
    'As many requests as endpoints; none of them ends. `random` and `random-two` are the real balancers on a real board, which has room for 65,536 endpoints. What they cannot do (three choices, a million endpoints) is drawn by the simulator itself and marked *drawn*.',
    'Published: with one choice the highest load is ln n / ln ln n (1 + o(1)); with d choices ln ln n / ln d + O(1) (Azar, Broder, Karlin, Upfal 1999; Mitzenmacher 2001). For one choice the expected highest load can be worked out for Poisson loads (Mitzenmacher and Upfal, 5.4). For more choices the shares of endpoints with at least k requests follow differential equations ([Mitzenmacher 1997](https://www.eecs.harvard.edu/~michaelm/)), which are solved here.',
  ],
  steps: 8,
  tell(telling) {
    const sizes = telling.isQuick ? [4_096] : BOARD_SIZES;
    const countOf = (n: number) => (telling.isQuick ? 20 : n === LARGE ? 5 : n > 10_000 ? 20 : 200);
    const rows: (string | number)[][] = [];
    const fluid: (string | number)[][] = [];
    const found: Record<string, number> = {};
    const ways: readonly { name: string; choices: number; trial: Trial; drawnTrial: Trial }[] = [
      { name: '`random`', choices: 1, trial: withBalancer('random'), drawnTrial: withDraws(1) },
      { name: '`random-two`', choices: 2, trial: withBalancer('random-two'), drawnTrial: withDraws(2) },
      { name: '*drawn*', choices: 3, trial: withDraws(3), drawnTrial: withDraws(3) },
    ];
    const add = (name: string, choices: number, n: number, trial: Trial): void => {
      const trials = trialsOf(trial, n, countOf(n), telling);
      const highs = trials.map(highest);
      const ours = mean(highs);
      found[`${choices}/${n}`] = ours;
      const law = choices === 1 ? Math.log(n) / Math.log(Math.log(n)) : Math.log(Math.log(n)) / Math.log(choices);
      const expected = choices === 1 ? highestOfOneChoice(n) : Number.NaN;
      rows.push([
        choices,
        n.toLocaleString('en-US'),
        name,
        law.toFixed(2),
        Number.isNaN(expected) ? '–' : expected.toFixed(2),
        `${ours.toFixed(2)} (${Math.min(...highs)} to ${Math.max(...highs)})`,
        Number.isNaN(expected) ? `law + ${(ours - law).toFixed(2)}` : difference(expected, ours),
      ]);
      if (choices > 1 && n === sizes.at(-1)) {
        const shares = loadsOfChoices(choices);
        for (const load of [1, 2, 3]) {
          const own = shareWithAtLeast(trials, load);
          fluid.push([
            choices,
            load,
            percent(shares[load - 1]!, 3),
            percent(own, 3),
            difference(shares[load - 1]!, own),
          ]);
          found[`${choices}>=${load}`] = Math.abs(own - shares[load - 1]!);
        }
      }
      telling.step(`${choices} choices among ${n}`);
    };
    for (const { name, choices, trial, drawnTrial } of ways) {
      for (const n of sizes) add(name, choices, n, trial);
      if (!telling.isQuick) add('*drawn*', choices, LARGE, drawnTrial);
    }
    const n = sizes.at(-1)!;
    const expected = highestOfOneChoice(n);
    return {
      tables: [
        {
          head: ['choices', 'endpoints', 'balancer', 'law', 'published: expected', 'ours: mean (range)', 'difference'],
          rows,
        },
        {
          caption: `Share of ${n.toLocaleString('en-US')} endpoints with at least so many requests:`,
          head: ['choices', 'requests', 'published: limit', 'ours', 'difference'],
          rows: fluid,
        },
      ],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'Highest load after as many requests as endpoints',
            xLabel: 'endpoints',
            yLabel: 'requests in flight, mean of the trials',
            groups: [...sizes, ...(telling.isQuick ? [] : [LARGE])].map((size) => size.toLocaleString('en-US')),
            series: ways.map(({ choices }) => ({
              name: `${choices} ${choices === 1 ? 'choice' : 'choices'}`,
              values: [...sizes, ...(telling.isQuick ? [] : [LARGE])].map((size) => found[`${choices}/${size}`]!),
            })),
          },
        },
      ],
      targets: [
        {
          what: `highest load, one choice among ${n.toLocaleString('en-US')}`,
          wanted: `within 5 % of ${expected.toFixed(2)}`,
          found: found[`1/${n}`]!.toFixed(2),
          isMet: Math.abs(found[`1/${n}`]! / expected - 1) <= 0.05,
        },
        {
          what: 'endpoints with at least 2 requests, two choices',
          wanted: 'within half a per cent of all endpoints of the limit',
          found: percent(found['2>=2']!, 3),
          isMet: found['2>=2']! <= 0.005,
        },
      ],
      notes: [
        '`random-two` draws two different endpoints, the papers two that may be the same; among thousands that makes no difference that could be seen.',
      ],
    };
  },
};
