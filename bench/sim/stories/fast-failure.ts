/** Story: one endpoint of four fails every request in 1 ms, for a while. */
import { poisson } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { changing, fleetOf, sound } from '../model/endpoints.js';
import type { Recording } from '../model/recording.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { contest, failedShare, plain, shareLines, told } from './contest.js';

const CONTENDERS = plain('round-robin', 'random-two', 'least-conn', 'peak-ewma', 'least-time');
const FAILS_FROM_MS = 10_000;
const FAILS_UNTIL_MS = 40_000;
const DURATION_MS = 60_000;
const MOST_SHARE = 0.05;

export const FAST_FAILURE: Story = {
  name: 'fast-failure',
  title: 'An endpoint that fails in 1 ms',
  model: [
    'Four endpoints without a queue, work lognormal with a median of 50 ms (sigma 0.3), 300 requests a second (Poisson), 4 workers. From 10 s to 40 s one endpoint answers everything with status 500 after 1 ms. No health check, no retry: only the balancer can help.',
  ],
  steps: CONTENDERS.length,
  tell(telling) {
    const failing = changing(Infinity, FAILS_FROM_MS, { kind: 'answers', status: 500, afterMs: 1 }, FAILS_UNTIL_MS);
    const scenario = {
      endpoints: [{ model: failing }, ...fleetOf(3, sound(Infinity))],
      arrivals: poisson(300),
      requests: { work: lognormal(50, 0.3) },
      durationMs: DURATION_MS,
      seed: telling.seed,
    };
    const all = contest(scenario, CONTENDERS, telling);
    const settled = [FAILS_FROM_MS + 1_000, FAILS_UNTIL_MS] as const;
    const columns: readonly [string, (one: Recording) => string][] = [
      ['share in the first second', (one) => percent(one.share(0, FAILS_FROM_MS, FAILS_FROM_MS + 1_000))],
      ['share after it', (one) => percent(one.share(0, ...settled))],
      ['requests that failed', (one) => percent(failedShare(one, FAILS_FROM_MS, FAILS_UNTIL_MS))],
      ['share 10 s after the end', (one) => percent(one.share(0, FAILS_UNTIL_MS + 10_000, DURATION_MS))],
    ];
    const share = told(all, 'least-time').share(0, ...settled);
    return {
      tables: [
        {
          head: ['balancer', ...columns.map(([head]) => head)],
          rows: all.map(({ name, recording }) => [name, ...columns.map(([, cell]) => cell(recording))]),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'Share of an endpoint that fails in 1 ms',
            xLabel: 'time in s',
            yLabel: 'share of requests in %',
            lines: shareLines(all, 0, DURATION_MS),
            marks: [
              { x: FAILS_FROM_MS / 1_000, text: 'fails' },
              { x: FAILS_UNTIL_MS / 1_000, text: 'sound again' },
            ],
            limit: { y: MOST_SHARE * 100, text: 'wanted: at most 5 %' },
          },
        },
      ],
      targets: [atMost('share after one second, least-time', MOST_SHARE, share, percent)],
      notes: [
        'To whoever counts only requests in flight, an endpoint that fails at once is always the least loaded: it gets most of the traffic.',
      ],
    };
  },
};
