/** Story: one replica of four goes from 150 ms to 800 ms, and later back. */
import { poisson } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { changing, fleetOf, sound } from '../model/endpoints.js';
import type { Recording } from '../model/recording.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { contest, latencyTable, plain, shareLines, told } from './contest.js';

const CONTENDERS = plain('round-robin', 'random-two', 'least-conn', 'peak-ewma', 'least-time');
const SLOW_FROM_MS = 20_000;
const SLOW_UNTIL_MS = 60_000;
const DURATION_MS = 100_000;
/** "Within a few seconds". */
const SETTLED_AFTER_MS = 5_000;
const MOST_SHARE = 0.05;

/** Seconds from the change to the first second in which the endpoint has no more than that share; NaN: never. */
function secondsUntil(recording: Recording, most: number): number {
  const windows = recording.shareOverTime(0, SLOW_FROM_MS, SLOW_UNTIL_MS, 1_000);
  const at = windows.findIndex(([, share]) => share <= most);
  return at < 0 ? Number.NaN : at + 1;
}

export const SLOW_REPLICA: Story = {
  name: 'slow-replica',
  title: 'A replica that goes from 150 to 800 ms',
  model: [
    'Four endpoints without a queue; the work of a request is lognormal with a median of 150 ms (sigma 0.2). After 20 s one of them takes 800 ms, after 60 s 150 ms again. 120 requests a second (Poisson), 4 workers.',
  ],
  steps: CONTENDERS.length,
  tell(telling) {
    const slow = changing(Infinity, SLOW_FROM_MS, { kind: 'serves', slowness: 800 / 150 }, SLOW_UNTIL_MS);
    const scenario = {
      endpoints: [{ model: slow }, ...fleetOf(3, sound(Infinity))],
      arrivals: poisson(120),
      requests: { work: lognormal(150, 0.2) },
      durationMs: DURATION_MS,
      seed: telling.seed,
    };
    const all = contest(scenario, CONTENDERS, telling);
    const settled = [SLOW_FROM_MS + SETTLED_AFTER_MS, SLOW_UNTIL_MS] as const;
    const columns = [
      { head: 'share before', cell: (one: Recording) => percent(one.share(0, 5_000, SLOW_FROM_MS)) },
      { head: 'share from 5 s on', cell: (one: Recording) => percent(one.share(0, ...settled)) },
      {
        head: `seconds to ${percent(MOST_SHARE, 0)}`,
        cell: (one: Recording) => {
          const seconds = secondsUntil(one, MOST_SHARE);
          return Number.isNaN(seconds) ? 'never' : String(seconds);
        },
      },
      {
        head: 'share 20 s after recovery',
        cell: (one: Recording) => percent(one.share(0, SLOW_UNTIL_MS + 20_000, DURATION_MS)),
      },
    ];
    const leastTime = told(all, 'least-time');
    return {
      tables: [latencyTable(all, settled, columns)],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'Share of a replica that goes from 150 to 800 ms',
            xLabel: 'time in s',
            yLabel: 'share of requests in %',
            lines: shareLines(all, 0, DURATION_MS),
            marks: [
              { x: SLOW_FROM_MS / 1_000, text: '800 ms' },
              { x: SLOW_UNTIL_MS / 1_000, text: '150 ms' },
            ],
            limit: { y: MOST_SHARE * 100, text: 'wanted: at most 5 %' },
          },
        },
      ],
      targets: [
        atMost('seconds until the share is at most 5 %, least-time', 5, secondsUntil(leastTime, MOST_SHARE), String),
        atMost('share from 5 s after the change, least-time', MOST_SHARE, leastTime.share(0, ...settled), percent),
      ],
      notes: ['Latencies are those of requests between 25 and 60 s.'],
    };
  },
};
