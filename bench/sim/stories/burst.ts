/** Story: for two seconds ten times as many requests come as usual. */
import { burst } from '../model/arrivals.js';
import { lognormal } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { percentile } from '../model/recording.js';
import { percent } from '../report/table.js';
import { atMost, type Story } from '../story.js';
import { contest, failedShare, latencyTable, plain, told } from './contest.js';

const CONTENDERS = plain('random', 'round-robin', 'random-two', 'least-conn', 'peak-ewma', 'least-time');
const BURST_FROM_MS = 5_000;
const BURST_UNTIL_MS = 7_000;
const DURATION_MS = 10_000;

export const BURST: Story = {
  name: 'burst',
  title: 'A burst of ten times the traffic',
  model: [
    'Ten equal endpoints with 8 places and a queue, work lognormal with a median of 20 ms (sigma 0.5): together they can do about 3,500 requests a second. 330 come (Poisson), and for two seconds 3,300: 93 % of what the fleet can do. 4 workers.',
  ],
  steps: CONTENDERS.length,
  tell(telling) {
    const scenario = {
      endpoints: fleetOf(10, sound(8)),
      arrivals: burst(330, 10, BURST_FROM_MS, BURST_UNTIL_MS),
      requests: { work: lognormal(20, 0.5) },
      durationMs: DURATION_MS,
      seed: telling.seed,
    };
    const all = contest(scenario, CONTENDERS, telling);
    const during = [BURST_FROM_MS, BURST_UNTIL_MS] as const;
    const before = (name: string) => percentile(told(all, name).latencies(1_000, BURST_FROM_MS), 99);
    const after = (name: string) => percentile(told(all, name).latencies(BURST_UNTIL_MS + 500, DURATION_MS), 99);
    const lost = Math.max(...all.map(({ recording }) => failedShare(recording, 0, DURATION_MS)));
    return {
      tables: [latencyTable(all, during)],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'P99 through a burst of ten times the traffic',
            xLabel: 'time in s',
            yLabel: 'P99 of 250 ms in ms',
            lines: all.map(({ name, recording }) => ({
              name,
              points: recording
                .latencyOverTime(99, 0, DURATION_MS, 250)
                .map(([atMs, latencyMs]) => [atMs / 1_000, latencyMs] as const),
            })),
            marks: [
              { x: BURST_FROM_MS / 1_000, text: 'x 10' },
              { x: BURST_UNTIL_MS / 1_000, text: 'x 1' },
            ],
          },
        },
      ],
      targets: [
        atMost('requests that failed or were turned away, any balancer', 0, lost, percent),
        ...['least-conn', 'least-time'].map((name) =>
          atMost(
            `P99 from half a second after the burst, as a multiple of that before it, ${name}`,
            1.25,
            after(name) / before(name),
            (value) => value.toFixed(2),
          ),
        ),
      ],
      notes: [
        'The table shows the two seconds of the burst. Above 8 endpoints `least-time` compares two that it draws, and `least-conn` does so above 16: among these ten `least-conn` looks at all.',
      ],
    };
  },
};
