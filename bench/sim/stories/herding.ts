/** Story: 1 to 16 workers that count for themselves, against workers that share their counts. */
import { poisson } from '../model/arrivals.js';
import { exponential } from '../model/distributions.js';
import { fleetOf, sound } from '../model/endpoints.js';
import { percentile, type Recording } from '../model/recording.js';
import { playWith, type Scenario } from '../model/scenario.js';
import { ms } from '../report/table.js';
import type { Story } from '../story.js';

const WORKERS = [1, 2, 4, 8, 16];
const BALANCES = ['round-robin', 'least-conn', 'least-time'] as const;
const ENDPOINTS = 8;

export const HERDING: Story = {
  name: 'herding',
  title: 'Workers that count for themselves',
  model: [
    `${ENDPOINTS} endpoints with one place and a queue, exponential work with a mean of 20 ms, 320 requests a second (Poisson): 80 % of what they can do. Each request comes to a random worker. Once all workers share one board, as they do in sluice; once each has a board of its own and knows only its own requests, as in proxies without shared state. The balancers are the same files.`,
  ],
  steps: 2 * BALANCES.length * WORKERS.length,
  tell(telling) {
    const durationMs = telling.isQuick ? 18_000 : 120_000;
    const counts = telling.isQuick ? [1, 16] : WORKERS;
    const run = (balance: (typeof BALANCES)[number], workers: number, isApart: boolean): Recording => {
      const scenario: Scenario = {
        endpoints: fleetOf(ENDPOINTS, sound(1)),
        arrivals: poisson(320),
        requests: { work: exponential(20) },
        durationMs,
        workers,
        isApart,
        seed: telling.seed,
      };
      const recording = playWith(scenario, { balance });
      telling.step(`${balance}, ${workers} workers ${isApart ? 'apart' : 'sharing'}`);
      return recording;
    };
    const p99 = (recording: Recording) => percentile(recording.latencies(5_000, durationMs), 99);
    const figures = BALANCES.map((balance) => ({
      balance,
      shared: counts.map((workers) => p99(run(balance, workers, false))),
      apart: counts.map((workers) => p99(run(balance, workers, true))),
    }));
    const leastConn = figures[1]!;
    const last = counts.length - 1;
    return {
      tables: [
        {
          caption: 'P99 of the latency:',
          head: ['balancer', 'state', ...counts.map((workers) => `${workers} ${workers === 1 ? 'worker' : 'workers'}`)],
          rows: figures.flatMap(({ balance, shared, apart }) => [
            [balance, 'shared (sluice)', ...shared.map(ms)],
            [balance, 'of each worker', ...apart.map(ms)],
          ]),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: {
            title: 'P99 with state that is shared, and with state of each worker',
            xLabel: 'workers',
            yLabel: 'P99 in ms',
            lines: figures.flatMap(({ balance, shared, apart }) => [
              { name: `${balance}, shared`, points: counts.map((workers, at) => [workers, shared[at]!] as const) },
              { name: `${balance}, apart`, points: counts.map((workers, at) => [workers, apart[at]!] as const) },
            ]),
          },
        },
      ],
      targets: [
        {
          what: `P99 of least-conn with ${counts[last]} workers that share`,
          wanted: `within 5 % of that with one (${ms(leastConn.shared[0]!)})`,
          found: ms(leastConn.shared[last]!),
          isMet: Math.abs(leastConn.shared[last]! / leastConn.shared[0]! - 1) <= 0.05,
        },
        {
          what: `the same with ${counts[last]} workers apart`,
          wanted: 'at least half as long again',
          found: ms(leastConn.apart[last]!),
          isMet: leastConn.apart[last]! >= 1.5 * leastConn.shared[last]!,
        },
      ],
      notes: [],
    };
  },
};
